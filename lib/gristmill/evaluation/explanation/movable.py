"""Which columns of a row may be moved when other decisions are sought, and over which values."""

import math
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd

from gristmill.evaluation.explanation.counterfactuals import Movable
from gristmill.evaluation.explanation.effects import FREQUENT, is_ordered
from gristmill.metrics.scores import Floats

LEFT_ALONE = ("id", "target", "time", "group", "sensitive")
"""Roles of columns that nobody is advised to change: they name a row, or are what a person is, not what one does."""

MOST_LEVELS = 30


def movable_columns(rows: pd.DataFrame, contract: Mapping[str, Any], fixed: Collection[str] = ()) -> list[Movable]:
    """Return the columns that may be moved.

    Parameters
    ----------
    rows
        Training rows with the columns the model reads, in their contracted types.
    contract
        The data contract.
    fixed
        Further columns that are left alone.

    Returns
    -------
    list
        No identifiers, sensitive columns, times, groups, dates, free text, or columns that never vary. Levels that less than one
        row in a hundred has are left out.
    """
    facts = {column["name"]: column for column in contract["columns"]}
    made = [
        movable(rows[name], facts[name])
        for name in rows.columns
        if name not in fixed and facts[name]["role"] not in LEFT_ALONE and facts[name]["kind"] not in ("date", "text")
    ]
    return [one for one in made if one is not None]


def movable(values: pd.Series, facts: Mapping[str, Any]) -> Movable | None:
    """Return how one column may be moved: over its range if it has many numbers, else over its levels; None if it does not vary."""
    present = values.dropna()
    if is_ordered(present):
        numbers = np.asarray(present, dtype=np.float64)
        whole = str(facts["dtype"]).lower().startswith(("int", "uint"))
        low, high, width = float(numbers.min()), float(numbers.max()), spread(numbers)
        return Movable(str(values.name), low=low, high=high, spread=width, whole=whole, decimals=decimals(width))
    counts = present.value_counts(normalize=True)
    levels = [level for level, part in counts.items() if part >= FREQUENT][:MOST_LEVELS]
    plain = tuple(level.item() if isinstance(level, np.generic) else level for level in levels)
    return Movable(str(values.name), levels=plain) if len(plain) > 1 else None


def spread(numbers: Floats) -> float:
    """Return what counts as a move of one: the distance between the quartiles, or the standard deviation where they coincide."""
    low, high = np.quantile(numbers, (0.25, 0.75))
    return float(high - low) or float(numbers.std()) or 1.0


def decimals(width: float) -> int:
    """Return how many decimals tell about a hundred steps of a width apart: one of 54, four of 0.03."""
    return max(0, 2 - math.floor(math.log10(width)))
