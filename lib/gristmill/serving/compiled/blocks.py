"""The matrix that a family learns from, block by block: look-ups of levels, and numbers that are held, filled in and scaled."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gristmill.serving.compiled.cells import Cells, Floats, Places
from gristmill.serving.compiled.parts import part

Choice = NDArray[np.bool_]

ROWS_AT_ONCE = 2_048
"""Rows whose matrix is made at once: what lies between the cells and the matrix is a few times as large, and fits the cache."""


@part
@dataclass(frozen=True)
class Table:
    """Numbers that are looked up by level: codes, means of the target, flags of what is missing.

    Attributes
    ----------
    columns
        Places of the levels among the cells' codes, shape ``(n_columns,)``.
    starts
        Where the rows of each column begin in ``values``, shape ``(n_columns,)``.
    values
        What each level of each column gives, and last in each column what an unknown one does, shape ``(n_entries, width)``.
    """

    columns: Places
    starts: Places
    values: Floats

    @property
    def width(self) -> int:
        """Columns that it gives."""
        return len(self.columns) * int(self.values.shape[1])

    def fill(self, cells: Cells, out: Floats) -> None:
        """Write its columns into ``out``, shape ``(n_rows, width)``."""
        found = self.values[cells.codes[:, self.columns] + self.starts]
        out[:] = found.reshape(out.shape)


@part
@dataclass(frozen=True)
class Flags:
    """One column a level, 1 where a row has it; ``places`` says which column that is, ``width`` for none.

    Attributes
    ----------
    columns, starts
        As in :class:`Table`.
    places
        Shape ``(n_entries,)``.
    width
        Columns that it gives.
    """

    columns: Places
    starts: Places
    places: Places
    width: int

    def fill(self, cells: Cells, out: Floats) -> None:
        """Write its columns into ``out``, shape ``(n_rows, width)``."""
        places = self.places[cells.codes[:, self.columns] + self.starts]
        if len(out) == 1:
            out[:] = 0.0
            row = out[0]
            for place in places[0].tolist():
                if place < self.width:
                    row[place] = 1.0
            return
        found = np.zeros((len(out), self.width + 1))
        found.reshape(-1)[places + (np.arange(len(out)) * (self.width + 1))[:, None]] = (
            1.0  # one index a cell, half the time of two
        )
        out[:] = found[:, :-1]


@part
@dataclass(frozen=True)
class Numbers:
    """Numbers that are held within limits, filled in with flags beside them, ranked, put on curves or a circle, and scaled.

    Each step is left out where it is None; they follow one another in this order.

    Attributes
    ----------
    columns
        Places among the cells' numbers, shape ``(n_columns,)``.
    lower, upper
        Limits, shape ``(n_columns,)``.
    clip
        Whether what lies beyond a limit becomes the limit; else it becomes missing.
    filling
        What missing numbers become, shape ``(n_columns,)``.
    flagged
        Which columns have a flag of what was missing behind all numbers, places among ``columns``.
    ranks
        A :class:`gristmill.serving.compiled.ranks.Ranks`.
    curves
        A :class:`gristmill.serving.compiled.ranks.Curves`, or :class:`gristmill.serving.compiled.ranks.Circle`.
    centre, scale
        What is taken off each column and what it is divided by, shape ``(width,)``.
    width
        Columns that it gives.
    """

    columns: Places
    lower: Floats | None
    upper: Floats | None
    clip: bool
    filling: Floats | None
    flagged: Places | None
    ranks: Any
    curves: Any
    centre: Floats | None
    scale: Floats | None
    width: int

    def fill(self, cells: Cells, out: Floats) -> None:
        """Write its columns into ``out``, shape ``(n_rows, width)``."""
        table = cells.numbers[:, self.columns]
        if self.lower is not None and self.upper is not None:
            table = self._held(table, self.lower, self.upper)
        if self.filling is not None:
            table = self._filled(table, self.filling)
        for step in (self.ranks, self.curves):
            if step is not None:
                table = step.of(table)
        if self.centre is not None and self.scale is not None:
            table = (table - self.centre) / self.scale
        out[:] = table

    def _held(self, table: Floats, lower: Floats, upper: Floats) -> Floats:
        """Return numbers within their limits."""
        if self.clip:
            return np.asarray(np.clip(table, lower, upper))
        return np.where((table < lower) | (table > upper), np.nan, table)

    def _filled(self, table: Floats, filling: Floats) -> Floats:
        """Return numbers without gaps, and the flags behind them."""
        missing: Choice = np.isnan(table)
        filled = np.where(missing, filling, table)
        if self.flagged is None:
            return filled
        return np.concatenate([filled, missing[:, self.flagged]], axis=1, dtype=np.float64)


@part
@dataclass(frozen=True)
class Matrix:
    """The matrix of a family: what is added to the cells first, then its blocks side by side.

    Attributes
    ----------
    before
        Parts that add numbers to the cells, or blank some of them.
    blocks
        The blocks.
    """

    before: tuple[Any, ...]
    blocks: tuple[Any, ...]

    @property
    def width(self) -> int:
        """Number of columns."""
        return sum(int(block.width) for block in self.blocks)

    def of(self, cells: Cells) -> Floats:
        """Return the matrix of some cells, shape ``(n_rows, width)``.

        Rows are taken in parts that stay in the processor's cache; each is reckoned by itself, so that none depends on its part.
        """
        n_rows = len(cells.codes)
        out: Floats = np.empty((n_rows, self.width))
        if n_rows <= ROWS_AT_ONCE:
            self._fill(cells, out)
            return out
        ends = np.linspace(0, n_rows, -(-n_rows // ROWS_AT_ONCE) + 1).astype(int).tolist()
        for first, last in pairwise(ends):
            self._fill(Cells(cells.numbers[first:last], cells.codes[first:last]), out[first:last])
        return out

    def _fill(self, cells: Cells, out: Floats) -> None:
        """Write the matrix of some cells into ``out``."""
        for step in self.before:
            cells = step.of(cells)
        start = 0
        for block in self.blocks:
            end = start + block.width
            block.fill(cells, out[:, start:end])
            start = end
