"""Groups of rows: the levels of a column, or its quartiles where it has many values."""

import pandas as pd

MISSING_GROUP = "missing"
QUANTILE_GROUPS = 4
MAX_NUMBERS_AS_GROUPS = 10
"""A number with more distinct values than this is cut into quantile groups."""


def _level_text(value: float) -> str:
    """Return a number that is a group of its own, whole numbers without a point."""
    return f"{value:.15g}"


def _bound_text(value: float) -> str:
    """Return the bound of a range of numbers in few digits."""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _quantile_groups(values: pd.Series) -> pd.Series:
    """Cut numbers at their quartiles and name each group by its smallest and largest value."""
    codes = pd.qcut(values, QUANTILE_GROUPS, labels=False, duplicates="drop")
    bounds = values.groupby(codes).agg(["min", "max"])
    names = {code: f"{_bound_text(low)} to {_bound_text(high)}" for code, low, high in bounds.itertuples()}
    return codes.map(names)


def _date_groups(values: pd.Series) -> pd.Series:
    """Cut dates at their quartiles and name each group by its first and last day."""
    codes = pd.qcut(values, QUANTILE_GROUPS, labels=False, duplicates="drop")
    bounds = values.groupby(codes).agg(["min", "max"])
    return codes.map({code: f"{low:%Y-%m-%d} to {high:%Y-%m-%d}" for code, low, high in bounds.itertuples()})


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
