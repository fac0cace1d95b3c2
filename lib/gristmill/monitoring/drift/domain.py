"""Whether the rows as a whole can be told from the training rows, even where no single column can.

A classifier learns to tell the two apart, cross-fitted, so that every row is judged by a model that has not seen it (Rabanser et
al. 2019, "Failing loudly"). Rows of one distribution give a ROC-AUC of 0.5.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.errors import DataError
from gristmill.features.rows import levels
from gristmill.modeling.artifact.column_counts import Floats
from gristmill.modeling.artifact.drift_reference import as_numbers
from gristmill.monitoring.drift.reference import LevelReference, Reference

FOLDS = 5
TOLD_BY = 5
"""Columns that are named as those that tell the rows apart."""

FEW_CELLS = 1_000_000
"""Cells of a table below which one thread learns it: on a busy machine two wait for each other at every split."""

_BOOSTER = {
    "objective": "binary",
    "num_leaves": 15,
    "learning_rate": 0.1,
    "min_data_in_leaf": 40,
    "feature_fraction": 0.8,
    "verbosity": -1,
    "deterministic": True,
    "seed": 0,
}
_ROUNDS = 60


@dataclass(frozen=True)
class Separation:
    """How well the rows of a window can be told from the training rows.

    Attributes
    ----------
    auc, low, high
        Cross-fitted ROC-AUC and its 95 % interval.
    columns
        Column -> share of the classifier's gain, the largest first: what tells the rows apart.
    rows
        Rows of each side that were used.
    """

    auc: float
    low: float
    high: float
    columns: dict[str, float]
    rows: tuple[int, int]

    def drifted(self, separable: float) -> bool:
        """Return whether the rows can be told apart: by enough to matter, and not by chance."""
        return self.auc >= separable and self.low > 0.5

    @property
    def sentence(self) -> str:
        """The finding in words."""
        named = ", ".join(repr(name) for name in list(self.columns)[:3])
        auc = f"{self.auc:.3f} ({self.low:.3f} to {self.high:.3f})"
        return f"a classifier tells the window from the training rows with ROC-AUC {auc}, by {named}"

    def to_record(self) -> dict[str, Any]:
        """Return the finding as JSON-able data."""
        rows = {"reference": self.rows[0], "window": self.rows[1]}
        return {"auc": self.auc, "low": self.low, "high": self.high, "columns": dict(self.columns), "rows": rows}


def separation(training: pd.DataFrame, window: pd.DataFrame, reference: Reference, most_rows: int = 20_000) -> Separation:
    """Return how well a classifier tells a window's rows from training rows.

    Parameters
    ----------
    training, window
        Rows with the columns of the reference.
    reference
        Which columns, and their kinds.
    most_rows
        Rows of each side that are used at most, drawn the same every time.

    Raises
    ------
    DataError
        A side has fewer rows than folds are made of.
    """
    import lightgbm as lgb  # noqa: PLC0415

    if min(len(training), len(window)) < 10 * FOLDS:
        raise DataError(f"Expected at least {10 * FOLDS} rows on each side, got {len(training)} and {len(window)}.")
    rng = np.random.default_rng(0)
    sides = [side.iloc[np.sort(rng.permutation(len(side))[:most_rows])] for side in (training, window)]
    X = _matrix(pd.concat([side[list(reference.columns)].astype(object) for side in sides], ignore_index=True), reference)
    y = np.repeat([0, 1], [len(side) for side in sides])
    codes = [place for place, one in enumerate(reference.columns.values()) if isinstance(one, LevelReference)]
    folds = np.empty(len(y), dtype=np.int64)
    for side in (0, 1):
        folds[y == side] = rng.permutation(int((y == side).sum())) % FOLDS
    score, gains = np.empty(len(y)), np.zeros(X.shape[1])
    for fold in range(FOLDS):
        inside = folds != fold
        data = lgb.Dataset(X[inside], y[inside], categorical_feature=codes, params={"verbosity": -1})
        threads = 1 if X.size < FEW_CELLS else 2
        weighted = {**_BOOSTER, "num_threads": threads, "scale_pos_weight": float((y[inside] == 0).sum() / (y[inside] == 1).sum())}
        booster = lgb.train(weighted, data, _ROUNDS)
        score[~inside] = booster.predict(X[~inside])
        gains += booster.feature_importance("gain")
    auc, error = fold_auc(y, score, folds)
    order = np.argsort(-gains)[:TOLD_BY]
    told = {list(reference.columns)[place]: float(gains[place] / max(gains.sum(), 1e-12)) for place in order}
    ends = (max(0.0, auc - 1.96 * error), min(1.0, auc + 1.96 * error))
    return Separation(auc, *ends, told, (len(sides[0]), len(sides[1])))


def _matrix(rows: pd.DataFrame, reference: Reference) -> Floats:
    """Return the rows as numbers, levels as codes by frequency, rare ones together; shape ``(n_rows, n_columns)``."""
    made = []
    for name, column in reference.columns.items():
        if isinstance(column, LevelReference):
            codes = {level: place for place, level in enumerate(column.counts.levels)}
            made.append(np.array([codes.get(level, len(codes)) for level in levels(rows[name])], dtype=np.float64))
        else:
            made.append(as_numbers(rows[name], column.kind))
    return np.column_stack(made)


def fold_auc(y: NDArray[np.int64], score: Floats, folds: NDArray[np.int64]) -> tuple[float, float]:
    """Return the mean ROC-AUC within folds and its standard error.

    Scores of different models are never compared with each other. The error is that of DeLong et al. (1988), or that of the spread
    over folds, which knows of the models' own chance, if that is larger.
    """
    aucs, variances = zip(*(delong(y[folds == fold], score[folds == fold]) for fold in np.unique(folds)), strict=True)
    within = np.sqrt(np.sum(variances)) / len(aucs)
    between = np.std(aucs, ddof=1) / np.sqrt(len(aucs)) if len(aucs) > 1 else 0.0
    return float(np.mean(aucs)), float(max(within, between))


def delong(y: NDArray[np.int64], score: Floats) -> tuple[float, float]:
    """Return ROC-AUC and its variance from midranks (Sun & Xu 2014)."""
    from scipy.stats import rankdata  # noqa: PLC0415

    positive, negative = score[y == 1], score[y == 0]
    n_positive, n_negative = len(positive), len(negative)
    ranks = rankdata(np.concatenate([positive, negative]))
    above = (ranks[:n_positive] - rankdata(positive)) / n_negative
    below = 1 - (ranks[n_positive:] - rankdata(negative)) / n_positive
    variance = above.var(ddof=1) / n_positive + below.var(ddof=1) / n_negative
    return float(above.mean()), float(variance)
