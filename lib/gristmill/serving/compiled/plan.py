"""A compiled model: what is read of a row, and what is made of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gristmill.serving.compiled.cells import Cells, Floats
from gristmill.serving.compiled.intake import Intake
from gristmill.serving.compiled.parts import part
from gristmill.serving.compiled.sources import Row


@part
@dataclass(frozen=True)
class Plan:
    """A compiled model as data.

    Attributes
    ----------
    intake
        What is read of a row.
    answer
        The part that turns cells into probabilities or numbers.
    n_classes
        Number of classes; 0 for a regression.
    """

    intake: Intake
    answer: Any
    n_classes: int


class CompiledModel:
    """A plan under a data contract, ready to answer.

    Parameters
    ----------
    plan
        The plan.
    contract
        The data contract of the model.
    """

    def __init__(self, plan: Plan, contract: Mapping[str, Any]) -> None:
        self.plan = plan
        self._reader = plan.intake.reader(contract)

    def rows(self, rows: Sequence[Row]) -> Floats:
        """Return the answer for rows as they stand in JSON; shapes and errors as :meth:`Predictor.values_of`."""
        if not rows:
            return self._nothing()
        answer: Floats = self.plan.answer.answer(self._reader.rows(rows))
        return answer

    def frame(self, frame: pd.DataFrame) -> Floats:
        """Return the answer for the rows of a frame that has every column that the model reads, once."""
        return self.answer(self.cells(frame))

    def cells(self, frame: pd.DataFrame) -> Cells:
        """Return the cells of the rows of a frame that has every column that the model reads, once."""
        return self._reader.frame(frame)

    def answer(self, cells: Cells) -> Floats:
        """Return the answer for cells."""
        if not len(cells.codes):
            return self._nothing()
        answer: Floats = self.plan.answer.answer(cells)
        return answer

    def _nothing(self) -> Floats:
        """Return the answer for no rows."""
        return np.empty((0, self.plan.n_classes) if self.plan.n_classes else (0,))
