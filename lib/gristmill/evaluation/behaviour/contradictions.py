"""Rows that are nearly the same and have different targets: how right any model can be at best."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.data.contract.conditions import Numbers, numbers_of
from gristmill.data.hashing import content_hashes
from gristmill.data.kinds import is_numeric
from gristmill.data.splits.bundles import bundled
from gristmill.evaluation.behaviour.answers import BUILT_IN, Outcome, Subject, seen_columns, value_text, verdict

MOST_ROWS, MOST_NEIGHBOURS = 5_000, 20_000
CELL = 0.02
"""How far numbers of near-duplicates may be apart, in distances between the quartiles."""

NAME, CLAIM = "near-duplicates", "rows that are nearly the same have the same target"


def contradictions(subject: Subject, train: pd.DataFrame, tolerance: float) -> Outcome:
    """Judge how many test rows have a near-duplicate with another label; reported only, since no model can be right on both.

    Near-duplicates have the same levels, and numbers in the same cell of a grid (two grids, so that neighbours across a border
    meet). The labels of numbers differ when they are more than a standard deviation apart. At most 5,000 test rows are looked at,
    beside 20,000 training rows.

    Parameters
    ----------
    subject
        The candidate and the test rows.
    train
        Training rows with their target.
    tolerance
        Share of the rows with a near-duplicate that may contradict it.
    """
    columns, target = seen_columns(subject), subject.model.target
    chosen = subject.sample(most=MOST_ROWS)
    others = train if len(train) <= MOST_NEIGHBOURS else train.sample(MOST_NEIGHBOURS, random_state=subject.random_state)
    rows = pd.concat([subject.rows.iloc[chosen], others])[[*(column["name"] for column in columns), target]]
    paired = np.zeros(len(chosen), dtype=bool)
    twin: dict[int, int] = {}
    for shift in (0.0, 0.5):
        cells = _cells(rows, columns, shift)
        if not bundled(cells):
            return _outcome(0, 0, tolerance, None, "the columns have so few combinations that rows are alike by chance")
        found, unlike = _twins(cells, rows[target], len(chosen), numbers=subject.model.task == "regression")
        paired |= found
        twin = {**unlike, **twin}
    worst = None
    if twin:
        place = min(twin)
        worst = _pair(subject, rows, int(chosen[place]), place, twin[place])
    return _outcome(int(paired.sum()), len(twin), tolerance, worst, "" if paired.any() else "no test row has a near-duplicate")


def _outcome(tried: int, broke: int, tolerance: float, worst: Mapping[str, Any] | None, note: str) -> Outcome:
    """Return what came of the test."""
    return Outcome(NAME, CLAIM, BUILT_IN, hard=False, tried=tried, broke=broke, tolerance=tolerance,
                   passed=verdict(broke, tried, tolerance), worst=worst, note=note)  # fmt: skip


def _twins(
    cells: NDArray[np.uint64], target: pd.Series, n_tested: int, *, numbers: bool
) -> tuple[NDArray[np.bool_], dict[int, int]]:
    """Return which of the first rows share their cell with another row, and for those that contradict one, which."""
    values = numbers_of(target) if numbers else pd.factorize(target.astype(object).map(str))[0].astype(np.float64)
    apart = float(np.nanstd(values)) if numbers else 0.0
    groups = pd.Series(np.arange(len(cells))).groupby(cells).indices
    paired, unlike = np.zeros(n_tested, dtype=bool), {}
    for place in range(n_tested):
        twins = groups[cells[place]]
        paired[place] = len(twins) > 1
        other = np.abs(values[twins] - values[place]) > apart
        if other.any():
            unlike[place] = int(twins[int(np.argmax(other))])
    return paired, unlike


def _pair(subject: Subject, rows: pd.DataFrame, position: int, place: int, twin: int) -> dict[str, Any]:
    """Return a row and its twin in the words of the table."""
    target = subject.model.target
    one, other = ({name: value_text(rows[name].iloc[spot]) for name in rows.columns} for spot in (place, twin))
    differing = {name: (one[name], other[name]) for name in one if one[name] != other[name] and name != target}
    said = subject.example(position, f"{target} {one[target]}", f"{target} {other[target]}", differing, broke=True)
    return {**said, "twin": str(rows.index[twin])}


def _cells(rows: pd.DataFrame, columns: Sequence[Mapping[str, Any]], shift: float) -> NDArray[np.uint64]:
    """Return a hash a row, equal for rows with the same levels and with numbers in the same cells."""
    made = {}
    for column in columns:
        values = rows[column["name"]].reset_index(drop=True)
        if is_numeric(values) or pd.api.types.is_datetime64_any_dtype(values):
            numbers = numbers_of(values)
            made[column["name"]] = pd.Series(np.floor(numbers / _width(numbers) + shift))
        else:
            made[column["name"]] = values
    return content_hashes(pd.DataFrame(made))


def _width(numbers: Numbers) -> float:
    """Return the width of a column's cells; of whole numbers with few values, so small that each is its own cell."""
    known = numbers[np.isfinite(numbers)]
    if not len(known):
        return 1.0
    low, high = np.quantile(known, [0.25, 0.75])
    return float(max((high - low) * CELL, np.std(known) * CELL / 10, 1e-12))
