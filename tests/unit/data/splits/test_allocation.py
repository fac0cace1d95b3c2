"""Bundles are divided in the given shares, class by class (R10)."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gristmill.data.splits.allocation import allocate


def order(n: int) -> np.ndarray:
    return np.random.default_rng(0).permutation(n).astype(np.uint64)


def test_single_rows_are_dealt_out_exactly():
    counts = np.eye(2, dtype=np.int64)[np.r_[np.zeros(800, int), np.ones(200, int)]]
    sides = allocate(counts, order(1000), np.array([0.8, 0.2]))
    assert counts[sides == 1].sum(axis=0).tolist() == [160, 40]


def test_a_rare_class_reaches_every_side():
    counts = np.eye(2, dtype=np.int64)[np.r_[np.zeros(997, int), np.ones(3, int)]]
    sides = allocate(counts, order(1000), np.full(3, 1 / 3))
    assert [counts[sides == side, 1].sum() for side in range(3)] == [1, 1, 1]


def test_two_large_bundles_go_to_two_sides():
    assert sorted(allocate(np.array([[50], [50]]), order(2), np.array([0.8, 0.2]))) == [0, 1]


@settings(deadline=None)
@given(st.lists(st.integers(1, 9), min_size=5, max_size=60), st.floats(0.1, 0.5))
def test_no_side_misses_its_share_by_more_than_the_largest_bundle(sizes, share):
    counts = np.array(sizes, dtype=np.int64)[:, None]
    sides = allocate(counts, order(len(sizes)), np.array([1 - share, share]))
    assert abs(counts[sides == 1].sum() - share * counts.sum()) <= max(sizes)
