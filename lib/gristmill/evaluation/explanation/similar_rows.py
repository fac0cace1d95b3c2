"""Past rows most like one, and what became of them.

Rows are as far apart as their columns are on average (Gower 1971): a number by its difference over the range that nine tenths of
the rows lie in, one at most; anything else by whether it is the same; a missing value is like another missing one alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gristmill.evaluation.explanation.effects import in_order, is_ordered
from gristmill.metrics.scores import Floats

INNER = (0.05, 0.95)
"""Quantiles between which a column's range is taken, so that one far value does not make all others alike."""


@dataclass(frozen=True)
class SimilarRows:
    """The rows most like one.

    Attributes
    ----------
    rows
        The rows, the most similar first.
    distances
        How far each is, from 0 (the same in every column) to 1.
    outcomes
        What became of each.
    """

    rows: pd.DataFrame
    distances: Floats
    outcomes: pd.Series


class PastRows:
    """Rows whose outcome is known, to be compared with.

    Parameters
    ----------
    rows
        With the columns that count, in their contracted types.
    outcomes
        What became of each.
    """

    def __init__(self, rows: pd.DataFrame, outcomes: pd.Series) -> None:
        self._rows, self._outcomes = rows, outcomes
        ordered = {name: in_order(rows[name]) for name in rows.columns if is_ordered(rows[name])}
        self._numbers = {name: (values, _range(values)) for name, values in ordered.items()}
        self._others = {name: rows[name].astype(object).to_numpy() for name in rows.columns if name not in ordered}

    def nearest(self, row: pd.DataFrame, n_rows: int = 5) -> SimilarRows:
        """Return the rows nearest to the one row of ``row``, equally near ones in the order of the table."""
        distances = self.distances(row)
        places = np.argsort(distances, kind="stable")[:n_rows]
        return SimilarRows(self._rows.iloc[places], distances[places], self._outcomes.iloc[places])

    def distances(self, row: pd.DataFrame) -> Floats:
        """Return how far every row is from the one row of ``row``, from 0 to 1."""
        if not len(self._rows.columns):
            return np.zeros(len(self._rows))
        total = np.zeros(len(self._rows))
        for name, (values, width) in self._numbers.items():
            total += _numbers_apart(values, float(in_order(row[name])[0]), width)
        for name, others in self._others.items():
            total += _others_apart(others, row[name].iloc[0])
        return total / len(self._rows.columns)


def evenly(n_rows: int, most: int) -> Sequence[int] | slice:
    """Return the places of at most ``most`` of ``n_rows`` rows, evenly over all, the same every time."""
    return slice(None) if n_rows <= most else [int(place) for place in np.linspace(0, n_rows - 1, most)]


def _range(values: Floats) -> float:
    low, high = np.nanquantile(values, INNER)
    return float(high - low) or float(np.nanmax(values) - np.nanmin(values)) or 1.0


def _numbers_apart(values: Floats, value: float, width: float) -> Floats:
    missing = np.isnan(values)
    if np.isnan(value):
        return np.where(missing, 0.0, 1.0)
    return np.where(missing, 1.0, np.minimum(np.abs(values - value) / width, 1.0))


def _others_apart(values: "np.ndarray[tuple[int], np.dtype[np.object_]]", value: object) -> Floats:
    missing = pd.isna(values)
    if pd.isna(value):  # type: ignore[call-overload]
        return np.where(missing, 0.0, 1.0)
    return np.where(missing, 1.0, (values != value).astype(np.float64))
