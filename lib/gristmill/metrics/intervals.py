"""Bootstrap intervals of metrics.

Stratified bootstrap (Efron and Tibshirani 1993, chapters 13, 14 and 8): rows are drawn with replacement, within each class for
classification, so that no resample loses a class; the shares of the classes are taken as given. Intervals are corrected for bias
and skewness (BCa); those of errors of numbers, which a few large ones decide, are studentised; those of the calibration error,
which resampling inflates, are mirrored. All metrics of a call share their resamples.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gristmill.config.metric_names import CLASSIFICATION_METRICS, REGRESSION_METRICS
from gristmill.config.metric_ranges import metric_range
from gristmill.metrics.bags import BAGS, MOST_ROWS, bags
from gristmill.metrics.interval_ends import Interval, basic_interval, bca_interval, studentised_interval, within
from gristmill.metrics.resampling import Kernel, Resampled, resample
from gristmill.metrics.scores import Codes, Floats, score
from gristmill.metrics.weighted import MEANS, root_errors, weighted_scores

INFLATED = ("ece",)
"""Metrics whose draws lie above the value for no other reason than that they are draws."""

MOST_RELATIVE_ERROR = 0.15
"""Standard error of a root, as a share of it, up to which intervals are studentised: beyond it, few rows make up the whole error,
and the errors of the resamples are too rough to divide by."""


@dataclass(frozen=True)
class Bootstrap:
    """How intervals are made: their confidence, the number of resamples behind them, and the seed."""

    confidence: float = 0.95
    resamples: int = 1000
    random_state: int = 0


DEFAULT_BOOTSTRAP = Bootstrap()


def metric_names(task: str) -> tuple[str, ...]:
    """Return the names of all metrics of ``task``."""
    return tuple(REGRESSION_METRICS if task == "regression" else CLASSIFICATION_METRICS)


def strata_of(task: str, y_true: Codes | Floats) -> Codes:
    """Return the stratum of each row within which it is resampled: its class; all rows are one where numbers are predicted."""
    return np.zeros(len(y_true), dtype=np.int64) if task == "regression" else np.asarray(y_true, dtype=np.int64)


def resampled_scores(
    task: str,
    y_true: Codes | Floats,
    predicted: Floats,
    bootstrap: Bootstrap = DEFAULT_BOOTSTRAP,
    *,
    metrics: Collection[str] | None = None,
    threshold: float | None = None,
    n_features: int = 0,
) -> Resampled:
    """Return each metric with its bootstrap distribution; beside errors of numbers, the standard errors of their roots.

    Parameters
    ----------
    task
        ``binary``, ``multiclass`` or ``regression``.
    y_true, predicted, threshold, n_features
        As in :func:`gristmill.metrics.scores.score`.
    bootstrap
        Number of resamples and seed.
    metrics
        The metrics wanted; all of the task by default.
    """
    names = tuple(metrics) if metrics is not None else metric_names(task)
    strata = strata_of(task, y_true)
    order = np.lexsort((-predicted[:, -1], strata)) if task == "binary" else np.arange(len(strata))  # sorted rows rank faster
    truth, answers = np.asarray(y_true)[order], predicted[order]

    means = [name for name in names if name in MEANS and len(truth) <= MOST_ROWS]  # bags have rows enough for any interval

    def kernel_of(rows: NDArray[np.intp]) -> Kernel:
        scores = weighted_scores(truth[rows], answers[rows], names, threshold=threshold, n_features=n_features)
        if not means:
            return scores
        errors = root_errors(truth[rows], answers[rows], means)
        return lambda weights: {**scores(weights), **{_error(name): found for name, found in errors(weights).items()}}

    return resample(kernel_of, strata[order], bootstrap.resamples, bootstrap.random_state)


def interval_of(metric: str, value: float, found: Resampled, confidence: float, task: str) -> Interval:
    """Return the interval of one metric of ``task`` around its ``value``, within what the metric can be."""
    low, high = metric_range(metric, task)
    if metric in INFLATED:
        return within(basic_interval(value, found.draws[metric], confidence, least=low), low, high)
    error = found.values.get(_error(metric))
    if error is not None and error <= MOST_RELATIVE_ERROR * _root(metric, value):
        return within(_studentised(metric, value, found, confidence), low, high)
    return within(bca_interval(value, found.draws[metric], confidence, found.accelerations[metric]), low, high)


def _error(metric: str) -> str:
    """Return the name of the figure that is the standard error of a metric's root."""
    return f"error of the root of {metric}"


def _root(metric: str, values: float | Floats) -> Any:
    """Return the root of the means that are values of a metric; the RMSE is one already."""
    return values if metric == "rmse" else np.sqrt(values)


def _studentised(metric: str, value: float, found: Resampled, confidence: float) -> Interval:
    """Return the interval of a mean of losses: the studentised one of its root, turned back."""
    name, power = _error(metric), 1 if metric == "rmse" else 2
    draws = _root(metric, found.draws[metric])
    ends = studentised_interval(_root(metric, value), found.values[name], draws, found.draws[name], confidence)
    return {"value": value, "low": min(ends["low"] ** power, value), "high": max(ends["high"] ** power, value)}


def intervals(
    task: str,
    y_true: Codes | Floats,
    predicted: Floats,
    bootstrap: Bootstrap = DEFAULT_BOOTSTRAP,
    *,
    metrics: Collection[str] | None = None,
    threshold: float | None = None,
    n_features: int = 0,
) -> dict[str, Interval]:
    """Return ``{metric: {"value", "low", "high"}}``; see :func:`resampled_scores` for the parameters."""
    names = tuple(metrics) if metrics is not None else metric_names(task)
    options: dict[str, Any] = {"threshold": threshold, "n_features": n_features}
    found = resampled_scores(task, y_true, predicted, bootstrap, metrics=names, **options)
    values = {name: score(name, y_true, predicted, **options) for name in names}
    return {name: interval_of(name, values[name], found, bootstrap.confidence, task) for name in names}


def sampling(task: str, y_true: Codes | Floats, bootstrap: Bootstrap = DEFAULT_BOOTSTRAP) -> dict[str, Any]:
    """Return how the intervals of some rows are made: ``rows``, ``resamples``, ``bags`` and the rows that are ``in_bags``.

    Without bags (``bags`` is 0), every row is resampled.
    """
    facts = {"rows": len(y_true), "resamples": bootstrap.resamples, "bags": 0, "in_bags": 0}
    if len(y_true) <= MOST_ROWS:
        return facts
    drawn = bags(strata_of(task, y_true), bootstrap.random_state)
    return facts | {"bags": BAGS, "in_bags": len(np.unique(np.concatenate([bag.rows for bag in drawn])))}
