"""What columns tell one by one: quick models whose residuals show what a combination of columns could add."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

Floats = NDArray[np.float64]

KNOTS = 12
"""Straight pieces of the curve of a number."""

NAMED_LEVELS = 20
"""Levels of a column that have an effect of their own."""

PENALTY = 1.0
"""Ridge penalty of the additive model, in rows."""

ROUNDS, LEAVES, MOST_OUTCOMES = 60, 15, 3
"""Size of the boosted trees, and the most frequent classes that they are fitted for; of the others nothing is taken away."""


def additive(numbers: pd.DataFrame, levels: pd.DataFrame, outcomes: Floats, half: NDArray[np.bool_]) -> Floats:
    """Return what bent lines of single columns, learnt on one half of the rows, say about the other half, both ways.

    Parameters
    ----------
    numbers
        Columns of numbers, with missing values.
    levels
        Columns of levels.
    outcomes
        What is explained, shape ``(n_rows, n_outcomes)``.
    half
        Which rows are in the first half.

    Returns
    -------
    ndarray
        Shape ``(n_rows, n_outcomes)``.
    """
    return _out_of_half(_ridge, _curves(numbers, levels), outcomes, half)


def trees(numbers: pd.DataFrame, levels: pd.DataFrame, outcomes: Floats, half: NDArray[np.bool_]) -> Floats:
    """Return what small boosted trees say in the same way; parameters as of :func:`additive`."""
    return _out_of_half(_boosted, _codes(numbers, levels), outcomes, half)


def _out_of_half(fit: Callable[[Floats, Floats, Floats], Floats], X: Floats, outcomes: Floats, half: NDArray[np.bool_]) -> Floats:
    """Return what a model of each half says about the other."""
    said = np.zeros_like(outcomes)
    for learnt in (half, ~half):
        said[~learnt] = fit(X[learnt], outcomes[learnt], X[~learnt])
    return said


def _ridge(X: Floats, y: Floats, rest: Floats) -> Floats:
    """Return what a ridge regression with an intercept says about the rest."""
    center, mean = X.mean(axis=0), y.mean(axis=0)
    inner = (X - center).T @ (X - center) + PENALTY * np.eye(X.shape[1])
    weights = np.linalg.solve(inner, (X - center).T @ (y - mean))
    return np.asarray((rest - center) @ weights + mean)


def _boosted(X: Floats, y: Floats, rest: Floats) -> Floats:
    """Return what boosted trees say about the rest; the mean for all but the most varied outcomes."""
    said = np.tile(y.mean(axis=0), (len(rest), 1))
    for place in np.argsort(-y.var(axis=0), kind="stable")[:MOST_OUTCOMES]:
        trees = HistGradientBoostingRegressor(max_iter=ROUNDS, max_leaf_nodes=LEAVES, early_stopping=False, random_state=0)
        with threadpool_limits(limits=1):
            said[:, place] = trees.fit(X, y[:, place]).predict(rest)
    return said


def _codes(numbers: pd.DataFrame, levels: pd.DataFrame) -> Floats:
    """Return numbers as they are and levels by how often they occur, which is an order that trees can cut."""
    counted = [levels[name].map(levels[name].value_counts()).to_numpy(dtype=np.float64) for name in levels.columns]
    return np.column_stack([numbers.to_numpy(dtype=np.float64), *counted])


def _curves(numbers: pd.DataFrame, levels: pd.DataFrame) -> Floats:
    """Return numbers with a bend at each knot, indicators of gaps, and indicators of the frequent levels."""
    blocks: list[Floats] = []
    for name in numbers.columns:
        values = numbers[name].to_numpy(dtype=np.float64)
        gaps = np.isnan(values)
        present = values[~gaps]
        if not len(present):
            continue
        knots = np.unique(np.quantile(present, np.linspace(0, 1, KNOTS + 1)[1:-1]))
        filled = np.clip(np.where(gaps, np.median(present), values), *np.quantile(present, (0.001, 0.999)))
        bent = np.maximum(filled[:, None] - knots, 0.0)
        columns = np.column_stack([filled, bent, gaps])
        spread = columns.std(axis=0)
        blocks.append(columns / np.where(spread > 0, spread, 1.0))
    for name in levels.columns:
        named = levels[name].value_counts().index[:NAMED_LEVELS]
        blocks.append((levels[name].to_numpy(dtype=object)[:, None] == named.to_numpy(dtype=object)).astype(np.float64))
    return np.hstack(blocks) if blocks else np.zeros((len(numbers), 1))
