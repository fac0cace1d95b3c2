"""A contract's file: what is wrong with it is said; it is written as it is read (R5)."""

import pytest

from gristmill.data.contract.terms import Terms
from gristmill.data.contract.terms_file import as_text, parse, renewed
from gristmill.errors import CaseFileError

GOOD = "columns:\n  a: {type: number}\n  b: {type: category}\n  day: {type: date}\n"

ODD = ["No", "true", "a, b", "x: y", "🌾", "", "it's"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("columns: {a: {type: number, expct: {}}}", "unknown key `columns.a.expct`; did you mean 'expect'?"),
        ("columns: {a: {type: number, expect: {minimun: 1}}}", "did you mean 'minimum'?"),
        ("colums: {}", "did you mean 'columns'?"),
        ("columns: {a: {type: nmber}}", "got 'nmber'"),
        ("columns: {a: {}}", "the key `columns.a.type` is missing"),
        ("columns: {a: {type: text, expect: {minimum: 1}}}", "`minimum` has a meaning for numbers and dates only"),
        ("columns: {a: {type: number, expect: {minimum: 3, maximum: 2}}}", "`minimum` 3.0 is above `maximum` 2.0"),
        ("columns: {a: {type: number, expect: {maximum: lots}}}", "has to be a number, got 'lots'"),
        ("columns: {a: {type: date, expect: {maximum: soon}}}", "has to be written as 2024-01-31, got 'soon'"),
        ("columns: {a: {type: number, format: x}}", "`format` has a meaning for the type date only"),
        ("columns: {a: {type: category, require: {pattern: '['}}}", "no regular expression"),
        ("columns: {a: {type: category, require: {outliers: 0.1}}}", "`outliers` has a meaning for numbers only"),
        ("columns: {a: {type: number, require: {missing: 2}}}", "less than or equal to 1, got 2"),
        ("severity: {new_column: stopp}\n" + GOOD, "got 'stopp'"),
        ("table: {expect: {freshness: {column: a, days: 3}}}\n" + GOOD, "`freshness` names 'a', which is no column of type date"),
        ("columns: [a]", "`columns`"),
        ("columns: {a: {type: number}, a: {type: text}}", "stands twice"),
        ("- a", "expected a mapping"),
    ],
)
def test_what_is_wrong_is_said_with_the_file_and_the_nearest_key(text, said):
    with pytest.raises(CaseFileError) as caught:
        parse(text, "configs/contracts/small.yaml", "small")
    assert said in str(caught.value)
    assert "configs/contracts/small.yaml" in str(caught.value)


def test_any_contract_is_read_as_it_was_written():
    terms = Terms.model_validate({
        "snapshot": "12345e78", "severity": {"spellings": "stop"},
        "table": {"require": {"freshness": {"column": "date of: birth", "days": 3.5}, "rows": 10}},
        "columns": {
            "Yes": {"type": "category", "require": {"levels": [*ODD, *map(str, range(40))]}},
            "1": {"type": "number", "expect": {"minimum": 1e-30, "maximum": 1e300, "missing": 0, "outliers": 0.05}},
            "# no comment": {"type": "text", "require": {"pattern": r"[a-z]\\d{3}"}, "severity": {"empty_text": "stop"}},
            "date of: birth": {"type": "date", "format": "%d.%m.%Y", "expect": {"minimum": "2020-01-01"}},
        },
    })  # fmt: skip
    assert parse(as_text(terms, "small"), "small.yaml", "small") == terms


def test_what_stays_the_same_stays_as_it_is_written():
    text = "# ours\ncolumns:\n  a: {type: number}   # one\n  b:  # two\n    type: category   # why\n"
    old = parse(text, "small.yaml", "small")
    new = old.model_copy(update={"columns": {**old.columns, "b": old.columns["b"].model_copy(update={"type": "text"})}})
    assert renewed(text, old, new, "small") == "# ours\ncolumns:\n  a: {type: number}   # one\n  b:  # two\n    type: text\n"
