"""Every metric as a function of row weights, for many sets of weights at once.

A bootstrap resample is a set of whole-number row weights. Everything that does not depend on them (sorting by score, the loss of
each row, its cell of the confusion matrix) is done once here, so that a resample costs a few passes over the rows. With all
weights equal to one, each function agrees with :func:`gristmill.metrics.scores.score`.
"""

from collections.abc import Callable, Collection

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from gristmill.config.metric_names import CLASSIFICATION_METRICS, REGRESSION_METRICS
from gristmill.metrics.gains import TOP_SHARES, top_gain
from gristmill.metrics.scores import ECE_BINS, PINBALL_LEVELS, Codes, Floats, decide

Kernel = Callable[[Floats], dict[str, Floats]]
"""From weights ``(n_sets, n_rows)`` to the metrics' values, each ``(n_sets,)``."""

AREAS = ("roc_auc", "pr_auc")
RANK_METRICS = (*AREAS, *TOP_SHARES)

MEANS = {"mse": "mse", "rmse": "mse", "mae": "mae", "mape": "mape", **{name: name for name in PINBALL_LEVELS}}
"""Metrics that are the mean of a loss of each row, or its root -> the mean."""


def _ratio(numerator: Floats, denominator: Floats, empty: float = 0.0) -> Floats:
    """Divide, giving ``empty`` where nothing stands below the line."""
    result = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), empty)
    np.divide(numerator, denominator, out=result, where=denominator != 0)
    return result


def _run(rows: NDArray[np.intp]) -> NDArray[np.intp] | slice:
    """Return consecutive rows as a slice, which selects without copying; other rows as they are."""
    return slice(rows[0], rows[-1] + 1) if np.all(np.diff(rows) == 1) else rows


def _ranking(is_positive: NDArray[np.bool_], scores: Floats) -> Callable[[Floats], tuple[Floats, Floats]]:
    """Return the function from weights to (area under the ROC curve, average precision) of one class against the rest.

    The area is the weighted Mann-Whitney statistic with ties counted half; average precision is the sum of precision over the
    steps in recall, as in scikit-learn.
    """
    order = np.argsort(-scores, kind="stable")
    positives, negatives = _run(order[is_positive[order]]), _run(order[~is_positive[order]])
    keys, other_keys = -scores[positives], -scores[negatives]
    above = np.searchsorted(other_keys, keys, side="left")
    above_or_tied = np.searchsorted(other_keys, keys, side="right")
    last_tied = np.searchsorted(keys, keys, side="right") - 1

    def rank(weights: Floats) -> tuple[Floats, Floats]:
        weight = weights[:, positives]
        found = np.cumsum(weight, axis=1)
        passed = np.zeros((len(weights), len(other_keys) + 1))
        np.cumsum(weights[:, negatives], axis=1, out=passed[:, 1:])
        n_positive, n_negative = found[:, -1], passed[:, -1]
        false = passed[:, above_or_tied]
        worse = np.einsum("ij,ij->i", weight, passed[:, above] + false) / 2
        true = found[:, last_tied]
        precision = _ratio(true, true + false)
        return 1 - worse / (n_positive * n_negative), np.einsum("ij,ij->i", weight, precision) / n_positive

    return rank


def _rank_kernel(y_true: Codes, y_proba: Floats, wanted: Collection[str]) -> Kernel:
    """Return the metrics of ranks; not a number unless every class occurs among the rows."""
    n_classes = y_proba.shape[1]
    if len(np.unique(y_true)) < n_classes:
        return lambda weights: dict.fromkeys(wanted, np.full(len(weights), np.nan))
    against_rest = [(y_true == code, y_proba[:, code]) for code in ([1] if n_classes == 2 else range(n_classes))]
    rankings = [_ranking(*one) for one in against_rest] if set(AREAS) & set(wanted) else []
    tops = tuple(name for name in TOP_SHARES if name in wanted)
    gains = [top_gain(*one, tops) for one in against_rest] if tops else []

    def kernel(weights: Floats) -> dict[str, Floats]:
        by_class = [dict(zip(AREAS, rank(weights), strict=True)) for rank in rankings]
        found = [gain(weights) for gain in gains]
        return {name: np.mean([one[name] for one in part], axis=0) for part in (by_class, found) if part for name in part[0]}

    return kernel


def _indicator(columns: Codes, n_columns: int, values: Floats | None = None) -> sparse.csr_matrix:
    """Return the matrix that holds each row's value (1 by default) in the column named for that row."""
    n_rows = len(columns)
    filled = np.ones(n_rows) if values is None else values
    return sparse.csr_matrix((filled, (np.arange(n_rows), columns)), shape=(n_rows, n_columns))


def _loss_columns(y_true: Codes, y_proba: Floats) -> sparse.csr_matrix:
    """Return, for each row, its log loss, its Brier loss and its calibration gap in the column of its confidence bin."""
    n_rows, n_classes = y_proba.shape
    smallest = np.finfo(np.float64).eps
    log_loss = -np.log(np.clip(y_proba[np.arange(n_rows), y_true], smallest, 1 - smallest))
    if n_classes == 2:
        squared = (y_proba[:, 1] - y_true) ** 2
        confidence, correct = y_proba[:, 1], y_true == 1
    else:
        squared = np.sum((y_proba - np.eye(n_classes)[y_true]) ** 2, axis=1)
        confidence, correct = y_proba.max(axis=1), np.argmax(y_proba, axis=1) == y_true
    bins = np.minimum((confidence * ECE_BINS).astype(np.int64), ECE_BINS - 1)
    return sparse.hstack([np.column_stack([log_loss, squared]), _indicator(bins, ECE_BINS, confidence - correct)], format="csr")


def _decision_metrics(counts: Floats) -> dict[str, Floats]:
    """Return the metrics of decisions from confusion matrices ``(n_sets, n_classes, n_classes)``, truth first."""
    n_classes = counts.shape[1]
    hits, truths, guesses = np.einsum("bii->bi", counts), counts.sum(axis=2), counts.sum(axis=1)
    total, correct = counts.sum(axis=(1, 2)), hits.sum(axis=1)
    by_class = {
        "precision": _ratio(hits, guesses),
        "recall": _ratio(hits, truths),
        "f1": _ratio(2 * hits, truths + guesses),
    }
    averaged = {name: values[:, 1] if n_classes == 2 else values.mean(axis=1) for name, values in by_class.items()}
    occurs = (truths > 0).sum(axis=1)
    spread = (total**2 - (guesses**2).sum(axis=1)) * (total**2 - (truths**2).sum(axis=1))
    return {
        "accuracy": correct / total,
        "balanced_accuracy": by_class["recall"].sum(axis=1) / occurs,
        **averaged,
        "mcc": _ratio(correct * total - (truths * guesses).sum(axis=1), np.sqrt(spread)),
    }


def _class_kernel(y_true: Codes, y_proba: Floats, threshold: float | None) -> Kernel:
    """Return the classification metrics that are made of sums over rows."""
    n_classes = y_proba.shape[1]
    cells = y_true * n_classes + decide(y_proba, threshold)
    columns = sparse.hstack([_loss_columns(y_true, y_proba), _indicator(cells, n_classes**2)], format="csr")

    def kernel(weights: Floats) -> dict[str, Floats]:
        sums = weights @ columns
        total = weights.sum(axis=1)
        counts = sums[:, 2 + ECE_BINS :].reshape(-1, n_classes, n_classes)
        return {
            **_decision_metrics(counts),
            "log_loss": sums[:, 0] / total,
            "brier": sums[:, 1] / total,
            "ece": np.abs(sums[:, 2 : 2 + ECE_BINS]).sum(axis=1) / total,
        }

    return kernel


def _error_columns(y_true: Floats, y_pred: Floats) -> dict[str, Floats]:
    """Return what each error of numbers is the mean of, row by row; the RMSE is the root of the first."""
    residual = y_true - y_pred
    relative = np.abs(residual) / np.maximum(np.abs(y_true), np.finfo(np.float64).eps)
    pinball = {name: np.maximum(level * residual, (level - 1) * residual) for name, level in PINBALL_LEVELS.items()}
    return {"mse": residual**2, "mae": np.abs(residual), "mape": relative, **pinball}


def _number_kernel(y_true: Floats, y_pred: Floats, n_features: int) -> Kernel:
    """Return the regression metrics."""
    losses = _error_columns(y_true, y_pred)
    centred = y_true - y_true.mean()  # R2 does not change, and the difference of large squares is avoided
    columns = np.column_stack([centred, centred**2, *losses.values()])

    def kernel(weights: Floats) -> dict[str, Floats]:
        total = weights.sum(axis=1)
        first, second, *sums = (weights @ columns).T
        squared = sums[0]
        spread = np.maximum(second - first**2 / total, 0.0)
        r2 = np.where(spread > 0, 1 - _ratio(squared, spread), np.where(squared > 0, 0.0, 1.0))
        r2 = r2 if len(y_true) > 1 else np.full_like(total, np.nan)
        freedom = total - n_features - 1
        adjusted = np.where(freedom > 0, 1 - (1 - r2) * _ratio(total - 1, np.maximum(freedom, 0)), np.nan)
        errors = {name: values / total for name, values in zip(losses, sums, strict=True)}
        return {**errors, "rmse": np.sqrt(errors["mse"]), "r2": r2, "adjusted_r2": adjusted}

    return kernel


def root_errors(y_true: Floats, y_pred: Floats, metrics: Collection[str]) -> Kernel:
    """Return the function from weights to the standard error of the *root* of each of ``metrics``, all of :data:`MEANS`.

    The root, because the error of a mean of losses grows with the mean, and that of its root hardly does; zero where a mean is.

    Parameters
    ----------
    y_true, y_pred
        Truth and prediction, shape ``(n_rows,)``.
    metrics
        Names of :data:`MEANS`.
    """
    losses = _error_columns(np.asarray(y_true, dtype=np.float64), np.asarray(y_pred, dtype=np.float64))
    columns = np.column_stack([losses[MEANS[name]] for name in metrics])
    squares = columns**2

    def kernel(weights: Floats) -> dict[str, Floats]:
        total = weights.sum(axis=1, keepdims=True)
        means = weights @ columns / total
        variances = weights @ squares / total - means**2
        known = np.where(variances > np.finfo(np.float64).eps * means**2, variances, 0.0)  # less is rounding
        errors = _ratio(np.sqrt(known / np.maximum(total - 1, 1)), 2 * np.sqrt(means))
        return dict(zip(metrics, errors.T, strict=True))

    return kernel


def weighted_scores(
    y_true: Codes | Floats,
    predicted: Floats,
    metrics: Collection[str],
    *,
    threshold: float | None = None,
    n_features: int = 0,
) -> Kernel:
    """Return the function from weights ``(n_sets, n_rows)`` to the values of ``metrics``, each ``(n_sets,)``.

    Parameters
    ----------
    y_true, predicted, threshold, n_features
        As in :func:`gristmill.metrics.scores.score`.
    metrics
        Names of :mod:`gristmill.config.metric_names`, all of one kind of task.

    Raises
    ------
    KeyError
        A name is not a metric of Gristmill, or the names mix metrics of classes and of numbers.
    """
    wanted = set(metrics)
    if wanted <= set(REGRESSION_METRICS):
        truth, numbers = np.asarray(y_true, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
        kernels = [_number_kernel(truth, numbers, n_features)]
    elif wanted <= set(CLASSIFICATION_METRICS):
        codes, y_proba = np.asarray(y_true, dtype=np.int64), np.asarray(predicted, dtype=np.float64)
        ranks = [_rank_kernel(codes, y_proba, wanted)] if wanted & set(RANK_METRICS) else []
        sums = [_class_kernel(codes, y_proba, threshold)] if wanted - set(RANK_METRICS) else []
        kernels = ranks + sums
    else:
        raise KeyError(", ".join(sorted(wanted)))

    def kernel(weights: Floats) -> dict[str, Floats]:
        values = {name: value for part in kernels for name, value in part(weights).items()}
        return {name: values[name] for name in metrics}

    return kernel
