"""The app in a real browser: predict, what if, a table with a bad row; and what axe says of the pages."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.app.accessibility import violations
from tests.app.conftest import SECONDS_TO_LOAD, StartedApp
from tests.models import customers

from gristmill.serving.prediction_log.reader import LogReader

pytestmark = [pytest.mark.slow, pytest.mark.browser]

STREAMLIT: frozenset[str] = frozenset()
"""Rules of axe that Streamlit's own elements break."""


@pytest.fixture
def page(browser: Any, request: pytest.FixtureRequest) -> Any:
    width, scheme = getattr(request, "param", (1280, "light"))
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, accept_downloads=True)
    opened = context.new_page()
    opened.set_default_timeout(SECONDS_TO_LOAD * 1000)
    opened.asked = []
    opened.on("request", lambda request: opened.asked.append(request.url))
    yield opened
    context.close()


def goes_beyond_the_screen(page: Any) -> bool:
    """Return whether a page has to be moved sideways to be read."""
    return bool(page.evaluate("() => document.documentElement.scrollWidth > window.innerWidth + 1"))


@pytest.mark.parametrize("page", [(1280, "light"), (390, "dark")], indirect=True)
def test_a_person_predicts_asks_what_if_and_sees_it_in_words(page: Any, started_app: StartedApp):
    page.goto(f"{started_app.url}/?case=small")
    page.get_by_role("spinbutton", name="tenure (months)").fill("3")
    page.get_by_role("button", name="Predict", exact=True).click()
    page.get_by_text("Without knowing anything of the row").first.wait_for()
    page.get_by_text("What became of these 5 rows").wait_for()
    (record,) = LogReader(started_app.root).last(1)
    assert record.features["tenure"] == 3
    assert page.get_by_text(record.prediction_id).count() == 1

    page.get_by_text("With tenure = 3, the probability of Yes is").wait_for()
    page.get_by_role("slider").press("ArrowRight")  # a step of the curve, by keyboard alone
    page.get_by_text("With tenure = 4, the probability of Yes is").wait_for()
    assert len(LogReader(started_app.root).last(100)) == len({one.prediction_id for one in LogReader(started_app.root).last(100)})
    assert LogReader(started_app.root).last(1) == [record]

    page.locator("[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg").first.wait_for()
    assert violations(page, STREAMLIT) == []
    assert not goes_beyond_the_screen(page)
    assert [url for url in page.asked if not url.startswith((started_app.url, "data:", "blob:"))] == []  # nothing of other machines


def test_the_chosen_case_lasts_over_pages_and_comes_back_with_the_address(page: Any, started_app: StartedApp):
    page.goto(f"{started_app.url}/?case=unbuilt")
    page.get_by_text("The case unbuilt has no model yet").wait_for()
    page.get_by_role("link", name="Batch").click()
    page.get_by_role("heading", name="Batch").wait_for()
    page.get_by_text("make run CASE=unbuilt").wait_for()
    assert page.url.endswith("/batch?case=unbuilt")


def test_a_table_with_a_bad_row_is_scored_its_row_named_and_the_download_runs_no_formula(
    page: Any, started_app: StartedApp, tmp_path: Path
):
    table = customers(8).astype({"tenure": object}).assign(customer=["=1+1", *"1234567"])
    table.loc[5, "tenure"] = "long"
    table.to_csv(tmp_path / "people.csv", index=False)
    page.goto(f"{started_app.url}/?case=small")
    page.get_by_role("link", name="Batch").click()
    page.locator("input[type=file]").set_input_files(tmp_path / "people.csv")
    page.get_by_text("people.csv").first.wait_for()
    page.get_by_role("button", name="Score", exact=True).click()
    page.get_by_text("7 of 8 rows of people.csv have a prediction").wait_for()
    page.get_by_text("expected a number in the column 'tenure', got 'long'").wait_for()
    assert "case=small" in page.url
    assert violations(page, STREAMLIT) == []
    with page.expect_download() as download:
        page.get_by_role("button", name="Download predictions").click()
    download.value.save_as(tmp_path / "scored.csv")
    scored = pd.read_csv(tmp_path / "scored.csv", dtype=str)
    assert scored["customer"].tolist() == ["'=1+1", *"1234567"]
    assert scored["prediction"].isna().tolist() == [False] * 5 + [True] + [False] * 2
