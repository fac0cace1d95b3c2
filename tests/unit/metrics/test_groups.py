import numpy as np
import pandas as pd

from gristmill.metrics.groups import as_groups, crossed, group_order, pooled


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


def test_small_groups_are_one_and_a_single_one_stays_what_it_is():
    groups = pd.Series(["a"] * 5 + ["b"] * 2 + ["c"] * 2 + ["d"])
    found = pooled(groups, 3)
    assert found.groups.tolist() == ["a"] * 5 + ["other levels"] * 5
    assert (found.levels, found.enough) == ({"b": 2, "c": 2, "d": 1}, True)
    assert pooled(groups, 6).enough
    assert not pooled(groups[1:], 10).enough
    single = pooled(groups.head(7), 3)
    assert (single.groups.tolist(), single.levels) == (groups.head(7).tolist(), {})


def test_only_the_rows_that_count_make_a_group_large():
    groups = pd.Series(["a"] * 5 + ["b"] * 5 + ["c"] * 5)
    found = pooled(groups, 3, among=np.r_[np.ones(5, bool), np.resize([True, False, False, False, False], 10)])
    assert (found.levels, found.enough) == ({"b": 1, "c": 1}, False)


def test_a_level_that_is_called_other_levels_is_not_mixed_up_with_those_that_are():
    groups = pd.Series(["other levels"] * 5 + ["b", "c", "d"])
    assert pooled(groups, 3).groups.unique().tolist() == ["other levels", "other levels (joined)"]


def test_features_are_crossed_pair_by_pair_and_all_together():
    groups = {name: pd.Series([f"{name}1", f"{name}2"]) for name in "abc"}
    found = crossed(groups)
    assert list(found) == ["a & b", "a & c", "b & c", "a & b & c"]
    assert found["a & b & c"].tolist() == ["a1 & b1 & c1", "a2 & b2 & c2"]
    assert crossed({"a": groups["a"]}) == {}
