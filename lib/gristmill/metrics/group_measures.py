"""The measures of disparity by their names: what each compares between groups, the same wherever groups are judged.

Groups that are too small to be judged are judged together (:func:`gristmill.metrics.groups.pooled`); for a rate that is counted
among some rows alone, such as the true-positive rate, a group is as large as it has of these.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from gristmill.metrics.disparity import Spread, class_rates, error_spread, mean_spread, rate_spread
from gristmill.metrics.groups import pooled
from gristmill.metrics.intervals import DEFAULT_BOOTSTRAP, Bootstrap
from gristmill.metrics.scores import Codes, Floats

RATES = {
    "disparate_impact": ("selection_rate", "ratio"),
    "selection_rate_difference": ("selection_rate", "difference"),
    "equal_opportunity_difference": ("true_positive_rate", "difference"),
    "false_positive_rate_difference": ("false_positive_rate", "difference"),
}
"""Measure of decisions -> the rate that is compared, and how."""

CALIBRATION = "calibration_difference"
ODDS, ODDS_PARTS = "equalized_odds_difference", ("equal_opportunity_difference", "false_positive_rate_difference")
"""Equalised odds, and the measures of which it is the larger (Hardt, Price and Srebro 2016)."""

NUMBERS = ("error_ratio", "error_difference", "mean_prediction_difference", "mean_residual_difference")
"""Measures of numbers that are defined whatever is predicted."""

PREDICTION_RATIO = "mean_prediction_ratio"


@dataclass(frozen=True)
class Decided:
    """Rows with their classes, and what a model says about them.

    Attributes
    ----------
    y_true, y_pred
        Codes of the true classes and of the decisions, shape ``(n_rows,)``.
    proba
        Probabilities, shape ``(n_rows, n_classes)``.
    """

    y_true: Codes
    y_pred: Codes
    proba: Floats

    def excess(self, code: int) -> Floats:
        """Return by how much each row's probability of a class exceeds what came true, 0 or 1."""
        return np.asarray(self.proba[:, code] - (self.y_true == code), dtype=np.float64)


def class_spread(
    measure: str,
    decided: Decided,
    code: int,
    groups: pd.Series,
    *,
    min_group_size: int,
    bootstrap: Bootstrap = DEFAULT_BOOTSTRAP,
) -> Spread:
    """Return how far groups differ in one measure of one class against the rest.

    Parameters
    ----------
    measure
        A name of :data:`RATES`, or :data:`CALIBRATION`.
    decided
        The rows.
    code
        The class.
    groups
        Name of each row's group.
    min_group_size
        Groups with fewer rows that count are judged together.
    bootstrap
        Confidence, draws and seed of the interval.
    """
    if measure == CALIBRATION:
        same = pooled(groups, min_group_size).groups
        return mean_spread(decided.excess(code), same, min_group_size=min_group_size, bootstrap=bootstrap)
    name, comparison = RATES[measure]
    rate = class_rates(decided.y_true, decided.y_pred, code)[name]
    same = pooled(groups, min_group_size, rate.among).groups
    return rate_spread(rate, same, comparison=comparison, min_group_size=min_group_size, bootstrap=bootstrap)


def has_ratio(predicted: Floats) -> bool:
    """Return whether a ratio of mean predictions has a meaning: none of them is negative."""
    return bool(len(predicted) and predicted.min() >= 0)


def number_spread(
    measure: str,
    y_true: Floats,
    predicted: Floats,
    groups: pd.Series,
    *,
    min_group_size: int,
    bootstrap: Bootstrap = DEFAULT_BOOTSTRAP,
) -> Spread:
    """Return how far groups differ in one measure of numbers.

    Parameters
    ----------
    measure
        A name of :data:`NUMBERS`, or :data:`PREDICTION_RATIO` where :func:`has_ratio` allows it.
    y_true, predicted
        Numbers, shape ``(n_rows,)``.
    groups, min_group_size, bootstrap
        As in :func:`class_spread`.
    """
    same, residuals = pooled(groups, min_group_size).groups, y_true - predicted
    if measure == PREDICTION_RATIO:
        return _inverse(error_spread(predicted, same, min_group_size=min_group_size, bootstrap=bootstrap))
    if measure == "error_ratio":
        return error_spread(np.abs(residuals), same, min_group_size=min_group_size, bootstrap=bootstrap)
    quantity = {
        "error_difference": np.abs(residuals),
        "mean_prediction_difference": predicted,
        "mean_residual_difference": residuals,
    }[measure]
    return mean_spread(quantity, same, min_group_size=min_group_size, bootstrap=bootstrap)


def _inverse(spread: Spread) -> Spread:
    """Return the ratio of the largest to the smallest as that of the smallest to the largest."""
    low, value, high = (0.0 if np.isinf(end) else 1 / end for end in (spread.interval[key] for key in ("high", "value", "low")))
    return replace(spread, interval={"value": value, "low": low, "high": high})
