"""How unlike groups are treated out of fold, in the measures that a case may limit."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.config.fairness_limits import AT_LEAST, fairness_limits
from gristmill.metrics.disparity import class_rates, error_spread, mean_spread, rate_spread
from gristmill.metrics.groups import as_groups
from gristmill.metrics.intervals import Bootstrap
from gristmill.metrics.scores import decide

Floats = NDArray[np.float64]

VALUES_ALONE = Bootstrap(resamples=2)
"""Intervals are not asked for here."""


def sensitive_columns(case: Any, train: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the group of each row for each sensitive feature, as the audit makes them."""
    return {feature: as_groups(train[feature]) for feature in case.sensitive_features}


def disparities(
    case: Any, y: NDArray[Any], predicted: Floats, threshold: float | None, groups: Mapping[str, pd.Series]
) -> dict[str, float]:
    """Return each measure that a case of the task may limit, the worst over features and classes; not a number if unmeasured.

    Parameters
    ----------
    case
        ``task`` and ``fairness`` are read.
    y, predicted
        Codes or numbers, and predictions, of the same rows as ``groups``.
    threshold
        That of two classes, else None.
    groups
        Sensitive feature -> group of each row.
    """
    found: dict[str, list[float]] = {}
    for column in groups.values():
        same = column.reset_index(drop=True)
        numbers = case.task == "regression"
        for measure, value in _numbers(case, y, predicted, same) if numbers else _classes(case, y, predicted, threshold, same):
            found.setdefault(measure, []).append(value)
    stated = fairness_limits(case.fairness, case.task)
    return {measure: _worst(found.get(measure, []), low=direction == AT_LEAST) for measure, (direction, _) in stated.items()}


def _worst(values: list[float], *, low: bool) -> float:
    """Return the worst of the values that were measured."""
    known = [value for value in values if not np.isnan(value)]
    return (min if low else max)(known) if known else float("nan")


def _classes(case: Any, y: NDArray[Any], predicted: Floats, threshold: float | None, groups: pd.Series) -> list[tuple[str, float]]:
    """Return the measures of one feature, class by class."""
    options: dict[str, Any] = {"min_group_size": case.fairness.min_group_size, "bootstrap": VALUES_ALONE}
    decided, found = decide(predicted, threshold), list[tuple[str, float]]()
    for code in [1] if predicted.shape[1] == 2 else range(predicted.shape[1]):
        rates = class_rates(np.asarray(y, dtype=np.int64), decided, code)
        opportunity, false = (
            rate_spread(rates[rate], groups, comparison="difference", **options).interval["value"]
            for rate in ("true_positive_rate", "false_positive_rate")
        )
        impact = rate_spread(rates["selection_rate"], groups, comparison="ratio", **options)
        gaps = mean_spread(predicted[:, code] - (y == code), groups, **options)
        found += [("disparate_impact", impact.interval["value"]), ("equal_opportunity_difference", opportunity)]
        found += [("equalized_odds_difference", opportunity), ("equalized_odds_difference", false)]
        found.append(("calibration_difference", gaps.interval["value"]))
    return found


def _numbers(case: Any, y: NDArray[Any], predicted: Floats, groups: pd.Series) -> list[tuple[str, float]]:
    """Return the measures of one feature for numbers."""
    options: dict[str, Any] = {"min_group_size": case.fairness.min_group_size, "bootstrap": VALUES_ALONE}
    found = [("error_ratio", error_spread(np.abs(y - predicted), groups, **options).interval["value"])]
    if predicted.min() >= 0 and predicted.max() > 0:
        found.append(("mean_prediction_ratio", 1 / error_spread(predicted, groups, **options).interval["value"]))
    return found
