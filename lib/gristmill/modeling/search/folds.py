"""Fitting and judging one configuration on every fold."""

from collections.abc import Sequence
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
from gristmill.modeling.latency import Timer
from gristmill.modeling.search.stages import known_curve

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
class FoldModel:
    """A configuration fitted on the training rows of one fold.

    ``curve`` and ``train_curve`` are its losses after each stage on validation and on training rows; None where it has none.
    """

    prepare: Any
    model: Any
    X_valid: Floats
    curve: Floats | None = None
    train_curve: Floats | None = None

    def after(self, stages: int | None) -> Any:
        """Return the model as if it had stopped after that many stages; as it is for None, or if it does not grow in stages."""
        if stages is None or self.curve is None:
            return self.model
        return self.model.truncated(min(stages, len(self.curve)))

    def pipeline(self, stages: int | None) -> Pipeline:
        """Return the fitted pipeline for row-wise features, stopped after that many stages."""
        return Pipeline([("prepare", self.prepare), ("model", self.after(stages))])

    def predictions(self, stages: int | None) -> Floats:
        """Return the predictions of the validation rows, stopped after that many stages."""
        model = self.after(stages)
        predicted = model.predict_proba(self.X_valid) if hasattr(model, "predict_proba") else model.predict(self.X_valid)
        return np.asarray(predicted, dtype=np.float64)


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
    most_rows
        Training rows of a fold at most, drawn once and by class; None for all. Validation rows are never left out.
    timer
        Times one row of a fitted pipeline.
    """

    family: str
    problem: Problem
    X: pd.DataFrame
    y: NDArray[Any]
    folds: Folds
    most_rows: int | None = None
    timer: Timer = field(default_factory=Timer)
    _kept: dict[tuple[int, str], tuple[Any, Floats, Floats]] = field(default_factory=dict)
    _bytes: int = 0

    def limited(self, most_rows: int | None) -> "PreparedFolds":
        """Return the same folds with at most so many training rows each."""
        return PreparedFolds(self.family, self.problem, self.X, self.y, self.folds, most_rows, self.timer)

    def training_positions(self, number: int) -> Positions:
        """Return the positions of the rows that a fold's model learns from."""
        train = self.folds[number][0]
        if self.most_rows is None or self.most_rows >= len(train):
            return train
        shuffled = np.random.default_rng([self.problem.random_state, number]).permutation(train)
        if not self.problem.n_classes:
            return np.sort(shuffled[: self.most_rows])
        share = self.most_rows / len(train)
        of_class = [shuffled[self.y[shuffled] == code] for code in np.unique(self.y[shuffled])]
        return np.sort(np.concatenate([rows[: max(1, round(share * len(rows)))] for rows in of_class]))

    def prepared(self, number: int, numeric: str) -> tuple[Any, Floats, Floats]:
        """Return the fitted preprocessor of a fold, and its training and validation matrices."""
        key = (number, numeric)
        if key not in self._kept:
            train, valid = self.training_positions(number), self.folds[number][1]
            prepare = preprocessor(self.problem.plan, self.family, numeric)
            matrix = np.asarray(prepare.fit_transform(self.X.iloc[train], self.y[train]))
            made = (prepare, matrix, np.asarray(prepare.transform(self.X.iloc[valid])))
            if self._bytes + made[1].nbytes + made[2].nbytes > CACHED_BYTES:
                return made
            self._bytes += made[1].nbytes + made[2].nbytes
            self._kept[key] = made
        return self._kept[key]

    def unfitted(self, params: Params) -> Any:
        """Return the unfitted estimator of a configuration."""
        return estimator(self.family, params, self.problem)

    def fit(self, number: int, params: Params, *, watched: bool = True) -> FoldModel:
        """Fit a configuration on one fold.

        Parameters
        ----------
        number
            The fold.
        params
            The configuration.
        watched
            Whether an estimator that can watch itself on validation rows does so and stops early.
        """
        prepare, X_train, X_valid = self.prepared(number, params.get("numeric", "standard"))
        model, y_train = clone(self.unfitted(params)), self.y[self.training_positions(number)]
        if not (watched and hasattr(model, "fit_watched")):
            return FoldModel(prepare, model.fit(X_train, y_train), X_valid)
        model.fit_watched(X_train, y_train, X_valid, self.y[self.folds[number][1]])
        return FoldModel(prepare, model, X_valid, known_curve(model), known_curve(model, "train_curve_"))

    def stages_param(self, params: Params) -> str | None:
        """Return the name of the parameter that holds the number of stages; None if the configuration does not grow in stages."""
        model = self.unfitted(params)
        return getattr(model, "stages_param", None) if hasattr(model, "fit_watched") else None

    def stages_of(self, params: Params) -> int | None:
        """Return the number of stages of a configuration that was tried; None if it does not grow in stages."""
        name = self.stages_param(params)
        return None if name is None else params.get(name)

    def empty_predictions(self) -> Floats:
        """Return an array for the out-of-fold predictions of all rows, full of not-a-number."""
        n_rows = len(self.y)
        return np.full((n_rows, self.problem.n_classes) if self.problem.n_classes else n_rows, np.nan)
