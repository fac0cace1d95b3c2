"""Targets are learnt on a scale that suits them."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

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
