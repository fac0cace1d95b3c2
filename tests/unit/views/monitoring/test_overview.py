"""What the monitoring page is given: sums that are right, live rows judged by what the model was trained on, and plain words."""

import json
import shutil
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.alerting import exposing, free_port
from tests.models import FEATURES, customers, fit
from tests.served import DAY, NOW, logged, records_of
from tests.watched import asked, watched_project

from gristmill.config.loading import load_case
from gristmill.errors import ArtifactError
from gristmill.monitoring.instruments import MonitoringMetrics
from gristmill.monitoring.performance.watching import look
from gristmill.paths import ProjectPaths
from gristmill.serving.prediction_log.records import REPLAYED
from gristmill.serving.prediction_log.totals import Cut
from gristmill.views.monitoring import drift, firing, labels, service, weekly
from gristmill.views.monitoring.overview import Overview, live, overview
from gristmill.views.monitoring.periods import MOST_PARTS, PERIODS, cut_of, default_period, period_of
from gristmill.views.monitoring.traffic import quantiles


@pytest.fixture(scope="module")
def built_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project with a built model that knows its training rows."""
    return watched_project(tmp_path_factory.mktemp("views") / "project")


@pytest.fixture
def watched(built_once: Path, tmp_path: Path) -> Path:
    """Return a copy of it, whose log and products are a test's own."""
    return Path(shutil.copytree(built_once, tmp_path / "project"))


def seen(root: Path, period: str | None = None) -> Overview:
    """Return what the page would be given."""
    found = overview(root, "small", period_of(period) if period else None, NOW)
    assert found is not None
    return found


def test_the_sums_of_a_period_are_those_of_its_rows(watched: Path):
    frame = customers(300, seed=5)
    asked(watched, frame, n_labels=200, warnings=("odd",))
    found = seen(watched, "Last 7 days")
    inside = found.traffic.answered
    assert 168 <= inside <= 171
    spent = [1.0 + n % 100 for n in range(300 - inside, 300)]
    for name, share in {"p50": 0.5, "p95": 0.95, "p99": 0.99}.items():
        assert found.traffic.overall[name] == np.quantile(spent, share, method="inverted_cdf")
    assert found.traffic.volume["predictions"].sum() == inside
    by_class = found.traffic.classes.groupby("class")["predictions"].sum()
    assert set(by_class.index) == {"No", "Yes"}
    assert by_class.sum() == found.traffic.confidence["predictions"].sum() == inside
    assert found.labels.labels == 200 - (300 - inside)
    assert found.figures["With a warning"] == "100.0 %"
    assert found.version == "1"
    assert seen(watched, "All").traffic.answered == 300


def test_rows_that_were_replayed_have_no_answer_time_and_are_said_to_have_none(watched: Path):
    frame = customers(300, seed=5)
    proba = fit("binary", customers(900, seed=1)).predict_proba(frame[FEATURES])
    rows = [
        replace(one, at=NOW - (300 - n) * 60, latency_ms=0.004 if n < 200 else 40.0, key_id=REPLAYED if n < 200 else "k")
        for n, one in enumerate(records_of(frame, proba))
    ]
    logged(watched, rows[:200], {})
    found = seen(watched, "All")
    assert found.figures["Slowest 5 % from"] == "\u2013"
    assert found.traffic.times_in_words.startswith("All 200 predictions were replayed from a table (`gristmill log replay`)")
    assert found.traffic.latency.empty
    logged(watched, rows[200:], {})
    found = seen(watched, "All")
    assert found.figures["Slowest 5 % from"] == "40 ms"
    assert (found.traffic.answered, found.traffic.timed) == (300, 100)
    assert found.traffic.times_in_words.endswith("from a table have no answer time, and are left out.")


def test_live_rows_that_are_as_the_training_rows_are_said_to_be(watched: Path):
    asked(watched, customers(400, seed=6))
    held = live(watched, "small", seen(watched, "All"))
    assert held.drift.judged
    assert not held.drift.alarm
    assert drift.drift_words(held.drift).startswith("Nothing that matters has drifted")
    assert "no column has more" in drift.quality_words(held)[0]


def test_a_column_in_another_unit_is_named_by_drift_and_by_quality(watched: Path):
    frame = customers(400, seed=6)
    asked(watched, frame.assign(charge=frame["charge"] * 100))
    held = live(watched, "small", seen(watched, "All"))
    assert "'charge'" in drift.drift_words(held.drift)
    table = drift.quality_table(held.columns)
    assert table.loc[0, "column"] == "charge"
    assert table.loc[0, "out of range"] == 1.0
    assert any("charge" in line and "outside" in line for line in drift.quality_words(held))
    assert drift.drift_table(held.drift).loc[0, "drifted"]


def test_few_rows_are_too_few_and_said_so(watched: Path):
    asked(watched, customers(5, seed=6))
    held = live(watched, "small", seen(watched, "All"))
    assert drift.drift_words(held.drift).startswith("Too early to tell: 5 rows are too few")
    assert "too few to judge" in drift.quality_words(held)[0]


def test_a_model_directory_that_was_edited_is_not_believed(watched: Path):
    asked(watched, customers(30, seed=6))
    reference = watched / "artifacts/small/model/drift_reference.json"
    reference.write_text(reference.read_text().replace("0", "1", 1))
    with pytest.raises(ArtifactError):
        live(watched, "small", seen(watched, "All"))


def test_late_labels_stand_beside_the_figures_of_the_test_rows(watched: Path):
    paths = ProjectPaths(watched).case("small")
    assert labels.last_look(paths) is None
    asked(watched, customers(700, seed=11), n_labels=500)
    record = look(paths, now=NOW)
    assert labels.last_look(paths) == json.loads(json.dumps(record))
    table = labels.beside_offline(record).set_index("metric")
    online = record["metrics"]["roc_auc"]["online"]
    assert table.loc["ROC-AUC", "late labels"] == f"{online['value']:.3f}"
    assert list(labels.primary_intervals(record)["rows"])[:2] == ["test rows", "late labels"]
    assert labels.look_words(record, now=NOW + 3 * DAY)[0] == "As of 3 days ago."


def test_an_alert_that_fires_brings_its_section_of_the_runbook(watched: Path):
    (watched / "docs").mkdir()
    (watched / "docs" / "runbook.md").write_text("# Runbook\n\n## data_drift\n\nLook at [the page](#x).\n\n## other\n\nNot this.\n")
    gauges = MonitoringMetrics("small", "drift")
    gauges.drift("charge", "kl", 0.9)
    gauges.ran(time.time())
    gauges.write(watched)
    found, sentence = firing.standing(load_case("small", watched), watched)
    drifted = next(one for one in found if one.rule == "data_drift")
    assert (drifted.state, drifted.severity, drifted.runbook) == ("firing", "ticket", "Look at the page.")
    assert "0.9, above 0.3" in drifted.words
    assert sentence.startswith("1 alert is firing")
    assert "none answers" in sentence


def test_a_service_is_told_by_its_own_counters():
    from prometheus_client import CollectorRegistry, Counter, generate_latest  # noqa: PLC0415

    registry = CollectorRegistry()
    counter = Counter("gristmill_requests", "Requests.", ["status"], registry=registry)
    for status, number in {"200": 90, "503": 4, "500": 6}.items():
        counter.labels(status=status).inc(number)
    port = free_port()
    with exposing(lambda: generate_latest(registry), port):
        state = service.ask(f"http://127.0.0.1:{port}/metrics")
    assert state.state == "running"
    assert state.sentences("small")[0].startswith("100 requests since the service was started: 10.0 % failed, 4.0 % were refused")
    assert dict(service.requests_by_status(state.samples).set_index("status")["requests"]) == {"200": 90, "500": 6, "503": 4}
    away = service.ask(f"http://127.0.0.1:{port}")
    assert away.state == "away"
    assert "make serve" in away.sentences("small")[0]
    assert service.ask("file:///etc/passwd").state == "away"


def test_periods_have_points_that_can_be_told_apart_and_hold_their_time():
    for period in PERIODS:
        cut = cut_of(period, NOW, (NOW - 1_000 * DAY, NOW - 5))
        assert (cut.until - cut.since) / cut.step <= MOST_PARTS + 1
        assert cut.since <= NOW - (period.seconds or 1_000 * DAY)
    assert cut_of(PERIODS[0], NOW, None) == Cut(NOW // 60 * 60 - 3_600, NOW, 60) or NOW % 60
    assert default_period(NOW, (NOW - 90 * DAY, NOW - 20 * DAY)).name == "Last 30 days"
    assert default_period(NOW, (0, 0)).name == "All"
    assert quantiles([]) == {}


def test_the_advice_of_the_weekly_report_is_shown_if_there_is_one(watched: Path):
    paths = ProjectPaths(watched).case("small")
    assert weekly.advice(paths) is None
    found = {"action": "retrain", "headline": "Retrain.", "reasons": ["Worse."], "commands": ["ploomber build"], "columns": []}
    folder = paths.artifacts / "monitoring"
    folder.mkdir()
    (folder / "weekly.json").write_text(json.dumps({"until": NOW, "recommendation": found}))
    advice = weekly.advice(paths)
    assert advice is not None
    assert (advice.quiet, advice.headline, advice.until) == (False, "Retrain.", "2026-09-21 14:13 UTC")
