"""Shapley values of a model of any kind, in the columns of the raw table.

The value of a column for a row is what switching that column from a background row's value to the row's own changes in the
prediction, averaged over background rows and over the orders in which columns are switched: the interventional SHAP values of
Lundberg and Lee (2017), estimated along random orders and their reverses (Strumbelj and Kononenko 2014; Mitchell et al. 2022,
"Sampling permutations for Shapley value estimation"). The package shap asks a model about one row at a time; here all rows of a
round are asked at once, and hybrids that differ in nothing are not asked twice, which a pipeline of several models needs. The
tests hold the values to shap's exact explainer.
"""

from dataclasses import dataclass
from time import perf_counter

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.evaluation.explanation.hybrids import Predict, RowPool, as_columns
from gristmill.metrics.scores import Floats

MAX_ROUNDS = 20
MAX_EVALUATIONS = 120_000
SMALLEST_ROUND = 5_000
"""Hybrids below which several rounds are made at once, because a call of a model has a price of its own."""

MASK_CELLS = 20_000_000


@dataclass(frozen=True)
class ShapleyValues:
    """What each column adds to each prediction.

    Attributes
    ----------
    columns
        The columns, in the order of the values.
    contributions
        Shape ``(n_rows, n_columns, n_outputs)``; in units of the prediction.
    base
        What the values of a row start from: the mean prediction of the background rows it was compared with, shape
        ``(n_rows, n_outputs)``. ``base`` plus the sum of a row's values is its prediction.
    predicted
        Shape ``(n_rows, n_outputs)``.
    rounds
        Pairs of an order and its reverse behind each value.
    evaluations
        Rows the model was asked about.
    seconds
        How long it took.
    """

    columns: list[str]
    contributions: Floats
    base: Floats
    predicted: Floats
    rounds: int
    evaluations: int
    seconds: float

    def importance(self) -> pd.Series:
        """Return the mean absolute value of each column, summed over classes, largest first."""
        sizes = np.abs(self.contributions).mean(axis=0).sum(axis=1)
        return pd.Series(sizes, index=self.columns, name="mean_abs").sort_values(ascending=False, kind="stable")

    def row(self, position: int, output: int = 0) -> dict[str, float]:
        """Return what each column adds to one output of one row, the largest first."""
        by_column = dict(zip(self.columns, self.contributions[position, :, output].tolist(), strict=True))
        return dict(sorted(by_column.items(), key=lambda item: -abs(item[1])))


def affordable_rows(n_columns: int, n_rows: int) -> int:
    """Return how many of ``n_rows`` can be explained with one pair of orders each within the bound on evaluations."""
    return min(n_rows, max(10, MAX_EVALUATIONS // max(1, 2 * (n_columns - 1))))


def _path_positions(differs: NDArray[np.bool_], order_keys: Floats) -> NDArray[np.intp]:
    """Return when each column is switched, counting only columns that differ; those that do not come last."""
    keys = np.where(differs, order_keys, np.inf)
    return np.argsort(np.argsort(keys, axis=1, kind="stable"), axis=1, kind="stable")


def _walk(
    pool: RowPool, predict: Predict, rows: NDArray[np.intp], others: NDArray[np.intp], positions: NDArray[np.intp], ends: Floats
) -> tuple[Floats, int]:
    """Return what each switch changes along one path a row, ``(n_rows, n_columns, n_outputs)``, and the rows asked about.

    ``ends`` holds the predictions of background row and row, ``(2, n_rows, n_outputs)``.
    """
    differs = pool.codes[rows] != pool.codes[others]
    switches = differs.sum(axis=1)[:, None]
    steps = np.arange(positions.shape[1] + 1)[None, :]
    values = np.where((steps >= switches)[:, :, None], ends[1][:, None, :], ends[0][:, None, :])
    asked_row, asked_step = np.nonzero((steps > 0) & (steps < switches))
    if len(asked_row):
        switched = positions[asked_row] < asked_step[:, None]
        values[asked_row, asked_step] = pool.predict(predict, np.where(switched, rows[asked_row, None], others[asked_row, None]))
    after = np.take_along_axis(values, positions[:, :, None] + 1, axis=1)
    before = np.take_along_axis(values, positions[:, :, None], axis=1)
    return np.where(differs[:, :, None], after - before, 0.0), len(asked_row)


def _round(
    pool: RowPool, predict: Predict, ends: Floats, rows: NDArray[np.intp], others: NDArray[np.intp], keys: Floats
) -> tuple[Floats, int]:
    """Return the mean change of each switch over one order a row (that of ``keys``) and its reverse; parameters as in _walk."""
    n_rows, n_columns = keys.shape
    changes, asked = np.zeros((n_rows, n_columns, ends.shape[2])), 0
    block = max(1, MASK_CELLS // n_columns**2)
    for start in range(0, n_rows, block):
        part = slice(start, start + block)
        differs = pool.codes[rows[part]] != pool.codes[others[part]]
        for order_keys in (keys[part], -keys[part]):
            positions = _path_positions(differs, order_keys)
            change, count = _walk(pool, predict, rows[part], others[part], positions, ends[:, part])
            changes[part] += change / 2
            asked += count
    return changes, asked


def shapley_values(
    predict: Predict,
    rows: pd.DataFrame,
    background: pd.DataFrame,
    *,
    random_state: int = 0,
    max_rounds: int = MAX_ROUNDS,
    max_evaluations: int = MAX_EVALUATIONS,
    max_seconds: float = float("inf"),
) -> ShapleyValues:
    """Return the Shapley values of ``rows`` against ``background``.

    Parameters
    ----------
    predict
        From raw rows to predictions; asked in large batches.
    rows
        Rows to explain.
    background
        Rows that stand for "not knowing" a column: a sample of the training rows.
    random_state
        Seed of orders and of the background row each order is walked from.
    max_rounds, max_evaluations, max_seconds
        No further round is begun when one of these would be passed; one round is always made.
    """
    pool = RowPool(rows, background)
    n_rows, n_columns = len(rows), len(pool.columns)
    rng = np.random.default_rng(random_state)
    predicted, backdrop = as_columns(predict(rows)), as_columns(predict(background))
    together = int(np.clip(SMALLEST_ROUND // (n_rows * n_columns), 1, max_rounds))
    own = np.tile(np.arange(n_rows), together)
    total, base = np.zeros((n_rows, n_columns, predicted.shape[1])), np.zeros_like(predicted)
    asked, rounds, started = 0, 0, perf_counter()
    while rounds < max_rounds:
        drawn = rng.permutation(max(len(own), len(background)))[: len(own)] % len(background)
        keys = rng.random((len(own), n_columns))
        changes, count = _round(pool, predict, np.stack([backdrop[drawn], predicted[own]]), own, n_rows + drawn, keys)
        total += changes.reshape(together, *total.shape).sum(axis=0)
        base += backdrop[drawn].reshape(together, *base.shape).sum(axis=0)
        asked, rounds = asked + count, rounds + together
        growth = (rounds + together) / rounds
        if asked * growth > max_evaluations or (perf_counter() - started) * growth > max_seconds:
            break
    evaluations = asked + len(rows) + len(background)
    return ShapleyValues(pool.columns, total / rounds, base / rounds, predicted, rounds, evaluations, perf_counter() - started)
