"""Segments of rows: every level and quartile of a column, and where a shallow tree finds larger losses, as conditions."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from gristmill.data.contract.conditions import (
    Condition,
    Mask,
    Numbers,
    has_level,
    in_words,
    is_missing,
    level_texts,
    members,
    numbers_of,
)
from gristmill.data.kinds import is_numeric
from gristmill.metrics.groups import MAX_NUMBERS_AS_GROUPS, QUANTILE_GROUPS

MAX_SEGMENTS_PER_COLUMN = 50
_LARGE = 1e6


@dataclass(frozen=True)
class Segment:
    """Rows that fulfil some conditions together."""

    conditions: tuple[Condition, ...]

    @property
    def text(self) -> str:
        """The segment in words, such as ``plan = basic and tenure ≤ 9``."""
        return in_words(self.conditions)

    @property
    def feature(self) -> str:
        """The columns that the conditions are about."""
        return ", ".join(dict.fromkeys(condition.column for condition in self.conditions))

    def members(self, frame: pd.DataFrame) -> Mask:
        """Return which rows of a table lie in the segment, shape ``(n_rows,)``."""
        return members(frame, self.conditions)


def is_ordered(values: pd.Series) -> bool:
    """Return whether a column is cut into ranges: numbers and dates."""
    return is_numeric(values) or pd.api.types.is_datetime64_any_dtype(values)


def bound_text(value: float, *, dates: bool) -> str:
    """Return a bound of a range as a reader would write it; a date from days since 1970."""
    if dates:
        moment = pd.Timestamp(0) + pd.Timedelta(days=value)
        return f"{moment:%Y-%m-%d}" if moment == moment.normalize() else f"{moment:%Y-%m-%d %H:%M:%S}"
    return f"{value:,.0f}" if abs(value) >= _LARGE else f"{value:.6g}"


def range_condition(column: str, low: float, high: float, *, dates: bool, missing: bool = False) -> Condition:
    """Return the condition ``low < column ≤ high``, either end infinite for none; missing values with it or not."""
    ends = [bound_text(end, dates=dates) if np.isfinite(end) else "" for end in (low, high)]
    if all(ends):
        text = f"{ends[0]} < {column} ≤ {ends[1]}"
    else:
        text = f"{column} ≤ {ends[1]}" if ends[1] else f"{column} > {ends[0]}" if ends[0] else f"{column} known"
    text = f"{text} or missing" if missing else text
    return Condition(column, text, low, high, open_low=True, missing=missing)


def cuts_of(numbers: Numbers) -> list[float]:
    """Return the quartiles of some numbers as numbers that occur, each once, the largest number left out."""
    known = numbers[np.isfinite(numbers)]
    quartiles = np.quantile(known, np.arange(1, QUANTILE_GROUPS) / QUANTILE_GROUPS, method="inverted_cdf")
    return [float(cut) for cut in np.unique(quartiles) if cut < known.max()]


def column_segments(frame: pd.DataFrame, column: str, *, min_rows: int) -> list[tuple[Segment, Mask]]:
    """Return the segments that one column makes, each with the rows that lie in it.

    Parameters
    ----------
    frame
        Rows.
    column
        Numbers and dates of more than ten different values are cut at their quartiles, every other value is a segment of its own,
        of many the fifty largest; missing values are one.
    min_rows
        Segments with fewer rows, and those that leave fewer rows outside, are left out.
    """
    values = frame[column]
    absent = values.isna().to_numpy()
    found: list[tuple[Condition, Mask]] = []
    if is_ordered(values):
        numbers, dates = numbers_of(values), not is_numeric(values)
        different = np.unique(numbers[np.isfinite(numbers)])
        if len(different) > MAX_NUMBERS_AS_GROUPS:
            for low, high in pairwise([-np.inf, *cuts_of(numbers), np.inf]):
                found.append((range_condition(column, low, high, dates=dates), (numbers > low) & (numbers <= high)))
        else:
            for value in different:
                text = f"{column} = {bound_text(value, dates=dates)}"
                found.append((Condition(column, text, levels=(float(value),)), numbers == value))
    else:
        codes, levels = pd.factorize(level_texts(values), sort=True)
        sizes = np.bincount(codes[codes >= 0], minlength=len(levels))
        largest = np.sort(np.argsort(-sizes, kind="stable")[:MAX_SEGMENTS_PER_COLUMN])
        found = [(has_level(column, [str(levels[code])]), codes == code) for code in largest if sizes[code] >= min_rows]
    found.append((is_missing(column), absent))
    return [(Segment((one,)), inside) for one, inside in found if min_rows <= inside.sum() <= len(frame) - min_rows]


def all_segments(frame: pd.DataFrame, columns: Sequence[str], *, min_rows: int) -> list[tuple[Segment, Mask]]:
    """Return the segments of all columns, each with its rows; see :func:`column_segments`."""
    return [found for column in columns for found in column_segments(frame, column, min_rows=min_rows)]
