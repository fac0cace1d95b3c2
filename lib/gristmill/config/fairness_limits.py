"""Which measures of disparity a case may limit, with which key, and for which task."""

import math
from typing import Any

AT_LEAST, AT_MOST = "at least", "at most"

CLASS_LIMITS = {
    "disparate_impact": (AT_LEAST, "min_disparate_impact"),
    "equal_opportunity_difference": (AT_MOST, "max_equal_opportunity_difference"),
    "equalized_odds_difference": (AT_MOST, "max_equalized_odds_difference"),
    "calibration_difference": (AT_MOST, "max_calibration_difference"),
}
"""Measure of classes -> on which side of its limit it has to be, and the key of ``fairness`` that holds the limit."""

NUMBER_LIMITS = {
    "error_ratio": (AT_MOST, "max_error_ratio"),
    "mean_prediction_ratio": (AT_LEAST, "min_mean_prediction_ratio"),
}
"""The same for numbers."""

LOW_IS_WORSE = frozenset(name for name, (side, _) in (CLASS_LIMITS | NUMBER_LIMITS).items() if side == AT_LEAST)
"""Measures whose small values are the bad ones; of all others, limited or not, the large."""

JUDGED_BY_DEFAULT = ("disparate_impact", "equal_opportunity_difference", "error_ratio")
"""Measures with a limit unless the case takes it away."""


def fairness_limits(settings: Any, task: str) -> dict[str, tuple[str, float | None]]:
    """Return each measure of a task that a case may limit, its direction, and the limit; None where the case sets none.

    Parameters
    ----------
    settings
        The case's ``fairness``.
    task
        ``binary``, ``multiclass`` or ``regression``.
    """
    known = NUMBER_LIMITS if task == "regression" else CLASS_LIMITS
    return {measure: (direction, getattr(settings, key)) for measure, (direction, key) in known.items()}


def keeps(value: float, direction: str, limit: float) -> bool:
    """Return whether a value is on the right side of a limit; what is infinite, or no number, is on neither."""
    return math.isfinite(value) and (value >= limit if direction == AT_LEAST else value <= limit)


def nearer_end(measure: str) -> str:
    """Return the end of an interval, ``low`` or ``high``, where groups are most alike: beyond a limit, it takes the rest along."""
    return "high" if measure in LOW_IS_WORSE else "low"
