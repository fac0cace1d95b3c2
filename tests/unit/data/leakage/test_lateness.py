"""Columns from after the prediction time stop the build (R11)."""

import numpy as np
import pandas as pd
import pytest

from gristmill.data.contract.schema import infer
from gristmill.data.leakage.lateness import late_columns
from gristmill.errors import DataError

N = 200


@pytest.fixture
def frame() -> pd.DataFrame:
    random = np.random.default_rng(0)
    opened = pd.Timestamp("2024-01-01 08:00") + pd.to_timedelta(np.arange(N), unit="h")
    return pd.DataFrame({"opened": opened, "amount": random.normal(size=N).round(2), "y": random.choice(["yes", "no"], N)})


def check(frame, make_case, **keys):
    case = make_case(time_column="opened", **keys)
    return list(late_columns(frame, case, infer(frame, case)))


@pytest.mark.parametrize("text", [False, True])
def test_a_date_after_the_time_of_its_row_stops_the_build(frame, make_case, text):
    closed = frame["opened"] + pd.Timedelta(days=3)
    frame = frame.assign(closed=closed.dt.strftime("%d.%m.%Y %H:%M") if text else closed)
    (found,) = check(frame, make_case)
    assert (found.column, found.severity, found.passed) == ("closed", "stop", False)
    assert "after the row's time 'opened' in 100.0% of the rows" in found.message
    assert "2024-01-04 08:00:00 in a row of 2024-01-01 08:00:00" in found.message


def test_a_date_that_only_some_rows_have_stops_the_build_too(frame, make_case):
    closed = (frame["opened"] + pd.Timedelta(days=3)).where(frame.index % 10 == 0)
    (found,) = check(frame.assign(closed=closed), make_case)
    assert found.count == N / 10


def test_dates_before_the_row_or_hardly_ever_after_it_do_not(frame, make_case):
    since = (frame["opened"] - pd.Timedelta(days=100)).where(frame.index > 3, frame["opened"] + pd.Timedelta(days=1))
    (found,) = check(frame.assign(since=since), make_case)
    assert found.passed


def test_a_time_of_the_same_day_is_not_after_a_day(frame, make_case):
    frame = frame.assign(opened=frame["opened"].dt.normalize(), called=frame["opened"])
    (found,) = check(frame, make_case)
    assert found.passed


def test_a_planned_date_is_allowed_by_name(frame, make_case):
    frame = frame.assign(delivery=frame["opened"] + pd.Timedelta(days=3))
    assert all(one.passed for one in check(frame, make_case, validation={"allow_proxies": ["delivery"]}))
    assert not check(frame, make_case, features={"exclude": ["delivery"]})


def test_a_column_that_the_case_says_is_known_later_stops_the_build_while_the_model_sees_it(frame, make_case):
    (found,) = check(frame, make_case, validation={"known_later": ["amount"]})
    assert not found.passed
    assert "'amount' is a feature, and known later by `validation.known_later`" in found.message
    (found,) = check(frame, make_case, validation={"known_later": ["amount"]}, features={"exclude": ["amount"]})
    assert found.passed


def test_a_copy_of_a_column_that_is_known_later_stops_the_build(frame, make_case):
    frame = frame.assign(paid=frame["amount"].astype(str))
    keys = {"validation": {"known_later": ["amount"]}, "features": {"exclude": ["amount"]}}
    (found,) = check(frame, make_case, **keys)
    assert (found.column, found.passed) == ("paid", False)
    noise = np.random.default_rng(1).normal(size=N)
    (found,) = check(frame.assign(paid=frame["amount"] + noise), make_case, **keys)
    assert found.passed


@pytest.mark.parametrize("factor", [60, -0.01])
def test_a_column_known_later_in_other_units_stops_the_build(frame, make_case, factor):
    keys = {"validation": {"known_later": ["amount"]}, "features": {"exclude": ["amount"]}}
    (found,) = check(frame.assign(cents=frame["amount"] * factor + 3), make_case, **keys)
    assert (found.column, found.passed) == ("cents", False)
    assert "'cents' rises and falls with 'amount' in every row" in found.message


def test_two_columns_that_make_up_one_known_later_stop_the_build(frame, make_case):
    chance = np.random.default_rng(1)
    frame = frame.assign(pieces=chance.integers(1, 9, N), weight=chance.normal(size=N))
    frame["each"] = frame["amount"] / frame["pieces"]
    keys = {"validation": {"known_later": ["amount"]}, "features": {"exclude": ["amount"]}}
    (found,) = check(frame, make_case, **keys)
    assert {found.column, *found.message.split("'")} >= {"each", "pieces", "amount"}
    assert not found.passed
    (found,) = check(frame.drop(columns="each"), make_case, **keys)
    assert found.passed


def test_a_column_known_later_that_the_table_has_not_is_refused(frame, make_case):
    with pytest.raises(DataError, match=r"`validation.known_later`.*'amuont'.*did you mean 'amount'"):
        check(frame, make_case, validation={"known_later": ["amuont"]})
