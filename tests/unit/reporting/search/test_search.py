import json
from collections.abc import Callable
from pathlib import Path

from tests.unit.reporting.conftest import HOSTILE
from tests.unit.reporting.pages import References

from gristmill.reporting.search.extract import MOST_LETTERS, sections_of
from gristmill.reporting.search.index import INDEX_FILE, page_title
from gristmill.reporting.site import write_site

PAGE = """<html><head><title>T</title><style>p { color: red }</style></head><body><header><nav>menu</nav></header><main>
<h1>Compare &amp; choose</h1><p>The <b>best</b> one wins.</p>
<details class="code"><summary>code</summary><pre>import os</pre></details>
<h2 id="in-time">In time</h2><table><tr><th>name</th><td>0.25</td></tr></table><p>The best one wins.</p><p>The best one wins.</p>
<img alt="Boosting is slowest" src="data:image/png;base64,AAAA"><script>let words = 1;</script><svg><text>axis</text></svg>
</main></body></html>"""


def test_headings_sentences_and_titles_of_figures_are_found_and_nothing_else() -> None:
    found = [(section.heading, section.anchor, section.text) for section in sections_of(PAGE)]
    assert found == [
        ("Compare & choose", "", "The best one wins."),
        ("In time", "in-time", "name · The best one wins. · Boosting is slowest"),
    ]


def test_a_long_section_is_cut() -> None:
    assert len(sections_of("<h1>a</h1>" + "".join(f"<p>word{n}</p>" for n in range(9000)))[0].text) == MOST_LETTERS


def test_pages_are_called_as_on_the_site() -> None:
    assert [page_title(name) for name in ("06_select", "model_card", "data_docs/index", "index")] == [
        "06 Select",
        "Model card",
        "Data docs, overview",
        "Overview",
    ]


def test_the_search_page_holds_the_reports_of_all_cases(fill: Callable[..., Path]) -> None:
    root = fill()
    write_site(root, "churn")
    other = root / "reports" / "other"
    other.mkdir()
    (other / "index.html").write_text("<h1>Other</h1>", encoding="utf-8")
    (other / "what #1.html").write_text("<h1>Own</h1>", encoding="utf-8")
    (other / "07_evaluate.html").write_text(f"<h2 id='x'>Held out</h2><p>{HOSTILE.replace('<', '&lt;')}</p>", encoding="utf-8")
    write_site(root, "churn")
    page = (root / "reports" / "search.html").read_text(encoding="utf-8")
    data = json.loads(page.split('id="data">')[1].split("</script>")[0])
    assert [index["case"] for index in data] == ["churn", "other"]
    assert data[1]["pages"][0] == {
        "href": "other/07_evaluate.html",
        "title": "07 Evaluate",
        "sections": [["Held out", "x", " ".join(HOSTILE.split())]],
    }
    assert References(page).links.count("other/07_evaluate.html") == 1
    assert "other/what%20%231.html" in References(page).links
    assert "What the rows are like" in (root / "reports" / "churn" / INDEX_FILE).read_text(encoding="utf-8")
    assert page.count("<script") == 2
