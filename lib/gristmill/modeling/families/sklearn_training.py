"""Training of a plain perceptron by scikit-learn, epoch by epoch: what there is without PyTorch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor

from gristmill.modeling.families.network_answers import Numbers, Weights

TakeWeights = Callable[[], Weights]


@dataclass(frozen=True)
class SklearnSettings:
    """How a perceptron is built and trained by scikit-learn: widths of hidden layers, L2 penalty, step size, rows a step, seed."""

    hidden: tuple[int, ...]
    decay: float
    learning_rate: float
    batch_rows: int
    random_state: int


def train(X: Numbers, y: Numbers, n_outputs: int, settings: SklearnSettings, goes_on: Callable[[TakeWeights], bool]) -> Weights:
    """Train a perceptron with Adam, epoch by epoch, and return its weights.

    Parameters
    ----------
    X
        Training rows, shape ``(n_rows, n_columns)``.
    y
        Codes of classes from 0 up, or numbers for a regression.
    n_outputs
        0 for a regression, 1 for two classes, else the number of classes.
    settings
        How it is built and trained.
    goes_on
        Called after every epoch with a function that returns a copy of the weights; it says whether there is to be another epoch.
    """
    kind, known = (MLPClassifier, {"classes": np.unique(y)}) if n_outputs else (MLPRegressor, {})
    model = kind(
        hidden_layer_sizes=settings.hidden,
        alpha=settings.decay,
        learning_rate_init=settings.learning_rate,
        batch_size=min(settings.batch_rows, len(X)),
        random_state=np.random.RandomState(settings.random_state),
    )
    more = True
    while more:
        model.partial_fit(X, y, **known)
        more = goes_on(lambda: _taken(model))
    return _taken(model)


def _taken(model: Any) -> Weights:
    """Return a copy of the weights under the names of :mod:`gristmill.modeling.families.network_answers`."""
    *layers, head = zip(model.coefs_, model.intercepts_, strict=True)
    weights = {"head_w": head[0][None].copy(), "head_b": head[1][None].copy()}
    for number, (matrix, offset) in enumerate(layers):
        weights |= {f"w_{number}": matrix.copy(), f"b_{number}": offset[None].copy()}
    return weights
