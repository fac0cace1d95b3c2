"""Errors of numbers before the truth is known: direct loss estimation.

A model learns, from rows that were predicted without having been learnt from, how large the loss of a row with such columns and
such a prediction is; its mean over served rows is the estimate (NannyML's documentation, "Direct loss estimation"). Under
covariate shift it needs no weights, for it answers row by row.
"""

from collections.abc import Collection

import numpy as np

from gristmill.metrics.interval_ends import Interval
from gristmill.metrics.scores import PINBALL_LEVELS, Floats
from gristmill.metrics.weighted import MEANS
from gristmill.modeling.threads import one_core

FOLDS = 5


def _loss(name: str, y_true: Floats, predicted: Floats) -> Floats:
    """Return a loss of each row."""
    residual = y_true - predicted
    if name == "mse":
        return np.asarray(residual**2, dtype=np.float64)
    if name == "mape":
        return np.asarray(np.abs(residual) / np.maximum(np.abs(y_true), np.finfo(np.float64).eps), dtype=np.float64)
    if name in PINBALL_LEVELS:
        level = PINBALL_LEVELS[name]
        return np.asarray(np.maximum(level * residual, (level - 1) * residual), dtype=np.float64)
    return np.asarray(np.abs(residual), dtype=np.float64)


def estimated_errors(  # noqa: PLR0913 - two tables, and how
    y_true: Floats,
    predicted: Floats,
    columns: Floats,
    served: Floats,
    served_columns: Floats,
    metrics: Collection[str],
    *,
    effective_rows: float | None = None,
    confidence: float = 0.95,
    random_state: int = 0,
) -> dict[str, Interval]:
    """Return what each error of served rows is estimated to be, with the interval in which their truths would put it.

    Parameters
    ----------
    y_true, predicted, columns
        Truth, prediction and columns of the reference rows; columns ``(n_rows, n_columns)``, missing values are not a number.
    served, served_columns
        The same of the served rows, without their truth.
    metrics
        Names of metrics of numbers; those that are no mean of losses are left out.
    effective_rows
        As many reference rows say something of the served ones; all when omitted.
    confidence, random_state
        Of the intervals, and of folds and models.
    """
    from scipy.special import ndtri  # noqa: PLC0415

    z = float(ndtri(0.5 + confidence / 2))
    known, asked = np.column_stack([columns, predicted]), np.column_stack([served_columns, served])
    effective = effective_rows or float(len(y_true))
    means: dict[str, tuple[float, float]] = {}
    found = {}
    for name in metrics:
        if name not in MEANS:
            continue
        if MEANS[name] not in means:
            with one_core():
                means[MEANS[name]] = _mean_loss(_loss(MEANS[name], y_true, predicted), known, asked, effective, random_state)
        mean, error = means[MEANS[name]]
        ends = np.maximum([mean, mean - z * error, mean + z * error], 0.0)
        value, low, high = np.sqrt(ends) if name == "rmse" else ends
        found[name] = {"value": float(value), "low": float(low), "high": float(high)}
    return found


def _mean_loss(losses: Floats, known: Floats, asked: Floats, effective: float, random_state: int) -> tuple[float, float]:
    """Return the mean loss to be expected of rows, and its standard error: of their own draw, and of what was learnt.

    How far losses scatter is learnt as well, for they scatter most where they are large, and there rows may have moved.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: PLC0415
    from sklearn.model_selection import KFold, cross_val_predict  # noqa: PLC0415

    model = HistGradientBoostingRegressor(
        max_iter=100, learning_rate=0.05, max_leaf_nodes=8, min_samples_leaf=40, l2_regularization=5.0, random_state=random_state
    )
    out_of_fold = cross_val_predict(model, known, losses, cv=KFold(FOLDS, shuffle=True, random_state=random_state))
    left = losses - out_of_fold
    expected = model.fit(known, losses).predict(asked) + left.mean()  # what the folds miss on average, served rows miss too
    scatter = float(np.mean(np.maximum(model.fit(known, left**2).predict(asked), 0.0)))
    return float(np.mean(expected)), float(np.sqrt(scatter * (1 / len(asked) + 1 / effective)))
