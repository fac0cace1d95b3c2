"""The index over all reports of a project, and the page that searches it without a server.

Each case has its index in ``search.json`` beside its reports, made when they are; the page carries all of them.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from gristmill.reporting.builds.page import embedded
from gristmill.reporting.search.extract import sections_of
from gristmill.reporting.stage_report import stage_label
from gristmill.reporting.templating import render, style_sheet

INDEX_FILE = "search.json"

_NAMES = {"index": "Overview", "design": "Design", "builds": "Builds", "model_card": "Model card", "profile": "Data profile"}

Index = Mapping[str, Any]
"""``case``, and its ``pages``: ``href``, quoted, from the site's root, ``title``, and ``sections`` of heading, anchor and text."""


def index_case(folder: Path) -> dict[str, Any]:
    """Return the index over the pages in a case's folder of reports."""
    pages = (_page(path, folder) for path in sorted(folder.rglob("*.html")))
    return {"case": folder.name, "pages": [page for page in pages if page is not None]}


def _page(path: Path, folder: Path) -> dict[str, Any] | None:
    """Return what can be found in one page; None if a build of that case took it away meanwhile."""
    try:
        found = sections_of(path.read_text(encoding="utf-8", errors="replace"))
    except FileNotFoundError:
        return None
    return {
        "href": quote(path.relative_to(folder.parent).as_posix()),
        "title": page_title(path.relative_to(folder).with_suffix("").as_posix()),
        "sections": [[section.heading, section.anchor, section.text] for section in found],
    }


def page_title(name: str) -> str:
    """Return how a page is called, from its path without ending: ``06_select`` is ``06 Select``."""
    folder, _, last = name.rpartition("/")
    if folder:
        return f"{stage_label(folder).capitalize()}, {_NAMES.get(last, stage_label(last)).lower()}"
    return _NAMES.get(last, stage_label(last))


def read_index(folder: Path) -> Index:
    """Return the index that stands in a case's folder; it is made anew if it is missing or damaged."""
    try:
        content = json.loads((folder / INDEX_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return index_case(folder)
    return content if isinstance(content, dict) and "pages" in content else index_case(folder)


def render_search(indices: Sequence[Index]) -> str:
    """Return the search page over the indices of all cases."""
    return render(
        "search.html.j2",
        site_css=Markup(style_sheet("site.css") + style_sheet("search.css")),  # noqa: S704 - our own files
        home="index.html",
        cases=[index for index in indices if index["pages"]],
        data=embedded(list(indices)),
        script=Markup(style_sheet("search.js")),  # noqa: S704 - our own file
    )
