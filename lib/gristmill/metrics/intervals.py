"""Bootstrap intervals of metrics.

Percentile intervals of the stratified bootstrap (Efron and Tibshirani 1993, chapters 13 and 8): rows are drawn with replacement,
within each class for classification, so that no resample loses a class. All metrics of a call share their resamples.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from gristmill.config.metric_names import CLASSIFICATION_METRICS, REGRESSION_METRICS
from gristmill.metrics.scores import Codes, Floats, score
from gristmill.metrics.weighted import weighted_scores

CELLS_AT_ONCE = 1_000_000
"""Weights held in memory at a time."""

Interval = dict[str, float]
"""``{"value", "low", "high"}``."""


@dataclass(frozen=True)
class Bootstrap:
    """How intervals are made: their confidence, the number of resamples behind them, and the seed."""

    confidence: float = 0.95
    resamples: int = 1000
    random_state: int = 0


DEFAULT_BOOTSTRAP = Bootstrap()


def resample_weights(strata: Codes, resamples: int, random_state: int) -> Iterator[Floats]:
    """Give how often each row is drawn, in blocks of shape ``(some resamples, n_rows)``, together ``resamples`` long.

    Parameters
    ----------
    strata
        Code of each row's stratum, shape ``(n_rows,)``; every resample draws as many rows of a stratum as it has.
    resamples
        Number of resamples.
    random_state
        Seed; the same seed and strata give the same weights.
    """
    rng = np.random.default_rng(random_state)
    members = [np.flatnonzero(strata == code) for code in np.unique(strata)]
    block = max(1, CELLS_AT_ONCE // max(1, len(strata)))
    for start in range(0, resamples, block):
        weights = np.empty((min(block, resamples - start), len(strata)))
        for rows in members:
            for resample in weights:
                drawn = rng.integers(0, len(rows), len(rows), dtype=np.int32)
                resample[rows] = np.bincount(drawn, minlength=len(rows))
        yield weights


def metric_names(task: str) -> tuple[str, ...]:
    """Return the names of all metrics of ``task``."""
    return tuple(REGRESSION_METRICS if task == "regression" else CLASSIFICATION_METRICS)


def distributions(
    task: str,
    y_true: Codes | Floats,
    predicted: Floats,
    bootstrap: Bootstrap = DEFAULT_BOOTSTRAP,
    *,
    metrics: Collection[str] | None = None,
    threshold: float | None = None,
    n_features: int = 0,
) -> dict[str, Floats]:
    """Return the bootstrap distribution of each metric, shape ``(resamples,)``.

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
    strata = np.zeros(len(y_true), dtype=np.int64) if task == "regression" else np.asarray(y_true, dtype=np.int64)
    rows = np.lexsort((-predicted[:, -1], strata)) if task == "binary" else np.arange(len(strata))  # sorted rows rank faster
    kernel = weighted_scores(np.asarray(y_true)[rows], predicted[rows], names, threshold=threshold, n_features=n_features)
    blocks = [kernel(weights) for weights in resample_weights(strata[rows], bootstrap.resamples, bootstrap.random_state)]
    return {name: np.concatenate([block[name] for block in blocks]) for name in names}


def percentile_interval(value: float, distribution: Floats, confidence: float) -> Interval:
    """Return the percentile interval of a distribution, stretched where needed to hold ``value``.

    Stretching matters for metrics that resampling inflates, such as the calibration error near zero: an interval that leaves
    out its own estimate would confuse more than it tells. Draws that are not a number are left out.
    """
    finite = distribution[np.isfinite(distribution)]
    if not np.isfinite(value) or not len(finite):
        return {"value": value, "low": float("nan"), "high": float("nan")}
    tail = (1 - confidence) / 2
    low, high = np.quantile(finite, [tail, 1 - tail])
    return {"value": value, "low": float(min(low, value)), "high": float(max(high, value))}


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
    """Return ``{metric: {"value", "low", "high"}}``; see :func:`distributions` for the parameters."""
    names = tuple(metrics) if metrics is not None else metric_names(task)
    drawn = distributions(task, y_true, predicted, bootstrap, metrics=names, threshold=threshold, n_features=n_features)
    values = {name: score(name, y_true, predicted, threshold=threshold, n_features=n_features) for name in names}
    return {name: percentile_interval(values[name], drawn[name], bootstrap.confidence) for name in names}
