"""Problems of the training rows: named with what shows them, the worst first, and quiet where there are none."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from gristmill.data.contract.schema import coerce, infer
from gristmill.data.exploration import exploration
from gristmill.data.exploration.outliers import far_out, overview, stand_in
from gristmill.data.exploration.problems.finding import Finding, as_list, in_words, ranked
from gristmill.data.exploration.problems.looking import problems


def explored(frame, case):
    agreed = infer(frame, case)
    rows = coerce(frame, agreed)
    pairs = exploration.associations(rows, [one["name"] for one in agreed["columns"] if one["n_levels"] > 1])
    return problems(rows, case, agreed, pairs)


def about(found, column):
    return " ".join(one.finding for one in found if one.column == column)


def test_rows_that_contradict_each_other_are_counted(customers, make_case):
    frame = pd.concat([customers, customers.head(6).assign(y=customers["y"].head(6).map({"yes": "no", "no": "yes"}))])
    found = explored(frame.reset_index(drop=True), make_case(id_columns=["customer"]))
    assert "12 rows (5.8%) have the features of a row with another 'y'" in about(found, None)


def test_rows_that_repeat_another_are_counted_apart_from_those_that_contradict_it(customers, make_case):
    frame = pd.concat([customers, customers.head(10)]).reset_index(drop=True)
    found = explored(frame, make_case(id_columns=["customer"]))
    assert "9.5% of the rows share their features and their 'y'" in about(found, None)
    assert "have the features of a row with another" not in about(found, None)


def test_levels_that_mark_the_same_rows_in_several_columns_are_one_finding(customers, make_case):
    none = customers["plan"] == "basic"
    frame = customers.assign(
        backup=np.where(none, "no plan", np.where(customers.index % 2, "yes", "no")),
        support=np.where(none, "no plan", np.where(customers.index % 3, "yes", "no")),
    )
    (found,) = [one for one in explored(frame, make_case(id_columns=["customer"])) if "mark the same" in one.finding]
    assert "3 columns mark the same" in found.finding
    assert {"plan = basic", "backup = no plan", "support = no plan"} <= set(found.finding.split(": ")[1].rstrip(".").split(", "))
    assert found.share == pytest.approx(none.mean())


def test_a_number_that_follows_from_two_others_is_told_but_not_what_one_tells_alone(customers, make_case):
    random = np.random.default_rng(0)
    months, fee = random.integers(1, 70, 200).astype(float), random.uniform(20, 90, 200).round(2)
    frame = customers.assign(months=months, fee=fee, paid=months * fee + random.normal(0, 3, 200), fee_cents=fee * 100)
    found = explored(frame, make_case(id_columns=["customer"]))
    assert "Is nearly 'months' times 'fee" in about(found, "paid")
    assert "Is nearly" not in about(found, "fee_cents")
    assert "same as 'fee'" in about(found, "fee_cents")


def test_a_gap_that_another_column_explains_is_told_with_the_value(customers, make_case):
    frame = customers.assign(spend=50.0, visits=customers["visits"] + 1, bill=np.arange(200) * 1.5)
    frame.loc[5:16, "visits"] = 0
    frame.loc[5:16, "bill"] = np.nan
    found = explored(frame, make_case(id_columns=["customer"]))
    assert "Is missing exactly where 'visits' is 0 (12 rows)" in about(found, "bill")
    frame.loc[40:60, "bill"] = np.nan
    assert "missing exactly where" not in about(explored(frame, make_case(id_columns=["customer"])), "bill")


def test_a_code_for_missing_is_told_from_a_number_that_only_happens_to_be_far(customers):
    ages = pd.Series(np.random.default_rng(0).integers(20, 70, 300).astype(float))
    assert stand_in(ages.where(ages.index % 20 != 0, 999.0)) == 999.0
    assert stand_in(ages.where(ages.index % 20 != 0, -1.0)) is None  # a step below the youngest is no code for an age of 20
    assert stand_in(ages.where(ages.index != 5, 999.0)) is None  # once is an accident
    assert stand_in(ages.where(ages.index % 20 != 0, 500.0)) is None  # nobody writes 500 for missing


def test_a_word_for_missing_and_several_spellings_are_found(customers, make_case):
    plans = customers["plan"].where(customers.index % 7 != 0, "unknown").where(customers.index % 11 != 0, "Basic ")
    found = explored(customers.assign(plan=plans), make_case(id_columns=["customer"]))
    assert "Says 'unknown'" in about(found, "plan")
    assert "Spells the same level in several ways, such as" in about(found, "plan")


def test_a_column_that_tells_of_a_sensitive_one_is_named(customers, make_case):
    woman = np.random.default_rng(0).random(200) < 0.5
    frame = customers.assign(woman=woman.astype(int), title=np.where(woman, "Ms", "Mr"))
    found = explored(frame, make_case(id_columns=["customer"], sensitive_features=["woman"]))
    assert "Tells of 'woman'" in about(found, "title")
    assert all("Tells of" not in one.finding for one in found if one.column != "title")


def test_what_shifts_over_time_is_found_and_what_stays_is_not(customers, make_case):
    order, random = np.arange(200), np.random.default_rng(0)
    since = pd.Timestamp("2021-01-01") + pd.to_timedelta(order, unit="D")
    frame = customers.assign(since=since, price=random.normal(0, 1, 200) + 5 * (order >= 100), meter=order + 10.0)
    found = explored(frame, make_case(id_columns=["customer"], time_column="since"))
    (moved,) = [one for one in found if one.column == "price" and "Shifts" in one.finding]
    assert (moved.severity, moved.key) == ("high", "features.custom")
    assert "(distance 1.00)" in moved.finding
    (grows,) = [one for one in found if one.column == "meter" and "time" in one.finding]
    assert grows.finding == "Follows the time (rank correlation 1.00): later rows have values that no earlier row had."
    assert not any("time" in one.finding for one in found if one.column in ("plan", "member"))


def test_a_date_along_which_the_target_changes_is_proposed_as_the_time(customers, make_case):
    late = np.arange(200) >= 100
    frame = customers.assign(
        since=pd.Timestamp("2021-01-01") + pd.to_timedelta(np.arange(200), unit="D"), y=np.where(late, "yes", "no")
    )
    (found,) = [one for one in explored(frame, make_case(id_columns=["customer"])) if one.key == "time_column"]
    assert found.column == "since"


def test_outliers_begin_where_the_case_says(customers, make_case):
    numbers = pd.Series([*np.linspace(0, 1, 101), 3.0, -9.0])
    assert far_out(numbers).share == pytest.approx(2 / 103)
    assert far_out(numbers).furthest == -9.0
    assert far_out(numbers, SimpleNamespace(outliers=SimpleNamespace(factor=5.0))).above == 0
    frame = customers.assign(visits=np.where(customers.index == 3, 500, customers["visits"] + customers.index % 9))
    case = make_case(id_columns=["customer"])
    table = overview(frame, infer(frame, case), case.features)
    assert list(table.index) == ["visits"]
    assert (table["above"].iloc[0], table["furthest"].iloc[0]) == (1, 500)


def test_the_list_is_ranked_and_says_by_which_key_to_act():
    found = ranked(
        [
            Finding("low", "a", "Small.", "Do."),
            Finding("high", "b", "Few rows.", "Act.", "features.exclude", 0.1),
            Finding("high", None, "Many rows.", "Ask."),
        ]
    )
    assert [one.finding for one in found] == ["Many rows.", "Few rows.", "Small."]
    lines = as_list(found, most=2).splitlines()
    assert lines[1] == "1. `b` · high. **Few rows.** Act (`features.exclude`)."
    assert lines[-1] == "1 more are in `exploration.json`."
    assert in_words(found).startswith("Problems found: 2 high, 1 low. The first to look at is many rows")
