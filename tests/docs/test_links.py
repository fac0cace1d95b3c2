"""Links lead somewhere, to the very section they name, and every page can be found from the first."""

from pathlib import Path

import pytest
from tests.conftest import REPOSITORY
from tests.docs.pages import PAGES, anchors, links, shown

DOCS = REPOSITORY / "docs"


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_every_link_leads_to_a_file_that_there_is_and_a_section_that_it_has(page: Path):
    broken = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


def test_every_page_is_reached_from_the_first():
    seen, waiting = set(), [DOCS / "index.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or not page.exists():
            continue
        seen.add(page)
        waiting += [
            (page.parent / link.partition("#")[0]).resolve() for link in links(page) if link.partition("#")[0].endswith(".md")
        ]
    lost = [shown(page) for page in PAGES if page.is_relative_to(DOCS) and page not in seen]
    assert not lost, "no page links to these; name them in docs/index.md"


def test_every_page_of_the_docs_has_its_line_in_the_index():
    named = {(DOCS / link.partition("#")[0]).resolve() for link in links(DOCS / "index.md")}
    pages = {page for page in PAGES if page.is_relative_to(DOCS)} - {DOCS / "index.md"}
    assert not [shown(page) for page in pages - named]
