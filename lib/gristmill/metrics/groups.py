"""Groups of rows: the levels of a column, or its quartiles where it has many values."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pandas as pd

MISSING_GROUP = "missing"
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
