"""From the values of rows to cells: numbers as numbers, levels as their places in a vocabulary.

Values are read as the data contract and the row-wise features of :mod:`gristmill.features.rows` read them, from JSON row by row and
from a frame column by column.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from gristmill.serving.compiled.cells import Cells
from gristmill.serving.compiled.contracted import Contracted
from gristmill.serving.compiled.parts import part
from gristmill.serving.compiled.row_reading import RowReader
from gristmill.serving.compiled.sources import Row, Source
from gristmill.serving.compiled.table_reading import TableReader


@part
@dataclass(frozen=True)
class Intake:
    """What is read of a row.

    Attributes
    ----------
    sources
        The columns, in the order in which rows need them.
    n_numbers, n_levels
        How many numbers and levels they give.
    """

    sources: tuple[Source, ...]
    n_numbers: int
    n_levels: int

    def reader(self, contract: Mapping[str, Any]) -> "Reader":
        """Return what reads rows under a data contract."""
        return Reader(self, contract)


class Reader:
    """Reads rows, from JSON or from a frame, under one data contract.

    Parameters
    ----------
    intake
        What is read.
    contract
        The data contract of the model.
    """

    def __init__(self, intake: Intake, contract: Mapping[str, Any]) -> None:
        how = intake.sources, intake.n_numbers, intake.n_levels, Contracted(contract)
        self.intake, self._rows, self._table = intake, RowReader(*how), TableReader(*how)

    def rows(self, rows: Sequence[Row]) -> Cells:
        """Return the cells of rows as they stand in JSON, each row read by itself.

        Raises
        ------
        DataError
            A row lacks a column, or holds a value that its type cannot hold.
        """
        return self._rows.rows(rows)

    def frame(self, frame: pd.DataFrame) -> Cells:
        """Return the cells of a frame that has every column once, column by column.

        Raises
        ------
        DataError
            A column holds a value that its type cannot hold.
        """
        return self._table.frame(frame)
