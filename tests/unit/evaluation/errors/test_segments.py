"""Segments of columns as conditions: they name exactly the rows that lie in them."""

import numpy as np
import pandas as pd

from gristmill.evaluation.errors.segments import all_segments, column_segments


def named(frame, column, min_rows=5):
    return {segment.text: inside for segment, inside in column_segments(frame, column, min_rows=min_rows)}


def test_many_numbers_are_cut_at_their_quartiles_and_gaps_are_a_segment():
    frame = pd.DataFrame({"age": [*np.arange(40.0), *[np.nan] * 8]})
    found = named(frame, "age")
    assert list(found) == ["age ≤ 9", "9 < age ≤ 19", "19 < age ≤ 29", "age > 29", "age is missing"]
    assert [int(inside.sum()) for inside in found.values()] == [10, 10, 10, 10, 8]


def test_few_numbers_levels_and_booleans_are_a_segment_each():
    frame = pd.DataFrame({"rooms": [1, 2, 2.5, 2] * 5, "plan": ["a", "b", None, "a"] * 5, "member": [True, False] * 10})
    assert list(named(frame, "rooms")) == ["rooms = 1", "rooms = 2", "rooms = 2.5"]
    assert list(named(frame, "plan")) == ["plan = a", "plan = b", "plan is missing"]
    assert list(named(frame, "member")) == ["member = False", "member = True"]


def test_dates_are_cut_at_days():
    frame = pd.DataFrame({"since": pd.date_range("2020-01-01", periods=80, freq="D")})
    assert next(iter(named(frame, "since"))) == "since ≤ 2020-01-20"


def test_segments_that_are_small_or_leave_few_rows_outside_are_left_out():
    frame = pd.DataFrame({"plan": ["a"] * 96 + ["b"] * 4})
    assert named(frame, "plan") == {}


def test_a_segment_holds_for_the_same_rows_when_it_is_asked_of_the_table_again():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "income": rng.lognormal(14, 2, 300), "year": rng.integers(1990, 2020, 300), "plan": rng.choice(["a", "b"], 300),
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, 300), unit="h"),
        }
    )  # fmt: skip
    frame.loc[rng.random(300) < 0.2, ["income", "plan", "since"]] = None
    found = all_segments(frame, list(frame.columns), min_rows=20)
    assert len(found) == 5 + 4 + 3 + 5
    assert all((segment.members(frame) == inside).all() for segment, inside in found)
