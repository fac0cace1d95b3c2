"""What a target may hold, and how classes are spelt (R5, R10)."""

import numpy as np
import pandas as pd
import pytest

from gristmill.data.targets import class_text, encode_numbers, learnable_numbers
from gristmill.errors import DataError


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([1.0, 0.0, np.nan], ["1", "0", None]),
        ([1e20, 3e20, 5.0, None], ["1e+20", "3e+20", "5", None]),
        ([2.0**53, -(2.0**60), 2.0**53 - 1], ["9007199254740992.0", "-1.152921504606847e+18", "9007199254740991"]),
        ([0.5, 1.0], ["0.5", "1.0"]),
        ([1e300, 2e300], ["1e+300", "2e+300"]),
    ],
)
def test_whole_floats_are_spelt_without_a_point_as_long_as_they_count(values, texts):
    spelt = class_text(pd.Series(values, dtype=float))
    assert [None if pd.isna(text) else text for text in spelt] == texts


def test_a_target_of_numbers_is_taken_as_it_is():
    target = pd.Series([1, 2, 2], name="y")
    assert learnable_numbers(target) is target
    assert learnable_numbers(pd.Series(["1.5", "2"], name="y")).tolist() == [1.5, 2.0]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["abc", "1", "2", "n/a"], "2 of its 4 values are none, such as 'abc', 'n/a'"),
        (["abc", "1", "2"], "1 of its 3 values is none, such as 'abc'"),
        (["inf", "1", "2"], "1 of its 3 values is none, such as 'inf'"),
        (pd.date_range("2024-01-01", periods=3), "3 of its 3 values are none, such as '2024-01-01"),
    ],
)
def test_a_regression_of_what_is_no_number_is_refused_with_count_and_examples(values, said):
    for read in (learnable_numbers, encode_numbers):
        with pytest.raises(DataError, match=said):
            read(pd.Series(values, name="y"))


@pytest.mark.parametrize(("values", "said"), [([3.5] * 9, "found only 3.5"), ([np.nan] * 9, "found no value at all")])
def test_a_regression_of_a_constant_is_refused(values, said):
    with pytest.raises(DataError, match=f"at least two different numbers in the target column 'y', {said}"):
        learnable_numbers(pd.Series(values, name="y"))


def test_a_regression_whose_errors_cannot_be_squared_is_refused():
    with pytest.raises(DataError, match=r"numbers as large as 3e\+300, .* Divide the column"):
        learnable_numbers(pd.Series([1.0, -3e300], name="y"))
    assert learnable_numbers(pd.Series([1.0, 1e150, np.inf], name="y")).max() == np.inf
