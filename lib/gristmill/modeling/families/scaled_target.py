"""A regressor that learns its target on a scale that suits it, and never answers far outside what it has seen."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin, clone
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

    def fit(self, X: Any, y: Any) -> "ScaledTarget":
        """Fit the wrapped regressor on the scaled target."""
        target = np.asarray(y, dtype=np.float64)
        self.log_ = bool(self.scale == "log" and target.min() > 0)
        scaled = np.log(target) if self.log_ else target
        self.center_ = float(scaled.mean())
        self.spread_ = float(scaled.std()) or 1.0
        scaled = (scaled - self.center_) / self.spread_
        span = float(scaled.max() - scaled.min())
        self.lowest_ = float(scaled.min()) - MARGIN * span
        self.highest_ = float(scaled.max()) + MARGIN * span
        self.estimator_ = clone(self.estimator).fit(X, scaled)
        return self

    def predict(self, X: Any) -> Floats:
        """Return the prediction on the target's own scale, shape ``(n_rows,)``."""
        check_is_fitted(self, "estimator_")
        with suited_to(len(X)):
            scaled = np.clip(np.ravel(self.estimator_.predict(X)), self.lowest_, self.highest_)
        answer = scaled * self.spread_ + self.center_
        return np.asarray(np.exp(answer) if self.log_ else answer, dtype=np.float64)
