"""How a contract moves on: what a table has that its contract has not, and what accepting it changes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gristmill.data.contract.checks import Check
from gristmill.data.contract.column_sql import Column
from gristmill.data.contract.schema import nearest_column
from gristmill.data.contract.terms import ColumnTerms, Limits, TableLimits, Terms


def checks(columns: Sequence[Column], terms: Terms, case: str) -> Iterator[Check]:
    """Give the verdicts on the columns themselves: one for each of the contract, one for each new one."""
    there = {column.name for column in columns}
    for name in terms.columns:
        near = (
            nearest_column(name, sorted(there - set(terms.columns)))
            if there - set(terms.columns)
            else "it has no other new column."
        )
        yield Check(
            "column present", name, terms.severity_of("missing_column", name), name in there, int(name not in there),
            f"The column {name!r} of the data contract is there." if name in there
            else f"The column {name!r} of the data contract is not in the table; {near} Bring it back, or run `gristmill contract "
            f"accept {case}` if it is gone for good.",
        )  # fmt: skip
    new = [column.name for column in columns if column.name not in terms.columns]
    for name in new:
        yield Check(
            "no new column", name, terms.severity.new_column, passed=False, count=1,
            message=f"The column {name!r} is not in the data contract; `gristmill contract accept {case}` adds it.",
        )  # fmt: skip
    if not new:
        yield Check(
            "no new column", None, terms.severity.new_column, passed=True, count=0, message="The contract knows every column."
        )


@dataclass(frozen=True)
class Change:
    """One difference between two contracts.

    Attributes
    ----------
    place
        The column, or ``the table``.
    what
        What is different, in words.
    key
        What it is about: ``type``, ``expect.maximum``; empty if it is no limit.
    note
        Which rows are behind it, in words.
    """

    place: str
    what: str
    key: str = ""
    note: str = ""


def merged(old: Terms | None, new: Terms, broken: Sequence[Check]) -> Terms:
    """Return the contract that follows ``old`` when a person accepts the rows which suggest ``new``.

    Whatever the rows do not contradict stays as it is, edits of people included: types, limits under ``expect`` that they keep,
    everything under ``require``, severities, the order of the columns. A column that is gone is left out, a new one added, a
    retyped one and a limit under ``expect`` that the rows break are taken from ``new``.

    Parameters
    ----------
    old, new
        The contract there was, or None; and what the rows suggest.
    broken
        Verdicts of the rows on ``old`` that are not passed.
    """
    if old is None:
        return new
    wrong = {(check.column, check.rule.removeprefix("expected ")) for check in broken}
    columns = {
        name: _column(column, new.columns[name], {rule for place, rule in wrong if place == name})
        for name, column in old.columns.items() if name in new.columns
    }  # fmt: skip
    columns.update({name: column for name, column in new.columns.items() if name not in columns})
    expect = old.table.expect.model_copy(update={
        limit: getattr(new.table.expect, limit)
        for rule, limit in (("rows", "rows"), ("no duplicates", "duplicates"), ("completeness of the contract", "completeness"))
        if (None, rule) in wrong and getattr(old.table.expect, limit) is not None
    })  # fmt: skip
    freshness = {limits: None for limits in ("expect", "require") if _names_no_date(getattr(old.table, limits), columns)}
    table = old.table.model_copy(update={"expect": expect})
    for block in freshness:
        table = table.model_copy(update={block: getattr(table, block).model_copy(update={"freshness": None})})
    return Terms(snapshot=new.snapshot, table=table, severity=old.severity, columns=columns)


def _names_no_date(limits: TableLimits, columns: dict[str, ColumnTerms]) -> bool:
    """Return whether a limit of freshness is about a column that is gone, or is no date any more."""
    return limits.freshness is not None and (
        limits.freshness.column not in columns or columns[limits.freshness.column].type != "date"
    )


_LIMITS = {"missing": "missing", "minimum": "minimum", "maximum": "maximum", "levels": "levels", "pattern": "pattern",
           "unique": "unique", "outliers": "outliers"}  # fmt: skip
"""Rule -> the limit it is about."""


def _column(old: ColumnTerms, new: ColumnTerms, wrong: set[str]) -> ColumnTerms:
    """Return the terms that follow for one column; ``wrong`` are the rules that its rows break."""
    if "type" in wrong:
        return new.model_copy(update={"severity": old.severity})
    update: dict[str, Any] = {}
    for rule in wrong & set(_LIMITS):
        limit = _LIMITS[rule]
        if limit in old.expect.stated:
            update[limit] = _widened(limit, getattr(old.expect, limit), getattr(new.expect, limit))
    kind = {"type": "number"} if "whole numbers" in wrong else {}
    return old.model_copy(update={**kind, "expect": old.expect.model_copy(update=update)}) if update or kind else old


def _widened(limit: str, old: Any, new: Any) -> Any:
    """Return the limit that follows one which rows break: levels are added to, the others are renewed."""
    if limit == "levels":
        return None if new is None else tuple(dict.fromkeys((*old, *new)))
    return False if limit == "unique" else new


def differences(old: Terms | None, new: Terms) -> list[Change]:
    """Return what is different between two contracts, the table first."""
    if old is None:
        return [Change("the table", f"has a contract now, of {len(new.columns):,} columns")]
    found = [
        *(Change("the table", change) for block in ("expect", "require")
          for change in _limits(getattr(old.table, block), getattr(new.table, block), block)),
        *(Change("the table", f"severity of {rule}: {was} -> {getattr(new.severity, rule)}")
          for rule, was in old.severity.model_dump().items() if was != getattr(new.severity, rule)),
    ]  # fmt: skip
    for name in dict.fromkeys((*old.columns, *new.columns)):
        changes = _column_changes(old.columns.get(name), new.columns.get(name))
        found += [Change(name, what, what.partition(":")[0] if ": " in what else "") for what in changes]
    return found


def _column_changes(old: ColumnTerms | None, new: ColumnTerms | None) -> Iterator[str]:
    """Give what is different in one column."""
    if old is None or new is None:
        yield f"is new, of type {new.type}" if new is not None else "is gone"
        return
    for key in ("type", "format"):
        if getattr(old, key) != getattr(new, key):
            yield f"{key}: {getattr(old, key) or 'none'} -> {getattr(new, key) or 'none'}"
    yield from _limits(old.expect, new.expect, "expect")
    yield from _limits(old.require, new.require, "require")
    if old.severity != new.severity:
        yield "other severities"


def _limits(old: Limits | TableLimits, new: Limits | TableLimits, block: str) -> Iterator[str]:
    """Give what is different between two blocks of limits."""
    before, after = old.stated, new.stated
    for name in type(old).model_fields:
        if before.get(name) != after.get(name):
            yield f"{block}.{name}: {_shown(before.get(name), after.get(name))}"


def _shown(before: Any, after: Any) -> str:
    """Return a change of one limit; of lists, what came and went."""
    if isinstance(before, tuple) and isinstance(after, tuple):
        came, went = [one for one in after if one not in before], [one for one in before if one not in after]
        return ", ".join([*(f"+ {one!r}" for one in came), *(f"- {one!r}" for one in went)])
    return f"{_value(before)} -> {_value(after)}"


def _value(value: Any) -> str:
    """Return a limit in a word."""
    if isinstance(value, tuple):
        return f"{len(value):,} values"
    if hasattr(value, "model_dump"):
        return ", ".join(f"{key} {item}" for key, item in value.model_dump().items())
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
