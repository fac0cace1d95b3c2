"""Targets are learnt on a scale that suits them."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from gristmill.modeling.families.lightgbm_trees import LightGBMTreesRegressor
from gristmill.modeling.families.scaled_target import ScaledTarget, is_skewed

X = np.arange(6.0).reshape(-1, 1)


def test_a_straight_line_is_found_on_the_linear_scale():
    model = ScaledTarget(LinearRegression()).fit(X, 1000 * X.ravel() - 7)
    assert model.predict([[2.5]])[0] == pytest.approx(2493)


def test_growth_is_found_on_the_logarithmic_scale():
    assert ScaledTarget(LinearRegression(), "log").fit(X, 3.0 ** X.ravel()).predict([[4.0]])[0] == pytest.approx(81)


def test_the_logarithm_is_not_taken_of_zero():
    model = ScaledTarget(LinearRegression(), "log").fit(X, X.ravel())
    assert model.predict([[2.0]])[0] == pytest.approx(2)


def test_an_answer_stays_near_what_was_seen():
    assert ScaledTarget(LinearRegression()).fit(X, X.ravel()).predict([[1e9]])[0] == pytest.approx(5 + 0.5 * 5)


def test_a_constant_target_is_answered_with_itself():
    assert ScaledTarget(LinearRegression()).fit(X, np.full(6, 4.0)).predict([[9.0]])[0] == pytest.approx(4)


def test_only_positive_long_tails_are_skewed():
    tail = np.exp(np.random.default_rng(0).normal(size=500))
    assert is_skewed(tail)
    assert not is_skewed(-tail)
    assert not is_skewed(np.linspace(1, 2, 50))
    assert not is_skewed(np.ones(50))


def watching(scale: str = "linear") -> ScaledTarget:
    return ScaledTarget(LightGBMTreesRegressor(rounds=6, min_samples_leaf=2), scale)


def test_only_what_can_watch_itself_is_watched():
    assert not hasattr(ScaledTarget(LinearRegression()), "fit_watched")
    assert not hasattr(ScaledTarget(LinearRegression()), "stages_param")
    assert watching().stages_param == "rounds"


def test_the_curve_is_in_standard_deviations_of_the_training_targets():
    rows, y = np.tile(X, (5, 1)), 1000 * np.tile(X.ravel(), 5)
    model = watching().fit_watched(rows, y, rows[:6], y[:6] + 10)
    errors = [np.sqrt(np.mean((model.truncated(k).predict(rows[:6]) - y[:6] - 10) ** 2)) / y.std() for k in (1, 4, 6)]
    assert model.curve_[[0, 3, 5]] == pytest.approx(errors, rel=1e-5)
    assert not hasattr(model.fit(rows, y), "curve_")


def test_a_validation_target_without_a_logarithm_counts_as_the_smallest_that_was_seen():
    rows, y = np.tile(X, (5, 1)), 3.0 ** np.tile(X.ravel(), 5)
    curves = [watching("log").fit_watched(rows, y, rows[:2], [lowest, 9.0]).curve_ for lowest in (-5.0, 0.0, 1.0)]
    assert np.array_equal(curves[0], curves[2])
    assert np.array_equal(curves[1], curves[2])
