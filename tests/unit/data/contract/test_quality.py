"""Bad data is named by column, rule, count and example; some stops the build (R5, R9)."""

import numpy as np
import pandas as pd
import pytest

from gristmill.data.contract import quality
from gristmill.data.contract.checks import require
from gristmill.errors import DataError


@pytest.fixture
def verdicts(bench):
    """Return what holds a table against the contract it suggests itself: what is left are the rules that always hold."""
    return lambda frame, case: bench.found(frame, None, case)


def test_a_good_table_passes_everything(verdicts, customers, make_case):
    found = verdicts(customers.dropna(), make_case(id_columns=["customer"]))
    assert [check.message for check in found.values() if not check.passed] == []


def test_rows_without_a_target_are_left_out_and_counted(verdicts, customers, make_case):
    frame = customers.assign(y=customers["y"].mask(customers.index < 5))
    assert len(quality.usable_rows(frame, make_case())) == 195
    assert verdicts(frame, make_case())["target present", "y"].count == 5


@pytest.mark.parametrize("filled", [0, 10])
def test_too_few_rows_with_a_target_are_refused(verdicts, customers, make_case, filled):
    frame = customers.assign(y=customers["y"].where(customers.index < filled))
    with pytest.raises(DataError, match=f"at least 50 rows with a target, found {filled}"):
        verdicts(frame, make_case())


def test_a_missing_target_column_is_refused_with_the_nearest(verdicts, customers, make_case):
    with pytest.raises(DataError, match="did you mean 'visits'"):
        verdicts(customers, make_case(task="regression", target="vists"))


@pytest.mark.parametrize(
    ("rule", "count", "said"),
    [
        ({"minimum": 1}, 1, "below 1"),
        ({"maximum": 6}, 1, "above 6"),
        ({"levels": [0, 1, 2, 3]}, 2, "not among '0', '1', '2', '3'"),
        ({"required": True}, 1, "missing"),
    ],
)
def test_a_rule_of_the_case_file_that_rows_break_stops_the_build(verdicts, make_case, rule, count, said):
    first = [4.0, 7.0, np.nan] if "levels" in rule else [0.0, 7.0, np.nan]
    frame = pd.DataFrame({"a": first + [1.0, 2.0, 3.0] * 19, "y": ["yes", "no"] * 30})
    case = make_case(validation={"columns": {"a": rule}})
    (check,) = [check for check in verdicts(frame, case).values() if not check.passed and check.severity == "stop"]
    assert check.count == count
    with pytest.raises(DataError, match=f"{count} rows? of the column 'a' (is|are) {said}"):
        require([check])


def test_a_test_table_may_be_small_and_have_fewer_columns_but_needs_targets(customers, make_case):
    rows = customers[["spend", "y"]].head(3).assign(y=["yes", None, "no"])
    assert len(quality.usable_test_rows(rows, make_case(id_columns=["customer"]))) == 2
    with pytest.raises(DataError, match="has no column 'y', the target; did you mean 'Y'"):
        quality.usable_test_rows(rows.rename(columns={"y": "Y"}), make_case())
    with pytest.raises(DataError, match="No row of the table"):
        quality.usable_test_rows(rows.assign(y=None), make_case())


def test_a_table_without_a_column_to_learn_from_is_stopped(verdicts, make_case):
    frame = pd.DataFrame({"y": ["yes", "no"] * 30, "same": 1})
    with pytest.raises(DataError, match="No column is left to learn from"):
        require(list(verdicts(frame, make_case()).values()))


def test_only_who_excludes_columns_is_told_to_exclude_fewer(verdicts, make_case):
    frame = pd.DataFrame({"y": ["yes", "no"] * 30, "same": 1, "x": range(60)})
    said = {
        "exclude": verdicts(frame, make_case(features={"exclude": ["x"]}))["columns to learn from", None].message,
        "nothing": verdicts(frame[["y", "same"]], make_case())["columns to learn from", None].message,
    }
    assert said["exclude"].endswith("differs between rows. Add columns, or exclude fewer in `features.exclude` (now 'x').")
    assert said["nothing"].endswith("differs between rows. Add columns.")


def test_duplicates_are_counted_without_their_identifiers(verdicts, customers, make_case):
    twice = pd.concat([customers, customers.head(4).assign(customer=["a", "b", "c", "d"])])
    assert verdicts(twice, make_case(id_columns=["customer"]))["no duplicates", None].count == 4


def test_a_table_with_many_gaps_warns(verdicts, customers, make_case):
    check = verdicts(customers.assign(extra=np.nan), make_case())["completeness", None]
    assert not check.passed
    assert check.severity == "warn"
    assert "`validation.completeness` asks for 95%" in check.message


def test_infinite_features_warn_and_infinite_targets_stop(verdicts, customers, make_case):
    frame = customers.assign(spend=customers["spend"].fillna(np.inf), visits=customers["visits"].astype(float))
    assert verdicts(frame, make_case())["finite", "spend"].count == 20
    frame.loc[0, "visits"] = -np.inf
    check = verdicts(frame, make_case(task="regression", target="visits"))["finite", "visits"]
    assert (check.severity, check.passed, check.count) == ("stop", False, 1)


def test_far_outliers_are_counted_with_examples(verdicts, customers, make_case):
    frame = customers.assign(spend=customers["spend"].mask(customers.index % 20 == 1, 10_000))
    check = verdicts(frame, make_case())["outliers", "spend"]
    assert check.count == 10
    assert check.examples == ("10000",)


def test_what_no_model_sees_is_not_told_to_be_constant_or_far_out(bench, customers, make_case):
    frame = customers.assign(
        same=1, empty=None, spend=customers["spend"].mask(customers.index % 20 == 1, 5_000.0),
        plan=customers["plan"].mask(customers.index % 3 == 0, "Basic "), member=True,
    )  # fmt: skip
    hidden = {"exclude": ["same", "empty", "spend", "plan", "member"]}
    assert {("varies", "same"), ("mostly filled", "empty"), ("outliers", "spend"), ("one spelling", "plan")} <= set(
        bench.broken(frame, None, make_case(id_columns=["customer"]))
    )
    case = make_case(id_columns=["customer"], sensitive_features=["member"], features=hidden)
    assert set(bench.broken(frame, None, case)) == {("varies", "member"), ("completeness", None)}  # audited, so it has a use


def test_what_its_contract_asks_of_an_excluded_column_holds(bench, customers, make_case, make_terms):
    frame = customers[["spend", "visits", "y"]].assign(same=1)
    wild = frame.assign(spend=frame["spend"].mask(frame.index % 20 == 1, 5_000.0).mask(frame.index == 2, -1))
    terms = make_terms({
        "spend": {"type": "number", "expect": {"outliers": 0.01}, "require": {"minimum": 0}},
        "same": {"type": "integer", "severity": {"constant": "stop"}}, "visits": {"type": "integer"}, "y": {"type": "category"},
    })  # fmt: skip
    assert bench.broken(wild, terms, make_case(features={"exclude": ["spend", "same"]})) == {
        ("minimum", "spend"): "stop", ("outliers", "spend"): "warn", ("varies", "same"): "stop",
        ("no duplicates", None): "warn",
    }  # fmt: skip


def test_constant_and_empty_columns_warn(verdicts, customers, make_case):
    found = verdicts(customers.assign(same="x", none=None), make_case())
    assert not found["varies", "same"].passed
    assert not found["mostly filled", "none"].passed
    assert found["varies", "plan"].passed


def test_a_value_beside_gaps_does_vary(verdicts, customers, make_case):
    frame = customers.assign(closed=np.where(customers.index < 50, "2024", None))
    assert verdicts(frame, make_case())["varies", "closed"].passed


def test_numbers_spoiled_by_a_text_are_found(verdicts, customers, make_case):
    frame = customers.assign(visits=customers["visits"].astype(str).mask(customers.index < 3, "?"))
    check = verdicts(frame, make_case())["numbers as numbers", "visits"]
    assert (check.count, check.examples) == (3, ("?",))


def test_several_spellings_of_a_level_are_found(verdicts, customers, make_case):
    frame = customers.assign(plan=customers["plan"].mask(customers.index < 3, "Basic "))
    assert not verdicts(frame, make_case())["one spelling", "plan"].passed


def test_identifiers_that_are_shared_warn(verdicts, customers, make_case):
    frame = customers.assign(customer=customers["customer"].mask(customers.index < 2, "same"))
    assert verdicts(frame, make_case(id_columns=["customer"]))["identifiers unique", "customer"].count == 1


def test_a_class_with_fewer_rows_than_folds_warns(verdicts, customers, make_case):
    frame = customers.assign(y=["yes"] * 4 + ["no"] * 196)
    check = verdicts(frame, make_case())["rows per class", "y"]
    assert "'yes' has 4 rows" in check.message
    assert not check.passed


def test_the_report_has_the_figures_that_gates_read(bench, customers, make_case):
    case = make_case(validation={"columns": {"visits": {"maximum": 0}}})
    frame = customers.assign(y=customers["y"].mask(customers.index < 5))
    report = quality.report(bench.store(frame), bench.checks(frame, None, case), [], case)
    assert report["schema_compliance"] == pytest.approx(6 / 7)
    assert report["missing_target"] == 5
    assert report["completeness"] == pytest.approx(1 - 19 / (195 * 7))
    assert {"rule", "column", "severity", "passed", "count", "examples", "message"} < set(report["checks"][0])
