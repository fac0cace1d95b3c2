"""What our estimators around boosting libraries share: growing, watching, shortening, answering and being stored.

A library's model is kept as its own bytes in an array (``model_``), never as an object of the library, so that it can be stored
without pickle; what answers is opened from those very bytes, after fitting as after loading, so that both answer alike to the bit.
"""

import math
from abc import abstractmethod
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.utils.validation import check_is_fitted

Floats = NDArray[np.float64]
Watched = tuple[Floats, NDArray[Any]]
"""Validation rows: their matrix and their targets."""

LEARNT_IN_VAIN = 2.0
"""Early stopping: rounds times learning rate without a better validation loss after which growing ends, so that small steps are
given more rounds than large ones."""


def patience_of(learning_rate: float) -> int:
    """Return the rounds without a better validation loss after which growing ends."""
    return max(20, math.ceil(LEARNT_IN_VAIN / learning_rate))


def loss_of(raw: Floats, y: NDArray[Any], n_classes: int) -> float:
    """Return the loss that curves show: the mean log loss of class codes, or the root mean squared error for no classes.

    Parameters
    ----------
    raw
        Answers before they become probabilities: log-odds ``(n_rows,)`` for two classes, ``(n_rows, n_classes)`` for more, numbers
        ``(n_rows,)`` for a regression.
    y
        Class codes or numbers.
    n_classes
        Number of classes; 0 for a regression.
    """
    if n_classes == 0:
        return float(np.sqrt(np.mean((raw - y) ** 2)))
    proba = probabilities(raw)[np.arange(len(y)), np.asarray(y, dtype=np.int64)]
    return float(-np.mean(np.log(np.maximum(proba, np.finfo(np.float64).tiny))))


def probabilities(raw: Floats) -> Floats:
    """Return the probabilities of all classes, shape ``(n_rows, n_classes)``, for raw answers as :func:`loss_of` takes them."""
    if raw.ndim == 1:
        positive = expit(raw)
        return np.column_stack((1 - positive, positive))
    powers = np.exp(raw - raw.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float64)


class GrownTrees(BaseEstimator):  # type: ignore[misc]
    """Base of the estimators around a boosting library; trees are added in rounds, and any number of the first can answer.

    Columns that never vary teach nothing. Where no column varies, or a library finds nothing to split, the answer is the share of
    each class or the mean.

    Attributes
    ----------
    model_
        The library's model as bytes, empty where no column varies; shape ``(n_bytes,)``.
    prior_
        The raw answer that the training targets alone give, shape ``(n_outputs,)``.
    n_features_in_
        Number of columns.
    curve_
        After :meth:`fit_watched`: log loss or root mean squared error on the validation rows after each round.
    """

    stages_param = "rounds"
    rounds: int
    curve_: Floats
    _opened: Any

    def fit(self, X: Any, y: Any) -> Self:
        """Grow all rounds.

        Parameters
        ----------
        X
            Matrix of numbers, not-a-number where a value is missing; the first ``categories`` columns hold codes of categories,
            ``0, 1, ...``. Shape ``(n_rows, n_columns)``.
        y
            Class codes ``0..n_classes-1``, each of which occurs; or numbers.

        Raises
        ------
        ValueError
            The library cannot learn from these rows, in its own words.
        """
        return self._fit(X, y, None)

    def fit_watched(self, X: Any, y: Any, X_valid: Any, y_valid: Any) -> Self:
        """Grow until the loss on validation rows has not improved for :func:`patience_of` rounds, at most all rounds.

        What was grown is kept whole: ``curve_`` says how good each number of rounds is, and :meth:`truncated` gives the model of
        one of them.
        """
        return self._fit(X, y, (np.asarray(X_valid, dtype=np.float64), np.asarray(y_valid)))

    def truncated(self, stages: int) -> Self:
        """Return a fitted estimator that answers as if it had been grown for ``stages`` rounds; this one stays as it is.

        More rounds than there are give all of them.

        Raises
        ------
        ValueError
            ``stages`` is less than one.
        """
        check_is_fitted(self, "model_")
        if stages < 1:
            raise ValueError(f"Expected at least one round, got {stages!r}.")
        short: Self = clone(self).set_params(rounds=int(stages))
        state = {name: value for name, value in self.__getstate__().items() if name.endswith("_")}
        if len(self.model_):
            state["model_"] = _as_array(self._shortened(int(stages)))
        if "curve_" in state:
            state["curve_"] = self.curve_[:stages]
        short._take(state)
        return short

    def __getstate__(self) -> dict[str, Any]:
        """Return what is stored: parameters and fitted attributes, without the opened model."""
        return {name: value for name, value in super().__getstate__().items() if name != "_opened"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take what was stored, and open the model in it.

        Raises
        ------
        ValueError
            The bytes are no model of the library, or not of these columns.
        """
        super().__setstate__(state)
        if "model_" in state:
            self._take({})

    @property
    def _n_classes(self) -> int:
        """Number of classes; 0 for a regression."""
        return len(getattr(self, "classes_", ()))

    @abstractmethod
    def _grow(self, X: Floats, y: NDArray[Any], watched: Watched | None) -> tuple[bytes, Floats]:
        """Return the grown model as bytes, and the validation loss after each round (empty where nothing is watched)."""

    @abstractmethod
    def _shortened(self, stages: int) -> bytes:
        """Return the model of the first ``stages`` rounds as bytes."""

    @abstractmethod
    def _open(self, content: bytes) -> Any:
        """Return what answers, from the bytes of a model; raises ValueError where they are none."""

    @abstractmethod
    def _raw(self, X: Floats) -> Floats:
        """Return the raw answers, as :func:`loss_of` takes them."""

    def _fit(self, X: Any, y: Any, watched: Watched | None) -> Self:
        """Grow, watched or not, and open what was grown."""
        matrix, target = np.asarray(X, dtype=np.float64), np.asarray(y)
        if hasattr(self, "curve_"):
            del self.curve_
        self.n_features_in_ = matrix.shape[1]
        self.prior_ = self._learn_targets(target)
        content, curve = self._grow(matrix, target, watched) if _varies(matrix) else (b"", np.empty(0))
        self._take({"model_": _as_array(content)})
        if watched is not None:
            level = 0.0 if len(content) else loss_of(self._answers(watched[0]), watched[1], self._n_classes)
            self.curve_ = curve if len(content) else np.full(self.rounds, level)
        return self

    @abstractmethod
    def _learn_targets(self, y: NDArray[Any]) -> Floats:
        """Return the raw answer that the targets alone give."""

    def _take(self, state: dict[str, Any]) -> None:
        """Take fitted attributes and open the model that they hold."""
        self.__dict__.update(state)
        content = np.asarray(self.model_, dtype=np.uint8).tobytes()
        self._opened = self._open(content) if content else None

    def _answers(self, X: Any) -> Floats:
        """Return the raw answers for rows of any number."""
        check_is_fitted(self, "model_")
        matrix = np.asarray(X, dtype=np.float64)
        if matrix.ndim != 2 or matrix.shape[1] != self.n_features_in_:
            raise ValueError(f"Expected a matrix of {self.n_features_in_} columns, got one of shape {matrix.shape}.")
        if self._opened is None or not len(matrix):
            return np.tile(self.prior_, (len(matrix), 1)) if len(self.prior_) > 1 else np.full(len(matrix), self.prior_[0])
        return self._raw(matrix)


class GrownClassifier(ClassifierMixin, GrownTrees):  # type: ignore[misc]
    """Base of the classifiers: log loss, for two classes or more."""

    def predict_proba(self, X: Any) -> Floats:
        """Return the probability of every class, shape ``(n_rows, n_classes)``."""
        return probabilities(self._answers(X))

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class, shape ``(n_rows,)``."""
        return np.asarray(self.classes_[np.argmax(self.predict_proba(X), axis=1)])

    def _learn_targets(self, y: NDArray[Any]) -> Floats:
        """Return the log-odds of two classes, the logarithms of the shares of more."""
        self.classes_, counts = np.unique(y, return_counts=True)
        if len(counts) < 2 or not np.array_equal(self.classes_, np.arange(len(counts))):
            raise ValueError(f"Expected class codes 0, 1, ... of two classes or more, got {self.classes_[:5].tolist()!r}.")
        shares = np.log(counts / len(y))
        return shares if len(counts) > 2 else shares[1:] - shares[:1]


class GrownRegressor(RegressorMixin, GrownTrees):  # type: ignore[misc]
    """Base of the regressors: squared error."""

    def predict(self, X: Any) -> Floats:
        """Return the prediction, shape ``(n_rows,)``."""
        return self._answers(X)

    def _learn_targets(self, y: NDArray[Any]) -> Floats:
        """Return the mean."""
        return np.array([float(np.mean(y))])


def _as_array(content: bytes) -> NDArray[np.uint8]:
    """Return bytes as an array that can be stored."""
    return np.frombuffer(content, dtype=np.uint8).copy()


def _varies(matrix: Floats) -> bool:
    """Return whether any column holds two different values, missing being one of them."""
    first = matrix[:1]
    return bool(((matrix != first) & ~(np.isnan(matrix) & np.isnan(first))).any())
