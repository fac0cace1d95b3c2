import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score

from gristmill.metrics import resampling
from gristmill.metrics.intervals import Bootstrap
from gristmill.metrics.paired import Answers, delong, differences, mcnemar, paired_tests
from gristmill.metrics.scores import relative_improvement, score


def two_models(n_rows=240, seed=0):
    rng = np.random.default_rng(seed)
    y_true, shared = np.arange(n_rows) % 2, rng.normal(size=n_rows)
    made = []
    for strength in (1.2, 0.8):
        positive = 1 / (1 + np.exp(-(strength * y_true + shared + 0.4 * rng.normal(size=n_rows))))
        made.append(Answers(np.column_stack([1 - positive, positive]), threshold=0.5))
    return y_true, *made


def test_differences_are_those_of_the_plain_scores():
    y_true, first, second = two_models()
    found = differences("binary", y_true, first, second, ("roc_auc", "log_loss", "accuracy"), Bootstrap(resamples=100))
    for metric, one in found.items():
        mine, its = (score(metric, y_true, answers.predicted, threshold=0.5) for answers in (first, second))
        assert (one.first, one.second) == pytest.approx((mine, its), abs=1e-12)
        assert one.gain["value"] == pytest.approx((its - mine) if metric == "log_loss" else (mine - its), abs=1e-12)
        assert one.improvement["value"] == pytest.approx(relative_improvement(metric, mine, its), abs=1e-12)


def test_a_model_is_no_different_from_itself():
    y_true, first, _ = two_models()
    found = differences("binary", y_true, first, first, ("roc_auc",), Bootstrap(resamples=100))["roc_auc"]
    assert found.gain == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert found.error == 0.0


def test_a_difference_is_known_better_than_the_scores_and_as_well_as_delong_knows_it():
    y_true, first, second = two_models(400)
    found = differences("binary", y_true, first, second, ("roc_auc",), Bootstrap(resamples=800))["roc_auc"]
    test = delong(y_true == 1, first.predicted[:, 1], second.predicted[:, 1])
    alone = delong(y_true == 1, first.predicted[:, 1], np.zeros(400)).found["error"]
    half = (found.gain["high"] - found.gain["low"]) / 2
    assert half == pytest.approx(1.96 * test.found["error"], rel=0.1)
    assert test.found["error"] < 0.7 * alone


def test_delongs_difference_and_error_are_those_of_their_definition():
    rng = np.random.default_rng(3)
    positive = np.repeat([True, False], [15, 25])
    first, second = (rng.normal(size=40).round(1) + positive for _ in range(2))
    found = delong(positive, first, second)
    kernels = []
    for scores in (first, second):
        above, below = scores[positive][:, None], scores[~positive][None, :]
        kernels.append((above > below) + 0.5 * (above == below))
    areas = [roc_auc_score(positive, scores) for scores in (first, second)]
    assert found.found["difference"] == pytest.approx(areas[0] - areas[1], abs=1e-12)
    gap = kernels[0] - kernels[1]
    variance = gap.mean(axis=1).var(ddof=1) / 15 + gap.mean(axis=0).var(ddof=1) / 25
    assert found.found["error"] == pytest.approx(np.sqrt(variance), abs=1e-12)


def test_delong_of_equal_rankings_finds_no_difference_and_of_one_class_nothing():
    positive, scores = np.array([True, True, False, False]), np.array([4.0, 2.0, 3.0, 1.0])
    assert delong(positive, scores, 2 * scores).p_value == 1.0
    assert np.isnan(delong(np.ones(4, dtype=bool), scores, scores).p_value)


def test_mcnemar_counts_the_rows_that_one_model_alone_decides_rightly():
    y_true = np.zeros(20, dtype=np.int64)
    first, second = np.repeat([0, 1, 0], [9, 3, 8]), np.repeat([1, 0], [9, 11])
    found = mcnemar(y_true, first, second)
    assert found.found == {"only_first": 9, "only_second": 3}
    assert found.p_value == pytest.approx(binomtest(3, 12).pvalue)
    assert mcnemar(y_true, y_true, y_true).p_value == 1.0


def test_each_task_has_the_tests_that_fit_it():
    y_true, first, second = two_models()
    assert [test.name for test in paired_tests("binary", y_true, first, second)] == ["DeLong", "McNemar"]
    numbers = Answers(np.zeros(3))
    assert paired_tests("regression", np.ones(3), numbers, numbers) == []


def test_beside_a_model_without_loss_any_loss_is_infinitely_more():
    y_true = np.array([1.0, 2.0, 3.0])
    perfect, other = Answers(y_true), Answers(y_true + 1)
    same = differences("regression", y_true, perfect, perfect, ("rmse",), Bootstrap(resamples=100))["rmse"]
    worse = differences("regression", y_true, other, perfect, ("rmse",), Bootstrap(resamples=100))["rmse"]
    assert same.improvement["value"] == 0.0
    assert worse.improvement == {"value": -np.inf, "low": -np.inf, "high": -np.inf}
    assert worse.gain["value"] == pytest.approx(-1.0)


def test_resamples_in_which_the_other_model_loses_nothing_are_the_worst_and_count():
    """It errs in one row of 400, which more than a third of the resamples leave out; the first errs in ten others."""
    y_true = np.zeros(400)
    first, second = np.zeros(400), np.zeros(400)
    first[1:11], second[0] = 1.0, 1.0
    found = differences("regression", y_true, Answers(first), Answers(second), ("mae",), Bootstrap(resamples=400))["mae"]
    assert found.improvement["value"] == pytest.approx(-9)
    assert found.improvement["low"] == -np.inf
    assert np.isfinite(found.improvement["high"])
    assert found.gain["high"] < 0


def test_in_bags_too_a_resample_in_which_the_other_model_loses_nothing_is_no_gain(monkeypatch: pytest.MonkeyPatch):
    """The other model errs in one row, which most bags do not hold."""
    monkeypatch.setattr(resampling, "MOST_ROWS", 1000)
    y_true, first, second = np.zeros(4000), np.zeros(4000), np.zeros(4000)
    first[::2], second[1] = 1.0, 1.0
    found = differences("regression", y_true, Answers(first), Answers(second), ("mae",), Bootstrap(resamples=200))["mae"]
    assert found.improvement["high"] < -1
