"""Trees of any family as one text of LightGBM, which its library answers for."""

import os
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gristmill.errors import ArtifactError
from gristmill.modeling.families.lightgbm_text import verify
from gristmill.serving.compiled.cells import Floats, Places
from gristmill.serving.compiled.kernels.lightgbm_library import FEW_ROWS, Trees
from gristmill.serving.compiled.parts import part


@part
@dataclass(frozen=True)
class TreeText:
    """Trees in LightGBM's text.

    Attributes
    ----------
    text
        The text, in bytes.
    n_columns
        Columns that it reads.
    n_outputs
        Numbers that it answers: 1 for a number or for two classes, else one a class.
    base
        What is added to each output, shape ``(n_outputs,)``; None where nothing is.
    single
        Whether rows are rounded to single precision first, as scikit-learn's forests do.
    empty
        Places of columns that count as 0 whatever they hold.
    """

    text: NDArray[np.uint8]
    n_columns: int
    n_outputs: int
    base: Floats | None
    single: bool
    empty: Places | None
    _trees: Trees = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Look the text through, and let the library read it."""
        text = self.text.tobytes().decode("ascii", errors="replace")
        try:
            verify(text, self.n_columns, self.n_outputs if self.n_outputs > 1 else _outcome(text))
        except ValueError as error:
            raise ArtifactError(f"The trees of the compiled model cannot be used. {error}") from error
        object.__setattr__(self, "_trees", Trees(text, self.n_columns, self.n_outputs))

    def answer(self, X: Floats) -> Floats:
        """Return the raw answers, shape ``(n_rows,)`` for one output, else ``(n_rows, n_outputs)``."""
        if self.single:
            X = X.astype(np.float32).astype(np.float64)
        if self.empty is not None:
            X = X.copy()
            X[:, self.empty] = 0.0
        if X.shape[1] != self.n_columns:
            raise ArtifactError(
                f"The trees of the compiled model read {self.n_columns} columns, and {X.shape[1]} are made for them."
            )
        said = self._trees.one(X[0])[None, :] if len(X) == 1 else self._trees.many(X, _threads_for(len(X)))
        if self.base is not None:
            said += self.base
        return said[:, 0] if self.n_outputs == 1 else said


def _threads_for(n_rows: int) -> int:
    """Return how many threads answer for so many rows."""
    return 1 if n_rows <= FEW_ROWS else len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


def _outcome(text: str) -> int:
    """Return the number of classes that a text with one output is written for."""
    return 2 if "\nobjective=binary sigmoid:1\n" in text[:4000] else 0
