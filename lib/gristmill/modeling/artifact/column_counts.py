"""How often each value of a column occurs, in cells that are set once by the training rows: what drift is measured from.

Training rows and every later window are counted in the same cells, so that a window costs only itself, and counts of windows add
up: hours to a day, one worker's rows to another's.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_NEW = 200
"""New levels of a column that are remembered by name; all of their rows are counted."""


@dataclass(frozen=True)
class NumberCounts:
    """Numbers, in cells between fixed edges.

    Attributes
    ----------
    edges
        Inner edges, rising, shape ``(n_edges,)``; a value equal to an edge lies in the cell above it.
    counts
        Rows in each cell, shape ``(n_edges + 1,)``.
    sums
        Sum of the values in each cell, same shape; None where it was not kept.
    missing
        Rows without a value.
    squares
        Sum of the squared differences from the mean.
    minimum, maximum
        Ends of the values; not-a-number where there are none, or they were not kept.
    outside
        Rows below the smallest or above the largest training value.
    """

    edges: Floats
    counts: Ints
    sums: Floats | None
    missing: int
    squares: float
    minimum: float
    maximum: float
    outside: int = 0

    @property
    def present(self) -> int:
        """Rows with a value."""
        return int(self.counts.sum())

    @property
    def rows(self) -> int:
        """All rows."""
        return self.present + self.missing

    @property
    def mean(self) -> float | None:
        """Mean of the values, None where it is not known."""
        return None if self.sums is None or not self.present else float(self.sums.sum() / self.present)

    @property
    def spread(self) -> float | None:
        """Standard deviation of the values, None where it is not known."""
        return None if self.sums is None or not self.present else float(np.sqrt(max(self.squares, 0.0) / self.present))

    @classmethod
    def of(cls, values: Floats, edges: Floats, limits: tuple[float, float] | None = None) -> Self:
        """Return the counts of numbers ``(n_rows,)``, not-a-number where missing.

        The values are sorted, which a processor does several times faster than it looks up a cell for each.

        Parameters
        ----------
        values
            Numbers, not-a-number where missing.
        edges
            Inner edges of the cells.
        limits
            Smallest and largest training value.
        """
        ordered = np.sort(values)  # not-a-numbers come last
        ordered = ordered[: np.searchsorted(ordered, np.inf, side="right")]
        if not len(ordered):
            nothing = np.zeros(len(edges) + 1)
            return cls(edges, nothing.astype(np.int64), nothing, len(values), 0.0, np.nan, np.nan)
        starts = np.concatenate([[0], np.searchsorted(ordered, edges, side="left")])
        counts = np.diff(np.append(starts, len(ordered)))
        sums = np.where(counts > 0, np.add.reduceat(np.append(ordered, 0.0), starts), 0.0)
        outside = 0 if limits is None else _outside(ordered, limits)
        squares = float(np.square(ordered - sums.sum() / len(ordered)).sum())
        return cls(edges, counts, sums, len(values) - len(ordered), squares, float(ordered[0]), float(ordered[-1]), outside)

    def merged(self, other: Self) -> Self:
        """Return the counts of both sets of rows together; their cells must be the same."""
        known = self.sums is not None and other.sums is not None
        sums = self.sums + other.sums if self.sums is not None and other.sums is not None else None
        between = 0.0
        if known and self.present and other.present:
            gap = float(self.mean or 0.0) - float(other.mean or 0.0)
            between = gap * gap * self.present * other.present / (self.present + other.present)
        return type(self)(
            self.edges,
            self.counts + other.counts,
            sums,
            self.missing + other.missing,
            self.squares + other.squares + between,
            float(np.fmin(self.minimum, other.minimum)),
            float(np.fmax(self.maximum, other.maximum)),
            self.outside + other.outside,
        )

    def to_record(self) -> dict[str, Any]:
        """Return the counts as JSON-able data, without the edges, which belong to the reference."""
        return {
            "counts": self.counts.tolist(),
            "sums": None if self.sums is None else self.sums.tolist(),
            "missing": self.missing,
            "squares": self.squares,
            "minimum": None if np.isnan(self.minimum) else self.minimum,
            "maximum": None if np.isnan(self.maximum) else self.maximum,
            "outside": self.outside,
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any], edges: Floats) -> Self:
        """Return the counts that :meth:`to_record` wrote; ``KeyError`` or ``ValueError`` if they do not fit the edges."""
        counts = np.asarray(record["counts"], dtype=np.int64)
        if len(counts) != len(edges) + 1:
            raise ValueError(f"{len(counts)} counts for {len(edges)} edges")
        sums = None if record["sums"] is None else np.asarray(record["sums"], dtype=np.float64)
        ends = [np.nan if record[name] is None else float(record[name]) for name in ("minimum", "maximum")]
        return cls(edges, counts, sums, int(record["missing"]), float(record["squares"]), ends[0], ends[1], int(record["outside"]))


def _outside(ordered: Floats, limits: tuple[float, float]) -> int:
    """Return how many of the sorted values lie below or above the limits."""
    low = int(np.searchsorted(ordered, limits[0], side="left"))
    return low + len(ordered) - int(np.searchsorted(ordered, limits[1], side="right"))


@dataclass(frozen=True)
class LevelCounts:
    """Levels: the frequent ones by name, the rare ones of the training rows together, and those that were never seen.

    Attributes
    ----------
    levels
        Names of the frequent levels.
    counts
        Rows of each, shape ``(n_levels,)``.
    other
        Rows of rarer levels that the training rows have.
    missing
        Rows without a value.
    new
        Levels that the training rows do not have, with their rows: the most frequent ones.
    new_rows
        Rows of all such levels.
    """

    levels: tuple[str, ...]
    counts: Ints
    other: int
    missing: int
    new: Mapping[str, int]
    new_rows: int

    @property
    def present(self) -> int:
        """Rows with a value."""
        return int(self.counts.sum()) + self.other + self.new_rows

    @property
    def rows(self) -> int:
        """All rows."""
        return self.present + self.missing

    @property
    def cells(self) -> Ints:
        """Rows of each frequent level, and of all others together, shape ``(n_levels + 1,)``."""
        return np.append(self.counts, self.other + self.new_rows)

    @classmethod
    def of(cls, found: Mapping[str, int], missing: int, levels: Sequence[str], rare: frozenset[str] | None) -> Self:
        """Return the counts of levels found in rows.

        Parameters
        ----------
        found
            Level -> rows.
        missing
            Rows without a value.
        levels
            The frequent levels of the training rows.
        rare
            Their rarer levels; None where not all are known, so that what is not frequent counts as rare, never as new.
        """
        named = set(levels)
        unnamed = {level: rows for level, rows in found.items() if level not in named}
        new = {} if rare is None else {level: rows for level, rows in unnamed.items() if level not in rare}
        counts = np.array([found.get(level, 0) for level in levels], dtype=np.int64)
        new_rows = sum(new.values())
        return cls(tuple(levels), counts, sum(unnamed.values()) - new_rows, missing, _most(new), new_rows)

    def merged(self, other: Self) -> Self:
        """Return the counts of both sets of rows together; their levels must be the same."""
        return type(self)(
            self.levels,
            self.counts + other.counts,
            self.other + other.other,
            self.missing + other.missing,
            _most(Counter(self.new) + Counter(other.new)),
            self.new_rows + other.new_rows,
        )

    def to_record(self) -> dict[str, Any]:
        """Return the counts as JSON-able data, without the levels, which belong to the reference."""
        counts = self.counts.tolist()
        return {"counts": counts, "other": self.other, "missing": self.missing, "new": dict(self.new), "new_rows": self.new_rows}

    @classmethod
    def from_record(cls, record: Mapping[str, Any], levels: Sequence[str]) -> Self:
        """Return the counts that :meth:`to_record` wrote; ``KeyError`` or ``ValueError`` if they do not fit the levels."""
        counts = np.asarray(record["counts"], dtype=np.int64)
        if len(counts) != len(levels):
            raise ValueError(f"{len(counts)} counts for {len(levels)} levels")
        new = {str(level): int(rows) for level, rows in record["new"].items()}
        return cls(tuple(levels), counts, int(record["other"]), int(record["missing"]), new, int(record["new_rows"]))


def _most(new: Mapping[str, int]) -> dict[str, int]:
    """Return the most frequent of the new levels, ties by name."""
    return dict(sorted(new.items(), key=lambda item: (-item[1], item[0]))[:MOST_NEW])
