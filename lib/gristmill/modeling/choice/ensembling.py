"""Combining families by weights found out of fold, and choosing between the combination and its members."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.utils.validation import check_is_fitted

from gristmill.metrics.scores import as_gain
from gristmill.modeling.search.folds import Folds, fold_scores, mean_score, spread
from gristmill.reporting.wording import figure, metric_label, opening

Floats = NDArray[np.float64]

ROUNDS = 25
"""Members drawn, with replacement, by the greedy search: no weight is finer than one twenty-fifth."""

STALE_ROUNDS = 6
"""Additions in a row without a better blend after which the greedy search ends."""

MOST_ROWS = 10_000
"""Rows of each fold that the greedy search looks at: its weights are coarse, more rows would not change them."""

BLOCKS = 5
"""Parts a single validation set is cut into, so that its noise can be seen."""

ENSEMBLE = "ensemble"

FASTEST_FIRST = ("linear", "neural", "boosting", "forest")
"""The families by the time they take for one row. Ties are broken by this order and not by a stopwatch, so that the same plan
gives the same model on a busy machine."""


@dataclass(frozen=True)
class Candidate:
    """A model that may be chosen: a family, or the ensemble.

    ``oof`` holds its out-of-fold predictions of all training rows, ``row_ms`` the milliseconds it takes for one row.
    """

    name: str
    score: float
    std: float
    fold_scores: list[float]
    weights: dict[str, float]
    row_ms: float
    oof: Floats


@dataclass(frozen=True)
class Choice:
    """The chosen candidate, and why in words."""

    candidate: Candidate
    reason: str


def blocks_of(folds: Folds) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return folds to measure noise on: the folds themselves, or a single validation set cut into parts."""
    if len(folds) > 1:
        return list(folds)
    train, valid = folds[0]
    shuffled = np.random.default_rng(0).permutation(valid)
    return [(train, part) for part in np.array_split(shuffled, BLOCKS) if len(part)]


def candidate(
    name: str, metric: str, y: NDArray[Any], oof: Floats, folds: Folds, weights: Mapping[str, float], row_ms: float
) -> Candidate:
    """Return a candidate with its scores by fold."""
    blocks = blocks_of(folds)
    scores = fold_scores(metric, y, oof, blocks)
    return Candidate(name, mean_score(metric, scores, y, oof, blocks), spread(scores), scores, dict(weights), row_ms, oof)


def blend(oof: Mapping[str, Floats], weights: Mapping[str, float]) -> Floats:
    """Return the weighted mean of the members' predictions."""
    return np.asarray(sum(weight * oof[name] for name, weight in weights.items()), dtype=np.float64)


def greedy_weights(metric: str, y: NDArray[Any], oof: Mapping[str, Floats], folds: Folds, rounds: int = ROUNDS) -> dict[str, float]:
    """Return the weights of the best blend a greedy search finds; members without a weight are left out.

    Ensemble selection with replacement (Caruana et al. 2004): in every round the member is added that makes the blend's mean
    score over the folds best. The best blend on the way is returned, the smallest one if several are.

    Parameters
    ----------
    metric
        The metric that decides.
    y
        Codes or numbers of all training rows.
    oof
        Out-of-fold predictions of every member.
    folds
        Positions of the training and the validation rows.
    rounds
        Number of additions.
    """
    blocks = [(train, valid[:: 1 + len(valid) // MOST_ROWS]) for train, valid in blocks_of(folds)]
    total: Floats | None = None
    drawn: list[str] = []
    best_gain, best_size = -np.inf, 1
    for size in range(1, rounds + 1):
        sums = {name: predicted if total is None else total + predicted for name, predicted in oof.items()}
        gains = {name: _gain(metric, y, summed / size, blocks) for name, summed in sums.items()}
        name = max(gains, key=gains.__getitem__)
        drawn.append(name)
        total = sums[name]
        if gains[name] > best_gain + 1e-12:
            best_gain, best_size = gains[name], size
        if size - best_size >= STALE_ROUNDS:
            break
    kept = drawn[:best_size]
    return {name: kept.count(name) / best_size for name in oof if name in kept}


def _gain(metric: str, y: NDArray[Any], predicted: Floats, folds: Folds) -> float:
    """Return the mean score, turned so that more is better; undefined is worst."""
    value = as_gain(metric, mean_score(metric, fold_scores(metric, y, predicted, folds), y, predicted, folds))
    return value if np.isfinite(value) else -np.inf


def lead(metric: str, ahead: Candidate, behind: Candidate) -> tuple[float, float]:
    """Return by how much one candidate leads another over the same folds, and the standard error of that lead."""
    gains = [as_gain(metric, a) - as_gain(metric, b) for a, b in zip(ahead.fold_scores, behind.fold_scores, strict=True)]
    known = np.asarray([gain for gain in gains if np.isfinite(gain)])
    if len(known) == 0:
        return 0.0, 0.0
    error = float(known.std(ddof=1) / np.sqrt(len(known))) if len(known) > 1 else float("inf")
    return float(known.mean()), error


def choose(metric: str, candidates: Sequence[Candidate]) -> Choice:
    """Return the simplest, fastest candidate whose distance from the best is within noise.

    Noise is one standard error of the paired differences over the folds (the one-standard-error rule of Breiman et al. 1984).
    Simpler is fewer members; among equals, faster families.
    """
    ranked = [one for one in candidates if np.isfinite(one.score)] or list(candidates)
    best = max(ranked, key=lambda one: as_gain(metric, one.score))
    for other in sorted(ranked, key=_cost):
        ahead, error = lead(metric, best, other)
        if other is best:
            reached = f"{opening(best.name)} has the best {metric_label(metric)}, {figure(best.score)}"
            return Choice(best, f"{reached}, and its lead over every simpler model is larger than noise.")
        if ahead <= error:
            return Choice(other, _simpler(metric, best, other, ahead, error))
    return Choice(best, f"{opening(best.name)} is the only candidate.")


def _simpler(metric: str, best: Candidate, other: Candidate, ahead: float, error: float) -> str:
    """Return why a candidate is preferred to the one with the best score."""
    label, noise = metric_label(metric), f"the standard error of that difference over the folds, {figure(error)}"
    if not np.isfinite(error):
        noise = "what a single fold can tell"
    return (
        f"{opening(best.name)} is better than {other.name} by {figure(ahead)} in {label}, which is within {noise}; "
        f"{other.name} is the simpler model ({figure(other.row_ms)} against {figure(best.row_ms)} ms a row)."
    )


def _cost(one: Candidate) -> tuple[int, int]:
    """Return what orders candidates from simple and fast to complex and slow."""
    return len(one.weights), max((FASTEST_FIRST.index(name) for name in one.weights if name in FASTEST_FIRST), default=0)


class _WeightedEnsemble(BaseEstimator):  # type: ignore[misc]
    """What the ensembles of classifiers and of regressors share."""

    def __init__(self, estimators: Sequence[tuple[str, Any]] = (), weights: Sequence[float] = ()) -> None:
        self.estimators = estimators
        self.weights = weights

    def fit(self, X: Any, y: Any) -> Any:
        """Fit every member on all rows."""
        if len(self.estimators) == 0 or len(self.estimators) != len(self.weights):
            raise ValueError(f"Expected one weight a member, got {len(self.weights)} for {len(self.estimators)} members.")
        self.estimators_ = [clone(member).fit(X, y) for _, member in self.estimators]
        first = self.estimators_[0]
        if hasattr(first, "classes_"):
            self.classes_ = first.classes_
        return self

    def _blend(self, method: str, X: Any) -> Floats:
        """Return the weighted mean of what ``method`` of every member answers."""
        check_is_fitted(self, "estimators_")
        answers = [getattr(member, method)(X) * weight for member, weight in zip(self.estimators_, self.weights, strict=True)]
        return np.asarray(np.sum(answers, axis=0) / np.sum(self.weights), dtype=np.float64)


class WeightedClassifier(ClassifierMixin, _WeightedEnsemble):  # type: ignore[misc]
    """A classifier whose probabilities are the weighted mean of its members'.

    Parameters
    ----------
    estimators
        Names and unfitted classifiers, all answering for the same classes.
    weights
        One weight a member.
    """

    def predict_proba(self, X: Any) -> Floats:
        """Return the probability of every class, shape ``(n_rows, n_classes)``."""
        return self._blend("predict_proba", X)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class, shape ``(n_rows,)``."""
        return np.asarray(self.classes_[np.argmax(self.predict_proba(X), axis=1)])


class WeightedRegressor(RegressorMixin, _WeightedEnsemble):  # type: ignore[misc]
    """A regressor whose prediction is the weighted mean of its members'.

    Parameters
    ----------
    estimators
        Names and unfitted regressors.
    weights
        One weight a member.
    """

    def predict(self, X: Any) -> Floats:
        """Return the prediction, shape ``(n_rows,)``."""
        return self._blend("predict", X)
