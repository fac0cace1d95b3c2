"""Policies for missing values and outliers: what the case file may ask for, and what follows for a column."""

import pytest

from gristmill.config.case import Case
from gristmill.config.loading import parse_case
from gristmill.config.treatment import DEFAULTS, STRATEGIES, Policy, policy_of
from gristmill.errors import CaseFileError

CASE = "name: small\ntask: binary\nsource: rows.csv\ntarget: y\npositive_class: 1\nfeatures: {features}\n"


def case_with(features: str) -> Case:
    return parse_case(CASE.format(features=f"{{{features}}}"), "configs/small.yaml")


@pytest.mark.parametrize(
    ("features", "said"),
    [
        ("missing: {numeric: constant}", "`numeric: constant` needs a value"),
        (
            "missing: {numeric: constant, fill_values: {numeric: none}}",
            "expected a number to fill in numeric columns with, got 'none'",
        ),
        ("missing: {numeric: constant, fill_values: {numeric: true}}", "expected a number"),
        ("missing: {boolean: constant, fill_values: {boolean: 1}}", "expected `true` or `false`"),
        ("missing: {date: constant, fill_values: {date: soon}}", "expected a date such as 2024-01-31"),
        ("missing: {fill_values: {numeric: 0}}", "`fill_values.numeric` has no meaning for `numeric: native`"),
        ("missing: {numeric: level}", "`features.missing.numeric`: input should be 'native', 'median', 'mean' or 'constant'"),
        ("missing: {numerc: mean}", "did you mean 'numeric'"),
        ("outliers: {numeric: clip, lower: 0.1}", "`lower` has no meaning for `method: iqr`"),
        ("outliers: {method: quantile, factor: 2}", "`factor` has no meaning for `method: quantile`"),
        ("outliers: {method: quantile, lower: 0.9, upper: 0.1}", "expected `lower` below `upper`, got 0.9 and 0.1"),
        ("outliers: {factor: 0}", "greater than 0"),
        ("columns: {a: {missing: constant}}", "`missing: constant` needs a `fill_value`"),
        ("columns: {a: {fill_value: 3}}", "`fill_value` has no meaning without `missing: constant`"),
        ("columns: {a: {outliers: keep, factor: 2}}", "`factor` has no meaning for `outliers: keep`"),
        ("columns: {a: {method: iqr, upper: 0.9}}", "`upper` has no meaning for `method: iqr`"),
        ("columns: {a: {mising: mean}}", "did you mean 'missing'"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(features: str, said: str):
    with pytest.raises(CaseFileError) as refused:
        case_with(features)
    assert said in str(refused.value)


@pytest.mark.parametrize("kind", STRATEGIES)
def test_a_case_file_that_says_nothing_gives_each_kind_its_default(kind: str):
    assert policy_of(case_with("exclude: []").features, "a", kind) == DEFAULTS[kind]


def test_a_columns_own_policy_wins_over_that_of_its_kind():
    features = case_with(
        "missing: {numeric: median, indicator: false}, outliers: {numeric: clip, method: quantile, lower: 0.05, upper: 0.95}, "
        "columns: {a: {missing: constant, fill_value: -1, indicator: true, outliers: missing, upper: 0.9}}"
    ).features
    assert policy_of(features, "a", "numeric") == Policy("constant", -1, True, "missing", "quantile", 3.0, 0.05, 0.9)
    assert policy_of(features, "b", "numeric") == Policy("median", None, False, "clip", "quantile", 3.0, 0.05, 0.95)


def test_outliers_are_a_matter_of_numbers():
    features = case_with("outliers: {numeric: clip}").features
    assert {kind: policy_of(features, "a", kind).outliers for kind in STRATEGIES} == {
        "numeric": "clip", "categorical": "keep", "boolean": "keep", "date": "keep", "text": "keep",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("own", "kind", "said"),
    [
        ("missing: mean", "categorical", "`missing: mean` is not for a categorical column; choose level, most_frequent, constant"),
        ("missing: native", "text", "`missing: native` is not for a text column; choose empty, constant"),
        ("missing: constant, fill_value: low", "numeric", "expected a number"),
        ("outliers: clip", "date", "`outliers` is for numeric columns, and this one is date"),
        ("factor: 2", "numeric", "`factor` has no meaning while outliers are kept"),
        ("outliers: clip, lower: 0.1", "numeric", "`lower` has no meaning for `method: iqr`"),
    ],
)
def test_a_column_is_refused_what_its_kind_does_not_have(own: str, kind: str, said: str):
    with pytest.raises(ValueError, match=said):
        policy_of(case_with(f"columns: {{a: {{{own}}}}}").features, "a", kind)


def test_a_date_that_yaml_knows_is_the_text_it_stands_for():
    features = case_with("missing: {date: constant, fill_values: {date: 2024-01-31}}").features
    assert policy_of(features, "a", "date").fill_value == "2024-01-31"
