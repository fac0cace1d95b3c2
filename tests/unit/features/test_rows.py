"""Row-wise features: stateless, the same in training and in serving."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from gristmill.errors import DataError
from gristmill.features.rows import LARGEST, MISSING_LEVEL, RowFeatures, dates, levels, numbers, texts


def plan_of(**steps: str) -> dict:
    return {"features": [{"name": name, "source": name, "step": step} for name, step in steps.items()]}


def test_numbers_keep_their_gaps_whatever_the_type():
    for values in ([1, None, 3], pd.array([1, None, 3], dtype="Int64"), np.array([1, None, 3], dtype=object)):
        assert np.array_equal(numbers(pd.Series(values)), [1.0, np.nan, 3.0], equal_nan=True)


def test_booleans_with_gaps_become_one_zero_and_missing():
    assert np.array_equal(numbers(pd.Series([True, None, False], dtype=object)), [1.0, np.nan, 0.0], equal_nan=True)


def test_numbers_of_any_size_stay_finite_in_single_precision():
    clipped = numbers(pd.Series([1e300, -1e300]))
    assert clipped.tolist() == [LARGEST, -LARGEST]
    assert np.isfinite(clipped.astype(np.float32)).all()


def test_a_level_is_the_same_text_alone_and_among_others():
    column = pd.Series([1.0, 2.5, np.nan])
    assert levels(column).tolist() == ["1", "2.5", MISSING_LEVEL]
    assert levels(column.iloc[[0]]).tolist() == ["1"]


def test_every_way_of_being_missing_is_one_level():
    column = pd.Series([None, np.nan, pd.NA, pd.NaT, "a"], dtype=object)
    assert levels(column).tolist() == [MISSING_LEVEL] * 4 + ["a"]


def test_a_missing_text_is_empty():
    assert texts(pd.Series(["good", None])).tolist() == ["good", ""]


def test_dates_with_a_zone_are_read_in_universal_time():
    assert dates(pd.Series(pd.to_datetime(["2024-01-01 00:30+02:00"])))[0] == pd.Timestamp("2023-12-31 22:30")


def test_the_parts_of_a_date_are_read_off_and_missing_dates_stay_missing():
    plan = {
        "features": [{"name": part, "source": "d", "step": part} for part in ("day number", "year", "month", "weekday", "hour")]
    }
    made = RowFeatures(plan).transform(pd.DataFrame({"d": pd.to_datetime(["1970-01-03 05:00", None])}))
    assert made.iloc[0].tolist() == [2.0, 1970.0, 1.0, 5.0, 5.0]
    assert made.iloc[1].isna().all()


def test_one_row_alone_has_the_features_it_has_among_others(nasty: pd.DataFrame):
    features = RowFeatures(plan_of(**{"a b": "number", "🙂": "level", "flag": "flag", "whole": "number", "when": "month"}))
    together = features.fit_transform(nasty)
    alone = pd.concat([features.transform(nasty.iloc[[row]]) for row in range(len(nasty))])
    pd.testing.assert_frame_equal(together, alone)


def test_a_missing_column_is_named():
    with pytest.raises(DataError, match="'b'"):
        RowFeatures(plan_of(a="number", b="number")).transform(pd.DataFrame({"a": [1]}))


def test_a_clone_does_the_same_and_needs_no_fit(nasty: pd.DataFrame):
    features = clone(RowFeatures(plan_of(kind="level")))
    assert features.transform(nasty)["kind"].tolist() == nasty["kind"].astype(str).tolist()
    assert features.get_feature_names_out().tolist() == ["kind"]
