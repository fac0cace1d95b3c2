"""Blocks of time: in order, none empty, no moment divided (R10)."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gristmill.data.splits.chronology import blocks, moments
from gristmill.errors import DataError


@settings(deadline=None)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=60), st.integers(2, 5))
def test_blocks_follow_the_order_and_none_is_empty(ranks, n_blocks):
    rank = np.array(ranks)
    shares = np.full(n_blocks, 1 / n_blocks)
    if len(set(ranks)) < n_blocks:
        with pytest.raises(DataError, match="too few"):
            blocks(rank, shares, "t")
        return
    found = blocks(rank, shares, "t")
    assert set(found) == set(range(n_blocks))
    ordered = found[np.argsort(rank, kind="stable")]
    assert (np.diff(ordered) >= 0).all()
    assert pd.Series(found).groupby(rank).nunique().max() == 1


def test_numbers_are_times_as_they_are():
    assert moments(pd.Series([2020, 2021])).tolist() == [2020, 2021]


def test_texts_are_read_as_times_with_their_zones():
    found = moments(pd.Series(["2024-01-01T01:00:00+01:00", "2024-01-01T00:30:00Z"], name="t"))
    assert found.is_monotonic_increasing


def test_a_missing_time_is_refused():
    with pytest.raises(DataError, match="'t' holds 1 values that are missing"):
        moments(pd.Series([1.0, None], name="t"))
