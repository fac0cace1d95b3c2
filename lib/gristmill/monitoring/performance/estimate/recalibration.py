"""What a probability means among the rows that are served: calibration on weighted reference rows."""

import numpy as np
from numpy.typing import NDArray

from gristmill.metrics.scores import Codes, Floats

SMALLEST = 1e-6


def _terms(column: Floats) -> Floats:
    """Return the terms of beta calibration, ``ln p`` and ``-ln(1 - p)``."""
    kept = np.clip(column, SMALLEST, 1 - SMALLEST)
    return np.column_stack([np.log(kept), -np.log1p(-kept)])


def recalibrated(y_true: Codes, reference: Floats, weights: Floats, served: Floats, ridge: float = 1.0) -> Floats:
    """Return probabilities ``(n_rows, n_classes)`` of served rows as they would be right on weighted reference rows.

    Each class has a curve of its own against the rest (beta calibration: Kull, Silva Filho & Flach 2017), the positive one alone
    where there are two; several are scaled to sum to one. The curve is drawn towards the model's own probabilities, so that few
    rows change little.

    Parameters
    ----------
    y_true, reference
        Codes and probabilities of the reference rows.
    weights
        How much each counts, with mean 1.
    served
        Probabilities of the served rows.
    ridge
        How many rows' worth of trust the model's own probabilities have.
    """
    codes = [1] if reference.shape[1] == 2 else range(reference.shape[1])
    columns = []
    for code in codes:
        curve = _curve(_terms(reference[:, code]), y_true == code, weights, ridge)
        columns.append(_logistic(_terms(served[:, code]) @ curve[:2] + curve[2]))
    if len(columns) == 1:
        return np.column_stack([1 - columns[0], columns[0]])
    table = np.column_stack(columns)
    return np.asarray(table / table.sum(axis=1, keepdims=True), dtype=np.float64)


def _logistic(values: Floats) -> Floats:
    """Return probabilities of log-odds, kept away from 0 and 1."""
    from scipy.special import expit  # noqa: PLC0415

    return np.asarray(np.clip(expit(values), SMALLEST, 1 - SMALLEST), dtype=np.float64)


def _curve(terms: Floats, is_class: NDArray[np.bool_], weights: Floats, ridge: float) -> Floats:
    """Return slopes and intercept of a weighted logistic curve, by Newton's method; (1, 1, 0) leaves probabilities as they are."""
    X = np.column_stack([terms, np.ones(len(terms))])
    start = np.array([1.0, 1.0, 0.0])
    at = start.copy()
    penalty = np.diag([ridge, ridge, ridge / 10])
    for _ in range(50):
        p = _logistic(X @ at)
        gradient = X.T @ (weights * (p - is_class)) + penalty @ (at - start)
        curvature = (X * (weights * p * (1 - p))[:, None]).T @ X + penalty
        step = np.linalg.solve(curvature, gradient)
        at -= step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < 1e-9:
            break
    return at
