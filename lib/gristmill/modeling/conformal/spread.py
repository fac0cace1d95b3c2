"""How large a regression's errors are, by what it predicts: dear houses are missed by more than cheap ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ROWS_A_KNOT = 50
"""Rows whose mean error is one point of the curve."""

MOST_KNOTS = 20
FEWEST_KNOTS = 4
SMALLEST_SHARE = 0.1
"""No size is taken to be below this share of the mean error: a few lucky rows are no proof of precision."""


@dataclass(frozen=True)
class Spread:
    """The mean absolute error along the predicted number: straight lines between knots, level beyond the outermost.

    Attributes
    ----------
    knots
        Predicted numbers, ascending, shape ``(n_knots,)``.
    sizes
        Mean absolute error there, in units of the target, shape ``(n_knots,)``.
    """

    knots: Floats
    sizes: Floats

    def at(self, predicted: Floats) -> Floats:
        """Return the size of errors at each prediction, in units of the target, shape ``(n_rows,)``."""
        return np.interp(predicted, self.knots, self.sizes)

    def as_record(self) -> dict[str, Any]:
        """Return the curve as JSON-able data."""
        return {"knots": self.knots.tolist(), "sizes": self.sizes.tolist()}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Spread":
        """Return what :meth:`as_record` wrote.

        Raises
        ------
        ValueError, TypeError, KeyError
            The record is none.
        """
        knots, sizes = (np.asarray(record[name], dtype=np.float64) for name in ("knots", "sizes"))
        shaped = knots.ndim == 1 and len(knots) > 0 and knots.shape == sizes.shape
        if (
            not shaped
            or not np.isfinite(knots).all()
            or (np.diff(knots) <= 0).any()
            or not (np.isfinite(sizes) & (sizes > 0)).all()
        ):
            raise ValueError("a spread is a curve of positive sizes over ascending knots")
        return cls(knots, sizes)


def fit_spread(predicted: Floats, residuals: Floats) -> Spread | None:
    """Return the size of errors by prediction, learnt from some rows; None where they are too few, too alike, or all right.

    Parameters
    ----------
    predicted
        Out-of-fold predictions, shape ``(n_rows,)``.
    residuals
        Absolute errors of the same rows.
    """
    n_knots = min(MOST_KNOTS, len(predicted) // ROWS_A_KNOT)
    mean = float(residuals.mean()) if len(residuals) else 0.0
    if n_knots < FEWEST_KNOTS or mean <= 0:
        return None
    order = np.argsort(predicted, kind="stable")
    parts = np.array_split(order, n_knots)
    knots = np.array([predicted[part].mean() for part in parts])
    sizes = np.array([residuals[part].mean() for part in parts])
    distinct, place = np.unique(knots, return_inverse=True)
    if len(distinct) < FEWEST_KNOTS:
        return None
    together = np.bincount(place, weights=sizes) / np.bincount(place)
    return Spread(distinct, np.maximum(together, SMALLEST_SHARE * mean))
