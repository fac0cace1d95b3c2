"""How many rows move a limit when a contract is accepted, and how far: a few wrong ones must not widen it unseen."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gristmill.data.contract.checks import Check
from gristmill.data.contract.column_sql import ROW, Column, Rows, opened
from gristmill.data.contract.evolution import Change
from gristmill.data.contract.terms import NUMBERS, ColumnTerms, Limits, Terms
from gristmill.data.snapshots.parquet_queries import quoted

FEW = 0.01
"""Share of the rows up to which they are few for what they change."""

WIDER = 1.5
"""How many times as wide a range has to become to be widened by much."""

_SHOWN = 3
_ENDS = {"expect.minimum": ("minimum", "<", "ASC"), "expect.maximum": ("maximum", ">", "DESC")}


def explained(path: Path, case: Any, old: Terms, new: Terms, found: Sequence[Check], changes: Sequence[Change]) -> list[Change]:
    """Return changes with a note on the rows behind each: how many, the farthest, and a caution where few rows change much.

    Parameters
    ----------
    path
        Parquet file of the rows.
    case
        The case.
    old, new
        The contract there is, and the one that follows.
    found
        Verdicts of the rows on ``old``.
    changes
        What is different.
    """
    broken = {(check.column, check.rule.removeprefix("expected ")): check for check in found if not check.passed}
    with opened(path, case.target) as (rows, columns):
        (n_rows,) = rows.aggregates(["count(*)"])
        there = {column.name: column for column in columns}

        def note(change: Change) -> str:
            check = broken.get((change.place, change.key.removeprefix("expect.")))
            if check is None or change.place not in there or not (change.key == "type" or change.key.startswith("expect.")):
                return ""
            before, after = old.columns[change.place], new.columns[change.place]
            if change.key in _ENDS:
                said = _beyond(rows, there[change.place], before, change.key, check.count, n_rows, case)
            else:
                said = f"{_rows(check.count, n_rows)}{_such(check)}"
            much = change.key == "type" or _times_as_wide(before.expect, after.expect) >= WIDER
            return said + (_caution(change.key, before, after) if much and check.count <= max(1, FEW * n_rows) else ".")

        return [replace(change, note=note(change)) for change in changes]


def _rows(count: int, n_rows: int) -> str:
    return f"{count:,} row{'s' if count > 1 else ''} of {n_rows:,} depart{'' if count > 1 else 's'} from it"


def _such(check: Check) -> str:
    """Return the first examples of a verdict."""
    if check.examples and check.where:
        return f", such as {check.examples[0]!r} in {check.where[0]}"
    return f", such as {check.where[0]}" if check.where else ""


def _beyond(rows: Rows, column: Column, known: ColumnTerms, key: str, count: int, n_rows: int, case: Any) -> str:
    """Say how many rows lie beyond an end of a range, and which lie farthest."""
    name, sign, order = _ENDS[key]
    end = getattr(known.expect, name)
    numbers = known.type in NUMBERS
    value = column.number if numbers else column.moment(known.format)
    limit = f"{float(end)!r}::DOUBLE" if numbers else f"CAST({quoted(str(end))} AS TIMESTAMP)"
    named = [one for one in rows.columns if one.name in case.id_columns]
    asked = ", ".join([ROW, column.level, *(one.level for one in named)])
    answer = rows.select(asked, f"{value} {sign} {limit}", f"ORDER BY {value} {order}, {ROW} LIMIT {_SHOWN}").fetchall()
    farthest = [f"{one[1]} ({_place(one[0], named, one[2:])})" for one in answer]
    many = f"{count:,} row{'s' if count > 1 else ''} of {n_rows:,} {'are' if count > 1 else 'is'} beyond"
    return f"{many}; {'the farthest' if count > 1 else 'it holds'}: {', '.join(farthest)}"


def _place(number: int, named: Sequence[Column], ids: Sequence[Any]) -> str:
    """Say which row is meant: by its identifiers, or by its number from 1."""
    if named and None not in ids:
        return ", ".join(f"{column.name} {value}" for column, value in zip(named, ids, strict=True))
    return f"row {number + 1:,}"


def _times_as_wide(before: Limits, after: Limits) -> float:
    """Return how many times as wide a range of numbers becomes; 1 where it has no two ends."""
    ends = (before.minimum, before.maximum, after.minimum, after.maximum)
    if any(end is None or isinstance(end, str) for end in ends):
        return 1.0
    low, high, new_low, new_high = (float(end) for end in ends if end is not None)
    return (new_high - new_low) / (high - low) if high > low else 1.0


def _caution(key: str, before: ColumnTerms, after: ColumnTerms) -> str:
    """Warn of a change that few rows make."""
    change = "the type" if key == "type" else f"a range {_times_as_wide(before.expect, after.expect):,.1f} times as wide"
    return f". Caution: so few rows make {change}; if they are mistakes, mend the source in place of accepting them."
