import numpy as np
import pandas as pd
import pytest
from tests.unit.evaluation.conftest import scored_classes, scored_numbers

from gristmill.evaluation.slices import adjusted_p_values, find_segments, row_losses, score_segments, segment_members
from gristmill.metrics.intervals import Bootstrap


def table(n_rows, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"plan": rng.choice(["a", "b", "c"], n_rows), "age": rng.integers(18, 90, n_rows)})


def test_the_loss_of_a_row_is_its_log_loss_or_absolute_error():
    assert row_losses(scored_classes([1, 0], [0.5, 0.25])) == pytest.approx([np.log(2), -np.log(0.75)])
    assert row_losses(scored_numbers([1, 5], [3, 5])).tolist() == [2, 0]


def test_every_level_and_quartile_with_enough_rows_is_a_segment():
    frame = table(400)
    frame.loc[:4, "plan"] = "rare"
    segments, members = segment_members(frame, ["plan", "age"], min_rows=30)
    assert "rare" not in set(segments["segment"])
    assert (segments["feature"] == "age").sum() == 4
    assert members.sum(axis=1).ravel().tolist()[0] == segments["n"].tolist()


def test_a_segment_that_is_worse_is_found_and_others_are_not_accused():
    frame = table(600)
    rng = np.random.default_rng(1)
    error = rng.normal(0, 1, 600) + np.where(frame["plan"] == "b", 2.0, 0.0)
    found = find_segments(scored_numbers(error, np.zeros(600)), frame, ["plan", "age"], permutations=300)
    assert found.loc[0, ["feature", "segment", "worse"]].tolist() == ["plan", "b", True]
    assert found["worse"].sum() == 1
    assert found.loc[0, "loss"] > found.loc[0, "rest_loss"]


def test_pure_noise_raises_an_alarm_in_about_one_run_of_twenty_at_most():
    alarms = 0
    for seed in range(80):
        rng = np.random.default_rng(seed)
        noise = scored_numbers(rng.exponential(size=200), np.zeros(200))
        alarms += find_segments(noise, table(200, seed), ["plan", "age"], permutations=99, random_state=seed)["worse"].any()
    assert alarms / 80 <= 0.1


def test_a_table_too_large_to_permute_whole_is_tested_on_a_sample(monkeypatch):
    monkeypatch.setattr("gristmill.evaluation.slices.MAX_OPERATIONS", 100_000)
    frame = table(2000)
    error = np.where(frame["plan"] == "c", 5.0, 0.0) + np.random.default_rng(0).normal(size=2000)
    found = find_segments(scored_numbers(error, np.zeros(2000)), frame, ["plan"], permutations=100)
    assert found.loc[0, ["segment", "worse"]].tolist() == ["c", True]
    assert found["n"].sum() == 2000


def test_equal_losses_accuse_nobody():
    _, members = segment_members(table(100), ["plan"], min_rows=5)
    assert adjusted_p_values(np.ones(100), members, permutations=10, random_state=0).tolist() == [1.0, 1.0, 1.0]


def test_a_table_without_segments_gives_an_empty_answer():
    found = find_segments(scored_numbers([1.0] * 40, [0.0] * 40), pd.DataFrame({"same": ["x"] * 40}), ["same"])
    assert found.empty
    assert score_segments(found, scored_numbers([1.0] * 40, [0.0] * 40), pd.DataFrame({"same": ["x"] * 40}), "rmse").empty


def test_the_metric_of_a_segment_is_that_of_its_rows():
    frame = pd.DataFrame({"plan": ["a"] * 50 + ["b"] * 50})
    scored = scored_numbers(np.arange(100), np.r_[np.arange(50) + 1.0, np.arange(50, 100) + 3.0])
    found = score_segments(
        find_segments(scored, frame, ["plan"], permutations=50), scored, frame, "rmse", bootstrap=Bootstrap(resamples=100)
    )
    assert dict(zip(found["segment"], found["value"], strict=True)) == {"b": 3.0, "a": 1.0}
