"""The bootstrap of very many rows, in bags (the bag of little bootstraps; Kleiner, Talwalkar, Sarkar and Jordan 2014).

A resample of a million rows draws some rows several times and has to look at all of them. A bag holds few rows, drawn without
replacement, and every resample of it is as large as the whole table: each row of the bag is drawn about as many times as the table
is larger. Resamples of a bag spread around the bag's own value as resamples of the table spread around the table's, at a cost that
does not depend on the size of the table.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

MOST_ROWS = 20_000
"""Rows that are resampled one by one; of more, bags."""

BAGS = 10
BAG_ROWS = 5_000
"""Rows in a bag, unless there are so many strata that each would have too few."""

FEWEST_OF_A_STRATUM = 100
"""Rows of a stratum in a bag where the stratum has as many."""

CELLS_AT_ONCE = 300_000
"""Weights held in memory at a time."""

_LEVELS = 2**16
"""Steps in which chances are drawn."""


@dataclass(frozen=True)
class Bag:
    """Some rows that stand for a whole table.

    Attributes
    ----------
    rows
        Their positions, ascending.
    strata
        Stratum of each, as the place of its code among the sorted codes.
    sizes
        Rows of each stratum in the table.
    """

    rows: Rows
    strata: Codes
    sizes: Codes

    def balanced(self) -> Floats:
        """Return weights under which the rows count as the whole table does, shape ``(1, rows of the bag)``."""
        return (self.sizes / np.bincount(self.strata))[self.strata][None, :]


def bags(strata: Codes, random_state: int) -> list[Bag]:
    """Return :data:`BAGS` bags of rows.

    Strata are in a bag in proportion, except that a rare one has its even share of a bag if it is large enough: bags then share its
    rows, and hold all of them where it is smaller still. Bags have no row in common where there are enough rows.

    Parameters
    ----------
    strata
        Code of each row's stratum, shape ``(n_rows,)``.
    random_state
        Seed.
    """
    rng = np.random.default_rng(random_state)
    codes, strata_of = np.unique(strata, return_inverse=True)
    sizes = np.bincount(strata_of)
    even = max(FEWEST_OF_A_STRATUM, BAG_ROWS // len(codes))
    drawn: list[list[Rows]] = [[] for _ in range(BAGS)]
    for place, size in enumerate(sizes):
        members = np.flatnonzero(strata_of == place)
        held = min(size, max(even, round(BAG_ROWS * size / len(strata))))
        for bag, rows in zip(drawn, _parts(members, held, rng), strict=True):
            bag.append(rows)
    joined = [np.sort(np.concatenate(parts)) for parts in drawn]
    return [Bag(rows, strata_of[rows].astype(np.int64), sizes.astype(np.int64)) for rows in joined]


def _parts(members: Rows, held: int, rng: np.random.Generator) -> Sequence[Rows]:
    """Return as many parts of ``members`` as there are bags, ``held`` rows each, disjoint where there are enough."""
    apart = min(held, len(members) // BAGS)
    if apart >= min(held, BAG_ROWS // 2):  # half a bag of its own is better than a whole one that is shared
        shuffled = rng.permutation(members)
        return [shuffled[number * apart : (number + 1) * apart] for number in range(BAGS)]
    return [rng.choice(members, held, replace=False) for _ in range(BAGS)]


def bag_weights(bag: Bag, resamples: int, random_state: int) -> Iterator[Floats]:
    """Give how often each row of a bag is drawn, in blocks of shape ``(some resamples, rows of the bag)``.

    Every resample draws as many rows of a stratum as the table has. A row that stands for several is drawn a Poisson number of
    times, scaled to that sum, which for so many draws is the multinomial number; a stratum that is in the bag as a whole is drawn
    row by row.

    Parameters
    ----------
    bag
        The rows.
    resamples
        Number of resamples.
    random_state
        Seed.
    """
    rng = np.random.default_rng(random_state)
    members = [np.flatnonzero(bag.strata == place) for place in range(len(bag.sizes))]
    tables = [_poisson_table(size / len(rows)) for size, rows in zip(bag.sizes, members, strict=True)]
    block = max(1, CELLS_AT_ONCE // len(bag.rows))
    for start in range(0, resamples, block):
        weights = np.empty((min(block, resamples - start), len(bag.rows)))
        for rows, size, table in zip(members, bag.sizes, tables, strict=True):
            shape = (len(weights), len(rows))
            drawn = _multinomial(rng, *shape) if size == len(rows) else _poisson(rng, table, *shape)
            weights[:, rows] = drawn * (size / drawn.sum(axis=1, keepdims=True))
        yield weights


def _poisson_table(mean: float) -> Floats:
    """Return Poisson numbers of a mean at evenly spaced chances."""
    from scipy.special import pdtr  # noqa: PLC0415 - for large tables alone

    numbers = np.arange(np.ceil(mean + 10 * np.sqrt(mean) + 20))
    return np.searchsorted(pdtr(numbers, mean), (np.arange(_LEVELS) + 0.5) / _LEVELS).astype(np.float64)


def _poisson(rng: np.random.Generator, table: Floats, resamples: int, n_rows: int) -> Floats:
    """Return Poisson numbers, shape ``(resamples, n_rows)``."""
    chances = rng.integers(0, _LEVELS, (resamples, n_rows), dtype=np.uint16)
    return np.take(table, chances, mode="clip")  # what cannot be out of bounds need not be checked, which takes longest


def _multinomial(rng: np.random.Generator, resamples: int, n_rows: int) -> Floats:
    """Return how often each of ``n_rows`` rows is among as many draws, shape ``(resamples, n_rows)``."""
    return np.array([np.bincount(rng.integers(0, n_rows, n_rows), minlength=n_rows) for _ in range(resamples)], dtype=np.float64)
