"""A week of a model at work, from a real build and a real prediction log to what is recommended."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.models import FEATURES, customers, describe, fit
from tests.served import DAY, NOW, built, logged, records_of

from gristmill.config.loading import load_case
from gristmill.data.products import write_json
from gristmill.errors import ArtifactError, LogUnavailable, ParameterError
from gristmill.modeling.artifact.drift_reference import drift_reference
from gristmill.modeling.artifact.model_directory import save_candidate
from gristmill.monitoring.exporter import exposition
from gristmill.monitoring.quality import looking as quality
from gristmill.monitoring.watched import until_of, watched
from gristmill.monitoring.weekly import drifting, performing, reporting, tables
from gristmill.monitoring.weekly.publishing import publish
from gristmill.monitoring.weekly.wording import two_lines, what_to_do
from gristmill.monitoring.windows import period, said, slices, window_of
from gristmill.paths import CasePaths
from gristmill.pipeline.monitoring_run import command, monitor
from gristmill.registry import releases

QUICK = """
evaluation: {resamples: 200}
monitoring: {most_rows: 1000, performance: {min_labels: 100, estimate_draws: 50}, drift: {smallest_window: 100}}
"""
Looks = dict[str, dict[str, Any]]
BAD = customers(210, seed=23).assign(tenure=lambda rows: rows["tenure"] * 100)


def case_at(root: Path) -> CasePaths:
    """Build the customers in a project at ``root``, the distribution of the training rows with the model."""
    (root / "pipeline.yaml").write_text("tasks: []\n")
    built(root, more=QUICK)
    rows, (model, contract) = customers(900, seed=1), describe("binary", 0.5)
    pipeline = fit("binary", rows)
    reference = drift_reference(rows, contract, FEATURES, pipeline.predict_proba(rows[FEATURES]), bins=10)
    shutil.rmtree(root / "artifacts" / "small" / "model")
    save_candidate(root / "artifacts" / "small" / "model", pipeline, model, contract, reference, "small", None)
    return CasePaths(root, "small")


def week(paths: CasePaths, days: float = 7) -> tuple[dict[str, Any], Looks]:
    """Take the three looks at the days before ``NOW``, and return the report and what they found."""
    seen = watched(paths, days, NOW)
    found = {"quality": quality.look(seen), "drift": drifting.look(seen), "performance": performing.look(seen)}
    for name, product in (
        ("quality", quality.PRODUCT),
        ("drift", drifting.PRODUCT),
        ("performance", "monitoring/performance.json"),
    ):
        write_json(paths.artifacts / product, found[name])
    found = reporting.looks(paths)
    return reporting.week(paths, found), found


def log(root: Path, rows: pd.DataFrame, first: float, last: float, prefix: str, labels: Mapping[int, str] | None = None) -> None:
    """Log predictions of customers, evenly from ``first`` to ``last`` days before ``NOW``."""
    proba = fit("binary", customers(900, seed=1)).predict_proba(rows[FEATURES])
    at = NOW - np.linspace(first, last, len(rows), endpoint=False) * DAY
    records = [
        one
        for moment, place in zip(at, range(len(rows)), strict=True)
        for one in records_of(rows.iloc[[place]], proba[[place]], at=moment, prefix=f"{prefix}{place}-")
    ]
    logged(root, records, {f"{prefix}{place}-0": label for place, label in (labels or {}).items()})


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> CasePaths:
    """Return a case whose customers of the last three days have their tenure in another unit."""
    root = tmp_path_factory.mktemp("faulty")
    paths = case_at(root)
    paths.contract_file.parent.mkdir()
    paths.contract_file.write_text("columns:\n  tenure: {type: integer, require: {maximum: 80}}\n  charge: {type: number}\n")
    old, new = customers(400, seed=21), customers(240, seed=22)
    log(root, old, 27, 8, "old", dict(enumerate(old["churn"])))
    log(root, new, 7, 3, "new")
    log(root, BAD, 3, 0, "bad")
    return paths


@pytest.fixture(scope="module")
def reported(faulty: CasePaths) -> tuple[dict[str, Any], Looks]:
    """Return the report of that week, and what the three looks found."""
    return week(faulty)


def test_a_changed_unit_is_named_by_column_and_day_and_is_to_be_mended(faulty: CasePaths, reported: tuple[dict[str, Any], Looks]):
    report, found = reported
    assert found["quality"]["rows"] == found["quality"]["traffic"]["predictions"] == 450
    assert found["quality"]["wrong"] == found["drift"]["drifted"] == ["tenure"]
    (broken,) = found["quality"]["contract"]["broken"]
    assert (broken["rule"], broken["severity"], broken["count"]) == ("maximum", "stop", (BAD["tenure"] > 80).sum())
    shares = found["quality"]["over_time"]["share"]["tenure"]
    assert [share > 0.5 for share in shares] == [False] * 4 + [True] * 3
    assert [sum(day["predictions"] for day in report["traffic"]["days"]), len(shares)] == [450, 7]
    assert report["performance"]["maturity"]["labels"] == 400
    advice = report["recommendation"]
    assert (advice["action"], advice["columns"]) == ("mend the data", ["tenure"])
    assert advice["reasons"][0].startswith("'tenure' looks multiplied by ")
    assert advice["reasons"][0].endswith(f"as if its unit had changed, since {said(NOW - 3 * DAY)}.")
    assert two_lines(report)[0].startswith("Mend the data")
    lines = tables.week(report).set_index("")["this time"]
    assert (lines["Columns with wrong values"], lines["Alerts"]) == ("tenure", "data_drift")
    assert tables.alerts(report)["state"].tolist()[0] == "beyond its limit"
    (faulty.root / "docs").mkdir()
    (faulty.root / "docs" / "runbook.md").write_text("# Runbook\n\n## data_drift\n\n**What to do.** Mend it.\n\n## other\n\nNo.\n")
    assert what_to_do(report, faulty.root) == "**data_drift** (docs/runbook.md#data_drift)\n\n**What to do.** Mend it."


@pytest.mark.usefixtures("reported")
def test_what_was_found_is_published_for_rules_and_dashboards(faulty: CasePaths):
    publish(faulty)
    text = exposition(faulty.root).decode()
    (line,) = [one for one in text.splitlines() if 'column="tenure"' in one and 'measure="kl"' in one]
    assert float(line.split()[-1]) > 0.3
    assert 'gristmill_data_quality{case="small",column="tenure",measure="outlier_share"}' in text
    assert 'last_run_timestamp_seconds{case="small",part="quality"} 1.79e+09' in text
    assert "gristmill_performance_drop{" in text


def test_a_window_is_counted_whole_and_held_as_an_even_sample(faulty: CasePaths):
    window = window_of(faulty, NOW - 30 * DAY, NOW)
    assert (window.predictions, len(window.served), window.sampled) == (850, 850, False)
    root = faulty.root
    log(root, customers(900, seed=3), 60, 40, "more")
    both = window_of(faulty, NOW - 70 * DAY, NOW)
    assert (both.predictions, both.sampled, both.hours["predictions"].sum()) == (1750, True, 1750)
    assert 600 < len(both.served) <= 1000
    again = window_of(faulty, NOW - 70 * DAY, NOW)
    assert list(both.served.rows["prediction_id"]) == list(again.served.rows["prediction_id"])


def test_labels_that_came_after_the_window_are_not_known_in_it(faulty: CasePaths):
    assert window_of(faulty, NOW - 30 * DAY, NOW).served.labelled.sum() == 400
    assert window_of(faulty, NOW - 30 * DAY, NOW - 2 * DAY).served.labelled.sum() == 0  # they came a day before NOW


@pytest.mark.parametrize(("rows", "told"), [(0, "nothing was served so far"), (3, "3 rows are too few for a verdict")])
def test_where_there_is_no_log_or_hardly_a_row_that_is_said_and_the_model_kept(tmp_path: Path, rows: int, told: str):
    paths = case_at(tmp_path)
    if rows:
        log(tmp_path, customers(rows, seed=4), 2, 1, "few")
    report, found = week(paths)
    assert report["recommendation"]["action"] == "keep"
    assert told in found["quality"]["sentence"]
    assert any(told in reason for reason in report["recommendation"]["reasons"])
    assert {alert["state"] for alert in report["alerts"]} <= {"within its limit", "not known"}


def test_a_window_that_is_none_is_refused_before_a_notebook_runs(faulty: CasePaths):
    for days, until in ((0, None), (7, "yesterday")):
        with pytest.raises(ParameterError):
            monitor(faulty, days, until)
    assert not faulty.reports.exists()
    assert command("small", 7, "2026-05-01")[1:] == [
        "build", "--entry-point", "pipeline.monitor.yaml", "--env--case", "small", "--env--days", "7", "--env--until", "2026-05-01",
    ]  # fmt: skip


def test_without_a_build_or_a_log_that_answers_no_notebook_runs(tmp_path: Path, faulty: CasePaths, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "pipeline.yaml").write_text("tasks: []\n")
    (tmp_path / "configs").mkdir()
    shutil.copy(faulty.root / "configs" / "small.yaml", tmp_path / "configs")
    with pytest.raises(ArtifactError, match="Expected a build of 'small', found none"):
        monitor(CasePaths(tmp_path, "small"), 7)
    monkeypatch.setenv("GRISTMILL_DATABASE_URL", f"postgresql://nobody@/none?host={tmp_path}")
    with pytest.raises(LogUnavailable, match="does not answer"):
        monitor(faulty, 7)


def test_a_fault_is_no_reason_to_retrain_where_the_training_rows_are_those_of_another_build(faulty: CasePaths):
    seen = replace(watched(faulty, 7, NOW), built=False)
    assert seen.training is None
    (one,) = drifting.look(seen)["suspects"]
    assert (one["kind"], one["columns"], one["fault"]) == ("values out of range", ["tenure"], True)
    assert one["words"].startswith("'tenure': ")


def test_the_champion_is_the_version_that_answered_last_not_the_largest_of_the_last_hour(tmp_path: Path):
    paths, rows = case_at(tmp_path), customers(2, seed=4)
    for moment, version in ((NOW - 900, "3"), (NOW - 600, "12"), (NOW - 300, "2")):
        logged(tmp_path, records_of(rows, np.full((2, 2), 0.5), at=moment, version=version, prefix=version), {})
    window = window_of(paths, NOW - DAY, NOW, ("No", "Yes"))
    assert window.champion == "2"
    assert set(window.hours["last"]) == {NOW - 900, NOW - 600, NOW - 300}


def test_what_was_gone_back_to_or_is_champion_no_more_is_not_gone_back_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    paths = case_at(tmp_path)
    at = datetime.fromtimestamp(NOW - 2 * DAY, UTC).isoformat()
    first = releases.Entry("small", releases.PROMOTED, "champion", None, 1, at=at)
    second = replace(first, before=1, after=2)
    back = releases.Entry("small", releases.ROLLED_BACK, "champion", 2, 1, at=at)
    case = load_case("small", tmp_path)
    for moves, version, former in (
        ([first, second], "2", 1),
        ([first, second], "1", None),
        ([first], "1", None),
        ([first, second, back], "1", None),
        ([first, second, back], "2", None),
    ):
        monkeypatch.setattr(releases, "history", lambda *_, moves=moves: moves)
        assert reporting.released_after(paths, case, version, NOW) == former, (moves, version)


def test_days_are_counted_back_from_the_end_and_long_windows_have_longer_parts():
    at = np.array([0.5, 1.5, 6.9]) * DAY
    assert [inside.tolist() for _, inside in slices(at, 0.0, 7 * DAY)][:2] == [[True, False, False], [False, True, False]]
    assert len(slices(at, 0.0, 7 * DAY)) == 7
    assert len(slices(at, 0.0, 365 * DAY)) == 31
    assert sum(inside.sum() for _, inside in slices(at, -3 * DAY, 6.95 * DAY)) == 3
    with pytest.raises(ParameterError, match="number of days above 0"):
        period(0, NOW)
    with pytest.raises(ParameterError, match="2026-05-01"):
        until_of("yesterday")
