"""Joins without a match: columns that lost their values in the same rows, and the key whose values no longer fit.

A join that finds no match leaves values missing, or puts the same default into every such row. Either way the columns of one table
lose their values together. Where the rows that lost them are those in which another column holds what was never seen before, or is
written as it never was, that column is the key that changed.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.monitoring.drift.report import FeatureDrift

Mask = NDArray[np.bool_]

TOGETHER = 0.9
"""Share of the rows in which either of two columns is missing, in which both are, that speaks for a join without a match."""

TOGETHER_BY_DEFAULT = 0.8
"""The same of columns with a default in place of what is missing, for some rows that did match have that value too."""

MORE_OFTEN = 0.2
"""By how much the share of a default must have grown."""

SELDOM = 0.05
"""Largest share of a default in the reference: a value that was frequent before says nothing."""

NEVER_SEEN = 0.9
"""Share of the rows with a key never seen before that lost their values, and of the values lost that those rows account for."""

MOSTLY_UNIQUE = 0.5
"""Share of distinct values from which a column names rows: its values are always new, and only how they are written can tell."""

MOST_SHAPES = 50
"""Ways of writing beyond which a column is no key."""


@dataclass(frozen=True)
class Mark:
    """What stands in a column where its values are lost.

    Attributes
    ----------
    column
        Its name.
    default
        The value; None where they are missing.
    usual
        Share of the reference rows in which it stands.
    rows
        The rows of the window in which it stands.
    """

    column: str
    default: object
    usual: float
    rows: Mask


@dataclass(frozen=True)
class Unmatched:
    """Columns that lost their values in the same rows.

    Attributes
    ----------
    marks
        What stands in each of them.
    key, example
        The column whose values no longer fit, and one of those; empty where none is seen.
    """

    marks: tuple[Mark, ...]
    key: str = ""
    example: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that lost their values."""
        return tuple(mark.column for mark in self.marks)

    @property
    def words(self) -> str:
        """What speaks for it."""
        share = f"{100 * self.marks[0].rows.mean():.3g} % of the rows"
        names = ", ".join(map(repr, self.columns))
        if self.marks[0].default is None:
            together = "are missing together, in" if len(self.marks) > 1 else "is missing in"
            said = f"{names} {together} {share}, as after a join without a match"
        else:
            values = ", ".join(str(mark.default) for mark in self.marks)
            said = f"{names} hold {values} in the same {share}, as if a join without a match were filled with defaults"
        return (
            f"{said}; in these rows {self.key!r} holds what was never seen before, such as {self.example!r}" if self.key else said
        )


def unmatched(
    drifted: Sequence[FeatureDrift], missing: Sequence[str], reference: pd.DataFrame, window: pd.DataFrame
) -> list[Unmatched]:
    """Return the groups of columns that a broken join explains: several that go together, or one with a key that no longer fits.

    Parameters
    ----------
    drifted
        The columns that drifted.
    missing
        Of these, those whose share of missing values did, upwards.
    reference, window
        Raw rows, with the columns by which they may have been joined.
    """
    marks = [mark for one in drifted if (mark := _mark(one, one.name in missing, reference, window)) is not None]
    found = []
    for group in _together(marks):
        others = [name for name in window.columns if name not in {mark.column for mark in group} and name in reference.columns]
        key, example = _key(group[0], reference[others], window[others])
        if len(group) > 1 or key:
            found.append(Unmatched(tuple(group), key, example))
    return found


def _mark(drift: FeatureDrift, missing: bool, reference: pd.DataFrame, window: pd.DataFrame) -> Mark | None:  # noqa: FBT001
    """Return what took the place of a column's values, if one thing did."""
    old, new = reference[drift.name], window[drift.name]
    if missing:
        return Mark(drift.name, None, float(old.isna().mean()), new.isna().to_numpy())
    counts = new.value_counts()
    if not len(counts):
        return None
    value, share, usual = counts.index[0], counts.iloc[0] / len(new), float((old == counts.index[0]).mean())
    if usual > SELDOM or share < usual + MORE_OFTEN:
        return None
    return Mark(drift.name, value, usual, (new == value).fillna(value=False).to_numpy(dtype=bool))


def _together(marks: Sequence[Mark]) -> list[list[Mark]]:
    """Return groups of marks of one sort that stand in the same rows."""
    groups: list[list[Mark]] = []
    for mark in marks:
        for group in groups:
            first = group[0]
            least = TOGETHER if mark.default is None else TOGETHER_BY_DEFAULT
            either, both = mark.rows | first.rows, mark.rows & first.rows
            if (mark.default is None) == (first.default is None) and both.sum() >= least * either.sum():
                group.append(mark)
                break
        else:
            groups.append([mark])
    return groups


def _key(mark: Mark, reference: pd.DataFrame, window: pd.DataFrame) -> tuple[str, str]:
    """Return the column that holds what was never seen before in the rows that lost their values, with an example.

    Where it holds nothing strange, values must be lost as seldom as before.
    """
    most = mark.usual + (1 - NEVER_SEEN) * max(float(mark.rows.mean()) - mark.usual, 0.0)
    for name in window.columns:
        strange = _never_seen(reference[name], window[name])
        if strange is None or not strange.any() or mark.rows[strange].mean() < NEVER_SEEN:
            continue
        if strange.all() or mark.rows[~strange].mean() <= most:
            return name, str(window[name][strange].iloc[0])
    return "", ""


def _never_seen(reference: pd.Series, window: pd.Series) -> Mask | None:
    """Return which values the reference does not have, or which are written as none of its values is; None if that says nothing."""
    if pd.api.types.is_float_dtype(reference) or pd.api.types.is_datetime64_any_dtype(reference):
        return None
    old, new = (values.astype("string") for values in (reference, window))
    if old.nunique() >= MOSTLY_UNIQUE * max(len(old), 1):
        old, new = (_shapes(values) for values in (old, new))
        if old.nunique() > MOST_SHAPES:
            return None
    strange = ~new.isin(old.dropna().unique()) & new.notna()
    return np.asarray(strange, dtype=bool)


def _shapes(values: pd.Series) -> pd.Series:
    """Return how values are written: letters as ``a``, digits as ``9``, however many, and all else as it is."""
    shapes: Mapping[str, str] = {text: re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "9", text)) for text in values.dropna().unique()}
    return values.map(shapes)
