"""Fitting and judging one configuration on every fold."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from gristmill.features.preparation import preprocessor
from gristmill.metrics.scores import as_gain, score
from gristmill.modeling.families.catalogue import estimator
from gristmill.modeling.families.problem import Params, Problem

Floats = NDArray[np.float64]
Positions = NDArray[np.int64]
Folds = Sequence[tuple[Positions, Positions]]

CACHED_BYTES = 1_000_000_000
"""Prepared folds are kept between trials while they fit in this much memory."""


def fold_scores(metric: str, y: NDArray[Any], predicted: Floats, folds: Folds) -> list[float]:
    """Return the metric on the validation rows of every fold; not-a-number where a fold cannot say.

    Parameters
    ----------
    metric
        A name of :mod:`gristmill.config.metric_names`.
    y
        Codes or numbers of all training rows.
    predicted
        Out-of-fold predictions of all training rows; rows that are never validated are not looked at.
    folds
        Positions of the training and the validation rows.
    """
    return [score(metric, y[valid], predicted[valid]) for _, valid in folds]


def mean_score(metric: str, scores: Sequence[float], y: NDArray[Any], predicted: Floats, folds: Folds) -> float:
    """Return the mean over the folds that can say; where none can, the metric over all validated rows together."""
    if np.isfinite(scores).any():
        return float(np.nanmean(scores))
    valid = np.concatenate([rows for _, rows in folds])
    return score(metric, y[valid], predicted[valid])


def spread(scores: Sequence[float]) -> float:
    """Return the standard deviation over the folds that can say; 0 for fewer than two."""
    return float(np.nanstd(scores)) if np.isfinite(scores).sum() > 1 else 0.0


def is_better(metric: str, value: float, other: float | None) -> bool:
    """Return whether ``value`` is a better score than ``other``; not-a-number is never better, and None never as good."""
    if not np.isfinite(value):
        return False
    return other is None or not np.isfinite(other) or as_gain(metric, value) > as_gain(metric, other)


@dataclass
class PreparedFolds:
    """Rows prepared for a family, fold by fold; the same preparation is fitted once for all trials.

    Parameters
    ----------
    family
        Name of the family.
    problem
        The problem, with its plan.
    X
        Row-wise features of all training rows.
    y
        Codes or numbers of all training rows.
    folds
        Positions of the training and the validation rows.
    """

    family: str
    problem: Problem
    X: pd.DataFrame
    y: NDArray[Any]
    folds: Folds
    _kept: dict[tuple[int, str], tuple[Any, Floats, Floats]] = field(default_factory=dict)
    _bytes: int = 0

    def prepared(self, number: int, numeric: str) -> tuple[Any, Floats, Floats]:
        """Return the fitted preprocessor of a fold, and its training and validation matrices."""
        key = (number, numeric)
        if key not in self._kept:
            train, valid = self.folds[number]
            prepare = preprocessor(self.problem.plan, self.family, numeric)
            matrix = np.asarray(prepare.fit_transform(self.X.iloc[train], self.y[train]))
            made = (prepare, matrix, np.asarray(prepare.transform(self.X.iloc[valid])))
            if self._bytes + made[1].nbytes + made[2].nbytes > CACHED_BYTES:
                return made
            self._bytes += made[1].nbytes + made[2].nbytes
            self._kept[key] = made
        return self._kept[key]

    def fit(self, params: Params) -> Iterator[tuple[Pipeline, Floats]]:
        """Fit a configuration on one fold after the other; yield its pipeline and its predictions of the validation rows."""
        unfitted = estimator(self.family, params, self.problem)
        for number, (train, _) in enumerate(self.folds):
            prepare, X_train, X_valid = self.prepared(number, params.get("numeric", "standard"))
            model = clone(unfitted).fit(X_train, self.y[train])
            predicted = model.predict_proba(X_valid) if self.problem.n_classes else model.predict(X_valid)
            yield Pipeline([("prepare", prepare), ("model", model)]), predicted

    def empty_predictions(self) -> Floats:
        """Return an array for the out-of-fold predictions of all rows, full of not-a-number."""
        n_rows = len(self.y)
        return np.full((n_rows, self.problem.n_classes) if self.problem.n_classes else n_rows, np.nan)
