"""Segments of several columns from a tree on the losses."""

import numpy as np
import pandas as pd

from gristmill.evaluation.errors.slice_tree import grow


def rows(n_rows=2000, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "plan": rng.choice(["a", "b", "c"], n_rows), "age": rng.integers(18, 90, n_rows), "score": rng.normal(size=n_rows),
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, n_rows), unit="D"),
        }
    )  # fmt: skip
    frame.loc[rng.random(n_rows) < 0.2, "score"] = np.nan
    return frame, rng.random(n_rows)


def test_a_planted_segment_of_two_columns_is_named_as_it_was_planted():
    frame, noise = rows()
    bad = (frame["plan"] == "b") & (frame["age"] > 60)
    found = grow(noise + 3 * bad, frame, list(frame.columns), least_share=0.05)
    assert "plan = b and age > 60" in {segment.text for segment in found}
    best = max((segment.members(frame) for segment in found), key=lambda inside: (inside == bad).mean())
    assert (best == bad).all()


def test_rows_without_a_value_can_be_the_segment():
    frame, noise = rows()
    found = grow(noise + 3 * frame["score"].isna(), frame, ["age", "score"], least_share=0.05)
    assert found[0].text == "score is missing"
    assert (found[0].members(frame) == frame["score"].isna()).all()


def test_the_rows_of_a_segment_have_larger_losses_than_the_others():
    frame, noise = rows(seed=3)
    losses = noise + frame["age"] / 90 + (frame["since"] > "2021-06-01") + frame["score"].fillna(2)
    found = grow(losses.to_numpy(), frame, list(frame.columns), least_share=0.05)
    assert len(found) >= 3
    assert all(losses[segment.members(frame)].mean() > losses[~segment.members(frame)].mean() for segment in found)
    assert all(segment.members(frame).mean() >= 0.049 for segment in found)


def test_nothing_is_grown_on_equal_losses_or_few_rows():
    frame, noise = rows(n_rows=200)
    assert grow(np.ones(200), frame, ["age"], least_share=0.05) == []
    assert grow(noise[:50], frame.head(50), ["age"], least_share=0.05) == []
