"""Rows that repeat another one are kept, dropped or refused; rows that contradict one are reported and kept (R9)."""

import pandas as pd
import pytest

from gristmill.data.contract import duplicates, quality
from gristmill.data.contract.checks import require
from gristmill.data.splits.assignment import assign, row_keys
from gristmill.errors import DataError

IDS = {"id_columns": ["customer"]}


@pytest.fixture
def repeated(customers: pd.DataFrame) -> pd.DataFrame:
    """Return the customers, four of them twice under other identifiers, and one more as a contradiction."""
    again = customers.head(4).assign(customer=["a", "b", "c", "d"])
    other = customers.iloc[[7]].assign(customer="e", y="no" if customers["y"].iloc[7] == "yes" else "yes")
    return pd.concat([customers, again, other], ignore_index=True)


def report(bench, frame: pd.DataFrame, case) -> dict:
    checks = [*bench.checks(frame, None, case), duplicates.label_conflicts(quality.usable_rows(frame, case), case)]
    return quality.report(bench.store(frame), checks, [], case)


def test_duplicates_are_kept_unless_the_case_says_otherwise(bench, repeated, make_case):
    case = make_case(**IDS)
    assert len(quality.usable_rows(repeated, case)) == 205
    assert report(bench, repeated, case)["duplicate_rows"] == {
        "policy": "keep", "found": 4, "dropped": 0, "label_conflicts": 2, "rows_used": 205,
    }  # fmt: skip


def test_drop_keeps_the_first_of_each(bench, repeated, make_case):
    case = make_case(**IDS, validation={"duplicates": "drop"})
    rows = quality.usable_rows(repeated, case)
    assert rows["customer"].tolist() == [*repeated["customer"].head(200), "e"]
    found = report(bench, repeated, case)
    assert (found["rows"], found["duplicates"]) == (205, 4)
    assert found["duplicate_rows"] == {"policy": "drop", "found": 4, "dropped": 4, "label_conflicts": 2, "rows_used": 201}


def test_stop_stops_the_build_with_the_count(bench, repeated, make_case):
    case = make_case(**IDS, validation={"duplicates": "stop"})
    checks = bench.checks(repeated, None, case)
    with pytest.raises(DataError, match=r"4 rows repeat an earlier one .*`validation.duplicates: stop` forbids it"):
        require(checks)


def test_stop_lets_a_table_without_duplicates_pass(bench, customers, make_case):
    case = make_case(**IDS, validation={"duplicates": "stop"})
    require(bench.checks(customers, None, case))


def test_a_contradiction_is_never_dropped(repeated, make_case):
    case = make_case(**IDS, validation={"duplicates": "drop"})
    rows = quality.usable_rows(repeated, case)
    assert duplicates.conflicts(rows, case).sum() == 2
    assert {"e", repeated["customer"].iloc[7]} <= set(rows["customer"])


@pytest.mark.parametrize("policy", ["keep", "drop"])
def test_kept_duplicates_stay_on_one_side_and_dropped_ones_are_on_none(repeated, make_case, policy):
    case = make_case(**IDS, validation={"duplicates": policy})
    rows = quality.usable_rows(repeated, case)
    rows = rows.set_axis(row_keys(rows, case.id_columns))
    split = assign(rows, case)
    twins = list(zip(repeated["customer"].head(4), ["a", "b", "c", "d"], strict=True))
    assert len(split) == (205 if policy == "keep" else 201)
    if policy == "drop":
        assert not set("abcd") & set(split.index)
    else:
        assert all(split.loc[one].equals(split.loc[other]) for one, other in twins)


def test_dropping_does_not_depend_on_the_order_of_the_rows(repeated, make_case):
    case = make_case(**IDS, validation={"duplicates": "drop"})
    one, other = quality.usable_rows(repeated, case), quality.usable_rows(repeated.iloc[::-1], case)
    values = [sorted(rows.drop(columns="customer").astype(str).itertuples(index=False, name=None)) for rows in (one, other)]
    assert values[0] == values[1]


def test_too_few_rows_after_dropping_are_refused_with_the_reason(make_case):
    frame = pd.DataFrame({"a": [1, 2] * 60, "y": ["yes", "no"] * 60})
    with pytest.raises(DataError, match=r"found 2 \(118 more repeat them, and `validation.duplicates` drops those"):
        quality.usable_rows(frame, make_case(validation={"duplicates": "drop"}))


def test_a_few_combinations_of_features_are_no_contradictions(make_case):
    frame = pd.DataFrame({"a": ["x", "y"] * 100, "b": ["u"] * 100 + ["v"] * 100, "y": ["yes", "no", "no", "yes"] * 50})
    assert not duplicates.conflicts(frame, make_case()).any()


def test_columns_the_model_does_not_see_make_no_difference_to_a_contradiction(repeated, make_case):
    hidden = make_case(**IDS, features={"exclude": ["spend"]})
    changed = repeated.assign(spend=range(205))
    assert duplicates.conflicts(changed, hidden).sum() == 2
    assert duplicates.conflicts(changed, make_case(**IDS)).sum() == 0


def test_the_sentence_says_where_rows_went(repeated, make_case):
    case = make_case(**IDS, validation={"duplicates": "drop"})
    frame = repeated.assign(y=repeated["y"].mask(repeated["customer"] == "e"))
    said = duplicates.in_words(frame, quality.usable_rows(frame, case), case)
    assert said == "205 rows, 1 of them without a value of `y`, 4 that repeat an earlier one and are dropped: 200 can be used."
