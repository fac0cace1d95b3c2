"""The page of predictions, run in this process against real versions, a real registry and a real prediction log."""

from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from tests.app.conftest import app_project
from tests.postgres import started
from tests.service import serving

from gristmill.serving.prediction_log.reader import LogReader

pytestmark = pytest.mark.slow

Pages = Callable[..., AppTest]


def texts(at: AppTest) -> str:
    """Return all that the page says, without the signs of Markdown."""
    said = [*at.markdown, *at.caption, *at.info, *at.warning, *at.error, *at.header]
    return "\n".join(one.value for one in said).replace("\\", "")


def predicted(at: AppTest) -> AppTest:
    at.button[0].click().run()
    assert not at.exception
    assert [one.value for one in at.error] == []
    return at


def test_a_prediction_is_explained_and_in_the_log_before_it_is_shown(pages: Pages, project_of_app: Path):
    at = pages(project_of_app)
    assert "Version 1 of small" in texts(at)
    at.number_input(key="small:tenure").set_value(3)
    at.selectbox(key="small:plan").set_value("02")
    at.text_input(key="small:customer").set_value("0042")
    predicted(at)
    shown = {one.label: one.value for one in at.metric}
    (record,) = LogReader(project_of_app).last(1)
    assert (record.key_id, record.role, record.version) == ("app", "champion", "1")
    assert (record.features["tenure"], record.features["plan"], record.subject) == (3, "02", {"customer": "0042"})
    assert shown["churn"] == record.prediction
    assert record.confidence is not None
    assert shown["Confidence"] == f"{100 * record.confidence:.1f} %"
    assert [one.value for one in at.header] == [
        "The answer", "Why", "What if", "What would change the decision", "Similar past rows",
    ]  # fmt: skip
    said = texts(at)
    assert "Without knowing anything of the row, the probability of Yes would be" in said
    assert "What became of these 5 rows" in said
    assert record.prediction_id in said


def test_what_is_tried_is_answered_and_not_logged(pages: Pages, project_of_app: Path):
    at = predicted(pages(project_of_app))
    before = len(LogReader(project_of_app).last(1_000))
    slider = at.select_slider[0]
    assert slider.label == "tenure moved to"
    slider.set_value(0.0).run()
    assert "With tenure = 0, the probability of Yes is" in texts(at)
    at.selectbox(key="what_if:column").set_value("plan").run()
    assert "With plan = " in texts(at)
    assert len(LogReader(project_of_app).last(1_000)) == before


def test_what_is_unlike_the_training_rows_is_said_and_an_empty_entry_is_a_missing_value(pages: Pages, project_of_app: Path):
    at = pages(project_of_app)
    at.number_input(key="small:tenure").set_value(900)
    at.number_input(key="small:charge").set_value(None)
    predicted(at)
    assert any("tenure: Known are values from" in one.value.replace("\\", "") for one in at.warning)
    assert LogReader(project_of_app).last(1)[0].features["charge"] is None


def test_numbers_come_with_an_interval_and_a_number_can_be_sought(pages: Pages, tmp_path: Path):
    at = predicted(pages(app_project(tmp_path / "project", "regression")))
    assert " to " in {one.label: one.value for one in at.metric}["Interval at 90 %"]
    assert "What would change the number" in [one.value for one in at.header]
    (wanted,) = [one for one in at.number_input if one.label == "spend"]
    wanted.set_value(float(wanted.value) + 40).run()
    assert "If tenure were" in texts(at)


def test_of_several_classes_the_one_that_is_sought_can_be_chosen(pages: Pages, tmp_path: Path):
    at = predicted(pages(app_project(tmp_path / "project", "multiclass")))
    assert "is the most probable class" in texts(at)
    (sought,) = [one for one in at.selectbox if one.label == "Decision sought"]
    assert len(sought.options) == 2


def test_a_service_elsewhere_answers_in_place_of_the_app_and_its_refusal_is_a_sentence(
    pages: Pages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    root = app_project(tmp_path / "project")
    with serving(root) as service:
        monkeypatch.setenv("GRISTMILL_SERVICE_URL", service.url)
        monkeypatch.setenv("GRISTMILL_SERVICE_KEY", service.token)
        at = predicted(pages(root))
        (record,) = LogReader(root).last(1)
        assert record.key_id != "app"
        assert record.prediction_id in texts(at)
        monkeypatch.setenv("GRISTMILL_SERVICE_KEY", "wrong")
        at.button[0].click().run()
        assert "GRISTMILL_SERVICE_KEY has to hold a key" in texts(at)
    monkeypatch.setenv("GRISTMILL_SERVICE_KEY", service.token)
    at.button[0].click().run()
    assert "does not answer" in texts(at)
    assert not at.exception
    assert len(LogReader(root).last(10)) == 1


def test_without_a_champion_the_page_says_what_to_do(pages: Pages, tmp_path: Path):
    root = app_project(tmp_path / "project")
    (root / "state" / "gristmill.db").unlink()
    at = pages(root)
    assert "gristmill promote small" in texts(at) or "gristmill gates small" in texts(at)
    assert [one.label for one in at.button] == ["Try again"]


def test_release_and_log_may_be_in_a_postgresql(pages: Pages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with started() as server:
        monkeypatch.setenv("GRISTMILL_DATABASE_URL", server.uri(user="postgres"))
        root = app_project(tmp_path / "project")
        at = predicted(pages(root))
        (record,) = LogReader(root).last(1)
        assert record.key_id == "app"
        assert record.prediction_id in texts(at)
        assert not (root / "state" / "predictions.db").exists()
        st.cache_resource.clear()  # which ends the service before its database
