import numpy as np
import pytest

from gristmill.metrics.interval_ends import basic_interval, bca_interval, percentile_interval, studentised_interval

DRAWS = np.linspace(-1, 1, 2001)


def test_without_bias_and_acceleration_the_ends_are_percentiles():
    plain, corrected = percentile_interval(0.0, DRAWS, 0.9), bca_interval(0.0, DRAWS, 0.9, 0.0)
    assert corrected == pytest.approx(plain, abs=1e-9)
    assert (plain["low"], plain["high"]) == pytest.approx((-0.9, 0.9))


def test_draws_below_the_value_move_the_interval_up():
    found = bca_interval(0.4, DRAWS, 0.9, 0.0)
    assert found["low"] > -0.9
    assert found["high"] > 0.9


def test_acceleration_moves_the_ends_as_efron_says():
    """With z0 = 0 and a = 0.1 the ends are the quantiles of Phi(z / (1 - a z)): 0.0789 and 0.9756 at 90 %."""
    found = bca_interval(0.0, DRAWS, 0.9, 0.1)
    assert (found["low"], found["high"]) == pytest.approx((2 * 0.078894 - 1, 2 * 0.975574 - 1), abs=2e-3)


def test_a_value_that_resampling_inflates_is_mirrored_and_not_negative():
    found = basic_interval(0.02, np.linspace(0.025, 0.05, 1001), 0.9, least=0.0)
    assert found["low"] == 0.0
    assert found["high"] == 0.02  # stretched to hold the value


def test_values_and_draws_that_are_no_numbers_give_no_interval():
    for found in (bca_interval(np.nan, DRAWS, 0.9, 0.0), basic_interval(1.0, np.array([np.nan]), 0.9)):
        assert np.isnan(found["low"])
        assert np.isnan(found["high"])


def test_draws_that_are_all_the_value_are_a_point():
    assert bca_interval(1.0, np.ones(100), 0.95, 0.0) == {"value": 1.0, "low": 1.0, "high": 1.0}


def test_infinite_draws_count_at_their_end():
    draws = np.concatenate([np.full(10, -np.inf), np.zeros(90)])
    assert bca_interval(0.0, draws, 0.9, 0.0) == {"value": 0.0, "low": -np.inf, "high": 0.0}
    assert bca_interval(-np.inf, draws, 0.9, 0.0) == {"value": -np.inf, "low": -np.inf, "high": 0.0}


def test_a_draw_counts_by_its_own_error():
    draws = np.array([1.0, 3.0])
    found = studentised_interval(2.0, 0.5, draws, np.array([0.5, 2.0]), 1.0)
    assert (found["low"], found["high"]) == (2.0 - 0.5 * 0.5, 2.0 + 2.0 * 0.5)


def test_a_studentised_interval_is_not_negative_and_passes_over_draws_without_error():
    found = studentised_interval(0.1, 0.2, np.array([0.0, 0.1, 0.3]), np.array([0.0, 0.1, 0.1]), 1.0)
    assert found == {"value": 0.1, "low": 0.0, "high": pytest.approx(0.1)}
    assert studentised_interval(0.5, 0.0, np.full(3, 0.5), np.zeros(3), 0.95) == {"value": 0.5, "low": 0.5, "high": 0.5}
