"""How unlike groups are treated out of fold, in the measures that a case may limit."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.config.fairness_limits import LOW_IS_WORSE, fairness_limits, keeps, nearer_end
from gristmill.metrics.disparity import Spread
from gristmill.metrics.group_measures import (
    ODDS,
    ODDS_PARTS,
    PREDICTION_RATIO,
    Decided,
    class_spread,
    has_ratio,
    number_spread,
)
from gristmill.metrics.groups import as_groups
from gristmill.metrics.intervals import Bootstrap
from gristmill.metrics.scores import decide

Floats = NDArray[np.float64]

VALUES_ALONE = Bootstrap(resamples=2)
"""Where intervals are not asked for."""


@dataclass(frozen=True)
class Predicted:
    """Rows with their truth and what a model says about them.

    Attributes
    ----------
    y
        Codes or numbers.
    predicted
        Probabilities ``(n_rows, n_classes)``, or numbers.
    threshold
        That of two classes, else None.
    """

    y: NDArray[Any]
    predicted: Floats
    threshold: float | None = None


def sensitive_columns(case: Any, train: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the group of each row for each sensitive feature, as the audit makes them."""
    return {feature: as_groups(train[feature]) for feature in case.sensitive_features}


def disparities(case: Any, rows: Predicted, groups: Mapping[str, pd.Series]) -> dict[str, float]:
    """Return each measure that a case of the task may limit, the worst over features and classes.

    It is not a number where it could not be measured, and may be infinite.

    Parameters
    ----------
    case
        ``task`` and ``fairness`` are read.
    rows
        Truth and predictions.
    groups
        Sensitive feature -> group of each of the same rows.
    """
    found = dict[str, float]()
    for measure in fairness_limits(case.fairness, case.task):
        spreads = [one for column in groups.values() for one in _spreads(measure, case, rows, column, VALUES_ALONE)]
        known = [one.interval["value"] for one in spreads if not np.isnan(one.interval["value"])]
        found[measure] = (min if measure in LOW_IS_WORSE else max)(known) if known else float("nan")
    return found


def beyond(case: Any, rows: Predicted, intersections: Mapping[str, pd.Series]) -> dict[str, str]:
    """Return each measure whose limit an intersection surely breaks, and the intersection, as the gates judge it.

    Groups of several features are small, so that some lie apart by chance alone: only where the whole interval is beyond the limit
    it is broken.

    Parameters
    ----------
    case
        ``task``, ``fairness`` and ``evaluation`` are read.
    rows
        Truth and predictions.
    intersections
        Names of the features -> group of each of the same rows.
    """
    bootstrap, found = Bootstrap(case.evaluation.confidence, case.evaluation.resamples), dict[str, str]()
    for measure in fairness_limits(case.fairness, case.task):
        for name, column in intersections.items():
            if measure in found or _all_keep(measure, case, rows, column, VALUES_ALONE, "value"):
                continue  # an interval holds its value, so that most need none
            if not _all_keep(measure, case, rows, column, bootstrap, nearer_end(measure)):
                found[measure] = name
    return found


def _all_keep(measure: str, case: Any, rows: Predicted, groups: pd.Series, bootstrap: Bootstrap, end: str) -> bool:
    """Return whether one end of a measure keeps its limit for every class; one that was not measured does."""
    direction, limit = fairness_limits(case.fairness, case.task)[measure]
    ends = [spread.interval[end] for spread in _spreads(measure, case, rows, groups, bootstrap)]
    return limit is None or all(np.isnan(value) or keeps(value, direction, limit) for value in ends)


def _spreads(measure: str, case: Any, rows: Predicted, groups: pd.Series, bootstrap: Bootstrap) -> Iterator[Spread]:
    """Give how far the groups of one column differ in a measure, class by class."""
    same, options = groups.reset_index(drop=True), {"min_group_size": case.fairness.min_group_size, "bootstrap": bootstrap}
    if case.task == "regression":
        if measure != PREDICTION_RATIO or has_ratio(rows.predicted):
            yield number_spread(measure, rows.y, rows.predicted, same, **options)
        return
    decided = Decided(np.asarray(rows.y, dtype=np.int64), decide(rows.predicted, rows.threshold), rows.predicted)
    for code in [1] if rows.predicted.shape[1] == 2 else range(rows.predicted.shape[1]):
        for part in ODDS_PARTS if measure == ODDS else (measure,):
            yield class_spread(part, decided, code, same, **options)
