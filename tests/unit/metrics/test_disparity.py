import numpy as np
import pandas as pd
import pytest
from fairlearn import metrics as fair
from scipy import stats

from gristmill.metrics.disparity import (
    Rate,
    class_metrics_by_group,
    class_rates,
    error_spread,
    mean_interval,
    mean_spread,
    number_metrics_by_group,
    rate_spread,
    wilson_interval,
)
from gristmill.metrics.intervals import Bootstrap

FEW = Bootstrap(resamples=300)


@pytest.fixture
def decided():
    rng = np.random.default_rng(0)
    groups = pd.Series(rng.choice(["a", "b", "c"], 900))
    y_true = rng.integers(0, 2, 900)
    y_pred = (rng.random(900) < 0.3 + 0.3 * y_true + 0.15 * (groups == "a")).astype(int)
    return y_true, y_pred, groups


def test_differences_are_those_of_fairlearn(decided):
    y_true, y_pred, groups = decided
    rates = class_rates(y_true, y_pred)
    options = {"min_group_size": 1, "bootstrap": FEW}
    impact = rate_spread(rates["selection_rate"], groups, comparison="ratio", **options)
    opportunity = rate_spread(rates["true_positive_rate"], groups, comparison="difference", **options)
    expected = fair.demographic_parity_ratio(y_true, y_pred, sensitive_features=groups)
    assert impact.interval["value"] == pytest.approx(expected, abs=1e-12)
    expected = fair.equal_opportunity_difference(y_true, y_pred, sensitive_features=groups)
    assert opportunity.interval["value"] == pytest.approx(expected, abs=1e-12)
    assert impact.highest == "a"


def test_metrics_by_group_are_in_group_order_with_sizes(decided):
    y_true, y_pred, groups = decided
    table = class_metrics_by_group(y_true, y_pred, groups)
    assert list(table.index) == ["a", "b", "c"]
    assert table["n"].sum() == 900
    assert table.loc["b", "selection_rate"] == pytest.approx(y_pred[(groups == "b").to_numpy()].mean(), abs=1e-12)


def test_a_small_group_is_not_judged(decided):
    y_true, y_pred, groups = decided
    groups = groups.copy()
    groups.iloc[:5] = "tiny"
    rate = class_rates(y_true, y_pred)["selection_rate"]
    assert "tiny" not in rate_spread(rate, groups, comparison="ratio", min_group_size=30, bootstrap=FEW).judged
    assert "tiny" in rate_spread(rate, groups, comparison="ratio", min_group_size=5, bootstrap=FEW).judged


def test_a_true_positive_rate_needs_enough_positives_not_only_enough_rows():
    groups = pd.Series(["a"] * 100 + ["b"] * 100)
    y_true = np.array([1] * 50 + [0] * 50 + [1] * 3 + [0] * 97)
    rate = class_rates(y_true, y_true)["true_positive_rate"]
    spread = rate_spread(rate, groups, comparison="difference", min_group_size=30, bootstrap=FEW)
    assert spread.judged == ("a",)
    assert np.isnan(spread.interval["value"])


def test_a_group_never_selected_has_a_ratio_of_zero():
    groups = pd.Series(["a"] * 40 + ["b"] * 40)
    y_pred = np.array([1] * 40 + [0] * 40)
    spread = rate_spread(class_rates(y_pred, y_pred)["selection_rate"], groups, comparison="ratio", min_group_size=1, bootstrap=FEW)
    assert (spread.interval["value"], spread.lowest, spread.highest) == (0.0, "b", "a")


def test_when_nobody_is_selected_nobody_is_treated_worse():
    groups = pd.Series(["a"] * 10 + ["b"] * 10)
    nobody = np.zeros(20, dtype=int)
    spread = rate_spread(class_rates(nobody, nobody)["selection_rate"], groups, comparison="ratio", min_group_size=1, bootstrap=FEW)
    assert spread.interval["value"] == 1.0


def test_errors_are_compared_as_largest_over_smallest():
    groups = pd.Series(["a"] * 50 + ["b"] * 50)
    errors = np.array([1.0] * 50 + [3.0] * 50)
    spread = error_spread(errors, groups, min_group_size=30, bootstrap=FEW)
    assert spread.interval == pytest.approx({"value": 3.0, "low": 3.0, "high": 3.0}, abs=1e-12)
    assert spread.highest == "b"


def test_numbers_by_group_tell_the_side_of_the_error():
    groups = pd.Series(["a", "a", "b"])
    table = number_metrics_by_group(np.array([3.0, 5.0, 1.0]), np.array([1.0, 5.0, 2.0]), groups)
    assert table.loc["a", ["n", "mae", "rmse", "mean_residual"]].tolist() == [2, 1.0, pytest.approx(2**0.5), 1.0]
    assert table.loc["b", "mean_residual"] == -1.0


def test_wilsons_interval_is_the_published_one():
    low, high = wilson_interval(np.array([8.0, 0.0]), np.array([10.0, 10.0]), 0.95)
    assert low == pytest.approx([0.49016, 0.0], abs=1e-5)
    assert high == pytest.approx([0.94331, 0.27753], abs=1e-5)


def test_intervals_of_a_difference_cover_it_about_as_often_as_they_say():
    covered = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        groups = pd.Series(["a"] * 200 + ["b"] * 200)
        y_pred = (rng.random(400) < np.repeat([0.6, 0.4], 200)).astype(int)
        rate = class_rates(y_pred, y_pred)["selection_rate"]
        options = {"min_group_size": 1, "bootstrap": Bootstrap(resamples=200, random_state=seed)}
        found = rate_spread(rate, groups, comparison="difference", **options).interval
        covered += found["low"] <= 0.2 <= found["high"]
    assert 0.90 <= covered / 200 <= 0.985


@pytest.mark.parametrize("n_groups", [2, 6])
def test_groups_that_are_alike_reach_no_difference_about_as_often_as_is_said(n_groups):
    groups, everyone = pd.Series(np.repeat([f"g{number}" for number in range(n_groups)], 100)), np.ones(100 * n_groups, dtype=bool)
    reached = 0
    for seed in range(100):
        rate = Rate(np.random.default_rng(seed).random(len(groups)) < 0.3, everyone)
        options = {"min_group_size": 1, "bootstrap": Bootstrap(resamples=200, random_state=seed)}
        reached += rate_spread(rate, groups, comparison="difference", **options).interval["low"] == 0.0
    assert 87 <= reached <= 100


def test_a_group_that_is_never_selected_leaves_the_ratio_between_zero_and_what_it_could_be():
    groups, everyone = pd.Series(["a"] * 40 + ["b"] * 40), np.ones(80, dtype=bool)
    spread = rate_spread(Rate(np.arange(80) < 20, everyone), groups, comparison="ratio", min_group_size=1, bootstrap=FEW)
    assert spread.interval["low"] == pytest.approx(0.0, abs=1e-12)
    assert spread.interval["high"] == pytest.approx(0.08762 / 0.5, abs=1e-3)  # Wilson's upper limit of 0 of 40, over a half


def test_when_nobody_is_selected_the_ratio_is_not_known():
    groups, nobody = pd.Series(["a"] * 10 + ["b"] * 10), np.zeros(20, dtype=int)
    spread = rate_spread(class_rates(nobody, nobody)["selection_rate"], groups, comparison="ratio", min_group_size=1, bootstrap=FEW)
    assert (spread.interval["low"], spread.interval["high"]) == pytest.approx((0.0, 1.0), abs=1e-9)


def test_two_proportions_have_newcombes_interval():
    """Newcombe 1998, table II, case (a): 56 of 70 against 48 of 80 gives 0.0524 to 0.3339."""
    groups = pd.Series(["a"] * 70 + ["b"] * 80)
    rate = Rate(np.concatenate([np.arange(70) < 56, np.arange(80) < 48]), np.ones(150, dtype=bool))
    found = rate_spread(rate, groups, comparison="difference", min_group_size=1, bootstrap=FEW).interval
    assert (found["value"], found["low"], found["high"]) == pytest.approx((0.2, 0.0524, 0.3339), abs=2e-4)


def test_the_difference_of_means_is_fairlearns_and_its_interval_is_welchs():
    rng = np.random.default_rng(0)
    groups, quantity = pd.Series(np.repeat(["a", "b"], [400, 600])), rng.normal(size=1000) + np.repeat([1.0, 0.5], [400, 600])
    found = mean_spread(quantity, groups, min_group_size=30, bootstrap=FEW)
    frame = fair.MetricFrame(metrics=lambda _, value: np.mean(value), y_true=quantity, y_pred=quantity, sensitive_features=groups)
    assert found.interval["value"] == pytest.approx(frame.difference(), abs=1e-12)
    welch = stats.ttest_ind(quantity[:400], quantity[400:], equal_var=False).confidence_interval(0.95)
    assert (found.interval["low"], found.interval["high"]) == pytest.approx((welch.low, welch.high), abs=2e-3)
    assert (found.highest, found.lowest) == ("a", "b")


def test_the_difference_of_means_leaves_small_groups_out():
    groups = pd.Series(["a"] * 40 + ["b"] * 40 + ["tiny"] * 2)
    found = mean_spread(np.r_[np.zeros(80), 100.0, 100.0], groups, min_group_size=30, bootstrap=FEW)
    assert (found.interval["value"], found.judged) == (0.0, ("a", "b"))


def test_a_mean_has_students_interval():
    values = np.array([1.0, 2.0, 4.0, 7.0])
    low, high = stats.t.interval(0.9, 3, loc=3.5, scale=stats.sem(values))
    assert mean_interval(values, 0.9) == pytest.approx({"value": 3.5, "low": low, "high": high})
