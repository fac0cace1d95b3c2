"""Columns whose values are known only after the moment a prediction is made for."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gristmill.data.contract.checks import Check
from gristmill.data.contract.schema import Contract
from gristmill.data.kinds import is_numeric, parse_dates
from gristmill.data.leakage.combinations import made_of_two
from gristmill.data.leakage.proxies import is_copy

RULE = "known in time"

TELLING = 0.05
"""Share of the rows with a date after the row's own time from which the column is taken to be filled in later."""

_COMPARED_FIRST = 200
_MOSTLY = 0.5
_FEWEST_DIFFERENT = 10
_ALIKE = 0.9999
"""Rank correlation from which two columns are one in different units; rounding leaves that much of it."""


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
        yield _declared(frame, name, [column["name"] for column in used], case, contract)


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


def _declared(frame: pd.DataFrame, name: str, used: list[str], case: Any, contract: Contract) -> Check:
    """Judge whether a column that the case says is known later reaches the model: itself, as a copy, or as two that make it."""
    others = [other for other in used if other != name and other not in case.validation.allow_proxies]
    seen, said = (name, "is a feature, and") if name in used else _stand_in(frame, name, others, contract)
    if seen is None or seen in case.validation.allow_proxies:
        return Check(RULE, name, "stop", passed=True, count=0, message=f"The model does not see {name!r}, which is known later.")
    filled = int(frame[name].notna().sum())
    return Check(
        RULE, seen, "stop", passed=False, count=filled,
        message=f"The column {seen!r} {said} known later by `validation.known_later` of the case file; it is filled in "
        f"{filled:,} of {len(frame):,} training rows. If it is so, add it to `features.exclude`; else correct `known_later`.",
    )  # fmt: skip


def _stand_in(frame: pd.DataFrame, name: str, others: Sequence[str], contract: Contract) -> tuple[str | None, str]:
    """Return the column by which the model would see another one that is hidden from it, and how; None if there is none."""
    hidden = frame[name]
    for other in others:
        if _same(frame[other], hidden):
            return other, f"holds the same values as {name!r}, which is"
        if _rescaled(frame[other], hidden):
            return other, f"rises and falls with {name!r} in every row, which is"
    if not is_numeric(hidden):
        return None, ""
    for one, other, how, _ in made_of_two(frame, name, others, contract):
        return one, f"makes, with {other!r}, {name!r} ({how}), which is"
    return None, ""


def _same(values: pd.Series, other: pd.Series) -> bool:
    """Return whether two columns hold the same values; most that do not are told by their first rows."""
    return is_copy(values.head(_COMPARED_FIRST), other.head(_COMPARED_FIRST)) and is_copy(values, other)


def _rescaled(values: pd.Series, other: pd.Series) -> bool:
    """Return whether one column of numbers is another in other units: where both are known, ranks are the same, or reversed."""
    if not (is_numeric(values) and is_numeric(other)):
        return False
    both = (values.notna() & other.notna()).to_numpy()
    if both.sum() < max(_COMPARED_FIRST, _MOSTLY * len(values)) or values[both].nunique() < _FEWEST_DIFFERENT:
        return False
    return all(_same_ranks(values[both].head(n), other[both].head(n)) for n in (_COMPARED_FIRST, len(values)))


def _same_ranks(values: pd.Series, other: pd.Series) -> bool:
    ranks = values.rank().to_numpy(), other.rank().to_numpy()
    return bool(np.std(ranks[0]) > 0 < np.std(ranks[1]) and abs(np.corrcoef(*ranks)[0, 1]) >= _ALIKE)
