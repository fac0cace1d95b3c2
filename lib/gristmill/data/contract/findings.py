"""What is suspicious in a column whatever its contract says: one value only, mostly missing, spoiled numbers, spellings."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from gristmill.data.contract.checks import MOST_EXAMPLES, Check
from gristmill.data.contract.column_sql import ROW, Column, Rows
from gristmill.data.contract.facts import Facts
from gristmill.data.contract.schema import is_idle
from gristmill.data.contract.terms import Terms

MOSTLY_MISSING = 0.5
MOSTLY_NUMBERS = 0.8
_SAMPLED = 10_000
_LIKELY = 0.7
"""Share of numbers in ten thousand rows below which all rows are not looked at: those of 80 % would be far from it."""


def _is_number(text: str) -> bool:
    """Return whether a text reads as a number."""
    try:
        return not math.isnan(float(text)) and "_" not in text
    except ValueError:
        return False


def findings(rows: Rows, columns: Sequence[Column], facts: dict[str, Facts], terms: Terms, case: Any) -> Iterator[Check]:
    """Give the verdicts on what is suspicious in each column; in one that serves nothing, only what its contract asks for."""
    for column in columns:
        if column.name != case.target and _is_judged(column.name, "constant", terms, case):
            yield from _constant(column.name, facts[column.name], terms)
    texts = [
        column for column in columns
        if _is_judged(column.name, "spellings", terms, case) and column.stored == "string" and facts[column.name].filled
        and (column.name not in terms.columns or terms.columns[column.name].type == "category")
    ]  # fmt: skip
    many = [column for column in texts if facts[column.name].levels is None]
    likely = _mostly_numbers(rows, many, facts)
    counted = dict.fromkeys((column.name for column in many), 0) | dict(
        zip((column.name for column in likely), rows.aggregates([f"count({column.number})" for column in likely]), strict=True)
    )
    for column in texts:
        levels = facts[column.name].levels
        numbers = counted[column.name] if levels is None else sum(count for level, count in levels.items() if _is_number(level))
        spoiled = MOSTLY_NUMBERS <= numbers / facts[column.name].filled < 1
        yield _numbers(rows, column, facts[column.name].filled - numbers, terms, spoiled=spoiled)
        if levels is not None and not spoiled:
            yield _spelling(column.name, levels, terms)


def _is_judged(name: str, rule: str, terms: Terms, case: Any) -> bool:
    """Return whether a column is for something, or its contract has a severity of its own for a rule."""
    return not is_idle(name, case) or (name in terms.columns and getattr(terms.columns[name].severity, rule) is not None)


def _mostly_numbers(rows: Rows, columns: Sequence[Column], facts: dict[str, Facts]) -> list[Column]:
    """Return the columns of text of which a few thousand evenly spread rows say that they may hold numbers for the most part."""
    every = max(1, max((facts[column.name].rows for column in columns), default=0) // _SAMPLED)
    asked = ", ".join(f"count({column.number}), count({column.sql})" for column in columns)
    found = rows.select(asked, f"{ROW} % {every} = 0").fetchone() if columns else None
    seen = dict(zip((column.name for column in columns), zip((found or ())[::2], (found or ())[1::2], strict=True), strict=True))
    return [column for column in columns if not seen[column.name][1] or seen[column.name][0] >= _LIKELY * seen[column.name][1]]


def _constant(name: str, facts: Facts, terms: Terms) -> Iterator[Check]:
    """Judge whether a column can tell rows apart."""
    n_rows = facts.rows
    severity, missing = terms.severity_of("constant", name), n_rows - facts.filled
    few = missing <= MOSTLY_MISSING * n_rows
    yield Check("mostly filled", name, severity, few, missing, f"{name!r} is missing in {missing:,} of {n_rows:,} rows.")
    varies = facts.varies or 0 < facts.filled < n_rows
    said = "differs between rows" if varies else "has one value only: it tells nothing" if facts.filled else "has no value at all"
    yield Check("varies", name, severity, varies, 0 if varies else n_rows, f"{name!r} {said}.")


def _numbers(rows: Rows, column: Column, n_others: int, terms: Terms, *, spoiled: bool) -> Check:
    """Judge whether a few texts keep a column from being one of numbers."""
    name, severity = column.name, terms.severity_of("spellings", column.name)
    if not spoiled:
        return Check(
            "numbers as numbers", name, severity, passed=True, count=0, message=f"{name!r} has levels, not spoiled numbers."
        )
    others = f"{column.number} IS NULL AND NOT {column.missing}"
    found = rows.select(
        f"{column.sql} AS v, count(*) AS n", others, f"GROUP BY v ORDER BY n DESC, v LIMIT {MOST_EXAMPLES}"
    ).fetchall()
    examples = tuple(str(value) for value, _ in found)
    return Check(
        "numbers as numbers", name, severity, passed=False, count=n_others, examples=examples,
        message=f"{name!r} would be numeric but for {n_others:,} rows such as "
        f"{', '.join(map(repr, examples[:3]))}; if they mean \"missing\", say so in `source.options.missing`.",
    )  # fmt: skip


def _spelling(name: str, counts: dict[str, int], terms: Terms) -> Check:
    """Judge whether levels differ in case and blanks only."""
    alike: dict[str, list[str]] = {}
    for level in sorted(counts):
        alike.setdefault(level.strip().casefold(), []).append(level)
    several = [level for levels in alike.values() if len(levels) > 1 for level in levels]
    return Check(
        "one spelling", name, terms.severity_of("spellings", name), not several, sum(counts[level] for level in several),
        f"{name!r} spells levels in several ways: {', '.join(map(repr, several[:MOST_EXAMPLES]))}." if several
        else f"No two levels of {name!r} differ only in case or blanks.",
        tuple(several[:MOST_EXAMPLES]),
    )  # fmt: skip
