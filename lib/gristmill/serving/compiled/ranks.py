"""Numbers as their ranks among the training rows, on curves over these ranks, or on a circle.

The ranks are those of scikit-learn's ``QuantileTransformer`` and the curves those of its ``SplineTransformer``, here as the cubic
polynomials between two knots that they are.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from gristmill.serving.compiled.cells import Floats
from gristmill.serving.compiled.parts import part

NEAR = 1e-7
"""Distance from the first and last quantile at which scikit-learn counts a number as that quantile, and furthest probability."""

FEW = 16
"""Rows up to which numbers are looked up one by one, and curves of all columns are taken at once."""

_LOWEST, _HIGHEST = float(ndtri(NEAR - np.spacing(1))), float(ndtri(1 - (NEAR - np.spacing(1))))


@part
@dataclass(frozen=True)
class Ranks:
    """The share of training rows below a number, as it is or as the deviate of a normal distribution.

    Attributes
    ----------
    quantiles
        Of each column, shape ``(n_quantiles, n_columns)``.
    references
        The shares they stand for, shape ``(n_quantiles,)``.
    normal
        Whether deviates are answered.
    """

    quantiles: Floats
    references: Floats
    normal: bool
    _lists: list[tuple[list[float], list[float]]] = field(init=False, repr=False, compare=False)
    _shares: tuple[list[float], list[float]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Prepare the columns as lists, forwards and backwards."""
        lists = [(column.tolist(), (-column[::-1]).tolist()) for column in self.quantiles.T]
        object.__setattr__(self, "_lists", lists)
        object.__setattr__(self, "_shares", (self.references.tolist(), (-self.references[::-1]).tolist()))

    def of(self, table: Floats) -> Floats:
        """Return the ranks of numbers without gaps, shape ``(n_rows, n_columns)``."""
        if len(table) <= FEW:
            rows = [[self._one(value, place) for place, value in enumerate(row)] for row in table.tolist()]
            found: Floats = np.array(rows, dtype=np.float64).reshape(table.shape)
        else:
            found = np.column_stack([self._column(column, place) for place, column in enumerate(table.T)])
        return np.asarray(ndtri(found).clip(_LOWEST, _HIGHEST)) if self.normal else found

    def _one(self, value: float, place: int) -> float:
        """Return the share of one number."""
        forwards, backwards = self._lists[place]
        near = NEAR if self.normal else 0.0
        if value - near < forwards[0] or (not near and value == forwards[0]):
            return 0.0
        if value + near > forwards[-1] or (not near and value == forwards[-1]):
            return 1.0
        return 0.5 * (_between(value, forwards, self._shares[0]) - _between(-value, backwards, self._shares[1]))

    def _column(self, column: Floats, place: int) -> Floats:
        """Return the shares of one column."""
        quantiles, near = self.quantiles[:, place], NEAR if self.normal else 0.0
        rising = np.interp(column, quantiles, self.references)
        found = 0.5 * (rising - np.interp(-column, -quantiles[::-1], -self.references[::-1]))
        first, last = quantiles[0], quantiles[-1]
        found[(column + near > last) if near else (column >= last)] = 1.0
        found[(column - near < first) if near else (column <= first)] = 0.0
        return np.asarray(found)


def _between(value: float, points: list[float], values: list[float]) -> float:
    """Return what ``numpy.interp`` does for one number, operation by operation."""
    place = bisect_right(points, value) - 1
    if place < 0:
        return values[0]
    if place >= len(points) - 1:
        return values[-1]
    if points[place] == value:
        return values[place]
    slope = (values[place + 1] - values[place]) / (points[place + 1] - points[place])
    return slope * (value - points[place]) + values[place]


@part
@dataclass(frozen=True)
class Curves:
    """Cubic curves over each column, from knot to knot.

    Attributes
    ----------
    knots
        Where one polynomial ends and the next begins, of each column, shape ``(n_columns, n_knots)``; beyond the first and the
        last the curves are level.
    powers
        Factors of the powers 3, 2, 1, 0 of the distance from the knot before, shape ``(n_columns, n_knots - 1, 4, n_curves)``.
    """

    knots: Floats
    powers: NDArray[Any]

    def of(self, table: Floats) -> Floats:
        """Return the curves' values, column by column, shape ``(n_rows, n_columns * n_curves)``."""
        held = np.clip(table, self.knots[:, 0], self.knots[:, -1])
        return self._at_once(held) if len(table) <= FEW else self._by_column(held)

    def _at_once(self, held: Floats) -> Floats:
        """Return the curves of a few rows, all columns in one operation."""
        piece = (held[:, :, None] >= self.knots[None, :, 1:-1]).sum(axis=2)
        columns = np.arange(held.shape[1])
        distance = (held - self.knots[columns, piece])[:, :, None]
        cubic = self.powers[columns, piece]
        value = ((cubic[:, :, 0] * distance + cubic[:, :, 1]) * distance + cubic[:, :, 2]) * distance + cubic[:, :, 3]
        return np.asarray(value).reshape(len(held), -1)

    def _by_column(self, held: Floats) -> Floats:
        """Return the curves of many rows: the same operations, with less to hold in between."""
        n_curves = self.powers.shape[3]
        out: Floats = np.empty((len(held), len(self.knots) * n_curves))
        for column, knots in enumerate(self.knots):
            values, cubic = held[:, column], self.powers[column]
            piece = np.searchsorted(knots[1:-1], values, side="right")
            distance = (values - knots[piece])[:, None]
            made = cubic[piece, 0]
            for power in (1, 2, 3):
                made *= distance
                made += cubic[piece, power]
            out[:, column * n_curves : (column + 1) * n_curves] = made
        return out


@part
@dataclass(frozen=True)
class Circle:
    """Numbers that come round again, as sine and cosine; a missing one is in the middle of the circle.

    ``periods`` holds how many make a round, shape ``(n_columns,)``.
    """

    periods: Floats

    def of(self, table: Floats) -> Floats:
        """Return sine and cosine, column by column, shape ``(n_rows, 2 * n_columns)``."""
        angle = 2 * np.pi * (np.mod(table, self.periods) / self.periods)
        return np.asarray(np.nan_to_num(np.stack([np.sin(angle), np.cos(angle)], axis=2).reshape(len(table), -1), nan=0.0))
