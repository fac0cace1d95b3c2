"""A snapshot held against its contract: every rule on all rows, in a few scans by DuckDB, in memory that does not grow with them.

Rows without a target are counted and then left out, here as everywhere.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gristmill.data.contract import evolution, table_rules
from gristmill.data.contract.checks import MOST_EXAMPLES, Check
from gristmill.data.contract.column_sql import ROW, Column, Rows, opened
from gristmill.data.contract.facts import Facts, look
from gristmill.data.contract.findings import findings
from gristmill.data.contract.inference import beyond, far_out
from gristmill.data.contract.rules import RowRule, always, of_case, of_contract, within
from gristmill.data.contract.schema import is_idle, role_of
from gristmill.data.contract.terms import NUMBERS, OUTLIERS, Terms

MOST_SHOWN = 200
"""Broken rules whose rows are looked up; a table that breaks more is wrong as a whole."""


def validate(path: Path, terms: Terms, case: Any, taken_at: str | None = None) -> list[Check]:
    """Return the verdict of every rule on the rows of a snapshot.

    Parameters
    ----------
    path
        Its Parquet file.
    terms
        The data contract.
    case
        The case; ``validation`` and the columns it names add rules.
    taken_at
        When the snapshot was taken, in ISO form: freshness is judged as of then, so that the same snapshot is judged the same
        for ever. Without it, freshness is not judged.

    Raises
    ------
    DataError
        A column that the case names is not in the table, or too few rows have a target.
    """
    with opened(path, case.target) as (rows, columns):
        n_all, n_rows = table_rules.usable(path, rows, case)
        rules = [*_row_rules(rows, columns, terms, case, n_rows)]
        facts = look(rows, columns, n_rows)
        counts = _count(rows, rules, facts)
        return [
            *table_rules.checks(rows, columns, facts, terms, case, (n_all, n_rows), taken_at),
            *evolution.checks(columns, terms, case.name),
            *_by_column(columns, [*_verdicts(rows, rules, counts, n_rows, case)], findings(rows, columns, facts, terms, case)),
            *_classes(rows, columns, case),
        ]


def validate_rows(path: Path, terms: Terms, case: Any) -> list[Check]:
    """Return the verdict of every rule that rows break one by one, on rows that have no target, such as those that were served.

    What is asked of a table as a whole (its columns, duplicates, classes, freshness) is not asked of them.

    Parameters
    ----------
    path
        Their Parquet file, with some or all of the contract's columns.
    terms, case
        As for :func:`validate`.
    """
    with opened(path) as (rows, columns):
        (n_rows,) = rows.aggregates(["count(*)"])
        if not n_rows:
            return []
        rules = [*_row_rules(rows, columns, terms, case, int(n_rows))]
        counts = _count(rows, rules, look(rows, columns, int(n_rows)))
        return [*_by_column(columns, [*_verdicts(rows, rules, counts, int(n_rows), case)])]


def _row_rules(rows: Rows, columns: list[Column], terms: Terms, case: Any, n_rows: int) -> Iterator[RowRule]:
    """Give every rule that rows break one by one."""
    yield from of_contract(terms, columns)
    for column in columns:
        known = terms.columns.get(column.name)
        if known is not None:
            yield from always(column, known, terms, case)
        if column.name in case.validation.columns:
            yield from of_case(column, case.validation.columns[column.name])
    yield from _outliers(rows, columns, terms, case, n_rows)


def _outliers(rows: Rows, columns: list[Column], terms: Terms, case: Any, n_rows: int) -> Iterator[RowRule]:
    """Give the rule on far outliers of each feature of numbers; they are kept, this only says where they are.

    A column that serves nothing is judged only by a limit of its own.
    """
    judged = [
        column for column in columns
        if column.name in terms.columns and terms.columns[column.name].type in NUMBERS
        and role_of(column.name, case) in {"feature", "sensitive"}
        and (not is_idle(column.name, case) or terms.columns[column.name].limits_outliers)
    ]  # fmt: skip
    fences = far_out(rows, judged, n_rows)
    for column in judged:
        known = terms.columns[column.name]
        required, expected = known.require.outliers, known.expect.outliers
        allowed = next((share for share in (required, expected) if share is not None), OUTLIERS)
        yield RowRule(
            "outliers", column, "warn" if required is None else "stop",
            beyond(column, fences[column.name]) if column.name in fences else "false",
            "more than 3 interquartile ranges outside the quartiles", "they are kept.", allowed=allowed, limit=allowed,
            known=within(fences.get(column.name, (0.0, 0.0))),
        )  # fmt: skip


def _count(rows: Rows, rules: Sequence[RowRule], facts: dict[str, Facts]) -> list[int]:
    """Return how many rows break each rule; only what the facts leave open is counted, and only where levels do not tell."""
    counts = [0 if rule.broken == "false" else rule.known(facts[rule.column.name]) for rule in rules]
    open_rules: dict[str, list[int]] = {}
    for place, (rule, count) in enumerate(zip(rules, counts, strict=True)):
        if count is None:
            open_rules.setdefault(rule.column.name, []).append(place)
    scanned: list[int] = []
    for name, places in open_rules.items():
        one = facts[name]
        if one.levels is None:
            scanned += places
            continue
        conditions = [rules[place].broken for place in places]
        by_level = rows.count_by_level(rules[places[0]].column, one.levels, one.rows - one.filled, conditions)
        for place, count in zip(places, by_level, strict=True):
            counts[place] = count
    for place, count in zip(scanned, rows.aggregates([f"count_if({rules[place].broken})" for place in scanned]), strict=True):
        counts[place] = int(count)
    return [int(count or 0) for count in counts]


def _verdicts(rows: Rows, rules: Sequence[RowRule], counts: Sequence[int], n_rows: int, case: Any) -> Iterator[Check]:
    """Give the verdict on each rule, with examples if it is broken."""
    shown = 0
    for rule, count in zip(rules, counts, strict=True):
        passed = count <= rule.allowed * n_rows
        name = rule.column.name
        check = Check(
            rule.rule, name, rule.severity, passed, count, f"No row of the column {name!r} is {rule.wrong}.",
            limit=rule.limit, observed=count / n_rows,
        )  # fmt: skip
        if count:
            values, places = ((), ()) if passed or shown >= MOST_SHOWN else _examples(rows, rule, case)
            shown += not passed
            check = replace(check, message=_sentence(rule, count, n_rows, values, places), examples=values, where=places)
        yield check


def _sentence(rule: RowRule, count: int, n_rows: int, values: Sequence[str], places: Sequence[str]) -> str:
    """Say how many rows break a rule, and what they hold."""
    many = f"{count:,} row{'s' if count > 1 else ''}"
    such = f", such as {values[0]!r}" if values and rule.shows else ""
    place = f"{' in' if such else ', such as'} {places[0]}" if places else ""
    share = f" ({count / n_rows:.1%}, at most {rule.allowed:.1%} is allowed for)" if rule.allowed else ""
    return (
        f"{many} of the column {rule.column.name!r} {'are' if count > 1 else 'is'} {rule.wrong}{share}{such}{place}; {rule.advice}"
    )


def _examples(rows: Rows, rule: RowRule, case: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the first values that break a rule, each once, and the rows of the first few."""
    named = [column for column in rows.columns if column.name in case.id_columns]
    shown = ", ".join([ROW, rule.column.level, *(column.level for column in named)])
    found = rows.select(shown, rule.broken, f"ORDER BY {ROW} LIMIT {4 * MOST_EXAMPLES}").fetchall()
    values = tuple(dict.fromkeys(str(one[1]) for one in found if one[1] is not None))[:MOST_EXAMPLES]
    places = [
        ", ".join(f"{column.name} {value}" for column, value in zip(named, one[2:], strict=True)) if named and None not in one[2:]
        else f"row {one[0] + 1:,}" for one in found[:MOST_EXAMPLES]
    ]  # fmt: skip
    return values, tuple(places)


def _by_column(columns: list[Column], *groups: Sequence[Check] | Iterator[Check]) -> Iterator[Check]:
    """Give the verdicts on columns in the order of the table."""
    order = {column.name: column.position for column in columns}
    yield from sorted((check for group in groups for check in group), key=lambda check: order[str(check.column)])


def _classes(rows: Rows, columns: list[Column], case: Any) -> Iterator[Check]:
    """Say whether every class has enough rows for the folds that the case asks for."""
    if case.task == "regression":
        return
    target = next(column for column in columns if column.name == case.target)
    rarest = rows.select(f"{target.level} AS level, count(*) AS n", rest="GROUP BY level ORDER BY n, level LIMIT 1").fetchone()
    name, count = rarest or ("", 0)
    needed = case.split.folds + 1
    yield Check(
        "rows per class", case.target, "warn", count >= needed, count,
        f"The rarest class {name!r} has {count:,} rows; {case.split.folds} folds and a test set want {needed} or more.",
    )  # fmt: skip
