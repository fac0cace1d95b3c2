"""CatBoost's symmetric trees: a few rows in NumPy, many through CatBoost's own library.

Asking CatBoost for one row takes far longer than the row itself. In a symmetric tree all nodes of a level ask the same question, so
that the answers to a model's questions, a few hundred truth values, are the places of its leaves in binary digits. What a
question makes of a category (one level or not, a statistic of the target above a border or not) is looked up in a table.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gristmill.errors import ArtifactError
from gristmill.modeling.families.catboost_trees import CatBoostTrees, CatBoostTreesRegressor
from gristmill.modeling.families.grown_trees import GrownTrees
from gristmill.serving.compiled.cells import Floats, Places
from gristmill.serving.compiled.parts import part

LARGEST = float(np.finfo(np.float32).max)

FEW_ROWS = 16
"""Rows up to which NumPy answers faster than a call of CatBoost's library with the making of its pool."""


@part
@dataclass(frozen=True)
class Library:
    """CatBoost's own library on a matrix; it is imported when it is first asked.

    Attributes
    ----------
    content
        The model in CatBoost's binary format, under its checksum.
    n_columns, n_codes
        Columns that it reads, of which the first hold codes of categories.
    n_outputs
        Numbers that it answers: 1 for a number or for two classes, else one a class.
    """

    content: NDArray[np.uint8]
    n_columns: int
    n_codes: int
    n_outputs: int
    _opened: list[CatBoostTrees] = field(init=False, repr=False, compare=False, default_factory=list)

    def answer(self, X: Floats) -> Floats:
        """Return the raw answers, shape ``(n_rows,)`` for one output, else ``(n_rows, n_outputs)``."""
        if not self._opened:
            self._opened.append(self._open())
        return self._opened[0]._raw(X)

    def _open(self) -> CatBoostTrees:
        """Return the trees as the family's own estimator has them, which looks at the checksum first."""
        trees = CatBoostTreesRegressor(categories=self.n_codes)
        trees.n_features_in_, trees.prior_ = self.n_columns, np.zeros(self.n_outputs)
        try:
            GrownTrees._take(trees, {"model_": self.content})
        except ValueError as error:
            raise ArtifactError(f"The trees of the compiled model cannot be used. {error}") from error
        return trees


@part
@dataclass(frozen=True)
class Symmetric:
    """Symmetric trees as arrays.

    Attributes
    ----------
    columns, borders
        Questions about numbers: the column, and the border that it must exceed; shape ``(n_about_numbers,)``.
    code_columns
        Questions about categories: the column, shape ``(n_about_categories,)``.
    truths
        The answer to each of these for a missing category (row 0) and each code (rows 1, 2, ...).
    questions
        Questions of each tree by level, places among both kinds together and last one that is never true for trees that are not as
        deep; shape ``(depth, n_trees)``.
    starts
        Where each tree's leaves begin, shape ``(n_trees,)``.
    leaves
        Their answers, shape ``(n_leaves, n_outputs)``.
    scale, bias
        What the sum is multiplied by, and what is added then, shape ``(n_outputs,)``.
    library
        What answers many rows.
    """

    columns: Places
    borders: Floats
    code_columns: Places
    truths: NDArray[np.bool_]
    questions: Places
    starts: Places
    leaves: Floats
    scale: float
    bias: Floats
    library: Any

    def answer(self, X: Floats) -> Floats:
        """Return the raw answers, shape ``(n_rows,)`` for one output, else ``(n_rows, n_outputs)``."""
        if len(X) > FEW_ROWS:
            found: Floats = self.library.answer(X)
            return found
        said = np.array([self._one(row) for row in X])
        said = said * self.scale + self.bias
        return said[:, 0] if said.shape[1] == 1 else said

    def _one(self, row: Floats) -> Floats:
        """Return the sum over the trees for one row, shape ``(n_outputs,)``."""
        numbers, about = len(self.columns), len(self.code_columns)
        bits = np.zeros(numbers + about + 1, dtype=np.intp)
        np.greater(row.clip(-LARGEST, LARGEST).astype(np.float32)[self.columns], self.borders, out=bits[:numbers], casting="unsafe")
        if about:
            codes = row[self.code_columns]
            held = np.where((codes >= 0) & (codes < len(self.truths) - 1), codes, -1.0).astype(np.intp) + 1
            bits[numbers:-1] = self.truths[held, np.arange(about)]
        place = self.starts.copy()
        for level, questions in enumerate(self.questions):
            place += bits[questions] << level
        found: Floats = self.leaves[place].cumsum(axis=0)[-1]  # one after the other, as the library adds them
        return found
