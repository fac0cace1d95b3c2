"""What is different between two versions is counted exactly where it can be."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from tests.unit.data.conftest import take_version

from gristmill.data.snapshots.description import describe
from gristmill.data.snapshots.differences import RowDifference, compare
from gristmill.errors import ArtifactError


def versions(paths, *texts):
    return compare(*(take_version(paths, text) for text in texts), paths.root)


def by_name(found):
    return {column.name: column for column in found.columns}


def test_columns_come_go_and_change_their_type(small):
    found = versions(small, "a,b,y\n1,x,1\n2,y,0\n", "a,c,y\n1.5,1,1\n2,0,0\n")
    assert (found.added, found.removed) == ({"c": "int64"}, {"b": "string"})
    assert found.retyped == {"a": ("int64", "double")}


def test_rows_are_counted_as_often_as_they_stand(small):
    rows = versions(small, "a,y\n1,x\n1,x\n2,x\n", "a,y\n1,x\n3,x\n3,x\n").rows
    assert (rows.unchanged, rows.added, rows.removed) == (1, 2, 2)


def test_a_whole_number_that_becomes_a_fraction_is_the_same_row(small):
    rows = versions(small, "a,y\n1,x\n2,x\n", "a,y\n1.0,x\n2.5,x\n").rows
    assert (rows.unchanged, rows.added, rows.removed) == (1, 1, 1)


def test_the_order_of_rows_and_columns_does_not_count(small):
    rows = versions(small, "a,b\n1,x\n,y\n", "b,a\ny,\nx,1\n").rows
    assert (rows.unchanged, rows.added, rows.removed) == (2, 0, 0)


def test_columns_whose_names_differ_in_case_alone_are_kept_apart(small):
    found = versions(small, "a,A\n1,5\n2,6\n", "a,A\n1,7\n2,8\n")
    assert {name: column.distance for name, column in by_name(found).items()} == {"a": 0.0, "A": 1.0}


def test_tables_without_a_common_column_have_no_rows_to_compare(small):
    found = versions(small, "a,b\n1,x\n", "c,d\n1,x\n")
    assert found.rows is None
    assert found.columns == ()


def test_the_distance_of_numbers_is_that_of_kolmogorov_and_smirnov(small):
    random = np.random.default_rng(0)
    tables = [pd.DataFrame({"z": random.normal(mean, 1, 20_000), "same": np.arange(20_000)}) for mean in (0.0, 0.5)]
    found = by_name(versions(small, *(table.to_csv(index=False) for table in tables)))
    assert found["z"].distance == pytest.approx(0.197, abs=0.015)  # 2 * Phi(1/4) - 1
    assert found["z"].mean == pytest.approx((0.0, 0.5), abs=0.05)
    assert found["same"].distance == 0.0


def test_the_distance_of_levels_is_the_share_of_rows_that_would_have_to_change(small):
    old, new = "level\n" + "x\n" * 80 + "y\n" * 20, "level\n" + "x\n" * 50 + "y\n" * 40 + "z\n" * 10
    column = by_name(versions(small, old, new))["level"]
    assert column.distance == pytest.approx(0.3)
    assert column.level == ("x", 0.8, 0.5)


def test_values_that_go_missing_are_a_difference(small):
    old, new = "a,b\n" + "1,x\n" * 10, "a,b\n" + "1,x\n" * 6 + ",x\n" * 4
    column = by_name(versions(small, old, new))["a"]
    assert column.distance == pytest.approx(0.4)
    assert column.missing == pytest.approx((0.0, 0.4))


def test_moments_are_compared_as_moments(small):
    old, new = ("d\n" + "".join(f"{year}-01-0{day}\n" for day in range(1, 10)) for year in (2020, 2021))
    column = by_name(versions(small, old, new))["d"]
    assert column.distance == 1.0
    assert column.mean == (datetime(2020, 1, 5), datetime(2021, 1, 5))


def test_texts_that_name_rows_have_no_distribution(small):
    old, new = ("key\n" + "".join(f"{letter}{number}\n" for number in range(200)) for letter in "ab")
    assert by_name(versions(small, old, new))["key"].distance is None


def test_the_largest_difference_comes_first(small):
    found = versions(small, "a,b,c\n1,1,1\n2,2,2\n", "a,b,c\n1,8,1\n2,9,5\n")
    assert [column.name for column in found.columns] == ["b", "c", "a"]


def test_a_damaged_version_is_not_compared(small):
    first = take_version(small, "a,b\n1,x\n")
    (small.root / first.path).chmod(0o644)
    (small.root / first.path).write_bytes(b"damaged")
    with pytest.raises(ArtifactError, match="was changed after it was taken"):
        compare(first, first, small.root)


def test_each_column_is_described_over_all_rows(small):
    taken = take_version(small, "n,t,flag,day\n1,x,true,2020-01-01\n2,x,false,2020-01-03\n9,y,true,2020-01-02\n,,true,\n")
    number, text, flag, day = describe(taken, small.root)
    assert (number.kind, number.missing, number.distinct, number.mean) == ("whole number", 0.25, 3, 4.0)
    assert (number.minimum, number.median, number.maximum) == (1.0, 2.0, 9.0)
    assert (text.kind, text.commonest, text.mean) == ("text", "x", None)
    assert (flag.kind, flag.commonest) == ("true or false", "true")
    assert day.kind == "date as text"
    assert (day.minimum, day.maximum) == (datetime(2020, 1, 1), datetime(2020, 1, 3))


def test_a_column_without_a_value_is_described_and_compared(small):
    taken = take_version(small, "a,b\n1,\n2,\n")
    empty = describe(taken, small.root)[1]
    assert (empty.missing, empty.distinct, empty.commonest) == (1.0, 0, None)
    assert by_name(compare(taken, taken, small.root))["b"].distance == 0.0


def test_rows_with_identifiers_are_added_removed_or_changed(small):
    old = take_version(small, "id,a,y\n1,x,yes\n2,x,no\n3,x,no\n4,,no\n")
    new = take_version(small, "id,a,y\n1,x,yes\n3,z,no\n4,w,no\n5,x,no\n")
    by_id = compare(old, new, small.root, ["id"]).rows
    assert by_id == RowDifference(unchanged=1, added=1, removed=1, changed=2)
    assert compare(old, new, small.root).rows == RowDifference(unchanged=1, added=3, removed=3)


def test_identifiers_that_name_two_rows_do_not_tell_rows_apart(small):
    old = take_version(small, "id,a,y\n1,x,yes\n1,y,no\n")
    new = take_version(small, "id,a,y\n1,x,yes\n1,z,no\n")
    assert compare(old, new, small.root, ["id"]).rows == RowDifference(unchanged=1, added=1, removed=1)
