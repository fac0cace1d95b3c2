"""A regressor that learns its target on a scale that suits it, and never answers far outside what it has seen."""

import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from gristmill.modeling.threads import suited_to

Floats = NDArray[np.float64]

MARGIN = 0.5
"""How far, in spans of the target's range on the learning scale, an answer may lie outside that range."""

SKEWED = 1.0
"""Skewness from which a positive target is also tried on a logarithmic scale."""


def is_skewed(y: Floats) -> bool:
    """Return whether a target is positive throughout and skewed enough to try its logarithm."""
    deviation = y.std()
    if len(y) < 3 or y.min() <= 0 or deviation == 0:
        return False
    return bool(np.mean(((y - y.mean()) / deviation) ** 3) > SKEWED)


def _watches_itself(wrapper: Any) -> bool:
    """Return whether the wrapped estimator can watch itself."""
    return hasattr(wrapper.estimator, "fit_watched")


class ScaledTarget(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Wrap a regressor that then learns the standardised target, or its standardised logarithm.

    Parameters
    ----------
    estimator
        The regressor to wrap; it is cloned.
    scale
        ``linear`` or ``log``; ``log`` needs positive targets and falls back to ``linear`` where there is another.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> model = ScaledTarget(LinearRegression(), scale="log").fit([[0.0], [1.0], [2.0]], [1.0, 10.0, 100.0])
    >>> model.predict([[1.5]]).round(2).tolist()
    [31.62]
    """

    def __init__(self, estimator: Any = None, scale: str = "linear") -> None:
        self.estimator = estimator
        self.scale = scale

    @property
    def stages_param(self) -> str:
        """Name of the parameter that holds the number of stages, where the wrapped regressor has one."""
        return str(self.estimator.stages_param)

    def fit(self, X: Any, y: Any) -> "ScaledTarget":
        """Fit the wrapped regressor on the scaled target."""
        self.estimator_ = clone(self.estimator).fit(X, self._learn_scale(y))
        return self

    @available_if(_watches_itself)  # type: ignore[untyped-decorator]
    def fit_watched(self, X: Any, y: Any, X_valid: Any, y_valid: Any) -> "ScaledTarget":
        """Fit the wrapped regressor while it watches its loss on validation rows.

        ``curve_`` is that loss after each stage on the scale that is learnt, in standard deviations of the training targets, so
        that the folds of a table count alike. A target without a logarithm counts as the smallest one that was seen.
        """
        scaled, valid = self._learn_scale(y), np.asarray(y_valid, dtype=np.float64)
        if self.log_:
            valid = np.log(np.maximum(valid, np.min(y)))
        valid = (valid - self.center_) / self.spread_
        self.estimator_ = clone(self.estimator).fit_watched(X, scaled, X_valid, valid)
        for curve in ("curve_", "train_curve_"):
            if hasattr(self.estimator_, curve):
                setattr(self, curve, getattr(self.estimator_, curve))
        return self

    @available_if(_watches_itself)  # type: ignore[untyped-decorator]
    def truncated(self, stages: int) -> "ScaledTarget":
        """Return a fitted regressor that answers as if it had stopped after ``stages`` stages; this one stays as it is."""
        check_is_fitted(self, "estimator_")
        short = copy.copy(self)
        short.estimator_ = self.estimator_.truncated(stages)
        for curve in ("curve_", "train_curve_"):
            if hasattr(self, curve):
                setattr(short, curve, getattr(self, curve)[:stages])
        return short

    def _learn_scale(self, y: Any) -> Floats:
        """Note the scale of the training targets, forget earlier curves, and return the targets on that scale."""
        target = np.asarray(y, dtype=np.float64)
        self.log_ = bool(self.scale == "log" and target.min() > 0)
        scaled = np.log(target) if self.log_ else target
        self.center_ = float(scaled.mean())
        self.spread_ = float(scaled.std()) or 1.0
        scaled = (scaled - self.center_) / self.spread_
        span = float(scaled.max() - scaled.min())
        self.lowest_ = float(scaled.min()) - MARGIN * span
        self.highest_ = float(scaled.max()) + MARGIN * span
        for curve in ("curve_", "train_curve_"):
            self.__dict__.pop(curve, None)
        return scaled

    def predict(self, X: Any) -> Floats:
        """Return the prediction on the target's own scale, shape ``(n_rows,)``."""
        check_is_fitted(self, "estimator_")
        with suited_to(len(X)):
            scaled = np.clip(np.ravel(self.estimator_.predict(X)), self.lowest_, self.highest_)
        answer = scaled * self.spread_ + self.center_
        return np.asarray(np.exp(answer) if self.log_ else answer, dtype=np.float64)
