"""What the rows of each column hold, counted in few scans: a contract is inferred from it, and held against it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gristmill.data.contract.column_sql import Column, Rows

MOST_SPELLED = 10_000
"""Levels up to which the rows of each are counted."""

_looked: dict[Any, "dict[str, Facts]"] = {}
"""What was found in the file that was looked at last: a snapshot is looked at for its contract and, right after, against it."""


@dataclass(frozen=True)
class Facts:
    """What the rows of one column hold.

    Attributes
    ----------
    rows, filled
        All rows, and those with a value.
    varies
        Whether there is more than one value.
    low, high
        Ends of a column stored as numbers, infinite ones included; else None.
    levels
        Rows of each text, of a column of text with up to ten thousand of them; else None.
    """

    rows: int
    filled: int
    varies: bool
    low: float | None = None
    high: float | None = None
    levels: dict[str, int] | None = None


def look(rows: Rows, columns: Sequence[Column], n_rows: int) -> dict[str, Facts]:
    """Return what each column holds: one scan for the ends, one for the levels of text; none for the file looked at last."""
    if rows.identity not in _looked:
        found = _look(rows, columns, n_rows)
        _looked.clear()
        _looked[rows.identity] = found
    return _looked[rows.identity]


def _look(rows: Rows, columns: Sequence[Column], n_rows: int) -> dict[str, Facts]:
    asked = []
    for column in columns:
        value, text = without_nan(column), column.stored == "string"
        ends = [f"approx_count_distinct({column.sql})", "NULL"] if text else [f"min({value})", f"max({value})"]
        asked += [f"count({value})", *ends]
    found = rows.aggregates(asked)
    seen = {column.name: found[3 * number : 3 * number + 3] for number, column in enumerate(columns)}
    texts = [column for column in columns if column.stored == "string"]
    few = [column for column in texts if seen[column.name][1] <= MOST_SPELLED]
    counted = rows.aggregates([f"histogram({column.sql})" for column in few])
    levels = {column.name: dict(counts or {}) for column, counts in zip(few, counted, strict=True)}
    return {column.name: _facts(column, n_rows, seen[column.name], levels.get(column.name)) for column in columns}


def without_nan(column: Column) -> str:
    """Return a column as it is stored, not-a-number as missing."""
    return f"nullif({column.sql}, 'nan'::DOUBLE)" if column.stored == "double" else column.sql


def _facts(column: Column, n_rows: int, seen: Sequence[Any], levels: dict[str, int] | None) -> Facts:
    filled, low, high = seen
    if column.stored == "string":  # beyond ten thousand levels there is more than one
        return Facts(n_rows, filled, varies=levels is None or len(levels) > 1, levels=levels)
    numbers = column.stored in {"int64", "double"}
    return Facts(n_rows, filled, varies=low != high, low=low if numbers else None, high=high if numbers else None)
