"""The rules on a table as a whole: rows, duplicates, completeness, freshness, identifiers, columns to learn from."""

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from gristmill.data.contract.checks import Check, Severity
from gristmill.data.contract.column_sql import Column, Rows
from gristmill.data.contract.duplicates import DONE
from gristmill.data.contract.facts import Facts
from gristmill.data.contract.schema import check_columns
from gristmill.data.contract.terms import Freshness, TableLimits, Terms
from gristmill.errors import DataError


def usable(path: Path, rows: Rows, case: Any) -> tuple[int, int]:
    """Return the number of all rows, and of those with a target.

    Raises
    ------
    DataError
        A column that the case names is not in the table, or too few rows have a target to say anything about.
    """
    import pyarrow.parquet as pq  # noqa: PLC0415

    check_columns([column.name for column in rows.columns], case)
    n_all = int(pq.read_metadata(path).num_rows)
    (n_rows,) = rows.aggregates(["count(*)"])
    if n_rows < case.validation.min_rows:
        lost = f" ({n_all - n_rows} more have no value in {case.target!r})" if n_all > n_rows else ""
        raise DataError(
            f"Expected at least {case.validation.min_rows} rows with a target, found {n_rows}{lost}. Collect more rows; or "
            "lower `validation.min_rows` in the case file if so few are enough."
        )
    return n_all, n_rows


def checks(
    rows: Rows, columns: Sequence[Column], facts: dict[str, Facts], terms: Terms, case: Any, counts: tuple[int, int],
    taken_at: str | None,
) -> Iterator[Check]:  # fmt: skip
    """Give the verdicts on the table; ``counts`` are those of all rows and of rows with a target."""
    n_all, n_rows = counts
    yield _missing_target(n_all, n_rows, case)
    yield _columns_to_learn_from(columns, facts, n_rows, case)
    yield from _unique(rows, columns, terms)
    repeated = rows.repeated([column for column in columns if column.name not in case.id_columns])
    filled = sum(one.filled for one in facts.values()) / max(n_rows * len(columns), 1)
    blocks: tuple[tuple[TableLimits, Severity], ...] = ((terms.table.require, "stop"), (terms.table.expect, "warn"))
    for limits, severity in blocks:
        yield from _of_limits(limits, severity, n_rows, repeated, filled, case)
        if limits.freshness is not None and taken_at is not None:
            yield _fresh(rows, columns, limits.freshness, severity, terms, taken_at)
    forbidden = case.validation.duplicates == "stop"
    if forbidden or all(limits.duplicates is None for limits, _ in blocks):
        yield _duplicates(repeated, n_rows, 0.0, "stop" if forbidden else "warn", case)
    yield Check(
        "completeness", None, "warn", filled >= case.validation.completeness, round((1 - filled) * n_rows * len(columns)),
        f"{filled:.2%} of the cells are filled; `validation.completeness` asks for {case.validation.completeness:.0%}.",
        observed=filled, limit=case.validation.completeness,
    )  # fmt: skip
    yield from _identifiers(rows, columns, case)


def _of_limits(
    limits: TableLimits, severity: Severity, n_rows: int, repeated: int, filled: float, case: Any
) -> Iterator[Check]:  # fmt: skip
    """Give the verdicts on the limits that one block of the contract states."""
    if limits.rows is not None:
        yield Check(
            "rows", None, severity, n_rows >= limits.rows, n_rows,
            f"{n_rows:,} rows have a target; the data contract asks for {limits.rows:,} or more.",
            limit=limits.rows, observed=n_rows,
        )  # fmt: skip
    if limits.duplicates is not None and case.validation.duplicates != "stop":
        yield _duplicates(repeated, n_rows, limits.duplicates, severity, case)
    if limits.completeness is not None:
        yield Check(
            "completeness of the contract", None, severity, filled >= limits.completeness, 0,
            f"{filled:.2%} of the cells are filled; the data contract asks for {limits.completeness:.0%}.",
            limit=limits.completeness, observed=filled,
        )  # fmt: skip


def _duplicates(repeated: int, n_rows: int, allowed: float, severity: Severity, case: Any) -> Check:
    """Judge rows that repeat others."""
    limit = f" ({repeated / n_rows:.1%}; the data contract allows for {allowed:.1%})" if allowed else ""
    return Check(
        "no duplicates", None, severity, repeated <= allowed * n_rows, repeated,
        f"{repeated:,} rows repeat an earlier one in everything but their identifiers{limit}; "
        + DONE[case.validation.duplicates],
        limit=allowed, observed=repeated / n_rows,
    )  # fmt: skip


def _missing_target(n_all: int, n_rows: int, case: Any) -> Check:
    """Count rows without a target."""
    return Check(
        "target present", case.target, "warn", n_all == n_rows, n_all - n_rows,
        f"{n_all - n_rows:,} of {n_all:,} rows have no value in the target {case.target!r} and are left out.",
    )  # fmt: skip


def _columns_to_learn_from(columns: Sequence[Column], facts: dict[str, Facts], n_rows: int, case: Any) -> Check:
    """Judge whether anything differs between rows that a model may see."""
    hidden = set(case.non_feature_columns)
    seen = [facts[column.name] for column in columns if column.name not in hidden]
    count = sum(one.varies or 0 < one.filled < n_rows for one in seen)
    return Check(
        "columns to learn from", None, "stop", count > 0, count,
        f"{count:,} columns that a model may see differ between rows." if count
        else _nothing_to_learn_from(columns, case),
    )  # fmt: skip


def _nothing_to_learn_from(columns: Sequence[Column], case: Any) -> str:
    """Say that no column is left, and what helps: to exclude fewer, where some are excluded."""
    others = [column.name for column in columns if column.name != case.target]
    if not others:
        return f"No column is left to learn from: the table has only the target {case.target!r}. Add columns."
    excluded = [name for name in others if name in case.features.exclude]
    fewer = f", or exclude fewer in `features.exclude` (now {', '.join(map(repr, excluded[:5]))})" if excluded else ""
    return f"No column is left to learn from: none that a model may see differs between rows. Add columns{fewer}."


def _unique(rows: Rows, columns: Sequence[Column], terms: Terms) -> Iterator[Check]:
    """Judge the columns whose values the contract wants to be all different."""
    for column in columns:
        known = terms.columns.get(column.name)
        if known is None or not (known.require.unique or known.expect.unique):
            continue
        count = rows.repeated([column], f"NOT {column.missing}")
        severity: Severity = "stop" if known.require.unique else "warn"
        asks = "forbids" if severity == "stop" else "does not expect"
        yield Check(
            "unique", column.name, severity, count == 0, count,
            f"{count:,} rows of the column {column.name!r} repeat an earlier value; the data contract {asks} it." if count
            else f"Every value of {column.name!r} stands in one row.",
            limit=True,
        )  # fmt: skip


def _identifiers(rows: Rows, columns: Sequence[Column], case: Any) -> Iterator[Check]:
    """Say whether the identifiers name each row."""
    named = [column for column in columns if column.name in case.id_columns]
    if named:
        filled = " AND ".join(f"NOT {column.missing}" for column in named)
        (lacking,) = rows.aggregates([f"count_if(NOT ({filled}))"])
        count = lacking + rows.repeated(named, filled)
        shown = ", ".join(repr(column.name) for column in named)
        yield Check(
            "identifiers unique", ", ".join(column.name for column in named), "warn", count == 0, count,
            f"{count:,} rows have no identifier of their own in {shown}; rows are known by their content." if count
            else f"{shown} names every row.",
        )  # fmt: skip


def _fresh(
    rows: Rows, columns: Sequence[Column], limit: Freshness, severity: Severity, terms: Terms, taken_at: str
) -> Check:  # fmt: skip
    """Judge how old the latest row was when the snapshot was taken."""
    column = next((one for one in columns if one.name == limit.column), None)
    latest = None
    if column is not None:
        (latest,) = rows.aggregates([f"max({column.moment(terms.columns[column.name].format)})"])
    moment = dt.datetime.fromisoformat(taken_at)
    moment = moment.astimezone(dt.UTC).replace(tzinfo=None) if moment.tzinfo is not None else moment
    if latest is None:
        return Check(
            "freshness", limit.column, severity, passed=False, count=0, message=f"{limit.column!r} holds no date to judge by."
        )
    age = (moment - latest).total_seconds() / 86_400
    return Check(
        "freshness", limit.column, severity, age <= limit.days, 0,
        f"The latest {limit.column!r} is {latest:%Y-%m-%d %H:%M}, {age:,.1f} days before the snapshot was taken; the data contract "
        f"asks for {limit.days:g} days at most.",
        limit=(moment - dt.timedelta(days=limit.days)).isoformat(sep=" "), observed=latest.isoformat(sep=" "),
    )  # fmt: skip
