"""Past rows most like one."""

import numpy as np
import pandas as pd
import pytest

from gristmill.evaluation.explanation.similar_rows import PastRows, evenly

ROWS = pd.DataFrame(
    {
        "age": np.linspace(0, 100, 101),
        "plan": ["a", "b"] * 50 + ["a"],
        "since": pd.date_range("2020-01-01", periods=101, freq="D"),
    }
)


def test_rows_are_nearest_that_agree_in_most_and_come_with_what_became_of_them():
    past = PastRows(ROWS, ROWS["age"].map(lambda age: "left" if age < 50 else "stayed"))
    found = past.nearest(ROWS.iloc[[10]].assign(age=10.4), 3)
    assert list(found.rows["age"]) == [10, 12, 8]  # of the same plan; 11 and 9 are not
    assert list(found.outcomes) == ["left"] * 3
    assert found.distances[0] == pytest.approx(0.4 / 90 / 3)


def test_a_missing_value_is_like_a_missing_one_alone_and_a_far_value_makes_no_others_alike():
    rows = ROWS[["age", "plan"]].copy()
    rows.loc[0, ["age", "plan"]] = [np.nan, None]
    rows.loc[1, "age"] = 1e9
    past = PastRows(rows, pd.Series(range(101)))
    assert past.distances(rows.iloc[[0]])[:2].tolist() == [0.0, 1.0]
    assert past.distances(rows.iloc[[2]].assign(plan="z"))[[0, 1]].tolist() == [1.0, 1.0]
    assert 0 < past.distances(rows.iloc[[50]])[52] < 0.02


def test_a_sample_is_even_and_bounded():
    assert evenly(5, 10) == slice(None)
    assert evenly(1_000, 5) == [0, 249, 499, 749, 999]
