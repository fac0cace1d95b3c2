"""Predictions of rows that were asked for before."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gristmill.serving.cache import RowCache


def test_a_row_is_found_by_what_the_model_reads_of_it():
    cache = RowCache(["a", "b"], 10)
    cache.put([cache.key({"a": 1, "b": "x", "id": 1})], np.array([[0.1, 0.9]]))
    assert cache.get(cache.key({"id": 2, "b": "x", "a": 1})).tolist() == [0.1, 0.9]  # type: ignore[union-attr]
    assert cache.get(cache.key({"a": 2, "b": "x"})) is None


def test_values_of_different_types_are_different_rows():
    cache = RowCache(["a"], 10)
    cache.put([cache.key({"a": 1})], np.array([0.5]))
    assert cache.get(cache.key({"a": True})) is None
    assert cache.get(cache.key({"a": 1.0})) is None


def test_the_row_that_was_not_asked_for_longest_goes_first():
    cache = RowCache(["a"], 2)
    one, two, three = (cache.key({"a": value}) for value in (1, 2, 3))
    cache.put([one, two], np.array([0.1, 0.2]))
    assert cache.get(one) == 0.1
    cache.put([three], np.array([0.3]))
    assert (cache.get(one), cache.get(two), cache.get(three)) == (0.1, None, 0.3)


@given(st.lists(st.integers(0, 30)), st.integers(1, 5))
def test_no_more_rows_are_kept_than_may_be(values: list[int], capacity: int):
    cache = RowCache(["a"], capacity)
    for value in values:
        cache.put([cache.key({"a": value})], np.array([float(value)]))
    assert len(cache) == min(capacity, len(set(values)))
