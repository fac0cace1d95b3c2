"""A model that grows in stages and whose validation loss is known beforehand."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from gristmill.modeling.search.folds import PreparedFolds

BEST_STAGE = 6
"""The stage after which the loss of most folds rises."""


class Staged(ClassifierMixin, BaseEstimator):
    """Answers with the class shares, sharpened a little with each stage; its loss falls until ``BEST_STAGE``."""

    stages_param = "rounds"

    def __init__(self, rounds: int = 20, patience: int = 5) -> None:
        self.rounds = rounds
        self.patience = patience

    def fit(self, X: Any, y: Any) -> "Staged":
        self.share_ = np.bincount(y, minlength=2) / len(y)
        self.signs_ = np.sign(np.corrcoef(np.asarray(X)[:, 0], y)[0, 1])
        self.stages_ = self.rounds
        return self

    def fit_watched(self, X: Any, y: Any, X_valid: Any, y_valid: Any) -> "Staged":
        self.fit(X, y)
        losses = 1 + 0.01 * np.abs(np.arange(1, self.rounds + 1) - BEST_STAGE) + 0.1 * y_valid.mean()
        self.stages_ = min(self.rounds, BEST_STAGE + self.patience)
        self.curve_ = losses[: self.stages_].tolist()
        self.train_curve_ = [1 / stage for stage in range(1, self.stages_ + 1)]
        return self

    def truncated(self, stages: int) -> "Staged":
        assert stages <= self.stages_
        made = Staged(stages, self.patience)
        made.share_, made.signs_, made.stages_ = self.share_, self.signs_, stages
        return made

    def predict_proba(self, X: Any) -> Any:
        score = 1 / (1 + np.exp(-self.signs_ * self.stages_ * np.nan_to_num(np.asarray(X)[:, 0])))
        return np.column_stack([1 - score, score])


class StagedFolds(PreparedFolds):
    """Folds in which every configuration is a :class:`Staged`; ``watches`` counts how often one was fitted watched."""

    model: Any = Staged

    def unfitted(self, params: dict[str, Any]) -> Any:
        return self.model(**{name: value for name, value in params.items() if name in {"rounds", "patience"}})
