"""Scores, ranks and noise of stored answers: the same code for every system, by :mod:`gristmill.metrics`.

An answer is a table with a row for each test row: a column for each class, named as the class is written, or ``prediction``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from comparison.tables import METRICS, Divided
from gristmill.metrics.resampling import resample_weights
from gristmill.metrics.scores import Floats, as_gain, score
from gristmill.metrics.weighted import weighted_scores

PREDICTION = "prediction"
RESAMPLES, CONFIDENCE = 2000, 0.95
MOST_OFF = 0.01
"""How far from 1 the probabilities of a row may sum: networks answer in 32 bits."""


@dataclass(frozen=True)
class Difference:
    """How much better one system is than another on the same test rows; above zero is better.

    Attributes
    ----------
    value
        Difference of the scores, turned so that more is better.
    low, high
        Its 95 % interval over resamples of the test rows.
    """

    value: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """``better`` or ``worse`` by more than the noise of the test rows, else ``even``."""
        return "better" if self.low > 0 else "worse" if self.high < 0 else "even"


def predicted(answer: pd.DataFrame, divided: Divided) -> Floats:
    """Return an answer as probabilities ``(n_rows, n_classes)`` in the order of the codes, or as numbers ``(n_rows,)``.

    Raises
    ------
    ValueError
        It has another number of rows, lacks a class, or holds what is no probability or no number.
    """
    if len(answer) != len(divided.test):
        raise ValueError(f"{len(answer):,} answers to {len(divided.test):,} test rows")
    names = list(divided.classes) or [PREDICTION]
    missing = [name for name in names if name not in answer.columns]
    if missing:
        raise ValueError(f"no column {missing[0]!r} among the answers: {', '.join(map(repr, answer.columns[:8]))}")
    values = answer[names].to_numpy(dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError(f"{int((~np.isfinite(values)).any(axis=1).sum()):,} answers are no numbers")
    if not divided.classes:
        return values[:, 0]
    total = values.sum(axis=1)
    if values.min() < 0 or np.abs(total - 1).max() > MOST_OFF:
        raise ValueError(f"probabilities below zero, or of a sum of {total[np.abs(total - 1).argmax()]:.3g}")
    return np.asarray(values / total[:, None])


def scores(divided: Divided, values: Floats) -> dict[str, float]:
    """Return the metrics of a table's task by name."""
    return {name: score(name, divided.y_test, values) for name in METRICS[divided.table.task]}


def differences(divided: Divided, values: Floats, other: Floats) -> Floats:
    """Return the bootstrap distribution of how much better ``values`` are than ``other``, shape ``(RESAMPLES,)``.

    Both are scored on the same resamples of the test rows, drawn within each class (paired, stratified bootstrap; Efron and
    Tibshirani 1993). What is measured is the noise of the test rows, not that of another training.
    """
    metric, y_test = divided.table.metric, divided.y_test
    strata = y_test.astype(np.int64) if divided.classes else np.zeros(len(y_test), dtype=np.int64)
    mine, its = (weighted_scores(y_test, one, (metric,)) for one in (values, other))
    blocks = [mine(weights)[metric] - its(weights)[metric] for weights in resample_weights(strata, RESAMPLES, divided.seed)]
    return as_gain(metric, 1.0) * np.concatenate(blocks)


def difference(divided: Sequence[Divided], values: Sequence[Floats], others: Sequence[Floats]) -> Difference:
    """Return how much better one system is than another on a table, on average over its divisions.

    Parameters
    ----------
    divided
        The table, divided by each seed.
    values, others
        The answers of the two systems to each.
    """
    metric = divided[0].table.metric
    pairs = list(zip(divided, values, others, strict=True))
    gains = [as_gain(metric, score(metric, one.y_test, a) - score(metric, one.y_test, b)) for one, a, b in pairs]
    drawn = np.mean([differences(*pair) for pair in pairs], axis=0)
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Difference(float(np.mean(gains)), float(low), float(high))


def ranks(metric: str, values: Mapping[str, float | None]) -> dict[str, float]:
    """Return system -> rank on one table, 1 for the best; ties share the mean of their ranks, and failures the last ones.

    Parameters
    ----------
    metric
        The metric that ranks.
    values
        System -> its score, None where it failed.
    """
    losses = [np.inf if value is None else -as_gain(metric, value) for value in values.values()]
    return dict(zip(values, map(float, rankdata(losses)), strict=True))


def mean_ranks(by_table: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return system -> mean of its ranks over the tables; every table has the same systems."""
    return {str(name): float(mean) for name, mean in pd.DataFrame(by_table).mean(axis=1).items()}
