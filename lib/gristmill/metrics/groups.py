"""Groups of rows: the levels of a column, or its quartiles where it has many values; small ones pooled, several columns crossed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MISSING_GROUP = "missing"
OTHER_LEVELS = "other levels"
INTERSECTION = " & "
MAX_GROUPS = 200
"""Groups of one feature that are compared with each other; of more levels the smallest are one group."""

QUANTILE_GROUPS = 4
MAX_NUMBERS_AS_GROUPS = 10
"""A number with more distinct values than this is cut into quantile groups."""

MOST_DIGITS_MORE = 13
"""With so many further digits two different numbers are written differently."""


def _level_text(value: float) -> str:
    """Return a number that is a group of its own, whole numbers without a point."""
    return f"{value:.15g}"


def _bound_text(value: float, more: int) -> str:
    """Return the bound of a range of numbers in few digits, and so many more."""
    return f"{value:.{more}f}" if abs(value) >= 1000 else f"{value:.{4 + more}g}"


def _ranges(values: pd.Series, texts: Sequence[Callable[[Any], str]]) -> pd.Series:
    """Cut values at their quartiles and name each group by its smallest and largest value.

    Bounds are written by the first of ``texts``, or by the first that gives each group a name of its own: two groups of one name
    would be one group.
    """
    codes = pd.qcut(values, QUANTILE_GROUPS, labels=False, duplicates="drop")
    bounds = values.groupby(codes).agg(["min", "max"])
    for text in texts:
        names = {code: f"{text(low)} to {text(high)}" for code, low, high in bounds.itertuples()}
        if len(set(names.values())) == len(names):
            break
    return codes.map(names)


def _quantile_groups(values: pd.Series) -> pd.Series:
    """Cut numbers at their quartiles."""
    return _ranges(values, [partial(_bound_text, more=more) for more in range(MOST_DIGITS_MORE + 1)])


def _date_groups(values: pd.Series) -> pd.Series:
    """Cut dates at their quartiles, named by days, or by moments where days are too coarse."""
    return _ranges(values, [lambda moment: f"{moment:%Y-%m-%d}", str, lambda moment: moment.isoformat(timespec="nanoseconds")])


def as_groups(values: pd.Series) -> pd.Series:
    """Return the name of each row's group, as text.

    Numbers with more than ten distinct values, and dates, become quartile groups; everything else is a group per value.
    Missing values are a group of their own.
    """
    many = values.nunique() > MAX_NUMBERS_AS_GROUPS
    if many and pd.api.types.is_datetime64_any_dtype(values):
        groups = _date_groups(values)
    elif many and pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        groups = _quantile_groups(values.astype("Float64").astype(float))
    else:
        return level_groups(values)
    return _named(groups, values)


def level_groups(values: pd.Series) -> pd.Series:
    """Return each value as a group of its own, named by its text; missing values are one group."""
    if pd.api.types.is_datetime64_any_dtype(values):
        groups = values.dt.strftime("%Y-%m-%d")
    elif pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        groups = values.astype("Float64").astype(float).map(_level_text, na_action="ignore")
    else:
        groups = values.astype("string")
    return _named(groups, values)


def _named(groups: pd.Series, values: pd.Series) -> pd.Series:
    """Return groups as text, with that of missing values."""
    named: pd.Series = groups.astype(object).where(values.notna(), MISSING_GROUP).astype(str)
    return named


def group_order(groups: pd.Series) -> list[str]:
    """Return the groups in the order to show them: by their first number where they have one, the missing group last."""
    numbers = groups.drop_duplicates().to_frame("group")
    numbers["number"] = pd.to_numeric(numbers["group"].str.split(" to ").str[0], errors="coerce")
    numbers["missing"] = numbers["group"] == MISSING_GROUP
    return list(numbers.sort_values(["missing", "number", "group"])["group"])


@dataclass(frozen=True)
class Pooled:
    """Groups of which those that are too small to be judged are one.

    Attributes
    ----------
    groups
        Name of each row's group, as before or ``name``.
    name
        What the joined group is called.
    levels
        The groups that were joined, each with the number of its rows that count; none where nothing was joined.
    enough
        Whether the joined group has enough rows to be judged.
    """

    groups: pd.Series
    name: str
    levels: Mapping[str, int]
    enough: bool


def pooled(groups: pd.Series, min_group_size: int, among: NDArray[np.bool_] | None = None) -> Pooled:
    """Return groups with the small ones joined into one, so that many small groups are not left out one by one.

    A single small group stays what it is. Of more than :data:`MAX_GROUPS` large groups all but the largest are joined as well.

    Parameters
    ----------
    groups
        Name of each row's group, shape ``(n_rows,)``.
    min_group_size
        Groups with fewer rows are joined.
    among
        The rows that count, such as the positive ones where a true-positive rate is compared; all when omitted.
    """
    counted = groups if among is None else groups[np.asarray(among)]
    sizes = counted.value_counts().reindex(groups.unique(), fill_value=0).sort_index(kind="stable")
    sizes = sizes.sort_values(ascending=False, kind="stable")
    large = int((sizes >= max(1, min_group_size)).sum())
    kept = large if large + (large < len(sizes)) <= MAX_GROUPS else MAX_GROUPS - 1
    levels = {str(name): int(size) for name, size in sizes.iloc[kept:].items()}
    name = OTHER_LEVELS
    while name in sizes.index:
        name = f"{name} (joined)"  # a level may be called so
    if len(levels) < 2:
        return Pooled(groups, name, {}, enough=False)
    joined = groups.where(~groups.isin(levels), name)
    return Pooled(joined, name, levels, enough=sum(levels.values()) >= max(1, min_group_size))


def crossed(groups: Mapping[str, pd.Series]) -> dict[str, pd.Series]:
    """Return the groups that several features make together: each pair of them, and all where there are more than two.

    Parameters
    ----------
    groups
        Feature -> name of each row's group.
    """
    together = [*combinations(groups, 2), *([tuple(groups)] if len(groups) > 2 else [])]
    found = dict[str, pd.Series]()
    for several in together:
        name = INTERSECTION.join(several)
        found[name] = groups[several[0]]
        for feature in several[1:]:
            found[name] = found[name] + INTERSECTION + groups[feature]
    return found
