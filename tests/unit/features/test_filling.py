"""Missing levels and texts are filled in with what was most frequent where it was fitted, or with a constant."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from gristmill.features.filling import FillText
from gristmill.features.rows import MISSING_LEVEL


@pytest.fixture
def levels() -> pd.DataFrame:
    columns = {"c": ["b", "a", "b", MISSING_LEVEL, MISSING_LEVEL, MISSING_LEVEL], "d": [MISSING_LEVEL] * 6}
    return pd.DataFrame(columns, index=list("uvwxyz"), dtype=object)


def test_the_most_frequent_level_is_not_the_missing_one(levels: pd.DataFrame):
    made = FillText().fit_transform(levels)
    assert made["c"].tolist() == ["b", "a", "b", "b", "b", "b"]
    assert list(made.index) == list("uvwxyz")


def test_of_equally_frequent_levels_the_first_by_alphabet_is_taken():
    assert FillText().fit(np.array([["b"], ["a"], [MISSING_LEVEL]], dtype=object)).statistics_ == ["a"]


def test_a_column_that_is_all_missing_stays_as_it_is(levels: pd.DataFrame):
    assert FillText().fit_transform(levels)["d"].tolist() == [MISSING_LEVEL] * 6


def test_a_constant_needs_no_rows_to_learn_from(levels: pd.DataFrame):
    made = FillText("constant", "unknown").fit_transform(levels)
    assert made["c"].tolist() == ["b", "a", "b", *["unknown"] * 3]
    assert made["d"].tolist() == ["unknown"] * 6


def test_a_column_an_array_and_a_frame_come_back_as_they_came(levels: pd.DataFrame):
    filler = FillText("constant", "?").fit(levels[["c"]])
    assert isinstance(filler.transform(levels["c"]), pd.Series)
    assert filler.transform(levels["c"].to_numpy()).shape == (6,)
    assert filler.transform(levels[["c"]].to_numpy()).shape == (6, 1)
    assert filler.get_feature_names_out().tolist() == ["c"]


def test_filling_twice_is_filling_once(levels: pd.DataFrame):
    filler = clone(FillText()).fit(levels)
    once = filler.transform(levels)
    pd.testing.assert_frame_equal(filler.transform(once), once)


def test_a_level_that_was_never_seen_is_left_alone(levels: pd.DataFrame):
    made = FillText().fit(levels).transform(pd.DataFrame({"c": ["new", MISSING_LEVEL], "d": ["e", MISSING_LEVEL]}))
    assert made.to_numpy().tolist() == [["new", "e"], ["b", MISSING_LEVEL]]
