"""Two columns that are the target together stop the build; two honest ones do not (R11)."""

import numpy as np
import pandas as pd
import pytest

from gristmill.config.case import Case
from gristmill.data.contract.schema import infer
from gristmill.data.leakage.combinations import pair_checks

N = 800


def case(task: str, **keys) -> Case:
    positive = {"positive_class": "late"} if task == "binary" else {}
    return Case.model_validate({"name": "small", "task": task, "source": "x", "target": "y", **positive, **keys})


def check(frame: pd.DataFrame, task: str, **keys):
    one = case(task, **keys)
    return list(pair_checks(frame, one, infer(frame, one), set()))


@pytest.fixture
def frame() -> pd.DataFrame:
    random = np.random.default_rng(3)
    return pd.DataFrame({"a": random.normal(50, 9, N), "b": random.normal(40, 9, N), "c": random.normal(size=N)})


WAYS = {
    "sum": lambda a, b: a + b,
    "difference": lambda a, b: a - b,
    "scaled difference": lambda a, b: 3 * (b - a) + 1,
    "product": lambda a, b: a * b,
    "ratio": lambda a, b: a / b,
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_number_made_of_two_columns_is_refused_with_both_names(frame, way):
    (found,) = check(frame.assign(y=way(frame["a"], frame["b"])), "regression")
    assert not found.passed
    assert found.severity == "stop"
    assert {"'a'" in found.message, "'b'" in found.message} == {True}


def test_a_number_that_follows_from_two_columns_only_in_part_is_not_refused(frame):
    noise = np.random.default_rng(0).normal(0, 1.5, N)
    assert all(one.passed for one in check(frame.assign(y=frame["a"] + frame["b"] + noise), "regression"))


def test_a_class_cut_from_a_difference_is_refused(frame):
    late = np.where(frame["a"] - frame["b"] > 12, "late", "early")
    (found,) = check(frame.assign(y=late), "binary")
    assert "'a' - 'b'" in found.message or "'b' - 'a'" in found.message


def test_several_classes_cut_from_a_sum_are_refused(frame):
    y = pd.cut(frame["a"] + frame["b"], [-np.inf, 85, 95, np.inf], labels=["x", "y", "z"]).astype(str)
    (found,) = check(frame.assign(y=y), "multiclass")
    assert "' + '" in found.message


def test_a_class_that_two_columns_foretell_well_but_not_exactly_is_not_refused(frame):
    noise = np.random.default_rng(1).normal(0, 3, N)
    late = np.where(frame["a"] - frame["b"] + noise > 12, "late", "early")
    assert all(one.passed for one in check(frame.assign(y=late), "binary"))


def test_times_of_day_are_subtracted_as_times_and_the_planned_one_is_not_blamed():
    random = np.random.default_rng(5)
    planned = random.integers(0, 1440, N)
    delay = random.integers(-60, 180, N)
    actual = (planned + delay) % 1440
    clock = {"sched_arr": planned // 60 * 100 + planned % 60, "arr": actual // 60 * 100 + actual % 60}
    (found,) = check(pd.DataFrame(clock).assign(y=np.where(delay > 15, "late", "early")), "binary")
    assert found.column == "arr"
    assert "the time from" in found.message


def test_the_case_file_can_allow_a_pair_by_one_of_its_names(frame):
    late = frame.assign(y=frame["a"] + frame["b"])
    assert all(one.passed for one in check(late, "regression", validation={"allow_proxies": ["b"]}))


def test_dates_count_as_days():
    days = np.random.default_rng(0).integers(1, 400, N)
    start = pd.Timestamp("2022-01-01") + pd.to_timedelta(np.random.default_rng(1).integers(0, 900, N), unit="D")
    frame = pd.DataFrame({"opened": start, "closed": start + pd.to_timedelta(days, unit="D"), "y": days * 2.5})
    (found,) = check(frame, "regression")
    assert not found.passed
