"""Two columns that give the target away together, though neither does alone: a sum, a difference, a product, a time of day.

Such a pair is an identity of the table, as when an arrival delay is the arrival less the scheduled arrival. All pairs of the
columns that say most are tried on a sample, and what is found is confirmed on all rows that are looked at; only a nearly exact pair
counts.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.data.contract.checks import Check
from gristmill.data.contract.schema import Contract
from gristmill.data.leakage.proxies import Power, as_numbers, looked_at, outcome_of, power

RULE = "no proxy in two columns"

MOST_COLUMNS = 30
SAMPLE = 1_000
FEWEST_ROWS = 30
EXACT_R2 = 0.9995
EXACT_SKILL, EXACT_AUC = 0.97, 0.999
"""What a pair has to reach: honest pairs of strong columns do not."""

_PROMISING = 0.97
"""What it has to reach on the sample to be looked at again."""

_FEWEST_OF_A_CLASS = 5
_DAY = 1_440
_CLOCK_VALUES = 100

_planned = re.compile(r"sched|plan|expect|estimat|forecast|budget|(?:^|[_ .-])due", re.IGNORECASE).search
"""Names of columns that are known before what they are compared with."""

Floats = NDArray[np.float64]


def pair_checks(rows: pd.DataFrame, case: Any, contract: Contract, left_out: set[str]) -> Iterator[Check]:
    """Give a verdict on each pair that gives the target away, or one that none does.

    Parameters
    ----------
    rows
        Training rows that are looked at.
    case, contract
        The case and the data contract.
    left_out
        Columns that stop the build by themselves.
    """
    names = [column["name"] for column in contract["columns"] if column["used"] and column["name"] not in {case.target, *left_out}]
    known = _numbers(rows, names, contract)
    found = list(_found(known, rows[case.target], case.task)) if len(known) > 1 and len(rows) >= FEWEST_ROWS else []
    named: set[str] = set()
    for one, other, how, strength in found:
        if not {one, other} & {*named, *case.validation.allow_proxies}:
            named.add(one)
            yield _broken(one, other, how, strength, case, len(rows))
    if not named:
        yield Check(RULE, None, "stop", passed=True, count=0, message="No two columns together give the target away.")


def made_of_two(
    frame: pd.DataFrame, name: str, columns: Sequence[str], contract: Contract
) -> Iterator[tuple[str, str, str, Power]]:  # fmt: skip
    """Give the pairs of ``columns`` that together are another column of numbers: both names, how, and how nearly.

    Parameters
    ----------
    frame
        Rows; ten thousand of those in which the column is known are looked at.
    name
        The column of numbers.
    columns
        Names of the columns that may make it up.
    contract
        The data contract.
    """
    filled = frame[np.isfinite(pd.to_numeric(frame[name], errors="coerce").astype("float64"))]
    rows = looked_at(filled, name, "regression")
    known = _numbers(rows, [name, *columns], contract) if len(rows) >= FEWEST_ROWS else {}
    if known.pop(name, None) is not None and len(known) > 1:
        yield from _found(known, rows[name], "regression")


def _numbers(rows: pd.DataFrame, names: Sequence[str], contract: Contract) -> dict[str, Floats]:
    """Return the columns of numbers and dates among ``names`` that are mostly known and differ between rows."""
    wanted = {column["name"]: column for column in contract["columns"] if column["kind"] in ("numeric", "date")}
    columns = {name: as_numbers(rows[name], wanted[name]) for name in names if name in wanted}
    return {name: values for name, values in columns.items() if np.isfinite(values).mean() > 0.5 and np.nanstd(values) > 0}


def _broken(one: str, other: str, how: str, strength: Power, case: Any, n_rows: int) -> Check:
    return Check(
        RULE, one, "stop", passed=False, count=n_rows,
        message=f"The columns {one!r} and {other!r} together give the target {case.target!r} away: {how} foretells it "
        f"({strength}). If it is only known after the target, add it to `features.exclude`; if both are known before, add one to "
        "`validation.allow_proxies`.",
    )  # fmt: skip


def _found(columns: dict[str, Floats], target: pd.Series, task: str) -> Iterator[tuple[str, str, str, Power]]:
    """Give the pairs, first the more telling column, or the one that is not planned, how they are put together, and its power."""
    outcome = outcome_of(target, task)
    picked = np.sort(np.random.default_rng(0).permutation(len(target))[:SAMPLE])
    sample = {name: values[picked] for name, values in columns.items()}
    alone = {name: _strength(values, outcome[picked], task) for name, values in sample.items()}
    names = sorted(columns, key=lambda name: -alone[name])[:MOST_COLUMNS]
    clocks = {name for name in names if _is_clock(columns[name])}
    for one, other in combinations(names, 2):
        for how, put_together in _WAYS.items():
            if how == _CLOCK and not {one, other} <= clocks:
                continue
            if _strength(put_together(sample[one], sample[other]), outcome[picked], task) < _PROMISING:
                continue
            values = put_together(columns[one], columns[other])
            strength = power(pd.Series(values, index=target.index), target, {"kind": "numeric"}, task)
            if _exact(strength, values, outcome, task):
                said = how.format(one=repr(one), other=repr(other))
                yield (other, one, said, strength) if _planned(one) and not _planned(other) else (one, other, said, strength)
                break


def _is_clock(values: Floats) -> bool:
    """Return whether numbers are times of day such as 1745."""
    known = values[np.isfinite(values)]
    clock = (known >= 0) & (known <= 2_400) & (known % 1 == 0) & (known % 100 < 60)
    return bool(clock.all() and known.max() > 1_200 and len(np.unique(known)) >= _CLOCK_VALUES)


def _minutes(values: Floats) -> Floats:
    """Return the minutes since midnight of times of day such as 1745."""
    return values // 100 * 60 + values % 100


def _product(one: Floats, other: Floats) -> Floats:
    with np.errstate(over="ignore", invalid="ignore"):
        return _finite(one * other)


def _ratio(one: Floats, other: Floats) -> Floats:
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        return _finite(one / other)


def _finite(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)


_CLOCK = "the time from {other} to {one}"
_WAYS: dict[str, Callable[[Floats, Floats], Floats]] = {
    "{one} - {other}": lambda one, other: one - other,
    "{one} + {other}": lambda one, other: one + other,
    "{one} * {other}": _product,
    "{one} / {other}": _ratio,
    "{other} / {one}": lambda one, other: _ratio(other, one),
    _CLOCK: lambda one, other: (_minutes(one) - _minutes(other) + _DAY / 2) % _DAY - _DAY / 2,
}
"""What two columns are put together to."""


def _strength(values: Floats, outcome: NDArray[Any], task: str) -> float:
    """Return how well the order (of classes), or the value, of numbers goes with the target, 0 to 1, on rows that have both."""
    known = np.isfinite(values)
    if known.sum() < max(FEWEST_ROWS, 0.5 * len(values)) or np.ptp(values[known]) == 0:
        return 0.0
    values, outcome = values[known], outcome[known]
    if task == "regression":
        return _squared_correlation(values, outcome)
    ranks = np.empty(len(values))
    ranks[np.argsort(values)] = np.arange(len(values)) + 0.5
    counts = np.bincount(outcome)
    sums = np.bincount(outcome, weights=ranks)
    there = (counts >= _FEWEST_OF_A_CLASS) & (counts < len(values))
    auc = (sums[there] - counts[there] ** 2 / 2) / (counts[there] * (len(values) - counts[there]))
    return float(np.abs(2 * auc - 1).max(initial=0.0))


def _squared_correlation(values: Floats, outcome: NDArray[Any]) -> float:
    """Return it, or 0 where one of them does not vary."""
    scaled = values / max(float(np.abs(values).max()), 1e-300)
    if np.ptp(outcome) == 0 or np.std(scaled) == 0:
        return 0.0
    return float(np.corrcoef(scaled, outcome)[0, 1] ** 2)


def _exact(strength: Power, values: Floats, outcome: NDArray[Any], task: str) -> bool:
    """Return whether a pair is as good as the target itself."""
    if task != "regression":
        ordered = (1 + _strength(values, outcome, task)) / 2  # what a tree of few rows misses near a border, their order shows
        return strength.skill >= EXACT_SKILL and (strength.auc is None or max(strength.auc, ordered) >= EXACT_AUC)
    known = np.isfinite(values) & np.isfinite(outcome)
    return bool(known.sum() >= FEWEST_ROWS) and _squared_correlation(values[known], outcome[known]) >= EXACT_R2
