"""What starts when, and with how many threads."""

import pytest

from gristmill.pipeline.progress import in_words
from gristmill.pipeline.schedule import choose, expected_seconds, remaining_seconds, threads_for, ways

UPSTREAM = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}
SECONDS = {"a": 1.0, "b": 10.0, "c": 2.0, "d": 3.0}


def test_the_longest_way_goes_through_the_slowest_task():
    assert ways(UPSTREAM, SECONDS) == {"a": 14.0, "b": 13.0, "c": 5.0, "d": 3.0}


def test_the_task_with_the_longest_way_starts_first():
    assert choose(["c", "b"], [], 2, 9999, {}, ways(UPSTREAM, SECONDS)) == "b"


def test_a_task_waits_for_a_core():
    assert choose(["c"], ["b", "x"], 2, 9999, {}, {}) is None


def test_a_task_waits_for_memory_but_a_smaller_one_may_pass_it():
    need = {"b": 4000.0, "c": 300.0}
    assert choose(["b", "c"], ["x"], 4, 1000, need, {"b": 9.0}) == "c"
    assert choose(["b"], ["x"], 4, 1000, need, {}) is None


def test_a_task_alone_starts_whatever_the_memory():
    assert choose(["b"], [], 2, 10, {"b": 4000.0}, {}) == "b"


def test_nothing_ready_means_waiting():
    assert choose([], ["b"], 4, 9999, {}, {}) is None


def test_the_rest_is_the_longest_chain_or_the_work_over_the_cores():
    assert remaining_seconds(UPSTREAM, SECONDS, ["b", "c", "d"], 2) == 13.0
    assert remaining_seconds(UPSTREAM, SECONDS, ["b", "c", "d"], 1) == 15.0


def test_what_is_left_follows_the_pace_of_what_has_ended():
    slow = expected_seconds(UPSTREAM, {"a": 10.0, "b": 10.0}, {"a": 35.0}, {})
    assert slow == {"b": 20.0, "c": 30.0, "d": 30.0}
    assert expected_seconds(UPSTREAM, {}, {}, {"a": 5.0})["a"] == 10.0


def test_a_task_that_is_late_is_not_said_to_end_at_once():
    assert expected_seconds(["a"], {"a": 10.0}, {}, {"a": 100.0}) == {"a": 25.0}


@pytest.mark.parametrize(
    ("running", "ready", "cores", "expected"), [(0, 0, 2, 2), (0, 3, 2, 1), (1, 0, 2, 1), (0, 1, 8, 4), (7, 5, 4, 1)]
)
def test_threads_are_shared_out(running: int, ready: int, cores: int, expected: int):
    assert threads_for(running, ready, cores) == expected


@pytest.mark.parametrize(("seconds", "words"), [(7.6, "8 s"), (80, "1 min 20 s"), (7500, "2 h 05 min")])
def test_durations_are_said_as_people_say_them(seconds: float, words: str):
    assert in_words(seconds) == words
