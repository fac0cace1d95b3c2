"""From the families' results to one stored model."""

import json

import numpy as np
import pandas as pd
import pytest
from tests.unit.modeling.conftest import make_case, make_frame

from gristmill.errors import DataError
from gristmill.modeling import figures
from gristmill.modeling.artifact.persistence import dump_pipeline, load_pipeline_bytes
from gristmill.modeling.baselines import best_baseline
from gristmill.modeling.choice import selection
from gristmill.modeling.choice.ensembling import choose
from gristmill.modeling.latency import typical_row_milliseconds
from gristmill.modeling.search.tuning import Search, train_family
from gristmill.modeling.training_rows import TrainingRows

METRIC = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}


def searched(rows: TrainingRows, task: str) -> tuple[dict[str, dict], dict[str, pd.DataFrame], dict[str, Search]]:
    case = make_case(task, training={"trials": 1, "families": ["linear", "boosting"]})
    found = {family: train_family(family, rows, case) for family in ("linear", "boosting", "neural")}
    products = {family: json.loads(json.dumps(one.as_product(None))) for family, one in found.items()}
    return products, {family: rows.table(one.oof) for family, one in found.items()}, found


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_what_is_chosen_out_of_fold_is_what_is_stored(task: str, request: pytest.FixtureRequest):
    rows, frame = request.getfixturevalue(f"{task}_rows"), make_frame(task)
    products, tables, _ = searched(rows, task)
    found = selection.candidates(rows, METRIC[task], products, tables)
    choice = choose(METRIC[task], found)
    calibration = selection.calibrated(rows, METRIC[task], choice)
    decision = selection.threshold(rows, choice.candidate.oof, make_case(task), frame)
    params = {family: one["best"]["params"] for family, one in products.items() if one["best"]}
    model = selection.final_estimator(
        found[0].weights, params, rows.problem, None if calibration is None else calibration.calibrator
    )
    fitted = selection.refit(rows.problem.plan, model, frame, rows.y)
    again = load_pipeline_bytes(dump_pipeline(fitted))
    method = "predict" if task == "regression" else "predict_proba"
    assert np.array_equal(getattr(again, method)(frame), getattr(fitted, method)(frame))
    assert (decision is not None) == (task == "binary")
    assert typical_row_milliseconds(fitted, frame, n_rows=3) > 0


def test_candidates_come_best_first_and_ensembles_have_several_members(binary_rows: TrainingRows):
    products, tables, _ = searched(binary_rows, "binary")
    found = selection.candidates(binary_rows, "roc_auc", products, tables)
    scores = [one.score for one in found]
    assert scores == sorted(scores, reverse=True)
    assert {one.name for one in found} >= {"linear", "boosting"}
    assert all((len(one.weights) > 1) == one.name.startswith("ensemble") for one in found)


def test_without_a_single_model_the_build_stops(binary_rows: TrainingRows):
    off = {"linear": {"enabled": False, "best": None, "reason": "switched off"}}
    with pytest.raises(DataError, match="linear: switched off"):
        selection.candidates(binary_rows, "roc_auc", off, {"linear": binary_rows.table(None)})


def test_the_record_says_what_was_compared_and_why(binary_rows: TrainingRows):
    products, tables, _ = searched(binary_rows, "binary")
    found = selection.candidates(binary_rows, "roc_auc", products, tables)
    choice = choose("roc_auc", found)
    baseline = best_baseline("binary", "roc_auc", binary_rows.y, binary_rows.folds, 2)
    calibration = selection.calibrated(binary_rows, "roc_auc", choice)
    decision = selection.threshold(binary_rows, choice.candidate.oof, make_case(), make_frame())
    record = selection.selection_record(baseline, found, choice, calibration, decision, {"roc_auc": 0.9})
    assert record["chosen"] == choice.candidate.name
    assert record["baseline"]["score"] == 0.5
    assert {entry["name"] for entry in record["leaderboard"]} == {one.name for one in found}
    assert record["threshold"]["rule"] == "f1"
    assert json.loads(json.dumps(record)) == record
    table = selection.frontier(found, choice)
    assert list(table.index) == [one.name for one in found]
    assert all(isinstance(cell, str) for cell in table.to_numpy().ravel())


def test_the_limit_between_groups_is_that_of_the_case(binary_rows: TrainingRows):
    frame = make_frame()
    oof = np.column_stack([1 - binary_rows.y, binary_rows.y]) * 0.5 + np.linspace(0.1, 0.3, len(frame))[:, None]
    asked = {"threshold": {"max_disparity": 0.05}, "sensitive_features": ["c"], "fairness": {"min_group_size": 20}}
    free = selection.threshold(binary_rows, oof, make_case(sensitive_features=["c"]), frame)
    held = selection.threshold(binary_rows, oof, make_case(**asked), frame)
    assert free.disparity is None
    assert held.disparity["feature"] == "c"
    assert held.disparity["value"] <= 0.05 < held.disparity["without_limit"]


def test_members_and_scores_are_written_for_people():
    assert selection.members({"linear": 0.25, "boosting": 0.75}) == "linear (25 %), boosting (75 %)"
    assert selection.score_list({"roc_auc": 0.85332}).loc["ROC-AUC", "out of fold"] == "0.853"


def test_the_map_of_errors_names_its_axes(binary_rows: TrainingRows):
    products, tables, _ = searched(binary_rows, "binary")
    axes = figures.agreement(binary_rows, selection.candidates(binary_rows, "roc_auc", products, tables)).axes
    assert [axes[0].get_xlabel(), axes[0].get_ylabel(), axes[1].get_ylabel()] == ["family", "family", "correlation of errors"]


def test_the_model_record_names_the_raw_columns_it_needs(regression_rows: TrainingRows):
    products, tables, _ = searched(regression_rows, "regression")
    choice = choose("rmse", selection.candidates(regression_rows, "rmse", products, tables))
    record = selection.model_record(make_case("regression"), regression_rows.problem.plan, regression_rows, choice, None)
    assert record["feature_columns"] == ["x", "c", "noise"]
    assert (record["classes"], record["threshold"]) == (None, None)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_every_figure_can_be_drawn_for_every_task(task: str, request: pytest.FixtureRequest):
    rows = request.getfixturevalue(f"{task}_rows")
    products, tables, found = searched(rows, task)
    candidates = selection.candidates(rows, METRIC[task], products, tables)
    choice = choose(METRIC[task], candidates)
    drawn = [
        figures.agreement(rows, candidates),
        figures.calibration(rows, selection.calibrated(rows, METRIC[task], choice), choice.candidate.oof),
        figures.threshold(selection.threshold(rows, choice.candidate.oof, make_case(task), make_frame(task))),
        figures.leaderboard(candidates, choice, METRIC[task], 0.5),
        *[figures.drivers(one, rows, METRIC[task]) for one in found.values()],
        *[figures.out_of_fold(rows, one.oof) for one in found.values()],
        *[figures.by_fold(one, METRIC[task]) for one in found.values()],
    ]
    assert all(figure.axes for figure in drawn)
