"""Equal rows have equal hashes, whatever they are stored as."""

import numpy as np
import pandas as pd

from gristmill.data.hashing import content_hashes


def test_the_type_a_value_is_stored_in_does_not_count():
    whole = pd.DataFrame({"a": [1, 2], "b": ["x", None], "c": [True, False]})
    other = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", np.nan], "c": np.array([True, False], dtype=object)})
    assert content_hashes(whole).tolist() == content_hashes(other).tolist()


def test_the_order_of_columns_does_not_count_but_their_names_do():
    frame = pd.DataFrame({"a": [1, 2], "b": [2, 1]})
    assert content_hashes(frame).tolist() == content_hashes(frame[["b", "a"]]).tolist()
    assert content_hashes(frame)[0] != content_hashes(frame)[1]


def test_a_missing_text_is_no_empty_text():
    hashes = content_hashes(pd.DataFrame({"a": ["", None, "None"]}))
    assert len(set(hashes)) == 3


def test_large_whole_numbers_are_not_rounded():
    hashes = content_hashes(pd.DataFrame({"a": [2**60, 2**60 + 1]}))
    assert hashes[0] != hashes[1]
