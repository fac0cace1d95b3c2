"""A portion of a table that is being scored: rows that could be read, and rows that could not."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

Places = NDArray[np.int64]


@dataclass(frozen=True)
class Position:
    """How far a table has been read.

    Attributes
    ----------
    rows
        Rows before it.
    offset
        Bytes before it, where the table is delimited text.
    lines
        Lines before it, where the table is delimited text.
    """

    rows: int = 0
    offset: int = 0
    lines: int = 0


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be predicted.

    Attributes
    ----------
    row
        Its number, from 1.
    line
        The line on which it begins, where the table is delimited text.
    column
        The column at fault, None where the whole row is.
    reason
        What was expected and what came.
    content
        The row as it was: its text, or as JSON what the model reads of it.
    """

    row: int
    line: int | None
    column: str | None
    reason: str
    content: str

    def as_record(self) -> dict[str, Any]:
        """Return it as JSON-able data."""
        return asdict(self)

    @property
    def sentence(self) -> str:
        """Place and reason, without a full stop."""
        return f"row {self.row:,}{'' if self.line is None else f' (line {self.line:,})'}: {self.reason}"


@dataclass(frozen=True)
class Portion:
    """Some rows of a table.

    Attributes
    ----------
    n_rows
        How many there are, good and bad.
    batch
        Those that could be read, with the columns that are wanted.
    places
        Where each of these stands among all, from 0.
    bad
        Those that cannot be predicted.
    behind
        Where the next portion begins.
    describe
        Gives the line (or None) and the content of the row at a place.
    unfit
        Which rows of ``batch`` are among ``bad`` all the same: they could be read, but not all their values.
    """

    n_rows: int
    batch: "pa.RecordBatch"
    places: Places
    bad: tuple[BadRow, ...]
    behind: Position
    describe: Callable[[int], tuple[int | None, str]]
    unfit: Places = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    @property
    def before(self) -> int:
        """How many rows come before it."""
        return self.behind.rows - self.n_rows

    def bad_row(self, place: int, column: str | None, reason: str) -> BadRow:
        """Return the row at a place as one that cannot be predicted."""
        line, content = self.describe(place)
        return BadRow(self.before + place + 1, line, column, reason, content)
