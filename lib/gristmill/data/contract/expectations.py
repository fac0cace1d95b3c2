"""A contract in the words of Great Expectations, and our verdicts as that library would give them.

Nothing of the library is imported here: it takes seconds. :mod:`data_docs` turns these into its own objects.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from gristmill.data.contract.checks import Check
from gristmill.data.contract.terms import NUMBERS, ColumnTerms, Limits, TableLimits, Terms
from gristmill.data.kinds import FALSE_TEXTS, TRUE_TEXTS

SEVERITIES = {"stop": "critical", "warn": "warning"}
"""What a severity is called there."""

_NUMBER_TYPES = ["int", "int8", "int16", "int32", "int64", "float", "float32", "float64", "Int64", "Float64", "INTEGER", "BIGINT",
                 "SMALLINT", "DOUBLE", "DOUBLE_PRECISION", "FLOAT", "REAL", "NUMERIC", "DECIMAL"]  # fmt: skip
_DATE_TYPES = ["datetime64", "datetime64[us]", "datetime64[ns]", "Timestamp", "TIMESTAMP", "DATETIME", "DATE"]

Expectation = dict[str, Any]


def expectations(terms: Terms, id_columns: Sequence[str] = (), checks: Sequence[Check] = ()) -> list[Expectation]:
    """Return the configurations of a suite: ``type``, ``kwargs``, ``severity``, and the rule each stands for under ``meta``.

    Parameters
    ----------
    terms
        The contract.
    id_columns
        Columns that name rows; duplicates are looked for in the others.
    checks
        Verdicts on a snapshot; the moment that freshness asks for is taken from there, and without them it is left out.
    """
    return [
        *_of_table(terms, id_columns, checks),
        *(one for name, known in terms.columns.items() for one in _of_column(name, known, terms)),
    ]


def _expect(kind: str, rule: str, column: str | None, severity: str, **kwargs: Any) -> Expectation:
    """Return one configuration."""
    named = {} if column is None else {"column": column}
    return {
        "type": kind, "kwargs": {**named, **kwargs}, "severity": SEVERITIES[severity],
        "meta": {"gristmill": {"rule": rule, "column": column, "severity": severity}},
    }  # fmt: skip


def _of_table(terms: Terms, id_columns: Sequence[str], checks: Sequence[Check]) -> Iterator[Expectation]:
    """Give what is expected of the table as a whole."""
    yield _expect(
        "expect_table_columns_to_match_set", "no new column", None, terms.severity.new_column,
        column_set=list(terms.columns), exact_match=True,
    )  # fmt: skip
    blocks: tuple[tuple[TableLimits, str], ...] = ((terms.table.require, "stop"), (terms.table.expect, "warn"))
    for limits, severity in blocks:
        if limits.rows is not None:
            yield _expect("expect_table_row_count_to_be_between", "rows", None, severity, min_value=limits.rows)
        if limits.duplicates is not None:
            others = [name for name in terms.columns if name not in id_columns]
            yield _expect(
                "expect_compound_columns_to_be_unique", "no duplicates", None, severity, column_list=others,
                ignore_row_if="never", **_mostly(2 * limits.duplicates),
            )  # fmt: skip
        if limits.freshness is not None:
            asked = next((check.limit for check in checks if check.rule == "freshness" and check.severity == severity), None)
            if asked is not None:
                yield _expect("expect_column_max_to_be_between", "freshness", limits.freshness.column, severity, min_value=asked)


def _mostly(share: float) -> dict[str, float]:
    """Return the share of the rows that have to pass, where not all of them have to."""
    return {"mostly": round(max(0.0, 1 - share), 6)} if share else {}


def _of_column(name: str, known: ColumnTerms, terms: Terms) -> Iterator[Expectation]:
    """Give what is expected of one column."""
    yield _expect("expect_column_to_exist", "column present", name, terms.severity_of("missing_column", name))
    yield from _of_type(name, known, terms.severity_of("retyped", name))
    required = known.require.stated
    yield from _of_limits(name, known, known.require, "stop")
    for one in _of_limits(name, known, known.expect, "warn"):
        about = one["meta"]["gristmill"]
        yield {**one, "meta": {"gristmill": {**about, "rule": f"expected {about['rule']}"}}} if about["rule"] in required else one


def _of_type(name: str, known: ColumnTerms, severity: str) -> Iterator[Expectation]:
    """Give what is expected of the values' type; text and levels can be anything."""
    if known.type in NUMBERS:
        yield _expect("expect_column_values_to_be_in_type_list", "type", name, severity, type_list=_NUMBER_TYPES)
    elif known.type == "boolean":
        texts = sorted(TRUE_TEXTS | FALSE_TEXTS)
        yield _expect("expect_column_values_to_be_in_set", "type", name, severity, value_set=[True, False, *texts])
    elif known.type == "date" and known.format == "ISO8601":
        yield _expect("expect_column_values_to_be_dateutil_parseable", "type", name, severity)
    elif known.type == "date" and known.format is not None:
        yield _expect("expect_column_values_to_match_strftime_format", "type", name, severity, strftime_format=known.format)
    elif known.type == "date":
        yield _expect("expect_column_values_to_be_in_type_list", "type", name, severity, type_list=_DATE_TYPES)


def _of_limits(name: str, known: ColumnTerms, limits: Limits, severity: str) -> Iterator[Expectation]:
    """Give what is expected of the values, an expectation a limit."""
    if limits.missing is not None:
        yield _expect("expect_column_values_to_not_be_null", "missing", name, severity, **_mostly(limits.missing))
    if limits.minimum is not None and known.format is None:
        yield _expect("expect_column_values_to_be_between", "minimum", name, severity, min_value=_end(limits.minimum))
    if limits.maximum is not None and known.format is None:
        yield _expect("expect_column_values_to_be_between", "maximum", name, severity, max_value=_end(limits.maximum))
    if limits.levels is not None:
        levels = [float(level) for level in limits.levels] if known.type in NUMBERS else list(limits.levels)
        yield _expect("expect_column_values_to_be_in_set", "levels", name, severity, value_set=levels)
    if limits.pattern is not None:
        yield _expect("expect_column_values_to_match_regex", "pattern", name, severity, regex=f"^(?:{limits.pattern})$")
    if limits.unique:
        yield _expect("expect_column_values_to_be_unique", "unique", name, severity)
    if limits.outliers is not None:
        yield _expect(
            "expect_column_values_to_not_be_outliers", "outliers", name, severity, method="iqr", multiplier=3,
            **_mostly(limits.outliers),
        )  # fmt: skip


def _end(end: float | str) -> float | str:
    """Return an end of a range; a date with its time, since the library compares a bare date with no moment."""
    return dt.datetime.fromisoformat(end).isoformat() if isinstance(end, str) else end


def results(suite: Sequence[Expectation], checks: Sequence[Check], columns: Sequence[str], n_rows: int) -> list[dict[str, Any]]:
    """Return the verdict on each expectation of a suite, in the library's form: ``success`` and ``result``.

    Parameters
    ----------
    suite
        What :func:`expectations` returned.
    checks
        Our verdicts on the same contract.
    columns
        The columns that the table has.
    n_rows
        Rows that were checked.
    """
    found = {(check.rule, check.column, check.severity): check for check in checks}
    new_or_gone = [check for check in checks if check.rule in {"no new column", "column present"} and not check.passed]
    missing = {check.column: check.count for check in checks if check.rule in {"mostly filled", "missing"}}
    verdicts = []
    for one in suite:
        about = one["meta"]["gristmill"]
        check = found.get((about["rule"], about["column"], about["severity"]))
        if about["rule"] == "no new column":
            verdicts.append({"success": not new_or_gone, "result": {"observed_value": list(columns)}})
        elif check is None:  # its column is gone, or the rule was not judged
            verdicts.append({"success": about["column"] is None or about["column"] in columns, "result": {}})
        else:
            verdicts.append({"success": check.passed, "result": _result(one["type"], check, missing.get(check.column, 0), n_rows)})
    return verdicts


def without_expectation(suite: Sequence[Expectation], checks: Sequence[Check]) -> list[Check]:
    """Return the verdicts on rules for which a suite has no expectation, such as those on completeness."""
    places = {tuple(one["meta"]["gristmill"][key] for key in ("rule", "column", "severity")) for one in suite}
    return [check for check in checks if (check.rule, check.column, check.severity) not in places and check.rule != "no new column"]


def _result(kind: str, check: Check, missing: int, n_rows: int) -> dict[str, Any]:
    """Return the figures of one verdict."""
    if kind == "expect_column_to_exist":
        return {}
    if kind in {"expect_table_row_count_to_be_between", "expect_column_max_to_be_between"}:
        return {"observed_value": check.observed}
    filled = n_rows - (0 if kind == "expect_column_values_to_not_be_null" else missing)
    counts = {} if not check.examples else {"partial_unexpected_list": list(check.examples)}
    return {
        "element_count": n_rows, "missing_count": missing, "missing_percent": 100 * missing / max(n_rows, 1),
        "unexpected_count": check.count, "unexpected_percent": 100 * check.count / max(filled, 1), **counts,
    }  # fmt: skip
