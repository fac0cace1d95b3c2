"""Point estimates of every metric, one implementation for training, evaluation and gates.

Classes are integer codes ``0..k-1``; for two classes, code 1 is the positive class. Probabilities are an array of shape
``(n_rows, n_classes)`` with the columns in the order of the codes.
"""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics as sk

from gristmill.config.metric_names import CLASSIFICATION_METRICS, REGRESSION_METRICS, greater_is_better
from gristmill.config.metric_ranges import metric_range
from gristmill.metrics.gains import top_gain

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]

Value = TypeVar("Value", float, Floats)

ECE_BINS = 10

PINBALL_LEVELS = {"pinball_10": 0.1, "pinball_90": 0.9}
"""Metric -> the quantile whose prediction it rewards: at 0.9, a number too low costs nine times what one too high costs."""


def decide(y_proba: Floats, threshold: float | None = None) -> Codes:
    """Return the class code each row is given, shape ``(n_rows,)``.

    With two classes and a ``threshold``, code 1 where its probability is at least the threshold; otherwise the most probable.
    """
    if threshold is not None and y_proba.shape[1] == 2:
        return (y_proba[:, 1] >= threshold).astype(np.int64)
    return np.asarray(np.argmax(y_proba, axis=1), dtype=np.int64)


def expected_calibration_error(y_true: Codes, y_proba: Floats, n_bins: int = ECE_BINS) -> float:
    """Return the mean gap between confidence and accuracy over ``n_bins`` equal-width bins, weighted by their rows.

    For two classes the confidence is the positive class's probability; for more, that of the most probable class (Guo et al.
    2017, "On calibration of modern neural networks").
    """
    if y_proba.shape[1] == 2:
        confidence, correct = y_proba[:, 1], (y_true == 1).astype(float)
    else:
        confidence, correct = y_proba.max(axis=1), (np.argmax(y_proba, axis=1) == y_true).astype(float)
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    gaps = np.bincount(bins, weights=confidence - correct, minlength=n_bins)
    return float(np.abs(gaps).sum() / len(y_true))


def _ranked(function: Callable[[NDArray[np.bool_], Floats], float], y_true: Codes, y_proba: Floats) -> float:
    """Return a metric of ranks: of the positive class for two classes, else the mean over one class against the rest."""
    if len(np.unique(y_true)) < y_proba.shape[1]:
        return float("nan")  # undefined without every class among the rows
    codes = [1] if y_proba.shape[1] == 2 else range(y_proba.shape[1])
    return float(np.mean([function(y_true == code, y_proba[:, code]) for code in codes]))


def brier(y_true: Codes, y_proba: Floats) -> float:
    """Return the mean squared distance between probabilities and outcomes (Brier 1950).

    For two classes that of the positive class alone, between 0 and 1; for more the sum over the classes, between 0 and 2.
    """
    if y_proba.shape[1] == 2:
        return float(np.mean((y_proba[:, 1] - y_true) ** 2))
    return float(np.mean(np.sum((y_proba - np.eye(y_proba.shape[1])[y_true]) ** 2, axis=1)))


def _balanced_accuracy(y_true: Codes, y_pred: Codes) -> float:
    """Return the mean recall over the classes that occur."""
    return float(sk.recall_score(y_true, y_pred, labels=np.unique(y_true), average="macro", zero_division=0))


def _top_gain(metric: str, is_positive: NDArray[np.bool_], scores: Floats) -> float:
    """Return the gain or lift ``metric`` of one class against the rest."""
    return float(top_gain(is_positive, scores, (metric,))(np.ones((1, len(scores))))[metric][0])


_OF_PROBABILITIES: dict[str, Callable[[Codes, Floats], float]] = {
    "roc_auc": lambda y_true, y_proba: _ranked(sk.roc_auc_score, y_true, y_proba),
    "pr_auc": lambda y_true, y_proba: _ranked(sk.average_precision_score, y_true, y_proba),
    "log_loss": lambda y_true, y_proba: float(sk.log_loss(y_true, y_proba, labels=np.arange(y_proba.shape[1]))),
    "brier": brier,
    "ece": expected_calibration_error,
    "lift_10": lambda y_true, y_proba: _ranked(partial(_top_gain, "lift_10"), y_true, y_proba),
    "gain_20": lambda y_true, y_proba: _ranked(partial(_top_gain, "gain_20"), y_true, y_proba),
}
_OF_DECISIONS: dict[str, Callable[[Codes, Codes], float]] = {
    "accuracy": lambda y_true, y_pred: float(np.mean(y_pred == y_true)),
    "balanced_accuracy": _balanced_accuracy,
    "mcc": lambda y_true, y_pred: float(sk.matthews_corrcoef(y_true, y_pred)),
}
_BY_CLASS = {"precision": sk.precision_score, "recall": sk.recall_score, "f1": sk.f1_score}


def _class_score(metric: str, y_true: Codes, y_proba: Floats, threshold: float | None) -> float:
    """Return one classification metric."""
    if metric in _OF_PROBABILITIES:
        return _OF_PROBABILITIES[metric](y_true, y_proba)
    y_pred = decide(y_proba, threshold)
    if metric in _OF_DECISIONS:
        return _OF_DECISIONS[metric](y_true, y_pred)
    if y_proba.shape[1] == 2:
        return float(_BY_CLASS[metric](y_true, y_pred, zero_division=0))
    return float(_BY_CLASS[metric](y_true, y_pred, labels=np.arange(y_proba.shape[1]), average="macro", zero_division=0))


def _number_score(metric: str, y_true: Floats, y_pred: Floats, n_features: int) -> float:
    """Return one regression metric."""
    residual = np.asarray(y_true, dtype=float) - np.asarray(y_pred, dtype=float)
    if metric == "mse":
        return float(np.mean(residual**2))
    if metric == "rmse":
        return float(np.sqrt(np.mean(residual**2)))
    if metric == "mae":
        return float(np.mean(np.abs(residual)))
    if metric in PINBALL_LEVELS:
        return float(sk.mean_pinball_loss(y_true, y_pred, alpha=PINBALL_LEVELS[metric]))
    if metric == "mape":
        return float(sk.mean_absolute_percentage_error(y_true, y_pred))
    r2 = float(sk.r2_score(y_true, y_pred)) if len(y_true) > 1 else float("nan")
    if metric == "r2":
        return r2
    freedom = len(y_true) - n_features - 1
    return 1 - (1 - r2) * (len(y_true) - 1) / freedom if freedom > 0 else float("nan")


def score(metric: str, y_true: Codes | Floats, predicted: Floats, *, threshold: float | None = None, n_features: int = 0) -> float:
    """Return one metric.

    Parameters
    ----------
    metric
        A name of :mod:`gristmill.config.metric_names`.
    y_true
        Class codes or numbers, shape ``(n_rows,)``.
    predicted
        Probabilities ``(n_rows, n_classes)`` for a classification metric, numbers ``(n_rows,)`` for a regression metric.
    threshold
        Smallest probability of the positive class that counts as positive; by default the more probable class wins.
    n_features
        Number of features, used by ``adjusted_r2`` alone.

    Raises
    ------
    KeyError
        ``metric`` is not a metric of Gristmill.
    """
    if metric in CLASSIFICATION_METRICS:
        return _class_score(metric, np.asarray(y_true, dtype=np.int64), predicted, threshold)
    if metric in REGRESSION_METRICS:
        return _number_score(metric, np.asarray(y_true, dtype=float), predicted, n_features)
    raise KeyError(metric)


def all_scores(
    task: str, y_true: Codes | Floats, predicted: Floats, *, threshold: float | None = None, n_features: int = 0
) -> dict[str, float]:
    """Return every metric of ``task`` by name; see :func:`score` for the parameters."""
    names = REGRESSION_METRICS if task == "regression" else CLASSIFICATION_METRICS
    return {name: score(name, y_true, predicted, threshold=threshold, n_features=n_features) for name in names}


def as_gain(metric: str, value: float) -> float:
    """Return ``value`` turned so that more is better: errors and losses change their sign."""
    return value if greater_is_better(metric) else -value


def lost(metric: str, value: Value) -> Value:
    """Return a loss as it is, and a score as its distance from the best value that the metric can have."""
    best = metric_range(metric, "multiclass")[1]
    return best - value if greater_is_better(metric) else value


def relative_improvement(metric: str, value: float, baseline: float) -> float:
    """Return the share of the baseline's loss (or of its distance from the best score there is) that ``value`` removes."""
    loss, baseline_loss = lost(metric, value), lost(metric, baseline)
    if baseline_loss == 0:
        return 0.0
    return (baseline_loss - loss) / abs(baseline_loss)
