"""The points behind the figures of an evaluation, thinned to what a picture can show.

Curves describe rows that were predicted already; nothing here chooses a model or a threshold.
"""

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn import metrics as sk

from gristmill.evaluation.predictions import Scored
from gristmill.metrics.disparity import wilson_interval
from gristmill.metrics.scores import Codes, Floats, decide

MAX_POINTS = 100
CALIBRATION_BINS = 10


def _thin(frame: pd.DataFrame, max_points: int = MAX_POINTS) -> pd.DataFrame:
    """Return at most ``max_points`` rows, evenly spaced, the first and last among them."""
    if len(frame) <= max_points:
        return frame
    kept = np.unique(np.linspace(0, len(frame) - 1, max_points).round().astype(int))
    return frame.iloc[kept].reset_index(drop=True)


def roc_points(is_positive: NDArray[np.bool_], scores: Floats) -> pd.DataFrame:
    """Return ``false_positive_rate, true_positive_rate, threshold``; the first point selects no row and has no threshold."""
    false, true, thresholds = sk.roc_curve(is_positive, scores)
    return _thin(pd.DataFrame({"false_positive_rate": false, "true_positive_rate": true, "threshold": thresholds}))


def pr_points(is_positive: NDArray[np.bool_], scores: Floats) -> pd.DataFrame:
    """Return ``recall, precision, threshold``, from the loosest threshold to the last point, which selects no row."""
    precision, recall, thresholds = sk.precision_recall_curve(is_positive, scores)
    return _thin(pd.DataFrame({"recall": recall, "precision": precision, "threshold": np.append(thresholds, np.inf)}))


def calibration_points(
    is_positive: NDArray[np.bool_], scores: Floats, *, n_bins: int = CALIBRATION_BINS, confidence: float = 0.95
) -> pd.DataFrame:
    """Return a row for each of at most ``n_bins`` groups of equal size, by predicted probability.

    Returns
    -------
    DataFrame
        ``predicted`` (mean probability), ``observed`` (share of positives), ``low``, ``high`` (its Wilson interval), ``n``.
    """
    bins = pd.qcut(pd.Series(scores).rank(method="first"), min(n_bins, len(scores)), labels=False)
    rows = pd.DataFrame({"bin": bins, "predicted": scores, "observed": is_positive.astype(float)})
    table = rows.groupby("bin").agg(predicted=("predicted", "mean"), observed=("observed", "mean"), n=("observed", "size"))
    sizes = table["n"].to_numpy(dtype=float)
    low, high = wilson_interval(table["observed"].to_numpy() * sizes, sizes, confidence)
    return table.assign(low=low, high=high).reset_index(drop=True)[["predicted", "observed", "low", "high", "n"]]


def gain_points(is_positive: NDArray[np.bool_], scores: Floats) -> pd.DataFrame:
    """Return ``share_of_rows, share_of_positives, lift``: what acting on the highest-scored rows finds."""
    found = np.cumsum(is_positive[np.argsort(-scores, kind="stable")])
    rows = np.arange(1, len(scores) + 1)
    share_of_rows = rows / len(rows)
    share_of_positives = found / max(1, found[-1])
    table = {
        "share_of_rows": share_of_rows,
        "share_of_positives": share_of_positives,
        "lift": share_of_positives / share_of_rows,
    }
    return _thin(pd.DataFrame(table))


def confusion_counts(y_true: Codes, y_pred: Codes, classes: Sequence[str]) -> pd.DataFrame:
    """Return the confusion matrix in rows: truth down, prediction across, both in the order of ``classes``."""
    counts = sk.confusion_matrix(y_true, y_pred, labels=np.arange(len(classes)))
    return pd.DataFrame(counts, index=pd.Index(classes, name="truth"), columns=pd.Index(classes, name="prediction"))


def threshold_points(
    is_positive: NDArray[np.bool_], scores: Floats, *, value_true_positive: float, cost_contact: float
) -> pd.DataFrame:
    """Return ``threshold, flagged_share, precision, recall, f1, profit`` over the thresholds that change a decision."""
    order = np.argsort(-scores, kind="stable")
    distinct = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    flagged, true = distinct + 1, np.cumsum(is_positive[order])[distinct]
    positives = max(1, int(is_positive.sum()))
    table = {
        "threshold": scores[order][distinct],
        "flagged_share": flagged / len(scores),
        "precision": true / flagged,
        "recall": true / positives,
        "f1": 2 * true / (flagged + positives),
        "profit": true * value_true_positive - flagged * cost_contact,
    }
    return _thin(pd.DataFrame(table))


def curve_points(scored: Scored, classes: Sequence[str], threshold: float | None, settings: Any) -> dict[str, Any]:
    """Return the points of every curve of a task, as the JSON-able part of ``evaluation.json``.

    Parameters
    ----------
    scored
        Predicted rows with their truth.
    classes
        Classes in the order of their codes; empty for a regression.
    threshold
        Smallest probability of the positive class that counts as positive.
    settings
        The case's ``threshold``: what a true positive is worth, what acting costs.
    """
    if scored.task == "regression":
        return {"residuals": residual_summary(np.asarray(scored.y_true, dtype=np.float64), scored.predicted)}
    decided = confusion_counts(scored.y_true.astype(np.int64), decide(scored.predicted, threshold), classes)
    confusion = {"classes": list(classes), "counts": decided.to_numpy().tolist()}
    found: dict[str, Any] = {"confusion": confusion, "roc": {}, "pr": {}, "calibration": {}}
    for code in [1] if len(classes) == 2 else range(len(classes)):
        is_positive, scores = scored.y_true == code, scored.predicted[:, code]
        if 0 < is_positive.sum() < len(is_positive):
            found["roc"][classes[code]] = roc_points(is_positive, scores).to_dict("list")
            found["pr"][classes[code]] = pr_points(is_positive, scores).to_dict("list")
        found["calibration"][classes[code]] = calibration_points(is_positive, scores).to_dict("list")
    if scored.task == "binary":
        acting = {"value_true_positive": settings.value_true_positive, "cost_contact": settings.cost_contact}
        found["gains"] = gain_points(scored.y_true == 1, scored.predicted[:, 1]).to_dict("list")
        found["thresholds"] = threshold_points(scored.y_true == 1, scored.predicted[:, 1], **acting).to_dict("list")
    return found


def residual_summary(y_true: Floats, y_pred: Floats) -> dict[str, float]:
    """Return mean, standard deviation and quantiles of the residuals (truth minus prediction), in units of the target."""
    residual = np.asarray(y_true, dtype=float) - np.asarray(y_pred, dtype=float)
    quantiles = np.quantile(residual, [0.05, 0.25, 0.5, 0.75, 0.95])
    names = ("p05", "p25", "median", "p75", "p95")
    deviation = float(residual.std(ddof=1)) if len(residual) > 1 else float("nan")
    return {"mean": float(residual.mean()), "std": deviation, **dict(zip(names, map(float, quantiles), strict=True))}


def learning_points(
    fit_and_score: Callable[[NDArray[np.intp]], tuple[float, float] | None],
    n_rows: int,
    *,
    budget_seconds: float,
    random_state: int = 0,
) -> pd.DataFrame:
    """Return ``n_rows, train, validation`` for growing shares of the training rows, for as long as the budget lasts.

    Parameters
    ----------
    fit_and_score
        Fits on the rows at the positions it is given; returns the score on them and on rows held out,
        or None where these rows cannot be learned from.
    n_rows
        Number of rows there are to learn from; shares of 10, 20, 40, 70 and 100 % of them are tried, smallest first.
    budget_seconds
        A size is not begun when the time its predecessor took, scaled to its rows, would exceed what is left.
    random_state
        Seed of the order in which rows are added.
    """
    order = np.random.default_rng(random_state).permutation(n_rows)
    rows: list[dict[str, float]] = []
    started = perf_counter()
    expected = 0.0
    for share in (0.1, 0.2, 0.4, 0.7, 1.0):
        size = round(share * n_rows)
        if perf_counter() - started + expected > budget_seconds:
            break
        before = perf_counter()
        scores = fit_and_score(order[:size])
        if scores is not None:
            rows.append({"n_rows": size, "train": scores[0], "validation": scores[1]})
        expected = 2 * (perf_counter() - before)
    return pd.DataFrame(rows, columns=["n_rows", "train", "validation"])
