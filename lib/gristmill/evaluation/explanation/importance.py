"""How much worse the model gets when a column of the raw table is shuffled.

Permutation importance (Breiman 2001; Fisher, Rudin and Dominici 2019), with intervals over the rows it was measured on: each
bootstrap resample weighs the shuffled and the intact predictions alike, so that only what shuffling does is left.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.config.metric_names import greater_is_better
from gristmill.evaluation.explanation.hybrids import BATCH_ROWS, Predict, RowPool
from gristmill.evaluation.predictions import Scored
from gristmill.metrics.interval_ends import percentile_interval
from gristmill.metrics.intervals import DEFAULT_BOOTSTRAP, Bootstrap
from gristmill.metrics.resampling import resample_weights
from gristmill.metrics.scores import Floats
from gristmill.metrics.weighted import weighted_scores

MAX_EVALUATIONS = 100_000
REPEATS = 5
ROUNDING = 1e-12
"""Relative size below which a change is rounding and nothing else."""


def _shuffled_sources(n_rows: int, n_columns: int, repeats: int, random_state: int) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Give, column by column, where each cell of ``repeats`` copies of the rows comes from: that column from shuffled rows."""
    rng = np.random.default_rng(random_state)
    for column in range(n_columns):
        sources = np.tile(np.arange(n_rows)[:, None], (repeats, n_columns))
        sources[:, column] = np.concatenate([rng.permutation(n_rows) for _ in range(repeats)])
        yield column, sources


def _shuffled_predictions(predict: Predict, rows: pd.DataFrame, repeats: int, random_state: int) -> Iterator[Floats]:
    """Give, column by column, the predictions for rows with that column shuffled, ``(repeats, n_rows, ...)``."""
    pool = RowPool(rows)
    n_rows, n_columns = rows.shape
    together = max(1, BATCH_ROWS // (n_rows * repeats))
    waiting: list[NDArray[np.intp]] = []
    for column, sources in _shuffled_sources(n_rows, n_columns, repeats, random_state):
        waiting.append(sources)
        if len(waiting) == together or column == n_columns - 1:
            predicted = np.asarray(predict(pool.frame(np.concatenate(waiting))), dtype=np.float64)
            yield from predicted.reshape(len(waiting), repeats, n_rows, *predicted.shape[1:])
            waiting = []


def permutation_importance(
    predict: Predict,
    rows: pd.DataFrame,
    scored: Scored,
    metric: str,
    *,
    threshold: float | None = None,
    bootstrap: Bootstrap = DEFAULT_BOOTSTRAP,
    max_evaluations: int = MAX_EVALUATIONS,
) -> pd.DataFrame:
    """Return, for each column, how much of the metric shuffling it costs, the costliest first.

    Parameters
    ----------
    predict
        From raw rows to predictions; asked in large batches.
    rows
        Raw columns that the model reads, shape ``(n_rows, n_columns)``.
    scored
        The same rows, in the same order, with their truth and the model's predictions.
    metric
        Metric to measure by; of an error, the increase counts.
    threshold
        Smallest probability of the positive class that counts as positive.
    bootstrap
        Confidence, resamples and seed.
    max_evaluations
        Repeats are lowered from five where columns times rows times repeats would exceed this.

    Returns
    -------
    DataFrame
        ``feature, mean, low, high`` in units of the metric.
    """
    repeats = int(np.clip(max_evaluations // max(1, rows.size), 1, REPEATS))
    strata = np.zeros(len(rows), dtype=np.int64) if scored.task == "regression" else scored.y_true.astype(np.int64)
    weights = [np.ones((1, len(rows))), *resample_weights(strata, bootstrap.resamples, bootstrap.random_state)]

    def scores(predicted: Floats) -> Floats:
        kernel = weighted_scores(scored.y_true, predicted, (metric,), threshold=threshold)
        return np.concatenate([kernel(block)[metric] for block in weights])

    sign = 1 if greater_is_better(metric) else -1
    intact = scores(scored.predicted)
    table = []
    shuffled = _shuffled_predictions(predict, rows, repeats, bootstrap.random_state)
    for feature, predicted in zip(rows.columns, shuffled, strict=True):
        losses = sign * (intact - np.mean([scores(repeat) for repeat in predicted], axis=0))
        losses[np.abs(losses) < ROUNDING * np.abs(intact)] = 0.0
        interval = percentile_interval(float(losses[0]), losses[1:], bootstrap.confidence)
        table.append({"feature": feature, "mean": interval["value"], "low": interval["low"], "high": interval["high"]})
    frame = pd.DataFrame(table, columns=["feature", "mean", "low", "high"])
    return frame.sort_values("mean", ascending=False, kind="stable").reset_index(drop=True)
