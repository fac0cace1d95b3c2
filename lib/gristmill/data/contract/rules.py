"""The rules of a contract that hold row by row: a condition in SQL that a row breaks, and the sentence that says so."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from gristmill.config.sections.data import ColumnRule
from gristmill.data.contract.checks import Severity
from gristmill.data.contract.column_sql import Column
from gristmill.data.contract.facts import Facts
from gristmill.data.contract.terms import NUMBERS, ColumnTerms, Limits, Terms
from gristmill.data.snapshots.parquet_queries import quoted

_BLANKS = "chr(32) || chr(9) || chr(10) || chr(13)"
LARGEST = sys.float_info.max
_IN_THE_CONTRACT = "the data contract"
_IN_THE_CASE = "`validation.columns` of the case file"


@dataclass(frozen=True)
class RowRule:
    """A rule that each row keeps or breaks by itself.

    Attributes
    ----------
    rule, column, severity
        As in a verdict.
    broken
        Condition in SQL, never NULL: the row breaks the rule.
    wrong
        What such a row is or has: "below 1".
    advice
        What to do about it, a sentence or more.
    allowed
        Share of the rows that may break it.
    limit
        What is allowed, as the contract has it.
    shows
        Whether the values that break it are worth showing.
    known
        How many rows break it, if what is known of the column tells; else None, and they have to be counted.
    """

    rule: str
    column: Column
    severity: Severity
    broken: str
    wrong: str
    advice: str
    allowed: float = 0.0
    limit: Any = None
    shows: bool = True
    known: Callable[[Facts], int | None] = lambda _: None


def of_contract(terms: Terms, columns: list[Column]) -> Iterator[RowRule]:
    """Give the rules of the contract for the columns that the table has."""
    for column in columns:
        known = terms.columns.get(column.name)
        if known is not None:
            yield from _of_type(column, known, terms)
            required = list(_of_limits(column, known, known.require, "stop"))
            yield from required
            stricter = {rule.rule for rule in required}
            for rule in _of_limits(column, known, known.expect, "warn"):
                yield replace(rule, rule=f"expected {rule.rule}") if rule.rule in stricter else rule


def _of_type(column: Column, known: ColumnTerms, terms: Terms) -> Iterator[RowRule]:
    """Give the rules that follow from a column's type."""
    unreadable = column.unreadable(known.type, known.format)
    said = {"date": "dates", "boolean": "true or false", "integer": "numbers", "number": "numbers"}.get(known.type, known.type)
    yield RowRule(
        "type", column, terms.severity_of("retyped", column.name), unreadable or "false", f"not {said}",
        f"the data contract says `type: {known.type}`. Mend the source (a word for \"missing\" can be named in "
        "`source.options.missing`); or run `gristmill contract accept` if the column has changed for good.",
        limit=known.type,
    )  # fmt: skip
    if known.type == "integer" and column.stored in {"double", "string"}:
        fraction = f"coalesce({column.number} <> trunc({column.number}), false)"
        yield RowRule(
            "whole numbers", column, terms.severity_of("fractions", column.name), fraction, "no whole numbers",
            "the data contract says `type: integer`; write `number` there if fractions are right.",
        )  # fmt: skip


def of_case(column: Column, rule: ColumnRule) -> Iterator[RowRule]:
    """Give the rules that the case file sets for a column; they stop the build."""
    limits = Limits(
        missing=0.0 if rule.required else None, minimum=rule.minimum, maximum=rule.maximum, levels=rule.levels,
    )  # fmt: skip
    number = ColumnTerms(type="number", require=Limits())
    for one in _of_limits(column, number, limits, "stop", _IN_THE_CASE):
        yield replace(one, rule="required") if one.rule == "missing" else one


def _of_limits(
    column: Column, known: ColumnTerms, limits: Limits, severity: Severity, stated_in: str = _IN_THE_CONTRACT
) -> Iterator[RowRule]:
    """Give a rule for each limit that the rows break one by one."""
    asked = f"{stated_in} {'forbids' if severity == 'stop' else 'does not expect'} it."

    def rule(name: str, broken: str, wrong: str, **more: Any) -> RowRule:
        return RowRule(name, column, severity, f"coalesce({broken}, false)", wrong, asked, **more)

    if limits.missing is not None:
        allowed = {
            "allowed": limits.missing,
            "limit": limits.missing,
            "shows": False,
            "known": lambda facts: facts.rows - facts.filled,
        }
        yield rule("missing", column.missing, "missing", **allowed)
    for name, sign, end, word in (("minimum", "<", limits.minimum, "below"), ("maximum", ">", limits.maximum, "above")):
        if end is not None:
            shown = f"{end:g}" if isinstance(end, float) else str(end)
            yield rule(
                name,
                f"{_ordered(column, known)} {sign} {_end(end, known)}",
                f"{word} {shown}",
                limit=end,
                known=_within(**{name: end}),
            )
    if limits.levels is not None:
        known_levels = ", ".join(quoted(level) for level in limits.levels) or "NULL"
        few = ", ".join(map(repr, limits.levels[:8])) + (", ..." if len(limits.levels) > 8 else "")
        broken = f"NOT {column.missing} AND {column.level} NOT IN ({known_levels})" if limits.levels else f"NOT {column.missing}"
        allowed_levels = frozenset(limits.levels)
        yield rule(
            "levels",
            broken,
            f"not among {few}",
            limit=list(limits.levels),
            known=_counting(lambda text: text not in allowed_levels),
        )
    if limits.pattern is not None:
        broken = f"NOT regexp_full_match({column.level}, {quoted(limits.pattern)})"
        yield rule("pattern", broken, f"not as the pattern {limits.pattern!r}", limit=limits.pattern)


def _within(minimum: Any = None, maximum: Any = None) -> Callable[[Facts], int | None]:
    """Return what tells that no number lies outside a range; how many do has to be counted."""

    def known(facts: Facts) -> int | None:
        if facts.low is None or facts.high is None or isinstance(minimum, str) or isinstance(maximum, str):
            return None
        return 0 if (minimum is None or facts.low >= minimum) and (maximum is None or facts.high <= maximum) else None

    return known


def within(ends: tuple[float, float]) -> Callable[[Facts], int | None]:
    """Return what tells that no number lies outside a range."""
    return _within(*ends)


def _counting(breaks: Callable[[str], bool]) -> Callable[[Facts], int | None]:
    """Return what tells how many rows hold a text that breaks a rule, where the texts are few."""
    return lambda facts: None if facts.levels is None else sum(n for text, n in facts.levels.items() if breaks(text))


def _ordered(column: Column, known: ColumnTerms) -> str:
    """Return a value as something that has an order."""
    return column.moment(known.format) if known.type == "date" else column.number


def _end(end: float | str, known: ColumnTerms) -> str:
    """Return an end of a range in SQL."""
    if known.type == "date":
        return f"CAST({quoted(str(end))} AS TIMESTAMP)"
    return f"{float(end)!r}::DOUBLE"


def always(column: Column, known: ColumnTerms, terms: Terms, case: Any) -> Iterator[RowRule]:
    """Give the rules that hold without a limit, for one column."""
    name = column.name
    if known.type in NUMBERS and column.stored != "bool":
        is_target = name == case.target and case.task == "regression"
        yield RowRule(
            "finite", column, "stop" if is_target else terms.severity_of("infinite", name),
            f"coalesce(isinf({column.number}), false)", "infinite",
            "a target must be finite; mend it in the source." if is_target else "they count as missing.",
            shows=False, known=_within(minimum=-LARGEST, maximum=LARGEST),
        )  # fmt: skip
    if column.stored == "string" and known.type in {"category", "text"}:
        empty = f"coalesce(CASE WHEN {column.sql} < '!' THEN trim({column.sql}, {_BLANKS}) = '' END, false)"  # "!" follows blanks
        yield RowRule(
            "no empty text", column, terms.severity_of("empty_text", name), empty,
            "empty text", "which is not the same as missing; if it means missing, store no value there.", shows=False,
            known=_counting(lambda text: not text.strip()),
        )  # fmt: skip
