"""From the probability of the positive class to a decision: the threshold that is best out of fold."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CURVE_POINTS = 200
"""Thresholds that are looked at: quantiles of the probabilities, so that each flags about as many rows more as the one before."""


@dataclass(frozen=True)
class ChosenThreshold:
    """A threshold, the rule that chose it, and what every threshold would have given.

    ``curve`` maps ``threshold``, ``share_flagged``, ``precision``, ``recall``, ``f1``, ``youden`` and ``profit`` to lists of equal
    length, in the order of rising thresholds. Profit is in the currency of the case file, over all rows looked at.
    """

    rule: str
    value: float
    curve: dict[str, list[float]]

    def as_product(self) -> dict[str, Any]:
        """Return the threshold as JSON-able data."""
        return {"rule": self.rule, "value": self.value, "curve": self.curve}


NOBODY = float(np.nextafter(1.0, 2.0))
"""The smallest threshold that flags no row, not even one whose probability is exactly 1."""


def threshold_curve(
    y: NDArray[Any], positive: Floats, *, value_true_positive: float = 1.0, cost_contact: float = 0.5
) -> dict[str, list[float]]:
    """Return what every threshold gives; a row is flagged when its probability is at least the threshold.

    Parameters
    ----------
    y
        Codes, 1 for the positive class, shape ``(n_rows,)``.
    positive
        Probability of the positive class, shape ``(n_rows,)``.
    value_true_positive
        What acting on a true positive is worth.
    cost_contact
        What acting on any flagged row costs.
    """
    thresholds = _candidates(positive)
    order = np.sort(positive)
    hits_order = np.sort(positive[np.asarray(y) == 1])
    flagged = len(order) - np.searchsorted(order, thresholds, side="left")
    hits = len(hits_order) - np.searchsorted(hits_order, thresholds, side="left")
    n_positive, n_negative = len(hits_order), len(order) - len(hits_order)
    recall = hits / max(n_positive, 1)
    curve = {
        "threshold": thresholds,
        "share_flagged": flagged / len(order),
        "precision": hits / np.maximum(flagged, 1),
        "recall": recall,
        "f1": 2 * hits / np.maximum(flagged + n_positive, 1),
        "youden": recall - (flagged - hits) / max(n_negative, 1),
        "profit": hits * value_true_positive - flagged * cost_contact,
    }
    return {name: np.asarray(values, dtype=np.float64).tolist() for name, values in curve.items()}


def _candidates(positive: Floats) -> Floats:
    """Return the thresholds to look at, rising; the last one flags no row."""
    distinct = np.unique(positive)
    if len(distinct) > CURVE_POINTS:
        distinct = np.unique(np.quantile(positive, np.linspace(0, 1, CURVE_POINTS), method="nearest"))
    middles = (distinct[1:] + distinct[:-1]) / 2
    return np.concatenate([[0.0], middles if len(middles) else [0.5], [NOBODY]])


def choose_threshold(y: NDArray[Any], positive: Floats, settings: Any) -> ChosenThreshold:
    """Return the threshold that a case's ``threshold`` section asks for; of several equally good ones, the middle one.

    Parameters
    ----------
    y
        Codes, 1 for the positive class.
    positive
        Out-of-fold probability of the positive class.
    settings
        The section, with ``rule``, ``value``, ``value_true_positive`` and ``cost_contact``.
    """
    curve = threshold_curve(y, positive, value_true_positive=settings.value_true_positive, cost_contact=settings.cost_contact)
    if settings.rule == "fixed":
        return ChosenThreshold("fixed", float(settings.value), curve)
    values = np.asarray(curve[settings.rule])
    best = np.flatnonzero(values >= values.max() - 1e-12)
    return ChosenThreshold(settings.rule, float(curve["threshold"][best[len(best) // 2]]), curve)
