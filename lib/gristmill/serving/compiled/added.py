"""Numbers that are added to the cells of a row: figures of its group, combinations of columns; and columns left out."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gristmill.serving.compiled.cells import Cells, Floats, Places
from gristmill.serving.compiled.parts import part


@part
@dataclass(frozen=True)
class GroupFigure:
    """The figure of the group that a row belongs to, or a number minus it.

    Attributes
    ----------
    columns, sizes
        Places of the levels that make a group together, and the number of codes that each may have.
    groups
        Number of each known group, sorted: the codes of its levels as digits, shape ``(n_groups,)``.
    figures
        Its figure, shape ``(n_groups,)``.
    overall
        The figure of a group that is not known; an array of one number.
    of
        Place of the number that the figure is taken from, or None.
    """

    columns: Places
    sizes: Places
    groups: Places
    figures: Floats
    overall: Floats
    of: int | None

    def values(self, cells: Cells) -> Floats:
        """Return the figure of each row, shape ``(n_rows,)``."""
        keys = np.zeros(len(cells.codes), dtype=np.intp)
        for column, size in zip(self.columns.tolist(), self.sizes.tolist(), strict=True):
            keys = keys * size + cells.codes[:, column]
        if len(self.groups):
            place = np.minimum(np.searchsorted(self.groups, keys), len(self.groups) - 1)
            found = np.where(self.groups[place] == keys, self.figures[place], self.overall[0])
        else:
            found = np.full(len(keys), self.overall[0])
        return found if self.of is None else cells.numbers[:, self.of] - found


@part
@dataclass(frozen=True)
class Combination:
    """A ratio, product or difference of two numbers; or a number minus its mean within a level, as ``kind`` says.

    ``means`` holds for ``centred`` what each level and last an unknown one has; ``first`` and ``second`` are places of numbers, for
    ``centred`` the second one of levels. The result is held within ``lower`` and ``upper``.
    """

    kind: str
    first: int
    second: int
    means: Floats | None
    lower: float
    upper: float

    def values(self, cells: Cells) -> Floats:
        """Return the combination of each row, shape ``(n_rows,)``."""
        first = cells.numbers[:, self.first]
        if self.means is not None:
            return np.asarray(np.clip(first - self.means[cells.codes[:, self.second]], self.lower, self.upper))
        second = cells.numbers[:, self.second]
        if self.kind == "ratio":
            made = np.divide(first, second, out=np.full(len(first), np.nan), where=second != 0)
        else:
            made = first * second if self.kind == "product" else first - second
        return np.asarray(np.clip(made, self.lower, self.upper))


@part
@dataclass(frozen=True)
class Adding:
    """Numbers that are put behind those of the cells."""

    made: tuple[Any, ...]

    def of(self, cells: Cells) -> Cells:
        """Return the cells with the numbers behind them."""
        columns = [one.values(cells)[:, None] for one in self.made]
        return Cells(np.concatenate([cells.numbers, *columns], axis=1), cells.codes)


@part
@dataclass(frozen=True)
class Blanking:
    """Features that are left out: numbers become 0, levels the one for what is missing.

    Attributes
    ----------
    numbers, levels
        Their places.
    missing
        The code that each level becomes, shape ``(n_levels,)``.
    """

    numbers: Places
    levels: Places
    missing: Places

    def of(self, cells: Cells) -> Cells:
        """Return the cells without these features."""
        numbers, codes = cells.numbers.copy(), cells.codes.copy()
        numbers[:, self.numbers] = 0.0
        codes[:, self.levels] = self.missing
        return Cells(numbers, codes)


@part
@dataclass(frozen=True)
class NumbersAsLevels:
    """Numbers that make groups: each known value gets a code, put behind the codes of the cells.

    Attributes
    ----------
    numbers
        Places of the numbers.
    values
        The known values of each, sorted. A missing one has the code behind them, an unknown one the code behind that.
    """

    numbers: Places
    values: tuple[Floats, ...]

    def of(self, cells: Cells) -> Cells:
        """Return the cells with the codes behind them."""
        made = [self._codes(cells.numbers[:, place], known) for place, known in zip(self.numbers, self.values, strict=True)]
        return Cells(cells.numbers, np.concatenate([cells.codes, *(codes[:, None] for codes in made)], axis=1))

    def _codes(self, column: Floats, known: Floats) -> Places:
        """Return the codes of one column; minus zero is written in another way than zero, and so is not known."""
        place = np.minimum(np.searchsorted(known, column), max(len(known) - 1, 0))
        same = (known[place] == column) & ~(np.signbit(column) & (column == 0)) if len(known) else np.zeros(len(column), dtype=bool)
        return np.where(np.isnan(column), len(known), np.where(same, place, len(known) + 1)).astype(np.intp)
