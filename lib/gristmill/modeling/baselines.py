"""The simplest answers there are, which every model has to beat (R17)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gristmill.modeling.search.folds import Folds, fold_scores, is_better, mean_score, spread

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Baseline:
    """A baseline and its score out of fold."""

    name: str
    score: float
    std: float
    fold_scores: list[float]


def names(task: str) -> tuple[str, ...]:
    """Return the baselines of a task: class shares or the most frequent class; the mean or the median."""
    return ("mean", "median") if task == "regression" else ("prior", "majority")


def predict(name: str, y_train: NDArray[Any], n_rows: int, n_classes: int) -> Floats:
    """Return what a baseline answers, having seen the training targets alone.

    Parameters
    ----------
    name
        ``prior`` (each class's share), ``majority`` (the most frequent class, surely), ``mean`` or ``median``.
    y_train
        Codes or numbers of the training rows.
    n_rows
        Number of rows to answer for.
    n_classes
        Number of classes; 0 for a regression.

    Returns
    -------
    ndarray
        Probabilities ``(n_rows, n_classes)`` or numbers ``(n_rows,)``.
    """
    if n_classes == 0:
        return np.full(n_rows, float(np.mean(y_train) if name == "mean" else np.median(y_train)))
    shares = np.bincount(np.asarray(y_train, dtype=np.int64), minlength=n_classes) / len(y_train)
    answer = np.eye(n_classes)[int(np.argmax(shares))] if name == "majority" else shares
    return np.tile(answer, (n_rows, 1))


def best_baseline(task: str, metric: str, y: NDArray[Any], folds: Folds, n_classes: int) -> Baseline:
    """Return the task's baseline with the best score out of fold; the first of the list when they tie."""
    best: Baseline | None = None
    for name in names(task):
        predicted = np.full((len(y), n_classes) if n_classes else len(y), np.nan)
        for train, valid in folds:
            predicted[valid] = predict(name, y[train], len(valid), n_classes)
        scores = fold_scores(metric, y, predicted, folds)
        value = mean_score(metric, scores, y, predicted, folds)
        if best is None or is_better(metric, value, best.score):
            best = Baseline(name, value, spread(scores), scores)
    assert best is not None  # noqa: S101 - every task has baselines
    return best
