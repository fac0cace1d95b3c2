"""From the families' products to one stored model."""

import json
from functools import cache

import numpy as np
import pytest
from tests.unit.modeling.conftest import make_case, make_frame, make_rows

from gristmill.errors import DataError
from gristmill.metrics.scores import score
from gristmill.modeling import figures
from gristmill.modeling.artifact.persistence import dump_pipeline, load_pipeline_bytes
from gristmill.modeling.baselines import best_baseline
from gristmill.modeling.choice import selection
from gristmill.modeling.choice.assembling import candidates
from gristmill.modeling.choice.candidates import Candidate, choose
from gristmill.modeling.choice.members import Member, family_of, read_members
from gristmill.modeling.latency import RowTime, serving_time
from gristmill.modeling.search.trial import Search
from gristmill.modeling.search.tuning import train_family
from gristmill.modeling.training_rows import TrainingRows

METRIC = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}


@cache
def searched(task: str) -> tuple[dict[str, Member], dict[str, Search]]:
    """Return the members that two small searches of the rows of a task give, read from their products, and the searches."""
    rows, case = make_rows(task), make_case(task, training={"trials": 2, "families": ["linear", "boosting"]})
    found = {family: train_family(family, rows, case) for family in ("linear", "boosting", "neural")}
    products = {family: json.loads(json.dumps(one.as_product(None))) for family, one in found.items()}
    return read_members(rows, products, {family: rows.table(one.oof, one.others) for family, one in found.items()}), found


def compared(rows: TrainingRows, task: str) -> tuple[list[Candidate], dict[str, Member], dict[str, Search]]:
    members, found = searched(task)
    return candidates(rows, METRIC[task], members, 1.0), members, found


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_what_is_chosen_out_of_fold_is_what_is_stored(task: str, request: pytest.FixtureRequest):
    rows, frame = request.getfixturevalue(f"{task}_rows"), make_frame(task)
    found, members, _ = compared(rows, task)
    choice = choose(METRIC[task], found)
    calibration = selection.calibrated(rows, METRIC[task], choice)
    decision = selection.threshold(rows, choice.candidate.oof, make_case(task), frame)
    params = {name: one.params for name, one in members.items()}
    calibrator = None if calibration is None else calibration.calibrator
    model = selection.final_estimator(found[0].weights, params, rows.problem, calibrator, found[0].meta)
    fitted = selection.refit(rows.problem.plan, model, frame, rows.y)
    again = load_pipeline_bytes(dump_pipeline(fitted))
    method = "predict" if task == "regression" else "predict_proba"
    assert np.array_equal(getattr(again, method)(frame), getattr(fitted, method)(frame))
    assert (decision is not None) == (task == "binary")
    assert serving_time(fitted, frame, n_rows=3).form == "plain pipeline"


def test_other_good_trials_of_a_family_are_members_under_their_numbers(binary_rows: TrainingRows):
    members, found = searched("binary")
    numbered = [name for name in members if " #" in name]
    assert {family_of(name) for name in numbered} == {"linear", "boosting"}
    for name in numbered:
        trial = found[family_of(name)].trials[int(name.partition(" #")[2])]
        assert members[name].params == trial.params
        assert not members[name].is_best
        valid = binary_rows.folds[0][1]
        assert score("roc_auc", binary_rows.y[valid], members[name].oof[valid]) == trial.fold_scores[0]


def test_a_product_with_the_best_trial_alone_gives_one_member_a_family(binary_rows: TrainingRows):
    found = train_family("linear", binary_rows, make_case(training={"trials": 2, "families": ["linear"]}))
    product = {key: value for key, value in found.as_product(None).items() if key != "runners_up"}
    members = read_members(binary_rows, {"linear": product}, {"linear": binary_rows.table(found.oof)})
    assert list(members) == ["linear"]
    assert np.array_equal(members["linear"].oof, found.oof)
    assert [one.name for one in candidates(binary_rows, "roc_auc", members, 1.0)] == ["linear"]


def test_candidates_come_best_first_and_combinations_have_several_members(binary_rows: TrainingRows):
    found, _, _ = compared(binary_rows, "binary")
    scores = [one.score for one in found]
    assert scores == sorted(scores, reverse=True)
    assert {one.name for one in found} >= {"linear", "boosting"}
    assert all((len(one.weights) > 1) == one.name.startswith(("ensemble", "stack")) for one in found)


def test_without_a_single_model_the_build_stops(binary_rows: TrainingRows):
    off = {"linear": {"enabled": False, "best": None, "reason": "switched off"}}
    with pytest.raises(DataError, match="linear: switched off"):
        read_members(binary_rows, off, {"linear": binary_rows.table(None)})


def test_the_record_says_what_was_compared_and_why(binary_rows: TrainingRows):
    found, _, _ = compared(binary_rows, "binary")
    choice = choose("roc_auc", found, 1.0)
    baseline = best_baseline("binary", "roc_auc", binary_rows.y, binary_rows.folds, 2)
    calibration = selection.calibrated(binary_rows, "roc_auc", choice)
    decision = selection.threshold(binary_rows, choice.candidate.oof, make_case(), make_frame())
    record = selection.selection_record(baseline, found, choice, calibration, decision, {"roc_auc": 0.9})
    assert record["chosen"] == choice.candidate.name
    assert record["baseline"]["score"] == 0.5
    assert {entry["name"] for entry in record["leaderboard"]} == {one.name for one in found}
    assert {entry["form"] for entry in record["leaderboard"]} == {"plain pipeline"}
    assert record["in_time"] is False
    assert "(`serving.max_row_ms`)" in record["reason"]
    assert record["threshold"]["rule"] == "f1"
    assert json.loads(json.dumps(record)) == record
    table = selection.frontier(found, choice)
    assert list(table.index) == [one.name for one in found]
    assert all(isinstance(cell, str) for cell in table.to_numpy().ravel())


def test_the_time_of_one_row_is_held_against_the_limit_in_words():
    slow = selection.time_in_words(RowTime(17.25, "plain pipeline"), 1.0)
    assert slow == "one row takes 17.2 ms as a plain pipeline, more than the 1 ms of `serving.max_row_ms`"
    assert ", within the 0.5 ms" in selection.time_in_words(RowTime(0.13, "compiled form"), 0.5)


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
    assert selection.weights_in_words({"linear": 0.25, "boosting": 0.75}) == "linear (25 %), boosting (75 %)"
    assert selection.score_list({"roc_auc": 0.85332}).loc["ROC-AUC", "out of fold"] == "0.853"


def test_the_map_of_errors_names_its_axes(binary_rows: TrainingRows):
    axes = figures.agreement(binary_rows, searched("binary")[0]).axes
    assert [axes[0].get_xlabel(), axes[0].get_ylabel(), axes[1].get_ylabel()] == ["model", "model", "correlation of errors"]


def test_the_model_record_names_the_raw_columns_it_needs(regression_rows: TrainingRows):
    choice = choose("rmse", compared(regression_rows, "regression")[0])
    record = selection.model_record(make_case("regression"), regression_rows.problem.plan, regression_rows, choice, None)
    assert record["feature_columns"] == ["x", "c", "noise"]
    assert (record["classes"], record["threshold"]) == (None, None)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_every_figure_can_be_drawn_for_every_task(task: str, request: pytest.FixtureRequest):
    rows = request.getfixturevalue(f"{task}_rows")
    several, members, found = compared(rows, task)
    choice = choose(METRIC[task], several, 1.0)
    drawn = [
        figures.agreement(rows, members),
        figures.frontier(several, choice, METRIC[task], 1.0),
        figures.calibration(rows, selection.calibrated(rows, METRIC[task], choice), choice.candidate.oof),
        figures.threshold(selection.threshold(rows, choice.candidate.oof, make_case(task), make_frame(task))),
        figures.leaderboard(several, choice, METRIC[task], 0.5),
        *[figures.drivers(one, rows, METRIC[task]) for one in found.values()],
        *[figures.out_of_fold(rows, one.oof) for one in found.values()],
        *[figures.by_fold(one, METRIC[task]) for one in found.values()],
    ]
    assert all(figure.axes for figure in drawn)
