"""Great Expectations gives the same verdicts on the suite that a contract becomes, rule by rule (R5)."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest

from gristmill.data.contract import data_docs
from gristmill.data.contract.expectations import expectations, results, without_expectation

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # deprecations in the library's own dependencies
    import great_expectations as gx

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

COLUMNS = {
    "customer": {"type": "category", "require": {"missing": 0, "unique": True, "pattern": "C[0-9]{4}"}},
    "spend": {"type": "number", "expect": {"missing": 0.15, "minimum": 0, "maximum": 100, "outliers": 0.02}},
    "visits": {"type": "integer", "require": {"minimum": 0}, "expect": {"maximum": 20}},
    "plan": {"type": "category", "require": {"levels": ["basic", "plus", "pro"]}},
    "member": {"type": "boolean"},
    "since": {"type": "date", "expect": {"minimum": "2020-01-01"}},
    "day": {"type": "date", "format": "%d.%m.%Y"},
    "y": {"type": "category", "require": {"levels": ["no", "yes"]}},
}
TABLE = {"require": {"rows": 150, "duplicates": 0}}

SPOILT = {
    "nothing": lambda f: f,
    "a value missing": lambda f: f.assign(customer=f["customer"].mask(f.index == 3)),
    "many missing": lambda f: f.assign(spend=f["spend"].mask(f.index % 3 == 0)),
    "a shared value": lambda f: f.assign(customer=f["customer"].mask(f.index == 3, "C0004")),
    "another pattern": lambda f: f.assign(customer=f["customer"].mask(f.index == 3, "X1")),
    "too large": lambda f: f.assign(spend=f["spend"].mask(f.index == 3, 1_000.0)),
    "outliers": lambda f: f.assign(spend=f["spend"].mask(f.index % 20 == 1, 5_000.0)),
    "negative": lambda f: f.assign(visits=f["visits"].mask(f.index == 3, -1)),
    "a new level": lambda f: f.assign(plan=f["plan"].mask(f.index == 3, "gold")),
    "an early date": lambda f: f.assign(since=f["since"].mask(f.index == 3, pd.Timestamp("1999-01-01"))),
    "text in numbers": lambda f: f.assign(spend=f["spend"].astype(str).mask(f["spend"].isna()).mask(f.index == 3, "lots")),
    "another format": lambda f: f.assign(day=f["day"].mask(f.index == 3, "soon")),
    "text in booleans": lambda f: f.assign(member=f["member"].astype(str).mask(f.index == 3, "perhaps")),
    "few rows": lambda f: f.head(100),
    "repeated rows": lambda f: pd.concat([f, f.head(5).assign(customer=[f"C9{n:03d}" for n in range(5)])], ignore_index=True),
    "a column gone": lambda f: f.drop(columns="member"),
    "a column new": lambda f: f.assign(extra=np.arange(len(f))),
}


@pytest.fixture(scope="module")
def context():
    return gx.get_context(mode="ephemeral")


@pytest.fixture(scope="module")
def batch_of(context):
    definition = context.data_sources.add_pandas("p").add_dataframe_asset("a").add_batch_definition_whole_dataframe("b")
    return lambda frame: definition.get_batch({"dataframe": frame})


@pytest.fixture
def good(customers):
    return customers.assign(day=customers["since"].dt.strftime("%d.%m.%Y"))


@pytest.mark.parametrize("fault", SPOILT)
def test_both_give_the_same_verdict_on_every_rule(bench, good, make_case, make_terms, batch_of, fault):
    case, terms = make_case(id_columns=["customer"]), make_terms(COLUMNS, table=TABLE)
    frame = SPOILT[fault](good)
    configurations = expectations(terms, case.id_columns)
    ours = results(configurations, bench.checks(frame, terms, case), list(frame.columns), len(frame))
    theirs = batch_of(frame).validate(data_docs.suite_of("small", "y", configurations), result_format="BASIC").results
    named = [place_of(one) for one in configurations]
    expected = {place: verdict["success"] for place, verdict in zip(named, ours, strict=True)}
    judged = {place_of(one.expectation_config.to_json_dict()): one.success for one in theirs if not raised(one)}
    assert {place: expected[place] for place in judged} == judged
    assert all(expected.values()) == (fault == "nothing")
    assert {place[1] for place in set(named) - set(judged)} <= UNJUDGED.get(fault, set())


UNJUDGED = {"text in numbers": {"spend"}, "a column gone": {"member", None}, "text in booleans": {"member"}}
"""Fault -> columns on which the library gives up instead of judging: it cannot compare a text with a number."""


def place_of(configuration):
    about = configuration["meta"]["gristmill"]
    return about["rule"], about["column"]


def raised(result):
    return "'raised_exception': True" in str(result.exception_info)


def test_the_suite_is_loaded_again_by_the_library(make_terms):
    configurations = expectations(make_terms(COLUMNS, table=TABLE))
    suite = gx.ExpectationSuite(**json.loads(json.dumps(data_docs.suite_of("small", "y", configurations).to_json_dict())))
    assert [one.configuration.type for one in suite.expectations] == [one["type"] for one in configurations]
    assert {one.severity.value for one in suite.expectations} == {"critical", "warning"}


def test_the_page_says_how_its_count_and_that_of_the_stage_go_together(bench, good, make_case, make_terms):
    case, terms = make_case(id_columns=["customer"]), make_terms(COLUMNS, table=TABLE)
    checks = bench.checks(good.assign(plan="<b>", extra="<b>"), terms, case)
    suite = expectations(terms, case.id_columns, checks)
    others = without_expectation(suite, checks)
    assert {("varies", "plan"), ("completeness", None)} <= {(check.rule, check.column) for check in others}
    assert not {check.rule for check in others} & {"levels", "missing", "column present", "no new column", "rows"}
    text = data_docs._counts(suite, checks)
    passed = sum(check.passed for check in checks)
    assert f"{passed} of {len(checks)} checks pass" in text
    assert f"The {len(suite)} expectations below" in text
    assert f"other {len(others)} checks" in text
    assert "&#x27;plan&#x27; has one value only" in text
    assert "<b>" not in text


@pytest.mark.slow
def test_the_pages_are_the_same_again_and_hold_no_markup_of_the_data(bench, good, make_case, make_terms, tmp_path):
    name = "<img src=x onerror=alert(1)> $a"
    terms = make_terms({**COLUMNS, name: {"type": "category", "expect": {"levels": ["<b>"]}}}, table=TABLE)
    frame, case = good.assign(**{name: "<script>alert(1)</script>"}), make_case(id_columns=["customer"])
    taken = {
        "columns": dict.fromkeys(frame.columns, ""),
        "rows": len(frame),
        "digest": "ab" * 32,
        "ingested_at": "2026-01-01T00:00:00+00:00",
    }
    checks, pages = bench.checks(frame, terms, case), []
    for number in range(2):
        product = {"expectations": f"{tmp_path}/{number}/expectations.json", "data_docs": f"{tmp_path}/{number}/docs/index.html"}
        data_docs.begin(terms, checks, case, taken, product).finish()
        pages.append((tmp_path / str(number) / "docs" / "index.html").read_text())
    assert pages[0] == pages[1]
    assert "<script" not in pages[0]
    assert "<img" not in pages[0]
    assert "✗ broken" in pages[0]
    assert "Succeeded" not in pages[0]
    assert "Failed" not in pages[0]
    assert f"{sum(check.passed for check in checks)} of {len(checks)} checks pass" in pages[0]
    assert name in (tmp_path / "0" / "expectations.json").read_text()
