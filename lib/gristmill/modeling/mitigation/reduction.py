"""Exponentiated gradient: a mixture of models that together keep groups within a bound (Agarwal et al. 2018).

The reduction is fairlearn's. Its answer is random, one model drawn for each row; kept are the models and their weights, and the
answer is the expected probability, the same every time.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.dummy import DummyClassifier
from sklearn.utils.validation import check_is_fitted

from gristmill.config.mitigations import SELECTION
from gristmill.modeling.choice.ensembling import WeightedClassifier
from gristmill.modeling.families.known_classes import KnownClasses
from gristmill.modeling.mitigation.weights import drawn

Floats = NDArray[np.float64]

BOUND = 0.02
"""How far a group's rate may lie from that of all rows."""

ITERATIONS = 12
"""Models that are fitted at most."""

LEAST_WEIGHT = 1e-3
"""Members with less are left out."""


class Drawing(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier that learns rows as often as they weigh, for fairlearn's reduction; it is never stored."""

    def __init__(self, estimator: Any = None, random_state: int = 42) -> None:
        self.estimator = estimator
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "Drawing":
        """Fit the classifier on rows drawn by their weights."""
        matrix, target = np.asarray(X), np.asarray(y, dtype=np.int64)
        weights = np.ones(len(target)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        rows = drawn(weights, self.random_state) if weights.sum() > 0 else np.arange(len(target))
        self.estimator_ = clone(self.estimator).fit(matrix[rows], target[rows])
        self.classes_ = np.array([0, 1])
        return self

    def predict(self, X: Any) -> NDArray[np.int64]:
        """Return whether the positive class is at least as probable as the other, shape ``(n_rows,)``."""
        check_is_fitted(self, "estimator_")
        return np.asarray(self.estimator_.predict_proba(np.asarray(X))[:, 1] >= 0.5, dtype=np.int64)


def fit_mixture(
    rate: str, estimator: Any, X: Floats, y: NDArray[np.int64], groups: NDArray[np.object_], random_state: int
) -> WeightedClassifier:
    """Return the fitted mixture for two classes, of which nothing is fairlearn's.

    Parameters
    ----------
    rate
        ``selection`` (demographic parity) or ``opportunity`` (parity of true-positive rates).
    estimator
        Unfitted; answers for the codes 0 and 1, whichever of them occur.
    X
        Matrix of the training rows.
    y, groups
        Code and group of each row.
    random_state
        Seed of what is drawn.
    """
    if len(np.unique(y)) < 2 or len(set(groups)) < 2:  # nothing to hold against each other
        return _alone(estimator, X, y)
    from fairlearn.reductions import DemographicParity, ExponentiatedGradient, TruePositiveRateParity  # noqa: PLC0415

    parity = DemographicParity if rate == SELECTION else TruePositiveRateParity
    reduction = ExponentiatedGradient(
        Drawing(estimator, random_state), parity(difference_bound=BOUND), eps=BOUND, max_iter=ITERATIONS
    )
    reduction.fit(np.asarray(X), y, sensitive_features=groups)
    weights = reduction.weights_.sort_index()
    kept = [(number, float(weight)) for number, weight in weights.items() if weight >= LEAST_WEIGHT]
    members = [_member(reduction.predictors_[number], X) for number, _ in kept]
    total = sum(weight for _, weight in kept)
    names = [f"model {number}" for number, _ in kept]
    mixture = WeightedClassifier([(name, clone(estimator)) for name in names], [weight / total for _, weight in kept])
    mixture.estimators_, mixture.classes_ = members, np.array([0, 1])
    return mixture


def told_apart(rate: str, y: NDArray[np.int64], groups: NDArray[np.object_], smallest: int) -> NDArray[np.object_]:
    """Return the groups with those too small to hold a bound counted with the largest one.

    Parameters
    ----------
    rate
        ``selection`` or ``opportunity``, of which the second counts positive rows alone.
    y, groups
        Code and group of each row.
    smallest
        Fewest rows that the rate counts.
    """
    names, place = np.unique(groups.astype(str), return_inverse=True)
    counted = np.bincount(place[np.ones(len(y), dtype=bool) if rate == SELECTION else y == 1], minlength=len(names))
    kept = np.where(counted >= max(1, smallest), np.arange(len(names)), int(counted.argmax()))
    return np.asarray(names.astype(object)[kept[place]])


def _alone(estimator: Any, X: Floats, y: NDArray[np.int64]) -> WeightedClassifier:
    """Return a mixture of one model, fitted as it is."""
    alone: WeightedClassifier = WeightedClassifier([("model 0", estimator)], [1.0]).fit(X, y)
    return alone


def _member(predictor: Any, X: Floats) -> Any:
    """Return a member as it is stored; where all rows were of one class, fairlearn's constant as one of ours."""
    if isinstance(predictor, Drawing):
        return predictor.estimator_
    code = int(np.ravel(predictor.predict(X[:1]))[0])
    return KnownClasses(DummyClassifier(), 2).fit(X[:1], [code])
