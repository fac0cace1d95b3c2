"""Features that say nothing are found without a look at the target."""

import numpy as np
import pandas as pd

from gristmill.features.selection import constant, correlated, repeated, uninformative


def test_one_value_or_none_is_constant():
    frame = pd.DataFrame({"one": [2.0, 2.0], "none": [np.nan, np.nan], "two": [1.0, 2.0], "gap": [1.0, np.nan]})
    assert list(constant(frame)) == ["one", "none"]


def test_levels_that_split_rows_alike_repeat_each_other():
    frame = pd.DataFrame({"sex": ["m", "f", "m"], "Geschlecht": ["M", "W", "M"], "other": ["m", "m", "f"]})
    assert repeated(frame) == {"Geschlecht": "it repeats 'sex'"}


def test_numbers_repeat_only_when_equal():
    frame = pd.DataFrame({"a": [1.0, 2.0, 5.0], "b": [10.0, 20.0, 30.0], "c": [1.0, 2.0, 5.0]})
    assert repeated(frame) == {"c": "it repeats 'a'"}


def test_the_same_quantity_in_other_units_is_dropped():
    metres = np.random.default_rng(0).normal(size=100)
    frame = pd.DataFrame({"metres": metres, "feet": metres * 3.28, "noise": np.random.default_rng(1).normal(size=100)})
    assert correlated(frame) == {"feet": "its correlation with 'metres' is 1.00000"}


def test_columns_missing_in_different_rows_are_both_kept():
    values = np.arange(100.0)
    frame = pd.DataFrame({"a": np.where(values < 30, np.nan, values), "b": np.where(values > 70, np.nan, values)})
    assert correlated(frame) == {}


def test_a_chain_of_repetitions_keeps_the_first():
    values = np.random.default_rng(0).normal(size=50)
    assert list(uninformative(pd.DataFrame({"a": values, "b": values, "c": values * 2}))) == ["b", "c"]


def test_numbers_of_extreme_size_raise_nothing():
    frame = pd.DataFrame({"a": [1e30, -1e30, 0.0, 1e29], "b": [1e-300, 2e-300, 0.0, 5e-300]})
    assert correlated(frame) == {}
