"""The target against each column: what it is like where the column has a certain value, with intervals."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gristmill.data.exploration.shares import apart, by_group, called, value_words, widest
from gristmill.data.kinds import is_numeric

MOST_GROUPS = 8
"""Groups that a column is divided into: its most frequent levels, or stretches of numbers with equally many rows."""

_FEWEST = 20
MISSING, OTHERS = "missing", "others"


def against(train: pd.DataFrame, columns: Sequence[str], case: Any) -> dict[str, pd.DataFrame]:
    """Return for each column what the target is like in the groups of rows that it makes.

    Parameters
    ----------
    train
        Training rows.
    columns
        Columns to look at.
    case
        The case.

    Returns
    -------
    dict
        Column -> table of :func:`gristmill.data.exploration.shares.by_group`, the groups in the order of their numbers, or of
        their number of rows; missing values are a group of their own.
    """
    return {name: by_group(train[case.target], groups(train[name]), case) for name in columns}


def groups(values: pd.Series) -> pd.Series:
    """Return the group of each row as an ordered categorical of texts: a level, or a stretch of numbers or of time."""
    many = values.nunique() > MOST_GROUPS
    if pd.api.types.is_datetime64_any_dtype(values):
        return _stretches(values, lambda moment: f"{moment:%Y-%m-%d}")
    if is_numeric(values) and many:
        return _stretches(values.astype(float), _number)
    if is_numeric(values):
        ordered = [_number(value) for value in sorted(values.dropna().unique())]
        return _categories(values.map(_number, na_action="ignore").astype(object), ordered)
    texts = values.astype("string").astype(object)
    kept = list(texts.value_counts().head(MOST_GROUPS - many).index)
    pooled = texts.where(texts.isin(kept) | texts.isna(), OTHERS)
    return _categories(pooled, kept + ([OTHERS] if many else []))


def _number(value: Any) -> str:
    """Return a number as a group is named by it."""
    return f"{float(value):,.4g}" if abs(float(value)) < 10_000 else f"{float(value):,.0f}"


def _stretches(values: pd.Series, written: Any) -> pd.Series:
    """Return stretches with equally many rows each, as far as equal values allow."""
    known = values[values.notna() & ~values.isin([np.inf, -np.inf])]
    if known.empty:
        return _categories(pd.Series(np.nan, index=values.index, dtype=object), [])
    cut = pd.qcut(values.where(values.index.isin(known.index)), MOST_GROUPS, duplicates="drop")
    firsts = known.groupby(cut, observed=True).min()
    lasts = known.groupby(cut, observed=True).max()
    texts = {
        stretch: written(first) if first == last else f"{written(first)}–{written(last)}"  # noqa: RUF001 - a range
        for stretch, first, last in zip(firsts.index, firsts, lasts, strict=True)
    }
    return _categories(cut.astype(object).map(texts, na_action="ignore"), list(texts.values()))


def _categories(texts: pd.Series, order: Sequence[str]) -> pd.Series:
    """Return texts as an ordered categorical, with missing ones as the last group if there are any."""
    gaps = texts.isna()
    names = list(dict.fromkeys([*order, *([MISSING] if gaps.any() else [])]))
    return pd.Series(pd.Categorical(texts.where(~gaps, MISSING), categories=names, ordered=True), index=texts.index)


def in_words(tables: Mapping[str, pd.DataFrame], case: Any) -> list[str]:
    """Return for each column where the target is lowest and where it is highest, as sentences in Markdown."""
    return [sentence for name, table in tables.items() if (sentence := _sentence(name, table, case))]


def headline(tables: Mapping[str, pd.DataFrame], case: Any) -> str:
    """Return what the first column tells of the target, as the title of a figure."""
    for name, table in tables.items():
        ends = widest(table, _FEWEST)
        if ends is not None:
            low, high = (value_words(float(one["value"]), case) for one in ends)
            return f"Along {name}, the {called(str(ends[0]['series']), case)} goes from {low} to {high}"
    return "No column divides the rows into groups large enough to compare"


def _sentence(name: str, table: pd.DataFrame, case: Any) -> str | None:
    """Return where the target is lowest and highest along a column; None where fewer than two groups are large enough."""
    ends = widest(table, _FEWEST)
    if ends is None:
        return None
    low, high = ends
    said = [f"{_with_interval(one, case)} where it is {one['group']}" for one in (low, high)]
    surely = "" if apart(table[table["n"] >= _FEWEST]) else " The intervals meet: it may be chance."
    return f"**`{name}`**: {called(str(low['series']), case)} is {said[0]}, and {said[1]}.{surely}"


def _with_interval(row: pd.Series, case: Any) -> str:
    """Return a value with its interval."""
    low, high = value_words(float(row["low"]), case), value_words(float(row["high"]), case)
    return f"{value_words(float(row['value']), case)} ({low} to {high})"
