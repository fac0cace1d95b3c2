import numpy as np
import pandas as pd

from gristmill.metrics.groups import as_groups, group_order


def test_few_numbers_are_a_group_each_and_missing_is_one_too():
    groups = as_groups(pd.Series([1, 2, None, 1]))
    assert groups.tolist() == ["1", "2", "missing", "1"]


def test_many_numbers_become_quartiles():
    groups = as_groups(pd.Series(np.arange(18, 98)))
    assert group_order(groups) == ["18 to 37", "38 to 57", "58 to 77", "78 to 97"]
    assert groups.value_counts().tolist() == [20, 20, 20, 20]


def test_quartiles_that_coincide_are_merged():
    assert as_groups(pd.Series([0] * 90 + list(range(1, 21)))).nunique() < 4


def test_many_dates_become_quartiles_and_few_are_days():
    days = pd.Series(pd.date_range("2024-01-01", periods=20))
    assert group_order(as_groups(days))[0] == "2024-01-01 to 2024-01-05"
    assert as_groups(days.head(2)).tolist() == ["2024-01-01", "2024-01-02"]


def test_truth_values_and_categories_keep_their_names():
    assert as_groups(pd.Series([True, None, False], dtype="boolean")).tolist() == ["True", "missing", "False"]
    assert as_groups(pd.Series(["b", "a", None], dtype="category")).tolist() == ["b", "a", "missing"]
    assert as_groups(pd.Series([1, None], dtype="Int64")).tolist() == ["1", "missing"]


def test_a_column_without_any_value_is_one_group():
    assert as_groups(pd.Series([np.nan, np.nan])).tolist() == ["missing", "missing"]


def test_groups_are_shown_by_number_with_missing_last():
    assert group_order(pd.Series(["missing", "10", "9", "9"])) == ["9", "10", "missing"]


def test_quartiles_of_large_numbers_that_lie_close_keep_names_of_their_own():
    groups = as_groups(pd.Series(2000 + np.arange(40) / 100))
    assert group_order(groups) == ["2000.0 to 2000.1", "2000.1 to 2000.2", "2000.2 to 2000.3", "2000.3 to 2000.4"]
    assert groups.value_counts().tolist() == [10] * 4
    tiny = as_groups(pd.Series(np.nextafter(1e3, 2e3) + np.arange(40) * 2e-13))
    assert tiny.nunique() == 4


def test_quartiles_within_one_day_are_named_by_moments():
    groups = as_groups(pd.Series(pd.date_range("2024-01-01", periods=40, freq="min")))
    assert groups.nunique() == 4
    assert groups.iloc[0] == "2024-01-01 00:00:00 to 2024-01-01 00:09:00"
