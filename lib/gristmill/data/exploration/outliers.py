"""Numbers far from the others, and numbers that stand for something else."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gristmill.data.contract.schema import Contract
from gristmill.data.kinds import is_numeric

FACTOR = 3.0
"""Interquartile ranges outside the quartiles where outliers begin unless the case says otherwise: Tukey's "far out"."""

_CODES = frozenset(
    sign * float(digit * width) for digit in (8, 9) for width in (1, 11, 111, 1_111, 11_111, 111_111) for sign in (1, -1)
) | {-1.0}
"""Numbers that people enter where there is none: -1, 99, -999 and their kin."""

_FEWEST_CODED = 5
_CODED_SHARE = 0.002


@dataclass(frozen=True)
class FarOut:
    """How many numbers of a column lie beyond its limits, on which side, and how far."""

    lower: float
    upper: float
    below: int
    above: int
    share: float
    furthest: float


def far_out(numbers: pd.Series, features: Any = None) -> FarOut:
    """Return what lies beyond a number of interquartile ranges outside the quartiles.

    Parameters
    ----------
    numbers
        A column of numbers; missing ones are left out.
    features
        The section ``features`` of the case, whose ``outliers.factor`` is that number; :data:`FACTOR` without.
    """
    known = numbers.dropna().astype(float)
    known = known[np.isfinite(known)]
    if known.empty:
        return FarOut(np.nan, np.nan, 0, 0, 0.0, np.nan)
    low, high = np.quantile(known, [0.25, 0.75])
    reach = (FACTOR if features is None else features.outliers.factor) * (high - low)
    if reach == 0:  # half of the rows have one value: "far" has no measure
        return FarOut(low, high, 0, 0, 0.0, np.nan)
    lower, upper = low - reach, high + reach
    below, above = int((known < lower).sum()), int((known > upper).sum())
    ends = (float(known.min()), float(known.max()))
    furthest = ends[0] if lower - ends[0] > ends[1] - upper else ends[1]
    return FarOut(float(lower), float(upper), below, above, (below + above) / len(known), furthest)


def overview(train: pd.DataFrame, contract: Contract, features: Any = None) -> pd.DataFrame:
    """Return the columns of numbers that have any far out, those with most first.

    Returns
    -------
    DataFrame
        Indexed by column: ``share`` of the numbers, ``below`` and ``above`` (rows), the limits ``lower`` and ``upper``, and the
        ``furthest`` number.
    """
    numbers = [one["name"] for one in contract["columns"] if one["used"] and one["kind"] == "numeric" and one["n_levels"] > 10]
    found = {name: far_out(train[name], features) for name in numbers if is_numeric(train[name])}
    table = pd.DataFrame({name: vars(one) for name, one in found.items() if one.share > 0}).T
    order = ["share", "below", "above", "lower", "upper", "furthest"]
    table = table.reindex(columns=order).rename_axis("column").infer_objects()
    return table.astype({"below": "int64", "above": "int64"}).sort_values("share", ascending=False, kind="stable")


def stand_in(numbers: pd.Series) -> float | None:
    """Return the number at an end of a column that seems to stand for "missing", or None.

    It is one of those that people use for it, occurs again and again, and lies as far from the next number as the middle half of
    the others is wide.
    """
    counts = numbers.value_counts()
    if len(counts) < 10:
        return None
    values = np.sort(counts.index.to_numpy(dtype=float))
    for end, nearest in ((values[0], values[1]), (values[-1], values[-2])):
        often = counts.loc[end] >= max(_FEWEST_CODED, _CODED_SHARE * len(numbers))
        others = numbers[numbers != end]
        wide = float(others.quantile(0.75) - others.quantile(0.25))
        if end in _CODES and often and abs(end - nearest) > max(wide, 1.0):
            return float(end)
    return None
