"""The answers that every model has to beat (R17)."""

import numpy as np
import pytest

from gristmill.modeling.baselines import best_baseline, names, predict

FOLDS = [(np.arange(5, 10), np.arange(5)), (np.arange(5), np.arange(5, 10))]


def test_shares_and_the_most_frequent_class_are_answered():
    y = np.array([0, 0, 2])
    assert predict("prior", y, 2, 3) == pytest.approx(np.array([[2 / 3, 0, 1 / 3]] * 2))
    assert predict("majority", y, 1, 3).tolist() == [[1.0, 0.0, 0.0]]


def test_mean_and_median_are_answered():
    y = np.array([0.0, 0.0, 9.0])
    assert predict("mean", y, 2, 0).tolist() == [3.0, 3.0]
    assert predict("median", y, 1, 0).tolist() == [0.0]


def test_the_median_is_best_by_absolute_error_and_the_mean_by_squared():
    y = np.array([0.0, 0.0, 0.0, 1.0, 9.0] * 2)
    assert best_baseline("regression", "mae", y, FOLDS, 0).name == "median"
    assert best_baseline("regression", "rmse", y, FOLDS, 0).name == "mean"


def test_a_fold_is_answered_from_the_other_folds():
    y = np.array([0.0] * 5 + [10.0] * 5)
    baseline = best_baseline("regression", "mae", y, FOLDS, 0)
    assert baseline.fold_scores == [10.0, 10.0]
    assert baseline.score == 10.0


def test_chance_is_the_best_ranking_of_a_baseline():
    assert best_baseline("binary", "roc_auc", np.array([0, 1, 0, 1, 1] * 2), FOLDS, 2).score == 0.5


def test_every_task_has_two():
    assert names("regression") == ("mean", "median")
    assert names("multiclass") == ("prior", "majority")
