"""The report site in a real browser, opened from the disk: search, differences, print, telephone, accessibility."""

import copy
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.app.accessibility import violations
from tests.unit.reporting.browsing import Visit, cut_on_paper
from tests.unit.reporting.builds.conftest import RUN, better, same
from tests.unit.reporting.conftest import notebook

from gristmill.paths import ProjectPaths
from gristmill.reporting.builds.entry import entry_of
from gristmill.reporting.builds.history import append_build
from gristmill.reporting.documents import markdown_page
from gristmill.reporting.record import read_record
from gristmill.reporting.site import write_site
from gristmill.reporting.stage_report import StageRun, render_stage_report

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGES = ("index.html", "search.html", "churn/index.html", "churn/design.html", "churn/builds.html", "churn/02_validate.html",
         "churn/model_card.html")  # fmt: skip


def worse(entry: dict[str, Any]) -> None:
    """One metric worse by more than noise, and a parameter gone."""
    entry["metrics"]["test"]["log_loss"] = [0.6, 0.58, 0.62]
    entry["parameters"].pop("threshold.rule")
    entry["finished"] = "2026-02-03T12:00:00+00:00"


@pytest.fixture
def reports(fill: Callable[..., Path]) -> Path:
    """The reports of a case that was built four times."""
    root = fill()
    project = ProjectPaths(root)
    wide = ["| " + " | ".join(cells) + " |" for cells in (["wide name"] * 30, ["---"] * 30, ["0.25"] * 30)]
    card = "\n".join(["# Card", "", "## Data", "", "| a |  |", "|---|---|", "| b | c |", "", *wide])
    (project.reports / "churn" / "model_card.html").write_text(markdown_page(card, title="Model card", case="churn"))
    made = entry_of(read_record(project, "churn"), RUN)
    append_build(project.case("churn").build_history, made)
    for change in (better, same, worse):
        made = copy.deepcopy(made)
        change(made)
        append_build(project.case("churn").build_history, made)
    write_site(root, "churn")
    return project.reports


def words(page: Any) -> str:
    """Return all that a page says of two builds, without the spaces between."""
    return "".join(page.locator("#compared").text_content().split())


def test_what_the_script_says_of_two_builds_is_what_the_page_says_without_it(visit: Visit, reports: Path, browser: Any) -> None:
    address = (reports / "churn" / "builds.html").as_uri()
    context = browser.new_context(java_script_enabled=False)
    still = context.new_page()
    still.goto(address)
    without = words(still)
    assert not still.get_by_label("from", exact=True).is_visible()
    context.close()
    page = visit.page
    page.goto(address)
    page.get_by_label("from", exact=True).select_option(label="Build 1, 2026-01-31 12:00 UTC")
    assert words(page) != without
    page.get_by_label("from", exact=True).select_option(label="Build 3, 2026-02-02 12:00 UTC")
    assert words(page) == without
    assert "worse, by more than noise" in page.locator("#compared").inner_text()
    assert (visit.remote, visit.complaints) == ([], [])


def test_any_two_builds_can_be_compared_by_link_and_by_list(visit: Visit, reports: Path) -> None:
    page = visit.page
    page.goto((reports / "churn" / "builds.html").as_uri() + "#compare-1-2")
    compared = page.locator("#compared")
    row = compared.get_by_role("row", name=re.compile("^ROC-AUC"))
    cells = [cell.split("\n")[0] for cell in row.get_by_role("cell").all_inner_texts()]
    assert cells == ["0.846", "0.906", "+0.060", "better, by more than noise"]
    assert row.locator("small").all_inner_texts() == ["0.824\u20130.868", "0.890\u20130.920", "+0.033 to +0.086"]
    budget = compared.get_by_role("row", name="training.budget_seconds").get_by_role("cell")
    assert budget.all_inner_texts() == ["60.0", "120.0"]
    assert compared.get_by_text("<b>new</b>").count() == 1
    page.get_by_role("button", name="Swap").click()
    assert budget.all_inner_texts() == ["120.0", "60.0"]
    page.get_by_role("link", name=re.compile("^Build 2, .*promoted")).first.click()
    assert not page.locator("#build-3").get_by_text("gristmill score").is_visible()
    assert page.locator("#build-2").get_by_text("gristmill score customers.csv scored.csv --model churn/3").is_visible()


def test_a_reader_searches_by_keyboard_and_opens_what_was_found(visit: Visit, reports: Path) -> None:
    page = visit.page
    page.goto((reports / "churn" / "index.html").as_uri())
    page.get_by_role("searchbox", name="Search all reports").fill("rows expects")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=rows+expects")
    assert page.get_by_role("status").inner_text() == "15 sections found."  # 14 stages, and their questions on one page
    assert [mark.lower() for mark in page.locator("#found mark").all_inner_texts()[:2]] == ["rows", "expects"]
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement === document.querySelectorAll('#found a')[1]")
    page.keyboard.press("Escape")
    assert (page.locator("#found li").count(), page.get_by_role("link", name="06 Select").is_visible()) == (0, True)
    page.keyboard.type("nowhere to be found")
    assert page.get_by_role("status").inner_text().startswith("Nothing was found for “nowhere to be found”")
    page.get_by_label("What to look for").fill("what the ROWS are like")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/*.html#what-the-rows-are-like")
    assert (visit.remote, visit.complaints) == ([], [])


def test_without_a_script_the_search_page_lists_all_reports(browser: Any, reports: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((reports / "search.html").as_uri())
    assert page.get_by_text("Searching needs JavaScript").is_visible()
    page.get_by_role("link", name="06 Select").click()
    assert page.url.endswith("/churn/06_select.html")
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_breaks_a_rule_of_accessibility_or_is_wider_than_a_telephone(visit: Visit, reports: Path, scheme: str) -> None:
    page = visit.page
    page.emulate_media(color_scheme=scheme)
    for name in PAGES:
        page.goto((reports / name).as_uri())
        assert violations(page) == [], name
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
        assert violations(page) == [], name
        page.set_viewport_size({"width": 1280, "height": 900})


def test_on_paper_nothing_is_cut_and_navigation_is_gone(visit: Visit, reports: Path) -> None:
    page = visit.page
    page.emulate_media(color_scheme="dark")
    for name in PAGES:
        page.goto((reports / name).as_uri())
        assert cut_on_paper(page) == [], name
        assert not page.locator("header, nav, form, .side").locator("visible=true").count(), name
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") in {"rgb(255, 255, 255)", "rgba(0, 0, 0, 0)"}
    page.goto((reports / "churn" / "builds.html").as_uri())
    sheets = page.pdf(prefer_css_page_size=True)
    assert sheets.startswith(b"%PDF")
    assert b"/MediaBox [0 0 594.9" in sheets  # A4
    assert 2 <= len(re.findall(rb"/Type /Page\b", io.BytesIO(sheets).getvalue())) <= 9


def test_a_report_that_stopped_opens_at_the_cell_that_failed(visit: Visit, tmp_path: Path) -> None:
    long = notebook(outputs=[{"output_type": "error", "ename": "DataError", "evalue": "no rows", "traceback": ["trace"]}])
    long["cells"][1:1] = [{"cell_type": "markdown", "source": "Text.\n\n" * 200}]
    (tmp_path / "report.html").write_text(render_stage_report(long, StageRun("churn", "02_validate")), encoding="utf-8")
    page = visit.page
    page.goto((tmp_path / "report.html").as_uri())
    assert page.get_by_text("It stopped here.").evaluate("part => part.getBoundingClientRect().top < innerHeight")
    page.get_by_role("link", name="To the top of the page").click()
    assert page.url.endswith("#content")
    assert violations(page) == []
