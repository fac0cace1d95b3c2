"""The metrics that probabilities promise: confidence-based performance estimation.

If among rows with probability p a share p is positive, the metrics of these rows can be expected before a label comes (CBPE;
Kivimäki et al. 2024, "Confidence-based estimators for predictive performance in model monitoring"). Each row stands in the table
once as each class, weighted by that class's probability, and the metrics are those of the weighted rows. Under covariate shift
probabilities are first made right on reference rows weighted like the served ones (PAPE: Białek et al. 2024, "Estimating model
performance under covariate shift without labels"). Nothing here can see that the same rows now have other labels: under concept
change the estimate is wrong, and says nothing of it.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from gristmill.metrics.interval_ends import Interval, percentile_interval
from gristmill.metrics.scores import Codes, Floats
from gristmill.metrics.weighted import weighted_scores
from gristmill.monitoring.performance.estimate.recalibration import recalibrated

NOT_ESTIMATED = ("ece",)
"""Metrics that measure how wrong probabilities are: these are what an estimate takes for granted."""


@dataclass(frozen=True)
class Draws:
    """How the interval of an estimate is made: its confidence, the draws behind it, and the seed."""

    confidence: float = 0.95
    draws: int = 200
    random_state: int = 0


def expected_scores(
    predicted: Floats, truth: Floats, metrics: Collection[str], threshold: float | None = None, weights: Floats | None = None
) -> dict[str, Floats]:
    """Return the metrics to be expected of predictions whose classes have known probabilities.

    Parameters
    ----------
    predicted
        What the model says, probabilities ``(n_rows, n_classes)``.
    truth
        What the probabilities are, ``(n_rows, n_classes)``.
    metrics
        Names of metrics of classes.
    threshold
        As in :func:`gristmill.metrics.scores.score`.
    weights
        Weights ``(n_sets, n_rows * n_classes)``, row by row for each class in turn, in place of ``truth``.
    """
    n_rows, n_classes = predicted.shape
    codes = np.repeat(np.arange(n_classes), n_rows)
    kernel = weighted_scores(codes, np.tile(predicted, (n_classes, 1)), list(metrics), threshold=threshold)
    return kernel(truth.T.reshape(1, -1) if weights is None else weights)


def estimated_metrics(
    y_true: Codes,
    reference: Floats,
    weights: Floats,
    served: Floats,
    metrics: Collection[str],
    *,
    threshold: float | None = None,
    how: Draws | None = None,
) -> dict[str, Interval]:
    """Return what each metric of served rows is estimated to be, with the interval in which their labels would put it.

    The interval holds both that the calibration was learnt from so many reference rows, and that so many labels are drawn.

    Parameters
    ----------
    y_true, reference, weights
        Codes, probabilities and weights of the reference rows.
    served
        Probabilities of the served rows.
    metrics
        Names of metrics; :data:`NOT_ESTIMATED` are left out.
    threshold
        As in :func:`gristmill.metrics.scores.score`.
    how
        Confidence, draws and seed.
    """
    names, how = [name for name in metrics if name not in NOT_ESTIMATED], how or Draws()
    values = expected_scores(served, recalibrated(y_true, reference, weights, served), names, threshold)
    rng = np.random.default_rng(how.random_state)
    drawn: dict[str, list[Floats]] = {name: [] for name in names}
    for _ in range(how.draws):
        rows = rng.integers(0, len(reference), len(reference))
        truth = recalibrated(y_true[rows], reference[rows], weights[rows], served)
        for name, found in _one_draw(served, truth, names, threshold, rng).items():
            drawn[name].append(found)
    return {name: percentile_interval(float(values[name][0]), np.concatenate(drawn[name]), how.confidence) for name in names}


def _one_draw(
    served: Floats, truth: Floats, names: Collection[str], threshold: float | None, rng: np.random.Generator
) -> dict[str, Floats]:
    """Return the metrics of one draw of rows and of their labels."""
    n_rows, n_classes = truth.shape
    counts = np.bincount(rng.integers(0, n_rows, n_rows), minlength=n_rows).astype(np.float64)
    steps = np.asarray(np.cumsum(truth, axis=1), dtype=np.float64)[:, :-1]
    codes = np.asarray((rng.random((n_rows, 1)) > steps).sum(axis=1), dtype=np.intp)
    weights = np.zeros((n_classes, n_rows))
    weights[codes, np.arange(n_rows)] = counts
    return expected_scores(served, truth, names, threshold, weights.reshape(1, -1))
