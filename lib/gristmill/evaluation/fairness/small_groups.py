"""Which groups of people are too small to be judged alone, and what became of them, in sentences."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.metrics.groups import MAX_GROUPS, Pooled, group_order, pooled
from gristmill.reporting.wording import count

MOST_NAMED = 6
"""Small groups that a warning names."""

TOGETHER = "judged together, or not at all where even so they are too few"


def size_warnings(
    feature: str, groups: pd.Series, min_group_size: int, classes: Mapping[str, NDArray[Any]] | None = None
) -> list[str]:
    """Return a sentence about small groups of a feature, one about groups with few rows of a class; none where none is small.

    Parameters
    ----------
    feature
        The feature, or features, that make the groups.
    groups
        Name of each row's group.
    min_group_size
        Groups with fewer rows are small.
    classes
        Class whose true-positive rate is compared -> which rows are truly of it.
    """
    sizes = groups.value_counts().reindex(group_order(groups))
    small = {str(name): int(size) for name, size in sizes.items() if size < min_group_size}
    joined, told = pooled(groups, min_group_size), list[str]()
    if small:
        told.append(
            f"{feature}: {len(small)} of {count(len(sizes))} groups have fewer than {count(min_group_size)} test rows, and are "
            f"{_became(joined, min_group_size)}: {_named(small)}."
        )
    elif joined.levels:
        alone = count(len(sizes) - len(joined.levels))
        told.append(
            f"{feature} has {count(len(sizes))} groups: the {alone} largest are judged one by one, the others together as "
            f"'{joined.name}'."
        )
    return [*told, *_of_classes(feature, groups, min_group_size, classes or {}, small)]


def _of_classes(
    feature: str, groups: pd.Series, min_group_size: int, classes: Mapping[str, NDArray[Any]], small: Collection[str]
) -> Iterator[str]:
    """Give a sentence about groups that are large, but have few rows of a class; nothing where there are none."""
    order = group_order(groups)
    few, became = dict[str, int](), TOGETHER
    for true in classes.values():
        having = groups[np.asarray(true)].value_counts().reindex(order, fill_value=0)
        found = {str(name): int(size) for name, size in having.items() if size < min_group_size and name not in small}
        few |= {name: min(size, few.get(name, size)) for name, size in found.items()}
        if len(classes) == 1:
            became = _became(pooled(groups, min_group_size, np.asarray(true)), min_group_size, np.asarray(true))
    if few:
        of = f"of the class {next(iter(classes))!r}" if len(classes) == 1 else "of some class"
        yield (
            f"{feature}: {len(few)} of {count(len(order))} groups have fewer than {count(min_group_size)} test rows {of}, and are, "
            f"where rates among these rows are compared, {became}: {_named(few)}."
        )


def _became(joined: Pooled, min_group_size: int, among: NDArray[np.bool_] | None = None) -> str:
    """Return what becomes of small groups: they are judged together, or cannot be judged."""
    sizes = (joined.groups if among is None else joined.groups[among]).value_counts()
    if joined.enough and int((sizes >= min_group_size).sum()) > 1:
        return f"judged together as '{joined.name}' ({count(sum(joined.levels.values()))} rows)"
    if among is not None:
        return "not judged"
    return "shown but not judged" if len(sizes) + len(joined.levels) <= MAX_GROUPS else "not judged"


def _named(sizes: Mapping[str, int]) -> str:
    """Return groups with their sizes, the first few by name."""
    named: Sequence[str] = [f"{name} ({count(size)})" for name, size in sizes.items()]
    return ", ".join(named[:MOST_NAMED]) + (f" and {count(len(named) - MOST_NAMED)} more" if len(named) > MOST_NAMED else "")
