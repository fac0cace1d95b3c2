"""Stacking: a small model of the members' answers, fitted out of fold, in place of weights found by search (Wolpert 1992).

The model is monotone in every member: its weights are not negative, so that no member is ever read backwards, and they are drawn
towards the plain mean, so that few rows and members that say the same cannot make them wild.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, nnls
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.utils.validation import check_is_fitted

Floats = NDArray[np.float64]

RIDGE = 1.0
"""How many rows' worth of evidence holds the weights at the plain mean."""

SMALLEST = 1e-6
"""Probabilities are kept this far from 0, so that their logarithms stay finite."""

NEGLIGIBLE = 0.01
"""Share of the weights below which a member is left out: it would cost its time for nothing."""

MOST_CELLS = 20_000_000
"""Numbers the fit looks at; rows beyond are left out evenly, since so few weights need no more."""


class MetaModel(BaseEstimator):  # type: ignore[misc]
    """Non-negative weights of the members and one constant a class, or one for a regression.

    Classes: a softmax of the weighted log-probabilities, fitted to the log loss; for two classes this is a logistic regression on
    the members' log-odds. Numbers: weighted predictions, fitted to the squared error. Both have a ridge penalty on the distance of
    the weights from the plain mean's.

    Parameters
    ----------
    n_classes
        Number of classes; 0 for a regression.
    """

    def __init__(self, n_classes: int = 0) -> None:
        self.n_classes = n_classes

    def fit(self, answers: Sequence[Floats], y: NDArray[Any]) -> "MetaModel":
        """Fit to out-of-fold answers of the members, each ``(n_rows, n_classes)`` or ``(n_rows,)``, and codes or numbers."""
        step = 1 + len(answers) * answers[0].size // MOST_CELLS
        few, truth = [answer[::step] for answer in answers], np.asarray(y)[::step]
        self.weights_, self.bias_ = self._classes(few, truth) if self.n_classes else self._numbers(few, truth)
        return self

    def transform(self, answers: Sequence[Floats]) -> Floats:
        """Return the combined answer of the members, shaped as each of theirs."""
        check_is_fitted(self, "weights_")
        values = _log_shares(answers) if self.n_classes else np.asarray(answers)
        combined = np.tensordot(self.weights_, values, axes=1) + self.bias_
        return np.asarray(softmax(combined, axis=1) if self.n_classes else combined, dtype=np.float64)

    def _classes(self, answers: Sequence[Floats], y: NDArray[Any]) -> tuple[Floats, Floats]:
        """Return weights and the classes' constants with the least penalised log loss."""
        values, n_members, n_rows = _log_shares(answers), len(answers), len(y)
        one_hot = np.eye(self.n_classes)[np.asarray(y, dtype=np.int64)]
        mean = 1 / n_members

        def loss(parameters: Floats) -> tuple[float, Floats]:
            weights, bias = parameters[:n_members], parameters[n_members:]
            logs = log_softmax(np.tensordot(weights, values, axes=1) + bias, axis=1)
            wrong = np.exp(logs) - one_hot
            penalty = RIDGE * (np.sum((weights - mean) ** 2) + np.sum(bias**2)) / 2
            value = penalty - np.sum(logs[one_hot == 1])
            by_weight = np.tensordot(values, wrong, axes=([1, 2], [0, 1])) + RIDGE * (weights - mean)
            return value / n_rows, np.concatenate([by_weight, wrong.sum(axis=0) + RIDGE * bias]) / n_rows

        start = np.concatenate([np.full(n_members, mean), np.zeros(self.n_classes)])
        bounds = [(0.0, None)] * n_members + [(None, None)] * self.n_classes
        found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
        return found[:n_members], found[n_members:]

    def _numbers(self, answers: Sequence[Floats], y: NDArray[Any]) -> tuple[Floats, Floats]:
        """Return weights and the constant with the least penalised squared error."""
        columns, target = np.column_stack(answers), np.asarray(y, dtype=np.float64)
        centre, spread = columns.mean(axis=0), float(target.std()) or 1.0
        n_members = len(answers)
        pull = np.sqrt(RIDGE) * np.eye(n_members)
        stacked = np.vstack([(columns - centre) / spread, pull])
        goal = np.concatenate([(target - target.mean()) / spread, pull.sum(axis=1) / n_members])
        rotation, triangle = np.linalg.qr(stacked)
        weights, _ = nnls(triangle, rotation.T @ goal)
        return weights, np.asarray(target.mean() - centre @ weights)


def _log_shares(answers: Sequence[Floats]) -> Floats:
    """Return the members' log-probabilities, each row's centred, shape ``(n_members, n_rows, n_classes)``."""
    logs = np.log(np.maximum(np.asarray(answers, dtype=np.float64), SMALLEST))
    return np.asarray(logs - logs.mean(axis=2, keepdims=True), dtype=np.float64)


def fit_meta(names: Sequence[str], answers: Sequence[Floats], y: NDArray[Any], n_classes: int) -> tuple[list[str], MetaModel]:
    """Return the members that matter, by name, and the model fitted to their answers alone.

    Parameters
    ----------
    names
        Names of the members.
    answers
        Their out-of-fold answers, in the same order.
    y
        Codes or numbers of the same rows.
    n_classes
        Number of classes; 0 for a regression.
    """
    weights = MetaModel(n_classes).fit(answers, y).weights_
    least = NEGLIGIBLE * float(weights.sum())
    kept = [place for place, weight in enumerate(weights) if weight > least] or list(range(len(names)))
    return [names[place] for place in kept], MetaModel(n_classes).fit([answers[place] for place in kept], y)


class _Stacked(BaseEstimator):  # type: ignore[misc]
    """What the stacks of classifiers and of regressors share."""

    def __init__(self, estimators: Sequence[tuple[str, Any]] = (), meta: Any = None) -> None:
        self.estimators = estimators
        self.meta = meta

    def fit(self, X: Any, y: Any) -> Any:
        """Fit every member on all rows."""
        check_is_fitted(self.meta, "weights_")
        if len(self.estimators) != len(self.meta.weights_):
            raise ValueError(f"Expected one weight a member, got {len(self.meta.weights_)} for {len(self.estimators)} members.")
        self.estimators_ = [clone(member).fit(X, y) for _, member in self.estimators]
        first = self.estimators_[0]
        if hasattr(first, "classes_"):
            self.classes_ = first.classes_
        return self

    def __sklearn_clone__(self) -> Any:
        """Return an unfitted twin with the same fitted meta-model: scikit-learn's own clone would hand on an empty one."""
        return type(self)([(name, clone(member)) for name, member in self.estimators], self.meta)

    def _stack(self, method: str, X: Any) -> Floats:
        """Return what the meta-model makes of what ``method`` of every member answers."""
        check_is_fitted(self, "estimators_")
        combined: Floats = self.meta.transform([getattr(member, method)(X) for member in self.estimators_])
        return combined


class StackedClassifier(ClassifierMixin, _Stacked):  # type: ignore[misc]
    """A classifier that combines its members' probabilities by a model fitted out of fold.

    Parameters
    ----------
    estimators
        Names and unfitted classifiers, all answering for the same classes.
    meta
        A fitted :class:`MetaModel`; :meth:`fit` leaves it as it is, for refitting it on rows the members have learnt from would
        make it trust whichever member overfits most.
    """

    def predict_proba(self, X: Any) -> Floats:
        """Return the probability of every class, shape ``(n_rows, n_classes)``."""
        return self._stack("predict_proba", X)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class, shape ``(n_rows,)``."""
        return np.asarray(self.classes_[np.argmax(self.predict_proba(X), axis=1)])


class StackedRegressor(RegressorMixin, _Stacked):  # type: ignore[misc]
    """A regressor that combines its members' predictions by a model fitted out of fold.

    Parameters
    ----------
    estimators
        Names and unfitted regressors.
    meta
        A fitted :class:`MetaModel`, as in :class:`StackedClassifier`.
    """

    def predict(self, X: Any) -> Floats:
        """Return the prediction, shape ``(n_rows,)``."""
        return self._stack("predict", X)
