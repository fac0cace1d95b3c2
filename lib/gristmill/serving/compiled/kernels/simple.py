"""Kernels that are a few operations of NumPy: constants, weighted sums and networks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gristmill.modeling.families.network_answers import outputs, probabilities
from gristmill.serving.compiled.cells import Floats
from gristmill.serving.compiled.parts import part


@part
@dataclass(frozen=True)
class Constant:
    """The same answer for every row, whatever its values; ``values`` has one number an output."""

    values: Floats

    def answer(self, X: Floats) -> Floats:
        """Return the answer, shape ``(n_rows,)`` for one output, else ``(n_rows, n_outputs)``."""
        return np.full(len(X), self.values[0]) if len(self.values) == 1 else np.tile(self.values, (len(X), 1))


@part
@dataclass(frozen=True)
class Linear:
    """A weighted sum of the columns for each output.

    ``weights`` has the shape ``(n_columns,)`` for one output, else ``(n_columns, n_outputs)``; ``intercept`` one number an output.
    """

    weights: Floats
    intercept: Floats

    def answer(self, X: Floats) -> Floats:
        """Return the sums, shape ``(n_rows,)`` for one output, else ``(n_rows, n_outputs)``."""
        # row by row, as one call of the library for many rows would add them up in another order than for one
        return np.asarray(np.matmul(X[:, None, :], self.weights)[:, 0] + self.intercept)


@part
@dataclass(frozen=True)
class Network:
    """A trained network; see :mod:`gristmill.modeling.families.network_answers`.

    Attributes
    ----------
    weights, pieces
        As there.
    furthest
        Numbers are held within this distance from 0.
    n_classes
        Classes it answers for; 0 for a number.
    """

    weights: Mapping[str, NDArray[Any]]
    pieces: Mapping[str, NDArray[Any]]
    furthest: float
    n_classes: int

    def answer(self, X: Floats) -> Floats:
        """Return probabilities ``(n_rows, n_classes)``, or numbers ``(n_rows,)``."""
        said = outputs(dict(self.weights), dict(self.pieces), X.clip(-self.furthest, self.furthest))
        if not self.n_classes:
            return np.asarray(said[:, :, 0].mean(axis=1), dtype=np.float64)
        return probabilities(said) if self.n_classes > 1 else np.ones((len(X), 1))
