import numpy as np
import pytest
from scipy.stats import skew

from gristmill.metrics.resampling import LEFT_OUT_GROUPS, MOST_LEFT_OUT, accelerations, resample


def mean_of(values):
    return lambda weights: {"mean": weights @ values / weights.sum(axis=1)}


def test_the_acceleration_of_a_mean_is_its_skewness():
    values = np.random.default_rng(0).exponential(size=300)
    found = accelerations(mean_of(values), np.zeros(300, dtype=np.int64))
    assert found["mean"] == pytest.approx(skew(values) / (6 * np.sqrt(300)), rel=1e-9)


def test_of_many_rows_groups_are_left_out():
    values = np.random.default_rng(0).exponential(size=5 * MOST_LEFT_OUT)
    asked = []

    def kernel(weights):
        asked.append(len(weights))
        return mean_of(values)(weights)

    found = accelerations(kernel, np.zeros(len(values), dtype=np.int64))
    assert sum(asked) == LEFT_OUT_GROUPS + 1
    assert abs(found["mean"]) < 0.01


def test_the_shares_of_strata_are_no_part_of_the_spread():
    strata = np.repeat([0, 1], [50, 150])
    found = resample(lambda rows: mean_of(strata[rows].astype(float)), strata, 200, 0)
    assert found.draws["mean"] == pytest.approx(np.full(200, 0.75), abs=1e-12)
    assert found.accelerations["mean"] == 0.0


def test_a_figure_that_a_left_out_row_makes_undefined_has_no_acceleration():
    values = np.array([1.0, 1.0, 1.0, 4.0])

    def spread(weights):
        mean = weights @ values / 4
        variance = weights @ values**2 / 4 - mean**2
        with np.errstate(divide="ignore"):
            return {"inverse": np.where(variance > 1e-12, 1 / variance, np.nan)}

    assert accelerations(spread, np.zeros(4, dtype=np.int64)) == {"inverse": 0.0}
