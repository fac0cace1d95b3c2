"""Columns whose values are known only after the moment a prediction is made for."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from gristmill.data.contract.checks import Check
from gristmill.data.contract.schema import Contract
from gristmill.data.kinds import parse_dates
from gristmill.data.leakage.proxies import is_copy

RULE = "known in time"

TELLING = 0.05
"""Share of the rows with a date after the row's own time from which the column is taken to be filled in later."""

_COMPARED_FIRST = 200


def late_columns(frame: pd.DataFrame, case: Any, contract: Contract) -> Iterator[Check]:
    """Give a verdict on each column that may be known too late: dates after the row's time, and what the case says is known later.

    Parameters
    ----------
    frame
        Training rows.
    case
        The case; ``time_column`` is when a row became known, ``validation.known_later`` names columns that are known after it.
    contract
        The data contract.
    """
    used = [column for column in contract["columns"] if column["used"] and column["role"] in ("feature", "sensitive")]
    for column in used:
        if column["kind"] == "date" and case.time_column is not None:
            yield _after_its_time(frame, column, case, contract)
    for name in case.validation.known_later:
        yield _declared(frame, name, [column["name"] for column in used], case)


def _after_its_time(frame: pd.DataFrame, column: dict[str, Any], case: Any, contract: Contract) -> Check:
    """Judge whether a date lies after the time of its row in more than a few rows."""
    name = column["name"]
    time = next(one for one in contract["columns"] if one["name"] == case.time_column)
    passed = Check(RULE, name, "stop", passed=True, count=0, message=f"{name!r} is known at the time of its row.")
    if time["kind"] != "date":
        return passed
    values, times = parse_dates(frame[name], column.get("format")), parse_dates(frame[case.time_column], time.get("format"))
    if (times.dropna() == times.dropna().dt.normalize()).all():
        values = values.dt.normalize()  # a time of the same day is not after the day
    after = (values > times).to_numpy()
    share = after.sum() / max(int((values.notna() & times.notna()).sum()), 1)
    if share <= TELLING or name in case.validation.allow_proxies:
        return passed
    example = f"{values[after].iloc[0]} in a row of {times[after].iloc[0]}"
    return Check(
        RULE, name, "stop", passed=False, count=int(after.sum()), examples=(example,),
        message=f"The column {name!r} is after the row's time {case.time_column!r} in {share:.1%} of the rows that have one, "
        f"such as {example}. If it is only filled in later, add it to `features.exclude`; if it is planned before, such as a "
        "date of delivery, add it to `validation.allow_proxies`.",
    )  # fmt: skip


def _declared(frame: pd.DataFrame, name: str, used: list[str], case: Any) -> Check:
    """Judge whether the model would see a column that the case says is known later, or a copy of it."""
    others = [other for other in used if other != name and other not in case.validation.allow_proxies]
    seen = [name] if name in used else [other for other in others if _same(frame[other], frame[name])]
    if not seen or seen[0] in case.validation.allow_proxies:
        return Check(RULE, name, "stop", passed=True, count=0, message=f"The model does not see {name!r}, which is known later.")
    filled = int(frame[name].notna().sum())
    said = "is a feature" if seen == [name] else f"holds the same values as {name!r}, which is"
    said = f"{said}, and known later" if seen == [name] else f"{said} known later"
    return Check(
        RULE, seen[0], "stop", passed=False, count=filled,
        message=f"The column {seen[0]!r} {said} by `validation.known_later` of the case file; it is filled in {filled:,} of "
        f"{len(frame):,} training rows. If it is so, add it to `features.exclude`; else correct `known_later`.",
    )  # fmt: skip


def _same(values: pd.Series, other: pd.Series) -> bool:
    """Return whether two columns hold the same values; most that do not are told by their first rows."""
    return is_copy(values.head(_COMPARED_FIRST), other.head(_COMPARED_FIRST)) and is_copy(values, other)
