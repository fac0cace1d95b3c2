"""The search keeps its budget, finishes at least one trial, and repeats itself when it is counted in trials."""

from dataclasses import replace
from itertools import count

import numpy as np
import pandas as pd
import pytest
from tests.unit.modeling.conftest import make_case, make_frame, make_rows

from gristmill.metrics.scores import score
from gristmill.modeling.search import tuning
from gristmill.modeling.search.budget import Budget
from gristmill.modeling.search.folds import PreparedFolds
from gristmill.modeling.search.tuning import search, train_family
from gristmill.modeling.training_rows import TrainingRows


def prepared(rows: TrainingRows, family: str = "linear") -> PreparedFolds:
    return PreparedFolds(family, rows.problem, rows.X, rows.y, rows.folds)


def slow_clock(step: float):
    return (tick * step for tick in count()).__next__


def test_the_known_good_configurations_come_first_then_proposals(binary_rows: TrainingRows):
    found = search(prepared(binary_rows), "roc_auc", Budget(None, 5))
    assert [trial.origin for trial in found.trials] == ["default", "default", "default", "bayesian", "bayesian"]
    assert found.best is not None
    assert found.best.score == max(trial.score for trial in found.trials if trial.status == "finished")


def test_the_best_fold_scores_are_those_of_the_stored_predictions(binary_rows: TrainingRows):
    found = search(prepared(binary_rows), "roc_auc", Budget(None, 2))
    assert found.oof is not None
    by_hand = [score("roc_auc", binary_rows.y[valid], found.oof[valid]) for _, valid in binary_rows.folds]
    assert found.best.fold_scores == pytest.approx(by_hand)
    assert found.best.score == pytest.approx(np.mean(by_hand))


def test_a_search_counted_in_trials_repeats_itself(regression_rows: TrainingRows):
    first, second = (search(prepared(regression_rows), "rmse", Budget(None, 8)) for _ in range(2))
    assert [trial.params for trial in first.trials] == [trial.params for trial in second.trials]
    assert [trial.fold_scores for trial in first.trials] == [trial.fold_scores for trial in second.trials]
    assert np.array_equal(first.oof, second.oof)


def test_random_search_proposes_other_configurations(binary_rows: TrainingRows):
    found = search(prepared(binary_rows), "roc_auc", Budget(None, 4), method="random")
    assert found.trials[3].origin == "random"


def test_one_trial_is_finished_however_little_time_there_is(binary_rows: TrainingRows):
    found = search(prepared(binary_rows), "log_loss", Budget(0.001, None), clock=slow_clock(10))
    assert [trial.status for trial in found.trials] == ["finished"]


def test_a_trial_that_overruns_is_stopped_and_none_starts_without_time(binary_rows: TrainingRows):
    first_trial = 8  # looks at the clock: once a fold, and around the trial
    clock = (tick if tick <= first_trial else first_trial + 10 * (tick - first_trial) for tick in count()).__next__
    found = search(prepared(binary_rows), "log_loss", Budget(30, None), clock=clock)
    assert [trial.status for trial in found.trials] == ["finished", "stopped"]
    assert len(found.trials[1].fold_scores) < len(binary_rows.folds)
    assert found.best.number == 0


def test_a_first_trial_on_a_large_table_gives_way_to_one_on_fewer_rows(binary_rows: TrainingRows, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tuning, "LARGE", 10)
    monkeypatch.setattr("gristmill.modeling.search.budget.PROBES", (10, 45))
    monkeypatch.setattr(tuning, "PROBES", (10, 45))
    found = search(prepared(binary_rows), "log_loss", Budget(30, None), clock=slow_clock(10))
    assert [trial.status for trial in found.trials] == ["stopped", "finished"]
    assert found.plan["most_rows"] == 45
    assert np.isfinite(found.oof[binary_rows.validated]).all()


def test_a_search_that_gains_nothing_ends_early(binary_rows: TrainingRows, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tuning, "PATIENCE_TRIALS", 4)
    found = search(prepared(binary_rows), "roc_auc", Budget(600, None), clock=slow_clock(1e-6))
    assert len(found.trials) == 4 + max(3, found.best.number + 1)


def test_hopeless_trials_are_pruned_after_two_folds(binary_rows: TrainingRows):
    found = search(prepared(binary_rows), "log_loss", Budget(None, 25), method="random")
    pruned = [trial for trial in found.trials if trial.status == "pruned"]
    assert pruned
    assert all(2 <= len(trial.fold_scores) < 4 and trial.score > found.best.score for trial in pruned)


def test_a_configuration_that_cannot_be_trained_is_recorded_as_failed(binary_rows: TrainingRows):
    with_text = replace(binary_rows.problem, plan={**binary_rows.problem.plan, "n_classes": 2, "features": []})
    broken = PreparedFolds("linear", with_text, binary_rows.X, binary_rows.y, binary_rows.folds)
    found = search(broken, "roc_auc", Budget(5, None))
    assert {trial.status for trial in found.trials} == {"failed"}
    assert found.best is None
    assert found.reason.startswith("no configuration could be trained on these rows: ValueError")


def test_a_family_that_is_switched_off_says_so(binary_rows: TrainingRows):
    found = train_family("neural", binary_rows, make_case(training={"families": ["linear"]}))
    product = found.as_product(None)
    assert (product["enabled"], product["best"], product["trials"]) == (False, None, [])
    assert product["reason"] == "`training.families` of the case file does not name neural"
    assert binary_rows.table(found.oof).columns.tolist() == ["fold", "probability_no", "probability_yes"]


@pytest.mark.parametrize("family", ["linear", "forest", "boosting", "neural"])
def test_a_class_that_a_fold_lacks_keeps_its_column(family: str):
    frame = make_frame("multiclass", 60)
    frame["y"] = np.where(np.arange(60) % 4 == 1, "rare", np.where(frame["y"] == "rare", "low", frame["y"]))
    rows = make_rows("multiclass", frame=frame)  # every row of "rare" is in fold 1: its model never saw the class
    found = search(prepared(rows, family), "log_loss", Budget(None, 1))
    assert found.best is not None
    assert found.oof.shape == (60, len(rows.classes))
    assert np.isfinite(found.best.score)


def test_thirty_rows_are_enough():
    found = train_family("boosting", make_rows("binary", n_rows=30), make_case(training={"trials": 2}))
    assert found.best is not None
    assert found.row_ms > 0


def test_a_table_of_gaps_is_enough():
    frame = make_frame("binary", 60)
    frame[["x", "noise"]] = frame[["x", "noise"]].where(np.random.default_rng(0).random((60, 2)) < 0.2)
    frame["c"] = pd.Series(np.where(np.arange(60) % 3 == 0, "a", None), index=frame.index)
    found = train_family("linear", make_rows("binary", frame=frame), make_case(training={"trials": 1}))
    assert np.isfinite(found.best.score)
