"""Limits of outliers: learnt on the rows they are fitted on, applied to any, and applied twice as applied once."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.base import clone

from gristmill.features.limits import OutlierLimits

numbers = st.one_of(st.floats(-1e6, 1e6), st.just(float("nan")))
tables = arrays(np.float64, st.tuples(st.integers(1, 30), st.integers(1, 3)), elements=numbers)


@settings(deadline=None, max_examples=60)
@given(tables, st.sampled_from(["clip", "missing"]), st.sampled_from(["iqr", "quantile"]))
def test_twice_is_once_and_missing_values_stay_missing(X, action, method):
    limits = OutlierLimits(action, method, factor=0.5, lower=0.2, upper=0.8).fit(X)
    once = limits.transform(X)
    assert np.array_equal(limits.transform(once), once, equal_nan=True)
    assert np.isnan(once[np.isnan(X)]).all()
    inside = (limits.lower_ <= X) & (limits.upper_ >= X)
    assert np.array_equal(once[inside], X[inside])


def test_numbers_far_out_are_clipped_or_made_missing():
    X = np.array([[1.0], [2.0], [3.0], [4.0], [5.0], [100.0]])
    assert OutlierLimits("clip", factor=1.5).fit_transform(X).ravel().tolist() == [1, 2, 3, 4, 5, 8.5]
    assert np.isnan(OutlierLimits("missing", factor=1.5).fit_transform(X)).ravel().tolist() == [False] * 5 + [True]


def test_quantiles_are_values_that_occur():
    limits = OutlierLimits("clip", "quantile", lower=0.1, upper=0.9).fit(np.arange(1.0, 101.0).reshape(-1, 1))
    assert (limits.lower_[0], limits.upper_[0]) == (10.0, 90.0)


@pytest.mark.parametrize("column", [np.full(9, np.nan), np.full(9, 3.0), np.array([0.0] * 8 + [1e9])])
def test_a_column_without_a_spread_is_left_as_it_is(column):
    X = column.reshape(-1, 1)
    assert np.array_equal(OutlierLimits().fit_transform(X), X, equal_nan=True)


def test_infinities_do_not_move_the_limits():
    X = np.array([[1.0], [2.0], [3.0], [np.inf], [-np.inf]])
    limits = OutlierLimits(factor=1.0).fit(X)
    assert (limits.lower_[0], limits.upper_[0]) == (0.5, 3.5)


def test_names_are_kept_and_frames_are_given_on_request():
    frame = pd.DataFrame({"a": [1.0, 2.0, 90.0], "b": [0.0, 1.0, 2.0]}, index=["x", "y", "z"])
    limits = clone(OutlierLimits("missing", factor=0.1)).set_output(transform="pandas").fit(frame)
    assert limits.get_feature_names_out().tolist() == ["a", "b"]
    made = limits.transform(frame)
    assert list(made.columns) == ["a", "b"]
    assert list(made.index) == ["x", "y", "z"]
