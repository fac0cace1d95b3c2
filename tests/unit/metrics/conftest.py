"""Small sets of predictions, made from seeds."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

Made = tuple[NDArray[np.int64], NDArray[np.float64]]


def predictions(n_rows: int, n_classes: int, seed: int = 0, digits: int = 2) -> Made:
    """Return codes and probabilities that know something of them; rounded, so that there are ties."""
    rng = np.random.default_rng(seed)
    y_true = rng.integers(0, n_classes, n_rows)
    logits = rng.normal(size=(n_rows, n_classes))
    logits[np.arange(n_rows), y_true] += 1
    y_proba = np.round(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), digits) + 1e-3
    return y_true, y_proba / y_proba.sum(axis=1, keepdims=True)


@pytest.fixture
def make_predictions() -> Callable[..., Made]:
    """Return the builder of codes and probabilities."""
    return predictions
