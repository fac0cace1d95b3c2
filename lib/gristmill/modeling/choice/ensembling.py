"""Combining members by weights found out of fold."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.utils.validation import check_is_fitted

from gristmill.metrics.scores import as_gain, score
from gristmill.modeling.choice.candidates import blocks_of
from gristmill.modeling.search.folds import Folds

Floats = NDArray[np.float64]

ROUNDS = 25
"""Members drawn, with replacement, by the greedy search: no weight is finer than one twenty-fifth."""

STALE_ROUNDS = 6
"""Additions in a row without a better blend after which the greedy search ends."""

MOST_ROWS = 10_000
"""Rows of each fold that the greedy search looks at: its weights are coarse, more rows would not change them."""

SMALL = (2, 3, 5)
"""Most members of the blends that are looked at beside the widest."""

Combination = Callable[[Mapping[str, Floats]], Floats]
"""From the members' predictions to those of their combination."""


def blend(oof: Mapping[str, Floats], weights: Mapping[str, float]) -> Floats:
    """Return the weighted mean of the members' predictions."""
    return np.asarray(sum(weight * oof[name] for name, weight in weights.items()), dtype=np.float64)


def other_folds(folds: Folds) -> list[Folds]:
    """Return for each fold all the others: what a combination may be found on that the fold is to judge."""
    blocks = blocks_of(folds)
    return [[block for other, block in enumerate(blocks) if other != place] for place in range(len(blocks))]


def cross_combined(combinations: Sequence[Combination], oof: Mapping[str, Floats], folds: Folds) -> Floats:
    """Return the members' predictions combined, every fold's by the combination that was found on the other folds.

    Weights fitted to the rows they are judged by look better than they are, the more so the more members there are.

    Parameters
    ----------
    combinations
        One for each of :func:`other_folds`.
    oof
        Out-of-fold predictions of every member.
    folds
        Positions of the training and the validation rows.
    """
    combined = np.full_like(next(iter(oof.values())), np.nan)
    for combine, (_, valid) in zip(combinations, blocks_of(folds), strict=True):
        combined[valid] = combine({name: predicted[valid] for name, predicted in oof.items()})
    return combined


def blends(metric: str, y: NDArray[Any], oof: Mapping[str, Floats], folds: Folds) -> dict[int, dict[str, float]]:
    """Return the weights of the best blend of all members, and of its weightiest members alone, by how many there may be."""
    widest = greedy_weights(metric, y, oof, folds)
    by_weight = sorted(widest, key=widest.__getitem__, reverse=True)
    found = {len(oof): widest}
    for size in SMALL:
        few = {name: oof[name] for name in by_weight[:size]}
        found[size] = widest if len(widest) <= size else greedy_weights(metric, y, few, folds)
    return found


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
    names, blocks = list(oof), [valid[:: 1 + len(valid) // MOST_ROWS] for _, valid in blocks_of(folds)]
    members = [np.stack([predicted[valid] for predicted in oof.values()]) for valid in blocks]
    truth, totals = [y[valid] for valid in blocks], [np.zeros_like(part[0]) for part in members]
    drawn: list[str] = []
    best_gain, best_size = -np.inf, 1
    for size in range(1, rounds + 1):
        gains = _gains(metric, truth, [(total + part) / size for total, part in zip(totals, members, strict=True)])
        place = int(np.argmax(gains))
        drawn.append(names[place])
        totals = [total + part[place] for total, part in zip(totals, members, strict=True)]
        if gains[place] > best_gain + 1e-12:
            best_gain, best_size = gains[place], size
        if size - best_size >= STALE_ROUNDS:
            break
    kept = drawn[:best_size]
    return {name: kept.count(name) / best_size for name in names if name in kept}


def _gains(metric: str, truth: Sequence[NDArray[Any]], answers: Sequence[Floats]) -> Floats:
    """Return the mean score over the blocks of each of several answers, turned so that more is better; undefined is worst.

    Where no block can say, that of all rows together.
    """
    by_block = np.array([scores_of(metric, y, several) for y, several in zip(truth, answers, strict=True)])
    if not np.isfinite(by_block).any():
        by_block = scores_of(metric, np.concatenate(truth), np.concatenate(answers, axis=1))[None]
    known = np.isfinite(by_block)
    mean = np.where(known, by_block, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return np.where(known.any(axis=0), as_gain(metric, 1.0) * mean, -np.inf)


def scores_of(metric: str, y: NDArray[Any], answers: Floats) -> Floats:
    """Return the metric of several predictions of the same rows at once, shape ``(n_predictions,)``.

    Each equals :func:`gristmill.metrics.scores.score`; the metrics that decide by default take a fraction of its time.

    Parameters
    ----------
    metric
        A name of :mod:`gristmill.config.metric_names`.
    y
        Codes or numbers, shape ``(n_rows,)``.
    answers
        Probabilities ``(n_predictions, n_rows, n_classes)``, or numbers ``(n_predictions, n_rows)``.
    """
    if metric == "rmse":
        return np.asarray(np.sqrt(np.mean((answers - y) ** 2, axis=1)), dtype=np.float64)
    if metric == "log_loss":
        said = answers[:, np.arange(len(y)), y]
        return np.asarray(-np.mean(np.log(np.clip(said, np.finfo(np.float64).eps, None)), axis=1), dtype=np.float64)
    if metric == "roc_auc" and len(np.unique(y)) == answers.shape[2]:
        codes = [1] if answers.shape[2] == 2 else range(answers.shape[2])
        return np.asarray(np.mean([_areas(y == code, answers[:, :, code]) for code in codes], axis=0), dtype=np.float64)
    return np.array([score(metric, y, one) for one in answers])


def _areas(is_class: NDArray[np.bool_], answers: Floats) -> Floats:
    """Return the areas under the ROC curves of one class's probabilities, ``(n_predictions, n_rows)``, by their ranks."""
    n_class = int(is_class.sum())
    above = rankdata(answers, axis=1)[:, is_class].sum(axis=1) - n_class * (n_class + 1) / 2
    return np.asarray(above / (n_class * (len(is_class) - n_class)), dtype=np.float64)


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
