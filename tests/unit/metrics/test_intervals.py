import numpy as np
import pytest

from gristmill.metrics.interval_ends import bca_interval, percentile_interval, within
from gristmill.metrics.intervals import MOST_RELATIVE_ERROR, Bootstrap, intervals, resampled_scores
from gristmill.metrics.resampling import resample_weights
from gristmill.metrics.scores import all_scores


def test_a_resample_keeps_the_size_of_every_stratum():
    strata = np.array([0] * 5 + [1] * 20)
    weights = np.concatenate(list(resample_weights(strata, 30, 0)))
    assert weights.shape == (30, 25)
    assert (weights[:, :5].sum(axis=1) == 5).all()
    assert (weights[:, 5:].sum(axis=1) == 20).all()


def test_the_same_seed_gives_the_same_intervals(make_predictions):
    y_true, y_proba = make_predictions(200, 2)
    one, same, other = (intervals("binary", y_true, y_proba, Bootstrap(resamples=200, random_state=seed)) for seed in (1, 1, 2))
    assert one == same
    assert one["roc_auc"] != other["roc_auc"]


@pytest.mark.parametrize("n_classes", [2, 3])
def test_values_are_the_plain_scores_and_lie_in_their_interval(make_predictions, n_classes):
    y_true, y_proba = make_predictions(300, n_classes)
    found = intervals("multiclass", y_true, y_proba, Bootstrap(resamples=200))
    assert {name: one["value"] for name, one in found.items()} == pytest.approx(
        all_scores("multiclass", y_true, y_proba), abs=1e-12
    )
    assert all(one["low"] <= one["value"] <= one["high"] for one in found.values())


def test_more_rows_give_narrower_intervals(make_predictions):
    widths = []
    for n_rows in (100, 1600):
        one = intervals("binary", *make_predictions(n_rows, 2), Bootstrap(resamples=300), metrics=("roc_auc",))["roc_auc"]
        widths.append(one["high"] - one["low"])
    assert widths[1] == pytest.approx(widths[0] / 4, rel=0.5)


def test_the_interval_of_a_mean_is_that_of_the_normal_limit():
    residual = np.random.default_rng(0).exponential(size=2000)
    found = intervals("regression", residual, np.zeros(2000), Bootstrap(resamples=2000), metrics=("mae",))["mae"]
    assert found["high"] - found["low"] == pytest.approx(2 * 1.96 * residual.std() / np.sqrt(2000), rel=0.08)


def test_a_metric_that_cannot_be_measured_has_no_interval(make_predictions):
    _, y_proba = make_predictions(20, 2)
    found = intervals("binary", np.ones(20, dtype=int), y_proba, Bootstrap(resamples=100), metrics=("roc_auc",))["roc_auc"]
    assert all(np.isnan(value) for value in found.values())


def test_an_interval_is_stretched_to_hold_its_value():
    assert percentile_interval(0.0, np.array([0.2, 0.3, 0.4]), 0.9)["low"] == 0.0


def test_draws_that_are_undefined_are_left_out():
    assert percentile_interval(2.0, np.array([1.0, np.nan, 3.0]), 0.95)["high"] == pytest.approx(2.95)


def test_draws_hold_every_resample(make_predictions):
    found = resampled_scores("binary", *make_predictions(50, 2), Bootstrap(resamples=137), metrics=("f1", "roc_auc"))
    assert {name: values.shape for name, values in found.draws.items()} == {"f1": (137,), "roc_auc": (137,)}


def of_errors(residual, *metrics, resamples=400):
    return intervals("regression", residual, np.zeros(len(residual)), Bootstrap(resamples=resamples), metrics=metrics)


def test_the_interval_of_a_mean_square_is_that_of_its_root_squared():
    found = of_errors(np.random.default_rng(0).exponential(size=300), "mse", "rmse")
    assert found["mse"]["low"] == pytest.approx(found["rmse"]["low"] ** 2)
    assert found["mse"]["high"] == pytest.approx(found["rmse"]["high"] ** 2)


def test_intervals_of_skewed_errors_reach_higher_than_their_draws_do():
    """A sample without large errors has a small mean and seems sure of it; how often each end misses, `benchmarks/intervals.py`."""
    residual = np.random.default_rng(0).exponential(size=300) - 1
    drawn = resampled_scores("regression", residual, np.zeros(300), Bootstrap(resamples=400), metrics=("rmse",))
    corrected = bca_interval(drawn.values["rmse"], drawn.draws["rmse"], 0.95, drawn.accelerations["rmse"])
    assert of_errors(residual, "rmse")["rmse"]["high"] > corrected["high"]


def test_few_rows_that_make_up_the_whole_error_are_not_studentised():
    residual = np.zeros(100)
    residual[:4] = 1.0
    found = resampled_scores("regression", residual, np.zeros(100), metrics=("mse",))
    assert found.values["error of the root of mse"] > MOST_RELATIVE_ERROR * 0.2
    one = of_errors(residual, "mse")["mse"]
    assert 0 < one["low"] < 0.04 < one["high"] < 0.12


@pytest.mark.parametrize("size", [0.0, 3.0])
def test_errors_that_are_all_alike_have_no_width(size):
    for name, found in of_errors(np.full(60, size), "rmse", "mae", "pinball_90").items():
        assert (found["low"], found["high"]) == pytest.approx((found["value"], found["value"]), abs=1e-12), name


def test_intervals_of_the_area_cover_it_about_as_often_as_they_say():
    covered = 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        y_true = np.repeat([0, 1], [120, 80])
        score = rng.normal(size=200) + y_true  # the area is the chance that N(1, 2) is positive: 0.7602
        y_proba = np.column_stack([-score, score])
        found = intervals("binary", y_true, y_proba, Bootstrap(resamples=200, random_state=seed), metrics=("roc_auc",))
        covered += found["roc_auc"]["low"] <= 0.76025 <= found["roc_auc"]["high"]
    assert 0.89 <= covered / 150 <= 0.99


def test_intervals_of_a_large_table_stay_within_what_the_metric_can_be():
    y_true = np.repeat([1, 0], [12_000, 13_000])
    positive = np.where(y_true == 1, 0.9, 0.1)
    positive[:3] = 0.1  # few positives are missed, so that bags know of more or of fewer than the table
    names = ("recall", "f1", "accuracy")
    found = intervals("binary", y_true, np.column_stack([1 - positive, positive]), Bootstrap(resamples=200), metrics=names)
    for interval in found.values():
        assert interval["low"] <= interval["value"] <= interval["high"] <= 1.0


def test_ends_are_cut_to_a_range_and_never_to_leave_out_the_value():
    assert within({"value": 0.9, "low": -0.1, "high": 1.2}, 0, 1) == {"value": 0.9, "low": 0, "high": 1}
    assert within({"value": 1.5, "low": 1.2, "high": 1.7}, 0, 1) == {"value": 1.5, "low": 1.2, "high": 1.5}
