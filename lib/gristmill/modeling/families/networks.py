"""Networks as estimators: trained by PyTorch or by scikit-learn, answering from their weights with NumPy alone."""

from copy import copy
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from gristmill.modeling.families import sklearn_training, torch_training
from gristmill.modeling.families.network_answers import Numbers, Weights, find_pieces, outputs, probabilities

Floats = NDArray[np.float64]

PATIENCE = 5
MIN_DELTA = 0.001
"""Early stopping: epochs without an improvement of the validation loss by at least this much."""

WATCHED_ROWS = 2_000
"""Training rows, drawn once, on which the training loss is measured after an epoch."""


def rows_a_step(n_rows: int) -> int:
    """Return how many rows a training step takes: 32 of small tables, 1,024 of large ones, and a fiftieth of those between."""
    return max(1, min(n_rows, max(32, min(1024, n_rows // 50))))


FURTHEST = 1e3
"""Inputs are scaled; one that lies further from 0 counts as so far, or the answer to it could be no number."""


class Network(BaseEstimator):  # type: ignore[misc]
    """A network for classes or for numbers; what both have in common.

    Parameters
    ----------
    trainer
        ``torch``, which trains TabM, or ``scikit-learn``, which trains one plain perceptron.
    hidden
        Widths of the hidden layers.
    learning_rate
        Step size of Adam.
    decay
        Weight decay (``torch``), or the L2 penalty ``alpha`` (``scikit-learn``).
    epochs
        Times that training goes over the rows; at most so many when it is watched.
    members
        Networks that share their matrices (``torch``).
    bins
        Pieces that numbers are cut into; 0 takes them as they are (``torch``).
    embedding
        Numbers that each number is embedded in (``torch``).
    dropout
        Share of hidden units left out of a training step (``torch``).
    random_state
        Seed: the same rows and seed give the same weights.

    Attributes
    ----------
    weights_, pieces_
        The trained arrays, and how numbers are cut.
    epochs_
        Epochs after which ``weights_`` were taken.
    train_curve_
        Loss after each epoch on (at most 2,000 of) the training rows: log loss, or the root mean squared error.
    curve_
        The same on the validation rows, after :meth:`fit_watched`.
    """

    stages_param = "epochs"

    def __init__(  # noqa: PLR0913 - what an estimator can be told
        self,
        *,
        trainer: str = "torch",
        hidden: tuple[int, ...] = (64, 64),
        learning_rate: float = 2e-3,
        decay: float = 1e-3,
        epochs: int = 50,
        members: int = 8,
        bins: int = 16,
        embedding: int = 4,
        dropout: float = 0.1,
        random_state: int = 42,
    ) -> None:
        self.trainer = trainer
        self.hidden = hidden
        self.learning_rate = learning_rate
        self.decay = decay
        self.epochs = epochs
        self.members = members
        self.bins = bins
        self.embedding = embedding
        self.dropout = dropout
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:
        """Train for ``epochs`` epochs."""
        matrix, truth = self._begin(X, y)
        watched = self._watched_rows(len(matrix))
        curve: list[float] = []

        def goes_on(take: torch_training.TakeWeights) -> bool:
            curve.append(self._finite_loss(take(), matrix[watched], truth[watched]))
            return len(curve) < self.epochs

        self.weights_ = self._train(matrix, truth, goes_on)
        self.epochs_, self.train_curve_ = len(curve), np.array(curve)
        return self

    def fit_watched(self, X: Any, y: Any, X_valid: Any, y_valid: Any) -> Self:
        """Train for at most ``epochs`` epochs, stop early by the loss on the validation rows, and keep the best epoch's weights.

        Validation rows of a class that the training rows lack are not looked at; where none is left, the training loss decides.
        """
        matrix, truth = self._begin(X, y)
        watched = self._watched_rows(len(matrix))
        rows, codes = self._known(_held(X_valid), np.asarray(y_valid))
        if not len(rows):
            rows, codes = matrix[watched], truth[watched]
        curve: list[float] = []
        train_curve: list[float] = []
        self.checkpoints_: list[Weights] = []

        def goes_on(take: torch_training.TakeWeights) -> bool:
            self.checkpoints_.append(take())
            train_curve.append(self._finite_loss(self.checkpoints_[-1], matrix[watched], truth[watched]))
            curve.append(self._finite_loss(self.checkpoints_[-1], rows, codes))
            return len(curve) < self.epochs and not _out_of_patience(curve)

        self._train(matrix, truth, goes_on)
        self.curve_, self.train_curve_ = np.array(curve), np.array(train_curve)
        self.epochs_ = int(np.argmin(curve)) + 1
        self.weights_ = self.checkpoints_[self.epochs_ - 1]
        return self

    def truncated(self, stages: int) -> Self:
        """Return the network as it was after so many epochs; after the last one where there were fewer.

        Raises
        ------
        ValueError
            ``stages`` is below 1, or the network was not trained by :meth:`fit_watched` in this process.
        """
        check_is_fitted(self, "weights_")
        if stages < 1 or not hasattr(self, "checkpoints_"):
            raise ValueError(
                f"Expected at least one epoch of a network that fit_watched has just trained, got {stages!r}; weights by epoch are "
                "not stored. Train it again."
            )
        made = copy(self)  # without the weights by epoch, like what is stored
        made.epochs_ = min(stages, len(self.checkpoints_))
        made.weights_ = self.checkpoints_[made.epochs_ - 1]
        return made

    def __getstate__(self) -> dict[str, Any]:
        """Return what is stored, which is no epoch's weights but the chosen one's."""
        state: dict[str, Any] = super().__getstate__()
        return {name: value for name, value in state.items() if name != "checkpoints_"}

    def _begin(self, X: Any, y: Any) -> tuple[Floats, Numbers]:
        """Forget what was learnt before, learn classes and pieces, and return rows and target as they are trained on."""
        for name in ("curve_", "checkpoints_"):
            self.__dict__.pop(name, None)
        matrix, truth = _held(X), self._learn_target(np.asarray(y))
        self.pieces_ = find_pieces(matrix, self.bins if self.trainer == "torch" else 0)
        return matrix, truth

    def _finite_loss(self, weights: Weights, X: Numbers, truth: Numbers) -> float:
        """Return the loss; refuse to go on with a network whose weights have grown beyond all bounds."""
        with np.errstate(all="ignore"):
            loss = self._loss(weights, X, truth)
        if not np.isfinite(loss):
            raise FloatingPointError(f"the training of the network diverged; learning rate {self.learning_rate!r}")
        return loss

    def _train(self, X: Numbers, truth: Numbers, goes_on: Any) -> Weights:
        """Have the trainer train."""
        common: dict[str, Any] = {
            "hidden": tuple(self.hidden),
            "decay": self.decay,
            "learning_rate": self.learning_rate,
            "batch_rows": rows_a_step(len(X)),
            "random_state": self.random_state,
        }
        if self.trainer == "scikit-learn":
            return sklearn_training.train(X, truth, self._n_outputs(), sklearn_training.SklearnSettings(**common), goes_on)
        more: dict[str, Any] = {"members": self.members, "embedding": self.embedding, "dropout": self.dropout}
        settings = torch_training.TorchSettings(**common, **more)
        return torch_training.train(X, truth, self._n_outputs(), self.pieces_, settings, goes_on)

    def _watched_rows(self, n_rows: int) -> Any:
        """Return which training rows the training loss is measured on."""
        if n_rows <= WATCHED_ROWS:
            return slice(None)
        return np.sort(np.random.default_rng(self.random_state).choice(n_rows, WATCHED_ROWS, replace=False))

    def _learn_target(self, y: Numbers) -> Numbers:
        """Return the target as the trainer wants it."""
        raise NotImplementedError

    def _known(self, X: Numbers, y: Numbers) -> tuple[Numbers, Numbers]:
        """Return the rows whose target the network can answer, and their targets."""
        raise NotImplementedError

    def _n_outputs(self) -> int:
        """Return 0 for a regression, 1 for two classes, else the number of classes."""
        raise NotImplementedError

    def _loss(self, weights: Weights, X: Numbers, truth: Numbers) -> float:
        """Return the loss of the network with these weights on some rows."""
        raise NotImplementedError


def _held(X: Any) -> Floats:
    """Return rows as an array without extremes."""
    return np.clip(np.asarray(X, dtype=np.float64), -FURTHEST, FURTHEST)


def _out_of_patience(curve: list[float]) -> bool:
    """Return whether the last epochs, :data:`PATIENCE` of them, brought no improvement of :data:`MIN_DELTA`."""
    best, waited = np.inf, 0
    for loss in curve:
        best, waited = (loss, 0) if loss < best - MIN_DELTA else (best, waited + 1)
    return waited >= PATIENCE


class NetworkClassifier(ClassifierMixin, Network):  # type: ignore[misc]
    """A network that answers the probability of classes. Its parameters are those of :class:`Network`."""

    def predict_proba(self, X: Any) -> Floats:
        """Return the probability of every class, shape ``(n_rows, n_classes)``."""
        check_is_fitted(self, "weights_")
        return self._proba(self.weights_, _held(X))

    def _proba(self, weights: Weights, X: Numbers) -> Floats:
        proba = probabilities(outputs(weights, self.pieces_, X))
        return proba if len(self.classes_) > 1 else np.ones((len(X), 1))

    def predict(self, X: Any) -> Numbers:
        """Return the most probable class, shape ``(n_rows,)``."""
        return np.asarray(self.classes_[np.argmax(self.predict_proba(X), axis=1)])

    def _learn_target(self, y: Numbers) -> Numbers:
        self.classes_, codes = np.unique(y, return_inverse=True)
        return codes

    def _known(self, X: Numbers, y: Numbers) -> tuple[Numbers, Numbers]:
        known = np.isin(y, self.classes_)
        return X[known], np.searchsorted(self.classes_, y[known])

    def _n_outputs(self) -> int:
        return 1 if len(self.classes_) <= 2 else len(self.classes_)

    def _loss(self, weights: Weights, X: Numbers, truth: Numbers) -> float:
        proba = self._proba(weights, X)
        return float(-np.mean(np.log(np.maximum(proba[np.arange(len(truth)), truth], 1e-15))))


class NetworkRegressor(RegressorMixin, Network):  # type: ignore[misc]
    """A network that answers a number; its target should have mean 0 and deviation 1. Parameters as in :class:`Network`."""

    def predict(self, X: Any) -> Floats:
        """Return the mean of the members' answers, shape ``(n_rows,)``."""
        check_is_fitted(self, "weights_")
        return self._answer(self.weights_, _held(X))

    def _answer(self, weights: Weights, X: Numbers) -> Floats:
        return np.asarray(outputs(weights, self.pieces_, X)[:, :, 0].mean(axis=1), dtype=np.float64)

    def _learn_target(self, y: Numbers) -> Numbers:
        return np.asarray(y, dtype=np.float64)

    def _known(self, X: Numbers, y: Numbers) -> tuple[Numbers, Numbers]:
        return X, np.asarray(y, dtype=np.float64)

    def _n_outputs(self) -> int:
        return 0

    def _loss(self, weights: Weights, X: Numbers, truth: Numbers) -> float:
        return float(np.sqrt(np.mean((self._answer(weights, X) - truth) ** 2)))
