"""The contract that a snapshot suggests, found in few scans of its Parquet file.

What was seen is expected, with room: next month's ordinary rows must not trip over this month's extremes.
"""

import math
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from gristmill.data.contract.column_sql import ROW, Column, Rows, opened
from gristmill.data.contract.facts import Facts, look
from gristmill.data.contract.rules import LARGEST
from gristmill.data.contract.table_rules import usable
from gristmill.data.contract.terms import NUMBERS, OUTLIERS, ColumnTerms, ColumnType, Limits, TableLimits, TableTerms, Terms
from gristmill.data.kinds import DATE_FORMATS, kind_of

SLACK = 0.5
"""Part of the observed range that a number may lie beyond either end of it."""

MOST_LEVELS = 50
"""Levels up to which a contract lists them; with more, new ones are ordinary."""

FEWEST_PER_LEVEL = 20
"""Rows a level, on average, from which a level that was not seen is worth a warning."""

FEWEST_ROWS = 0.5
"""Share of the rows seen that a later table is expected to have at least."""

SAMPLED = 100_000
"""Rows, evenly spread, from which quartiles are taken and dates are recognised."""

_FEW_TEXTS = 2_000


Ends = tuple[Any, Any]
"""Least and greatest finite value of a column, or its first and last moment; None where it has no order."""


def infer(path: Path, case: Any, snapshot: str | None = None, *, tolerant: bool = False) -> Terms:
    """Return the contract that the rows of a snapshot suggest: every limit under ``expect``, none under ``require``.

    Parameters
    ----------
    path
        Its Parquet file; rows without a target are not looked at.
    case
        The case, which says what the columns are for.
    snapshot
        Digest of the snapshot, whose beginning the contract notes.
    tolerant
        Whether duplicates and outliers as frequent as here are to be expected from now on, as when a person accepts the rows.

    Raises
    ------
    DataError
        A column that the case names is not in the table, or too few rows have a target.
    """
    with opened(path, case.target) as (rows, columns):
        _, n_rows = usable(path, rows, case)
        facts = look(rows, columns, n_rows)
        kinds = dict(zip((column.name for column in columns), _kinds(rows, columns, facts, n_rows), strict=True))
        ends = dict(zip((column.name for column in columns), _all_ends(rows, columns, facts, kinds), strict=True))
        levels = _levels(columns, kinds, facts)
        outliers = _outliers(rows, [column for column in columns if kinds[column.name][0] in NUMBERS], n_rows) if tolerant else {}
        repeated = rows.repeated([column for column in columns if column.name not in case.id_columns]) if tolerant else None
    terms = {
        column.name: ColumnTerms(
            type=kinds[column.name][0],
            format=kinds[column.name][1],
            expect=_limits(
                column,
                kinds[column.name][0],
                facts[column.name],
                ends[column.name],
                case,
                levels.get(column.name),
                outliers.get(column.name),
            ),
        )
        for column in columns
    }
    table = TableLimits(
        rows=max(case.validation.min_rows, math.floor(n_rows * FEWEST_ROWS)),
        duplicates=None if repeated is None else _share_with_room(repeated / n_rows),
    )
    return Terms(snapshot=snapshot[:12] if snapshot else None, table=TableTerms(expect=table), columns=terms)


Kinds = dict[str, tuple[ColumnType, str | None]]


def _kinds(
    rows: Rows, columns: Sequence[Column], facts: dict[str, Facts], n_rows: int
) -> Iterator[tuple[ColumnType, str | None]]:  # fmt: skip
    """Give the type of each column, and the format of its dates if they are text."""
    texts = [column for column in columns if column.stored == "string"]
    sampled = {column.name: kind for column, kind in zip(texts, _text_kinds(rows, texts, facts, n_rows), strict=True)}
    stored: dict[str, ColumnType] = {"int64": "integer", "double": "number", "bool": "boolean"}
    for column in columns:
        yield sampled.get(column.name) or (stored.get(column.stored, "date"), None)


def _text_kinds(
    rows: Rows, texts: Sequence[Column], facts: dict[str, Facts], n_rows: int
) -> Iterator[tuple[ColumnType, str | None]]:  # fmt: skip
    """Give the type of each column of text: a few thousand rows propose it, dates have to hold in all of them."""
    every = max(1, n_rows // _FEW_TEXTS)
    dates: dict[str, str] = {}
    proposed: dict[str, ColumnType] = {}
    for first in range(0, len(texts), 500):
        some = texts[first : first + 500]
        frame = rows.select(", ".join(column.sql for column in some), f"{ROW} % {every} = 0").df()
        for column in some:
            kind, date_format = kind_of(frame[column.sql])
            proposed[column.name] = "text" if kind == "text" else "category"
            if kind == "date" and date_format is not None:
                dates[column.name] = date_format
    candidates = [column for column in texts if column.name in dates]
    holding = _holding(rows, candidates, facts, [[dates[column.name]] for column in candidates])
    others = [column for column in candidates if column.name not in holding]
    holding |= _holding(rows, others, facts, [[way for way in DATE_FORMATS if way != dates[column.name]] for column in others])
    for column in texts:
        found = holding.get(column.name)
        yield ("date", found) if found else (proposed[column.name], None)


def _holding(
    rows: Rows, columns: Sequence[Column], facts: dict[str, Facts], formats: Sequence[Sequence[str]]
) -> dict[str, str]:  # fmt: skip
    """Return the first of its formats that every text of a column has, for the columns of which one does."""
    asked = [
        (column, [f"count({_strictly(column, way)}) = count({column.sql})" for way in ways])
        for column, ways in zip(columns, formats, strict=True)
    ]
    found: dict[str, str] = {}
    for (column, verdicts), ways in zip(_over_texts(rows, asked, facts), formats, strict=True):
        held = next((way for way, holds in zip(ways, verdicts, strict=True) if holds), None)
        if held is not None:
            found[column.name] = held
    return found


def _over_texts(
    rows: Rows, asked: Sequence[tuple[Column, Sequence[str]]], facts: dict[str, Facts]
) -> Iterator[tuple[Column, list[Any]]]:  # fmt: skip
    """Give the values of aggregates over columns of text that do not depend on how often a text stands there.

    Where the texts are few they are asked instead of the rows; the other columns are asked together, in one scan.
    """
    scanned = [expression for column, expressions in asked if facts[column.name].levels is None for expression in expressions]
    values = iter(rows.aggregates(scanned))
    for column, expressions in asked:
        one = facts[column.name]
        if one.levels is None:
            yield column, [next(values) for _ in expressions]
        else:
            yield column, rows.of_levels(column, one.levels, one.rows - one.filled, expressions) if expressions else []


def _strictly(column: Column, date_format: str) -> str:
    """Return a text as a moment by one format alone."""
    return column.moment(None) if date_format == "ISO8601" else f"try_strptime({column.sql}, '{date_format}')"


def _all_ends(rows: Rows, columns: Sequence[Column], facts: dict[str, Facts], kinds: Kinds) -> Iterator[Ends]:
    """Give the ends of each column: known ones as they are; only infinite numbers and moments have to be asked for."""
    asked = []
    for column in columns:
        kind, date_format = kinds[column.name]
        if kind == "date":
            asked.append((column, column.moment(date_format)))
        elif kind in NUMBERS and not (_finite(facts[column.name].low) and _finite(facts[column.name].high)):
            asked.append((column, f"CASE WHEN isfinite({column.number}) THEN {column.number} END"))
    found = {
        column.name: (low, high)
        for column, (low, high) in _over_texts(rows, [(one, [f"min({value})", f"max({value})"]) for one, value in asked], facts)
    }
    for column in columns:
        one = facts[column.name]
        yield found.get(column.name, (one.low, one.high) if kinds[column.name][0] in NUMBERS else (None, None))


def _finite(end: float | None) -> bool:
    """Return whether an end of a column is a number."""
    return end is not None and math.isfinite(end)


def far_out(rows: Rows, columns: Sequence[Column], n_rows: int) -> dict[str, tuple[float, float]]:
    """Return the fences of columns of numbers: three interquartile ranges outside the quartiles (Tukey 1977's "far out").

    Quartiles are those of evenly spread rows, about a hundred thousand, so that the same file always has the same fences. A column
    whose quartiles are the same has none.
    """
    every = max(1, n_rows // SAMPLED)
    fences = {}
    for first in range(0, len(columns), 200):
        some = columns[first : first + 200]
        asked = ", ".join(f"{column.number} AS v{column.position}" for column in some)
        answer = rows.select(asked, f"{ROW} % {every} = 0").fetchnumpy()
        for column in some:
            low, high = _quartiles(answer[f"v{column.position}"])
            width = high - low
            if width > 0:
                fences[column.name] = (low - 3 * width, high + 3 * width)
    return fences


def _quartiles(values: Any) -> tuple[float, float]:
    """Return the quartiles of the finite values of a column; zeros if it has none."""
    filled = np.ma.compressed(values).astype(np.float64)
    finite = filled[np.isfinite(filled)]
    if not len(finite):
        return 0.0, 0.0
    low, high = np.quantile(finite, [0.25, 0.75])
    return float(low), float(high)


def _levels(columns: Sequence[Column], kinds: Kinds, facts: dict[str, Facts]) -> dict[str, tuple[str, ...]]:
    """Return the levels of the columns that have few of them, each often."""
    found = {}
    for column in columns:
        one = facts[column.name]
        few = kinds[column.name][0] == "category" and one.levels is not None and 0 < len(one.levels) <= MOST_LEVELS
        if few and one.filled >= FEWEST_PER_LEVEL * len(one.levels or ()):
            found[column.name] = tuple(sorted(one.levels or ()))
    return found


def _limits(
    column: Column, kind: ColumnType, facts: Facts, ends: Ends, case: Any, levels: tuple[str, ...] | None, outliers: float | None
) -> Limits:
    """Return what is expected of one column."""
    low, high = _ends(kind, ends)
    named = column.name in case.id_columns and len(case.id_columns) == 1
    missing: float | None = _share_with_room(1 - facts.filled / facts.rows)
    if column.name == case.target:
        missing = None  # such rows are left out
    elif named and facts.filled == facts.rows:
        missing = 0.0
    return Limits(
        missing=missing,
        minimum=None if named else low,
        maximum=None if named else high,
        levels=levels,
        unique=named,
        outliers=outliers if not named and column.name != case.target else None,
    )


def _outliers(rows: Rows, columns: Sequence[Column], n_rows: int) -> dict[str, float]:
    """Return the share of far outliers to be expected, of the columns in which it is above what is usual."""
    fences = far_out(rows, columns, n_rows)
    fenced = [column for column in columns if column.name in fences]
    counts = rows.aggregates([f"count_if({beyond(column, fences[column.name])})" for column in fenced])
    shares = {column.name: count / n_rows for column, count in zip(fenced, counts, strict=True)}
    return {name: _share_with_room(share) for name, share in shares.items() if share > OUTLIERS}


def beyond(column: Column, ends: tuple[float, float]) -> str:
    """Return the condition that a finite number lies outside a range."""
    value = column.sql if column.stored == "double" else column.number  # not-a-number is greater than every number to DuckDB
    least, greatest = f"{-LARGEST!r}::DOUBLE", f"{LARGEST!r}::DOUBLE"
    low = f"{value} < {ends[0]!r}::DOUBLE AND {value} >= {least}"
    return f"coalesce(({low}) OR ({value} > {ends[1]!r}::DOUBLE AND {value} <= {greatest}), false)"


def _share_with_room(share: float) -> float:
    """Return a share that next month's table may well have: what was seen and half as much again, nothing if nothing was."""
    return min(1.0, round(math.ceil(share * 1.5 * 1000) / 1000 + 0.01, 3)) if share > 0 else 0.01


def _ends(kind: ColumnType, ends: Ends) -> Ends:
    """Return the range that is expected, with slack beyond what was seen; of dates only the beginning, since time goes on."""
    first, last = ends
    if kind == "date":
        return (first.date().isoformat() if isinstance(first, datetime) else None), None
    if kind not in NUMBERS or first is None or first == last:
        return None, None
    if kind == "integer" and last - first == 1:
        return float(first), float(last)  # a flag
    width = float(last) - float(first)
    room = width * SLACK
    low, high = (_rounded(float(first) - room, width, math.floor), _rounded(float(last) + room, width, math.ceil))
    if first >= 0 > low:
        low = 0.0  # what is never negative is expected to stay so
    return (low if math.isfinite(low) else None), (high if math.isfinite(high) else None)


def _rounded(value: float, width: float, towards: Any) -> float:
    """Return a limit as a person would write it: rounded outwards to two significant digits, or to less than a range's width."""
    if value == 0 or not math.isfinite(value) or not math.isfinite(width):
        return value
    step = 10.0 ** math.floor(min(math.log10(abs(value)) - 1, math.log10(width)))
    return float(f"{towards(value / step) * step:.12g}")
