"""Rows as they come in JSON, held against the contract (R34)."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models import FEATURES, case_of, customers

from gristmill.data.contract.schema import infer
from gristmill.serving.rows import LARGEST, LARGEST_WHOLE, MOST_FAULTS, RowChecker

ROW: dict[str, Any] = {"customer": "0001", "tenure": 3, "charge": 70.5, "plan": "01"}


def column(kind: str, dtype: str = "object", **more: Any) -> dict[str, Any]:
    facts = {"name": "x", "kind": kind, "dtype": dtype, "role": "feature", "nullable": True, "example": None, "format": None}
    return facts | more


def checker(**more: Any) -> RowChecker:
    return RowChecker(infer(customers(), case_of()), FEATURES, **more)


def found(row: object, **more: Any) -> set[str]:
    faults, total = checker(**more).faults([row])
    assert total == len(faults)
    return {fault.column for fault in faults}


def takes(facts: dict[str, Any], value: object) -> bool:
    return RowChecker({"columns": [facts]}, ["x"]).faults([{"x": value}])[1] == 0


def test_a_row_as_the_contract_has_it_is_right_with_or_without_what_names_it():
    assert found(ROW) == set()
    assert found({name: ROW[name] for name in FEATURES}) == set()
    assert found(ROW | {"churn": "Yes", "customer": 7}) == set(), "the target and a number that names a row do no harm"


def test_every_wrong_column_of_a_row_is_named():
    assert found({"tenure": "3", "charge": [], "else": 1, "customer": 1.5}) == {"tenure", "charge", "plan", "else", "customer"}


@pytest.mark.parametrize("value", ["3", True, 3.5, LARGEST_WHOLE + 1, float("nan"), [], {}])
def test_what_is_no_whole_number_is_refused_where_one_is_wanted(value: object):
    assert found(ROW | {"tenure": value}) == {"tenure"}


@pytest.mark.parametrize("value", [3, 3.0, -LARGEST_WHOLE, None])
def test_a_whole_number_may_be_written_with_a_point_and_any_value_may_be_missing(value: object):
    assert found(ROW | {"tenure": value}) == set()


@pytest.mark.parametrize("value", ["70", False, float("inf"), 10**400, -(10**400)])
def test_what_is_no_finite_number_is_refused_where_one_is_wanted(value: object):
    assert found(ROW | {"charge": value}) == {"charge"}


@pytest.mark.parametrize("value", [1, 1.5, True, "a\x00b", "\ud800", ["01"]])
def test_what_is_no_text_that_every_database_holds_is_refused_where_one_is_wanted(value: object):
    assert found(ROW | {"plan": value}) == {"plan"}


def test_null_is_refused_where_the_case_says_so_and_no_row_lacked_a_value():
    missing = {**ROW, "tenure": None, "charge": None}
    assert found(missing) == set()
    assert found(missing, missing_as_trained=True) == {"tenure"}, "a charge was missing in the rows it learnt from"


@pytest.mark.parametrize(("value", "right"), [(True, True), (False, True), (1, False), ("true", False)])
def test_truth_values_are_true_and_false(value: object, right: bool):
    assert takes(column("boolean", "bool"), value) is right


@pytest.mark.parametrize(
    ("value", "right"), [("2024-02-29", True), ("29.02.2024", True), ("2023-02-29", False), ("soon", False), (5, False)]
)
def test_dates_are_of_the_calendar_in_iso_8601_or_the_format_of_the_column(value: object, right: bool):
    assert takes(column("date", format="%d.%m.%Y", example="01.02.2024"), value) is right


def test_codes_that_mean_levels_may_be_numbers():
    assert takes(column("categorical", "int64"), 3)
    assert not takes(column("categorical"), 3)


@pytest.mark.parametrize("row", [None, 1, "x", [], [1]])
def test_what_is_no_row_is_told_as_such(row: object):
    (fault,), total = checker().faults([ROW, row])
    assert (total, fault.row, fault.column) == (1, 1, "")


def test_faults_are_counted_beyond_those_that_are_told():
    faults, total = checker().faults([{}] * 100)
    assert (len(faults), total) == (MOST_FAULTS, 300)


def test_an_unknown_column_is_answered_with_the_nearest_one():
    (fault,), _ = checker().faults([ROW | {"tenur": 1}])
    assert "did you mean 'tenure'?" in fault.expected


VALUES = [None, True, 0, 3, 3.5, -(2**70), 1e308, float("nan"), float("inf"), "", "01", "a level", "a\x00b", "\ud800", [], {}]


@given(st.dictionaries(st.sampled_from([*ROW, "churn", "else"]), st.sampled_from(VALUES)))
def test_the_quick_check_and_the_one_that_names_columns_agree(row: dict[str, Any]):
    made = checker()
    assert made._is_right(row) == (not made._wrong(0, row))


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-LARGEST_WHOLE, LARGEST_WHOLE))
def test_every_finite_number_of_json_is_a_number(value: float):
    assert takes(column("numeric", "float64"), json.loads(json.dumps(value)))
    assert abs(value) <= LARGEST


def test_a_row_of_twenty_columns_is_checked_in_less_than_fifty_microseconds():
    columns = [column("numeric", "float64", name=f"n{place}") for place in range(10)]
    columns += [column("categorical", name=f"t{place}") for place in range(10)]
    made = RowChecker({"columns": columns}, [one["name"] for one in columns])
    rows = [{one["name"]: 1.5 if one["kind"] == "numeric" else "a level" for one in columns}] * 1000

    def microseconds() -> float:
        begin = time.thread_time()
        assert made.faults(rows) == ([], 0)
        return (time.thread_time() - begin) * 1e6 / len(rows)

    assert min(microseconds() for _ in range(5)) < 50
