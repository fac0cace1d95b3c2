"""Columns of codes as the places of these codes among known ones."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gristmill.serving.compiled.cells import Floats
from gristmill.serving.compiled.parts import part


@part
@dataclass(frozen=True)
class Recoded:
    """A kernel whose first columns hold codes, which are put in their places among those it knows.

    Attributes
    ----------
    kernel
        What answers.
    places
        Place of each code of each of these columns, and last that of a missing one, shape ``(n_codes + 1, n_columns)``.
    """

    kernel: Any
    places: NDArray[np.int64]

    def answer(self, X: Floats) -> Floats:
        """Return what the kernel answers."""
        n_codes, n_columns = len(self.places) - 1, self.places.shape[1]
        codes = X[:, :n_columns]
        placed = X.copy()
        held = np.where((codes >= 0) & (codes < n_codes), codes, n_codes).astype(np.intp)
        placed[:, :n_columns] = self.places[held, np.arange(n_columns)]
        answer: Floats = self.kernel.answer(placed)
        return answer
