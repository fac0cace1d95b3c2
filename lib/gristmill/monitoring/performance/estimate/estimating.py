"""The metrics of served rows before their labels come, with how far the estimate can be relied on."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from gristmill.errors import DataError
from gristmill.metrics.interval_ends import Interval
from gristmill.metrics.intervals import metric_names
from gristmill.metrics.scores import Floats
from gristmill.monitoring.performance.estimate.confidence import Draws, estimated_metrics
from gristmill.monitoring.performance.estimate.losses import estimated_errors
from gristmill.monitoring.performance.estimate.reference import Reference, as_numbers, at_most
from gristmill.monitoring.performance.estimate.shift import FEWEST_EFFECTIVE, Shift, shift

MOST_BEYOND = 0.05
"""Share of the served rows that may lie where hardly any reference row does."""


@dataclass(frozen=True)
class Estimating:
    """How metrics are estimated.

    Attributes
    ----------
    columns
        The columns the model reads.
    kinds
        Column -> its kind in the data contract.
    metrics
        Metrics wanted; all of the task when None.
    threshold
        Smallest probability of the positive class that counts as positive.
    most_rows
        Most served and most reference rows; more are sampled.
    draws
        Confidence, draws and seed of the intervals.
    """

    columns: Sequence[str]
    kinds: Mapping[str, str]
    metrics: Collection[str] | None = None
    threshold: float | None = None
    most_rows: int = 20_000
    draws: Draws = field(default_factory=Draws)


@dataclass(frozen=True)
class Estimate:
    """What the metrics are estimated to be.

    Attributes
    ----------
    metrics
        Metric -> value and interval.
    rows, reference_rows
        Served and reference rows behind it.
    separation
        Area under the ROC curve of telling served from reference rows; one half where they are alike.
    weighted
        Whether reference rows were weighted because of it.
    effective_rows
        As many equally weighted reference rows would say as much.
    warnings
        Sentences on why it may be wrong.
    """

    metrics: dict[str, Interval]
    rows: int
    reference_rows: int
    separation: float
    weighted: bool
    effective_rows: float
    warnings: tuple[str, ...]

    def as_record(self) -> dict[str, Any]:
        """Return it as JSON-able data."""
        return {**self.__dict__, "warnings": list(self.warnings)}


def estimate(reference: Reference, served: Floats, features: pd.DataFrame, how: Estimating) -> Estimate:
    """Return what the metrics of served rows are estimated to be.

    Parameters
    ----------
    reference
        Rows with known truth.
    served, features
        Predictions of the served rows, and their columns.
    how
        What is estimated, and how.

    Raises
    ------
    DataError
        There are too few rows, or a column is missing.
    """
    draws, columns = how.draws, list(how.columns)
    _require(reference, features, columns)
    known = reference.take(at_most(len(reference), how.most_rows, draws.random_state))
    some = at_most(len(served), how.most_rows, draws.random_state + 1)
    answers = served[some]
    (old, new), is_level = as_numbers([known.features[columns], features[columns].iloc[some]], how.kinds)
    moved = shift(old, new, is_level, draws.random_state)
    names = list(how.metrics or metric_names(reference.task))
    if reference.task == "regression":
        truth = np.asarray(known.y_true, dtype=np.float64)
        confidence, seed = draws.confidence, draws.random_state
        rows = known.predicted, old, answers, new
        found = estimated_errors(truth, *rows, names, effective_rows=moved.effective_rows, confidence=confidence, random_state=seed)
    else:
        codes = np.asarray(known.y_true, dtype=np.int64)
        found = estimated_metrics(codes, known.predicted, moved.weights, answers, names, threshold=how.threshold, how=draws)
    warnings = _warnings(moved, reference.task)
    return Estimate(found, len(some), len(known), moved.separation, moved.found, moved.effective_rows, warnings)


def _require(reference: Reference, features: pd.DataFrame, columns: Sequence[str]) -> None:
    """Refuse rows of which nothing can be estimated."""
    for name, count in (("served", len(features)), ("reference", len(reference))):
        if count < 50:
            raise DataError(f"Expected at least 50 {name} rows for an estimate, got {count}. Wait for more, or look further back.")
    for frame in (features, reference.features):
        absent = [column for column in columns if column not in frame.columns]
        if absent:
            raise DataError(f"Expected the column {absent[0]!r}, which the model reads, among the rows of an estimate, got none.")


def _warnings(moved: Shift, task: str) -> tuple[str, ...]:
    """Return why an estimate may be wrong."""
    found = []
    if task != "regression" and moved.effective_rows < FEWEST_EFFECTIVE:
        found.append(
            f"Served rows are so unlike the reference rows that only about {moved.effective_rows:,.0f} of these speak for "
            f"them; fewer than {FEWEST_EFFECTIVE} make an estimate that is not to be relied on."
        )
    if moved.found and moved.beyond > MOST_BEYOND:
        found.append(f"{moved.beyond:.0%} of the served rows lie where hardly any reference row does; nothing is known of them.")
    return tuple(found)
