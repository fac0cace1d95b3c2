"""Each rule of a contract on a good and on a bad table; severity, examples, places, odd names (R5)."""

import numpy as np
import pandas as pd
import pytest

from gristmill.data.contract.checks import require
from gristmill.errors import DataError

TYPES = {"customer": "category", "spend": "number", "visits": "integer", "plan": "category", "member": "boolean", "since": "date",
         "y": "category"}  # fmt: skip


@pytest.fixture
def contract(make_terms):
    """Return a builder of contracts of the customers with limits on one column."""

    def build(name="spend", block="require", limits=None, **sections):
        columns = {column: {"type": kind} for column, kind in TYPES.items()}
        columns[name][block] = limits or {}
        return make_terms(columns, **sections)

    return build


BAD = {
    "missing": ("plan", {"missing": 0.01}, lambda f: f.assign(plan=f["plan"].mask(f.index < 3)), 3),
    "minimum": ("visits", {"minimum": 0}, lambda f: f.assign(visits=f["visits"].mask(f.index == 7, -1)), 1),
    "maximum": ("spend", {"maximum": 100}, lambda f: f.assign(spend=f["spend"].mask(f.index < 2, 100.01)), 2),
    "levels": ("plan", {"levels": ["basic", "plus", "pro"]}, lambda f: f.assign(plan=f["plan"].mask(f.index == 4, "Pro")), 1),
    "pattern": ("customer", {"pattern": "C[0-9]{4}"}, lambda f: f.assign(customer=f["customer"].mask(f.index < 4, "C12")), 4),
    "unique": ("customer", {"unique": True}, lambda f: f.assign(customer=f["customer"].mask(f.index < 3, "C0150")), 3),
    "outliers": ("spend", {"outliers": 0.02}, lambda f: f.assign(spend=f["spend"].mask(f.index % 20 == 1, 10_000)), 10),
}


@pytest.mark.parametrize("rule", BAD)
@pytest.mark.parametrize(("block", "severity"), [("require", "stop"), ("expect", "warn")])
def test_a_limit_that_rows_break_stops_or_warns_by_the_block_it_stands_in(
    bench, customers, make_case, contract, rule, block, severity
):
    column, limits, spoil, count = BAD[rule]
    terms = contract(column, block, limits)
    assert (rule, column) not in bench.broken(customers, terms, make_case())
    check = bench.found(spoil(customers), terms, make_case())[rule, column]
    assert (check.passed, check.severity, check.count) == (False, severity, count)
    assert repr(column) in check.message


def test_a_stricter_expectation_stands_beside_a_requirement(bench, customers, make_case, make_terms):
    columns = {name: {"type": kind} for name, kind in TYPES.items()}
    columns["spend"] = {"type": "number", "require": {"maximum": 500}, "expect": {"maximum": 100}}
    frame = customers.assign(spend=customers["spend"].mask(customers.index == 1, 200.0))
    broken = bench.broken(frame, make_terms(columns), make_case())
    assert broken["expected maximum", "spend"] == "warn"
    assert ("maximum", "spend") not in broken


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("spend", "lots", "1 row of the column 'spend' is not numbers, such as 'lots' in row 3"),
        ("visits", "many", "1 row of the column 'visits' is not numbers, such as 'many' in row 3"),
        ("member", "perhaps", "is not true or false, such as 'perhaps' in row 3"),
        ("since", "soon", "is not dates, such as 'soon' in row 3"),
    ],
)
def test_a_retyped_column_stops_with_the_value_and_its_row(bench, customers, make_case, contract, column, value, said):
    texts = customers[column].astype(str).mask(customers[column].isna())
    frame = customers.assign(**{column: texts.mask(customers.index == 2, value)})
    with pytest.raises(DataError) as caught:
        require(bench.checks(frame, contract(), make_case()))
    assert said in str(caught.value)
    assert "gristmill contract accept" in str(caught.value)


def test_values_that_can_be_read_as_the_type_are_not_retyped(bench, customers, make_case, contract):
    frame = customers.assign(
        visits=customers["visits"].astype(str).mask(customers.index == 3, ""),
        member=customers["member"].map({True: "Yes", False: "n"}),
        since=customers["since"].dt.strftime("%Y-%m-%d"),
    )  # fmt: skip
    assert {place for place in bench.broken(frame, contract(), make_case()) if place[0] == "type"} == set()


def test_places_are_identifiers_where_the_case_names_them(bench, customers, make_case, contract):
    frame = customers.assign(spend=customers["spend"].mask(customers.index < 9, -5.0))
    check = bench.found(frame, contract(limits={"minimum": 0}), make_case(id_columns=["customer"]))["minimum", "spend"]
    assert check.examples == ("-5",)
    assert check.where == ("customer C0000", "customer C0001", "customer C0002", "customer C0003", "customer C0004")
    assert "such as '-5' in customer C0000" in check.message


def test_fractions_in_whole_numbers_warn_and_a_column_may_say_otherwise(bench, customers, make_case, make_terms):
    columns = {name: {"type": kind} for name, kind in TYPES.items()}
    frame = customers.assign(visits=customers["visits"] + 0.5)
    assert bench.broken(frame, make_terms(columns), make_case())["whole numbers", "visits"] == "warn"
    columns["visits"]["severity"] = {"fractions": "stop"}
    assert bench.broken(frame, make_terms(columns), make_case())["whole numbers", "visits"] == "stop"


def test_empty_text_is_not_missing(bench, customers, make_case, contract):
    frame = customers.assign(plan=customers["plan"].mask(customers.index < 3, " ").mask(customers.index == 5))
    found = bench.found(frame, contract("plan", limits={"missing": 0}), make_case())
    assert found["no empty text", "plan"].count == 3
    assert found["missing", "plan"].count == 1


def test_rows_duplicates_and_completeness_have_limits(bench, customers, make_case, contract):
    table = {"require": {"rows": 250, "duplicates": 0.01, "completeness": 0.999}}
    frame = pd.concat([customers, customers.head(4)])
    broken = bench.broken(frame, contract(table=table), make_case())
    assert [broken[rule, None] for rule in ("rows", "no duplicates", "completeness of the contract")] == ["stop"] * 3
    lenient = {"require": {"rows": 200, "duplicates": 0.02, "completeness": 0.9}}
    assert bench.broken(frame, contract(table=lenient), make_case()) == {}


@pytest.mark.parametrize(("days", "severity"), [(30, None), (1, "stop")])
def test_freshness_is_judged_as_of_the_snapshot(bench, customers, make_case, contract, days, severity):
    terms = contract(table={"require": {"freshness": {"column": "since", "days": days}}})
    taken = (customers["since"].max() + pd.Timedelta("2D")).isoformat() + "+00:00"
    broken = bench.broken(customers, terms, make_case(), taken_at=taken)
    assert broken.get(("freshness", "since")) == severity


def test_dates_have_limits_and_formats(bench, customers, make_case, make_terms):
    columns = {name: {"type": kind} for name, kind in TYPES.items()}
    columns["since"] = {"type": "date", "format": "%d.%m.%Y", "require": {"minimum": "2020-01-01", "maximum": "2021-01-01"}}
    frame = customers.assign(since=customers["since"].dt.strftime("%d.%m.%Y").mask(customers.index == 0, "31.12.2019"))
    found = bench.found(frame, make_terms(columns), make_case())
    assert found["minimum", "since"].count == 1
    late = int((customers["since"][1:] > "2021-01-01").sum())
    assert found["maximum", "since"].count == late
    assert found["type", "since"].passed


def test_rules_of_the_case_file_stop_beside_those_of_the_contract(bench, customers, make_case, contract):
    case = make_case(validation={"columns": {"plan": {"levels": ["basic", "plus"]}}})
    assert bench.broken(customers, contract(), case) == {("levels", "plan"): "stop"}


def test_severity_of_what_has_no_limit_can_be_set(bench, customers, make_case, contract):
    frame = customers.drop(columns="plan").assign(extra=1, spend=customers["spend"].mask(customers.index == 0, np.inf))
    assert bench.broken(frame, contract(), make_case()) == {
        ("column present", "plan"): "stop", ("no new column", "extra"): "warn", ("varies", "extra"): "warn",
        ("finite", "spend"): "warn",
    }  # fmt: skip
    other = {"missing_column": "warn", "new_column": "stop", "infinite": "stop", "constant": "stop"}
    assert bench.broken(frame, contract(severity=other), make_case()) == {
        ("column present", "plan"): "warn", ("no new column", "extra"): "stop", ("varies", "extra"): "stop",
        ("finite", "spend"): "stop",
    }  # fmt: skip


def test_the_order_of_columns_does_not_matter(bench, customers, make_case, contract):
    assert bench.broken(customers[customers.columns[::-1]], contract(), make_case()) == {}


def test_the_same_rows_get_the_same_verdicts(bench, customers, make_case):
    path = bench.store(
        pd.concat([customers] * 50, ignore_index=True).assign(spend=np.random.default_rng(0).gamma(0.3, size=10_000))
    )
    from gristmill.data.contract.inference import infer  # noqa: PLC0415
    from gristmill.data.contract.validation import validate  # noqa: PLC0415

    case = make_case()
    first, second = (validate(path, infer(path, case), case) for _ in range(2))
    assert first == second


ODD = ["a b", 'quo"te', "o'clock", "emoji 🌾", "x; DROP TABLE t; --", "A", "a", "select", "$column", "row_number"]


def test_odd_names_are_columns_like_any_other(bench, make_case):
    frame = pd.DataFrame({name: np.arange(100) for name in ODD} | {"y": ["yes", "no"] * 50})
    terms = bench.infer(frame, make_case())
    assert bench.broken(frame, terms, make_case()) == {}
    for name in ODD:
        assert bench.broken(frame.assign(**{name: 1_000}), terms, make_case())["maximum", name] == "warn"


def test_odd_values_are_levels_like_any_other(bench, make_case):
    levels = ["it's", 'a "b"', "\\", "%d", "🌾", "NULL", "1e3", "x'); --"]
    frame = pd.DataFrame({"a": levels * 25, "y": ["yes", "no"] * 100})
    terms = bench.infer(frame, make_case())
    assert set(terms.columns["a"].expect.levels) == set(levels)
    assert ("levels", "a") not in bench.broken(frame, terms, make_case())


@pytest.mark.parametrize("width", [300, pytest.param(10_000, marks=pytest.mark.slow)])
def test_wide_tables_are_checked(bench, make_case, width):
    values = np.arange(60 * width).reshape(60, width) % 11 + 0.5
    frame = pd.DataFrame(values, columns=[f"c{number}" for number in range(width)])
    frame = pd.concat([frame, pd.DataFrame({"y": ["yes", "no"] * 30, "n": range(60)})], axis=1)
    terms, last = bench.infer(frame, make_case()), f"c{width - 1}"
    frame[last] = frame[last].mask(frame.index == 3, 500)
    assert bench.broken(frame, terms, make_case()) == {("maximum", last): "warn", ("outliers", last): "warn"}
