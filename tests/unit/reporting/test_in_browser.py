"""The report site in a real browser, opened from the disk."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from tests.unit.reporting.browsing import Visit

from gristmill.reporting.site import write_site
from gristmill.reporting.stage_report import render_stage_report

pytestmark = pytest.mark.browser


@pytest.fixture
def index(fill: Callable[..., Path]) -> Path:
    root = fill()
    write_site(root, "churn")
    return root / "reports" / "index.html"


def test_a_reader_comes_from_the_index_through_the_picture_to_a_stage(visit: Visit, index: Path) -> None:
    page = visit.page
    page.goto(index.as_uri())
    page.get_by_role("link", name="churn").click()
    page.locator("svg.dag a", has_text="audit fairness").click()
    assert page.url.endswith("/churn/09_audit_fairness.html")
    assert page.locator("h1").inner_text() == "Audit fairness"
    page.get_by_role("link", name="← 08 Explain").click()
    assert page.locator("aside [aria-current]").inner_text() == "08 Explain"
    assert (visit.remote, visit.complaints) == ([], [])


def test_code_is_hidden_until_it_is_asked_for(visit: Visit, index: Path) -> None:
    page = visit.page
    page.goto((index.parent / "churn" / "06_select.html").as_uri())
    assert not page.get_by_text("import pandas as pd").is_visible()
    page.get_by_role("button", name="Show all code").click()
    assert page.get_by_text("import pandas as pd").is_visible()
    assert (visit.remote, visit.complaints) == ([], [])


@pytest.mark.parametrize(("motion", "scrolling"), [("reduce", "auto"), ("no-preference", "smooth")])
def test_a_reader_who_wants_no_motion_is_at_the_section_at_once(visit: Visit, index: Path, motion: str, scrolling: str) -> None:
    visit.page.emulate_media(reduced_motion=motion)
    visit.page.goto(index.as_uri())
    assert visit.page.evaluate("() => getComputedStyle(document.documentElement).scrollBehavior") == scrolling


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["index.html", "churn/index.html", "churn/design.html", "churn/02_validate.html"])
def test_pages_fit_a_telephone_in_light_and_dark(visit: Visit, index: Path, name: str, scheme: str) -> None:
    visit.page.set_viewport_size({"width": 360, "height": 740})
    visit.page.emulate_media(color_scheme=scheme)
    visit.page.goto((index.parent / name).as_uri())
    assert visit.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert (visit.remote, visit.complaints) == ([], [])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_table_wider_than_its_place_shows_an_edge_until_its_end_is_seen_and_scrolls_by_keyboard(
    visit: Visit, tmp_path: Path, scheme: str
) -> None:
    wide = pd.DataFrame({f"a_rather_long_name_{n}": [n] for n in range(40)}).to_html()
    cell = {"cell_type": "code", "source": "", "outputs": [{"output_type": "display_data", "data": {"text/html": wide}}]}
    (tmp_path / "report.html").write_text(render_stage_report({"cells": [cell]}), encoding="utf-8")
    page = visit.page
    page.emulate_media(color_scheme=scheme)
    page.goto((tmp_path / "report.html").as_uri())
    table = page.get_by_role("group", name="Table, scrolls sideways where it is wide")
    box = table.bounding_box()
    assert box is not None
    edges = [{"x": x, "y": box["y"] + 2, "width": 3, "height": 8} for x in (box["x"] + 1, box["x"] + box["width"] - 4)]

    def looks() -> tuple[bytes, bytes]:
        return page.screenshot(clip=edges[0]), page.screenshot(clip=edges[1])

    at_start = looks()
    assert at_start[0] != at_start[1]
    table.focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('.scroll').scrollLeft > 0")
    table.evaluate("table => { table.scrollLeft = table.scrollWidth; document.activeElement.blur() }")
    at_end = looks()
    assert at_end[0] != at_start[0]
    assert at_end[1] != at_start[1]
