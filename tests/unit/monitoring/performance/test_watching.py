"""One look from a real prediction log, real labels and a real build to the report, the gauges and the command line."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.models import FEATURES, case_of, customers, fit
from tests.served import DAY, NOW, built, logged, records_of, simulated

from gristmill.config.case import Case
from gristmill.errors import LogUnavailable
from gristmill.monitoring.exporter import exposition
from gristmill.monitoring.performance.business import amounts, business
from gristmill.monitoring.performance.command import run
from gristmill.monitoring.performance.logged import from_log
from gristmill.monitoring.performance.watching import look
from gristmill.paths import CasePaths

QUICK = "evaluation: {resamples: 200}\nmonitoring: {performance: {min_labels: 100, estimate_draws: 50}}\n"


def served(root: Path, turned: float = 0.0) -> pd.DataFrame:
    """Log predictions of new customers, mature and young, a shadow's beside them, and labels of most of the mature ones."""
    old, young = customers(500, seed=11), customers(200, seed=12)
    model = fit("binary", customers(900, seed=1))
    proba = model.predict_proba(old[FEATURES])
    records = records_of(old, proba)
    records += records_of(old, np.full((500, 2), 0.5), version="2", role="shadow", prefix="s")
    records += records_of(young, model.predict_proba(young[FEATURES]), at=NOW - DAY, prefix="y")
    labels = old["churn"].where(np.random.default_rng(0).random(500) >= turned, old["churn"].map({"Yes": "No", "No": "Yes"}))
    logged(root, records, {f"p{number}": label for number, label in enumerate(labels) if number < 450})
    return old


def test_a_look_finds_the_labels_the_verdict_the_estimate_and_the_shadow(project: Path):
    built(project, more=f"threshold: {{rule: profit, value_true_positive: 10, cost_contact: 3}}\n{QUICK}")
    served(project)
    record = look(CasePaths(project, "small"), now=NOW)
    known = record["maturity"]
    assert (known["predictions"], known["labels"], known["young"]) == (1_000, 900, 200)
    assert record["verdict"] in ("as before", "better", "cannot tell")
    truth = record["metrics"]["roc_auc"]["online"]
    assert truth["low"] < truth["value"] < truth["high"]
    assert abs(record["estimate"]["off"]["roc_auc"]) < 0.06  # 450 labels
    assert record["estimate"]["young"]["rows"] == 200
    first, shadow = record["variants"]
    assert (first["version"], first["labels"], shadow["beside"]["pairs"]) == ("1", 450, 450)
    assert shadow["beside"]["verdict"] == "worse"
    assert record["business"]["total"]["labels"] == 450
    stored = json.loads((project / "artifacts/small/monitoring/performance.json").read_text())
    assert stored["metrics"]["roc_auc"]["online"]["value"] == truth["value"]


def test_a_model_that_became_worse_is_said_counted_and_fires(project: Path):
    built(project, more=QUICK)
    served(project, turned=0.3)
    lines, worse = run(CasePaths(project, "small"), now=NOW)
    assert worse
    assert any(line.startswith("roc_auc: ") and line.endswith(": worse.") for line in lines)
    text = exposition(project).decode()
    (drop,) = [line for line in text.splitlines() if line.startswith("gristmill_performance_drop{")]
    assert float(drop.split()[-1]) > 0.05
    assert 'gristmill_performance{bound="low",case="small",metric="roc_auc",model_version="small/1",rows="online"}' in text


def test_labels_come_from_a_table_by_the_id_column(project: Path):
    built(project, more=QUICK)
    frame = served(project)
    table = pd.DataFrame({"customer": frame["customer"], "label": frame["churn"]})
    table.to_csv(project / "labels.csv", index=False)
    record = look(CasePaths(project, "small"), now=NOW, labels=table)
    assert record["maturity"]["labels"] == 1_000
    lines, _ = run(CasePaths(project, "small"), "labels.csv", now=NOW)
    assert "1,000 of them" in lines[0]


def test_numbers_are_watched_as_well(project: Path):
    built(project, "regression", QUICK)
    frame = customers(400, seed=11)
    said = fit("regression", customers(900, seed=1)).predict(frame[FEATURES])
    spent = frame["spend"] + np.random.default_rng(0).normal(0, 15, 400)
    logged(project, records_of(frame, said), {f"p{number}": float(value) for number, value in enumerate(spent)})
    record = look(CasePaths(project, "small"), now=NOW)
    assert (record["metric"], record["verdict"]) == ("rmse", "worse")
    assert record["metrics"]["rmse"]["online"]["value"] > 12
    assert record["estimate"]["mature"]["metrics"]["rmse"]["value"] < 8  # labels that changed cannot be foreseen


def test_the_log_gives_the_sent_columns_back(project: Path):
    built(project, more=QUICK)
    frame = served(project)
    found = from_log(project, "small", "binary", ("No", "Yes")).of("1")
    assert list(found.features["plan"][:500]) == list(frame["plan"])
    assert list(found.features["customer"][:500]) == list(frame["customer"])
    assert int(found.labelled.sum()) == 450


def test_a_window_without_predictions_concludes_nothing(project: Path):
    segment = "behaviour: {critical_segments: {new: {where: {tenure: at most 12}, success_criteria: {roc_auc: 0.7}}}}\n"
    built(project, more=QUICK + segment)
    served(project)
    record = look(CasePaths(project, "small"), now=NOW + 900 * DAY)
    assert (record["verdict"], record["maturity"]["predictions"], record["segments"]) == ("too few labels", 0, [])
    assert record["sure_drop"] == 0


def test_without_a_log_the_reader_is_told_so(project: Path):
    built(project, more=QUICK)
    with pytest.raises(LogUnavailable):
        look(CasePaths(project, "small"), now=NOW)


PROFIT: Case = case_of(more="threshold: {rule: profit, value_true_positive: 10, cost_contact: 3}\n")
COST: Case = case_of(more="threshold: {rule: cost, cost_false_positive: 1, cost_false_negative: 5}\n")


def test_decisions_are_priced_row_by_row():
    positive, flagged = np.array([True, True, False, False]), np.array([True, False, True, False])
    profit, cost = amounts(PROFIT.threshold, positive, flagged), amounts(COST.threshold, positive, flagged)
    assert profit is not None
    assert cost is not None
    assert list(profit.decided) == [7, 0, -3, 0]
    assert list(profit.everyone) == [7, 7, -3, -3]
    assert list(cost.decided) == [0, -5, -1, 0]
    assert list(cost.nobody) == [-5, -5, 0, 0]
    assert amounts(case_of().threshold, positive, flagged) is None


def test_the_value_of_a_good_model_lies_above_acting_on_all_and_none_week_by_week():
    found = business(simulated(4_000, labelled=0.9), PROFIT.threshold, 0.3)
    assert found is not None
    total = found["total"]
    assert total["over_everyone"]["low"] > 0
    assert total["over_nobody"]["low"] > 0
    assert sum(week["predictions"] for week in found["weeks"]) == 4_000
    assert all(pd.Timestamp(week["week"]).day_name() == "Monday" for week in found["weeks"])
    assert total["sum"]["value"] == pytest.approx(total["value"]["value"] * 4_000)
