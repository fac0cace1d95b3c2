"""Dividing bundles of rows among sides in given shares, class by class.

A bundle is a set of rows that must stay together. Whether it is a test row, a fold or a hold-out row that is decided, the
question is the same: which side gets which bundle, so that every side has its share of the rows of every class? Most bundles
are single rows and are dealt out in bulk; large bundles and those of rare classes are placed one by one where they are missed most.
Nothing depends on the order of the rows: the order in which bundles are considered comes from a hash of their content.
"""

import numpy as np
from numpy.typing import NDArray

ONE_BY_ONE = 200
"""Bundles of a class, and large bundles, up to this number are placed one by one."""

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


def allocate(counts: Integers, order: NDArray[np.uint64], shares: Floats, placed: Integers | None = None) -> Integers:
    """Return the side that each bundle goes to, shape ``(n_bundles,)``.

    Parameters
    ----------
    counts
        Rows of each class in each bundle, shape ``(n_bundles, n_classes)``; one class for a regression.
    order
        A pseudo-random number a bundle, which breaks ties, shape ``(n_bundles,)``.
    shares
        Share of the rows that each side should get, summing to 1, shape ``(n_sides,)``.
    placed
        Rows of each class that are on each side already, and count towards its share, shape ``(n_sides, n_classes)``; none if
        not given.

    Returns
    -------
    ndarray of int
        Numbers of sides. The rows of each class on each side differ from their share by less than the largest bundle placed,
        unless too many were there already (iterative stratification after Sechidis et al. 2011, "On the stratification of
        multi-label data").
    """
    placed = np.zeros((len(shares), counts.shape[1]), dtype=np.int64) if placed is None else placed
    totals = counts.sum(axis=0) + placed.sum(axis=0)
    sizes = counts.sum(axis=1)
    main_class = counts.argmax(axis=1)
    in_class = np.bincount(main_class, minlength=counts.shape[1])
    sides = np.full(len(counts), -1, dtype=np.int64)
    missed = shares[:, None] * totals[None, :] - placed
    alone = (in_class[main_class] <= ONE_BY_ONE) | (sizes > _largest_in_bulk(sizes, shares))
    for bundle in np.lexsort((order, -sizes, totals[main_class])):
        if alone[bundle]:
            sides[bundle] = _where_missed_most(counts[bundle], missed, totals)
            missed[sides[bundle]] -= counts[bundle]
    for code in np.unique(main_class[~alone]):
        members = np.flatnonzero(~alone & (main_class == code))
        members = members[np.argsort(order[members], kind="stable")]
        sides[members] = _deal(sizes[members], missed[:, code])
    return _fill_empty_sides(sides, sizes, order, placed.sum(axis=1))


def _largest_in_bulk(sizes: Integers, shares: Floats) -> float:
    """Return the size above which a bundle is too large to be dealt out without looking."""
    return max(1.0, 0.01 * float(sizes.sum()) * float(shares.min()))


def _where_missed_most(bundle: Integers, missed: Floats, totals: Integers) -> int:
    """Return the side whose squared distance from its share of every class falls most when it gets the bundle."""
    weights = 1.0 / np.maximum(totals, 1).astype(float) ** 2
    return int(np.argmin((bundle * (bundle - 2 * missed) * weights).sum(axis=1)))


def _deal(sizes: Integers, missed: Floats) -> Integers:
    """Return the side of each of many small bundles, dealt out in their order in the proportions of ``missed``."""
    wanted = np.maximum(missed, 0)
    wanted = wanted if wanted.sum() > 0 else np.ones_like(wanted)
    borders = np.cumsum(wanted)[:-1] / wanted.sum()
    middles = (np.cumsum(sizes) - sizes / 2) / sizes.sum()
    return np.asarray(np.searchsorted(borders, middles, side="right"), dtype=np.int64)


def _fill_empty_sides(sides: Integers, sizes: Integers, order: NDArray[np.uint64], placed: Integers) -> Integers:
    """Give every side at least one bundle while there are enough of them: the smallest of the side with most."""
    for side in range(len(placed)):
        per_side = np.bincount(sides, minlength=len(placed))
        if placed[side] == 0 and per_side[side] == 0 and per_side.max() > 1:
            members = np.flatnonzero(sides == per_side.argmax())
            sides[members[np.lexsort((order[members], sizes[members]))[0]]] = side
    return sides
