"""Gain and lift: what acting on the highest-scored rows finds of a class.

The gain at a share is the part of the class that lies among that share of the rows, highest scores first; the lift is the gain over
the share, so that 1 is what picking at random finds. Rows of equal score are taken in part, as if in random order.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TOP_SHARES: dict[str, float] = {"lift_10": 0.1, "gain_20": 0.2}
"""Metric -> the share of the rows that is acted on."""


def top_gain(
    is_positive: NDArray[np.bool_], scores: Floats, metrics: Sequence[str] = tuple(TOP_SHARES)
) -> Callable[[Floats], dict[str, Floats]]:
    """Return the function from row weights ``(n_sets, n_rows)`` to gains and lifts, each ``(n_sets,)``.

    Parameters
    ----------
    is_positive
        Whether a row is of the class, shape ``(n_rows,)``.
    scores
        What rows are ranked by, shape ``(n_rows,)``.
    metrics
        Names of :data:`TOP_SHARES`.
    """
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    positives = order[is_positive[order]]
    known = np.append(0, np.cumsum(is_positive[order])[ends])
    every_row = len(ends) == len(order)

    def gains(weights: Floats) -> dict[str, Floats]:
        passed = np.cumsum(weights[:, order], axis=1)
        found = np.cumsum(weights[:, positives], axis=1)
        reached = _Reached(passed if every_row else passed[:, ends], found, known)
        return {name: reached.at(TOP_SHARES[name]) / _unit(name) for name in metrics}

    return gains


@dataclass(frozen=True)
class _Reached:
    """What has passed once all rows down to a score are acted on.

    Attributes
    ----------
    passed
        Weight of all rows down to each distinct score, shape ``(n_sets, n_scores)``.
    found
        Weight of the class's rows, one after the other, cumulated; shape ``(n_sets, n_positives)``.
    known
        How many of the class's rows come before each distinct score, shape ``(n_scores + 1,)``.
    """

    passed: Floats
    found: Floats
    known: NDArray[np.intp]

    def at(self, share: float) -> Floats:
        """Return the part of the class found once ``share`` of all weight has passed; between two scores, in proportion."""
        sets, wanted = np.arange(len(self.passed)), share * self.passed[:, -1]
        place = np.array([line.searchsorted(goal) for line, goal in zip(self.passed, wanted, strict=True)])
        place = np.minimum(place, self.passed.shape[1] - 1)
        before = np.where(place > 0, self.passed[sets, place - 1], 0.0)
        step = self.passed[sets, place] - before
        fraction = np.divide(wanted - before, step, out=np.zeros(len(sets)), where=step > 0)
        hits, more = self._found(place), self._found(place + 1)
        total = self._found(np.full(len(sets), len(self.known) - 1))
        part: Floats = np.divide(hits + fraction * (more - hits), total, out=np.full(len(sets), np.nan), where=total > 0)
        return part

    def _found(self, scores: NDArray[np.intp]) -> Floats:
        """Return the weight of the class's rows before a score, in each set."""
        count = self.known[scores]
        if not self.found.shape[1]:
            return np.zeros(len(count))
        return np.asarray(np.where(count > 0, self.found[np.arange(len(count)), count - 1], 0.0))


def _unit(metric: str) -> float:
    """Return what a gain is divided by: the share acted on where the metric is a lift."""
    return TOP_SHARES[metric] if metric.startswith("lift") else 1.0
