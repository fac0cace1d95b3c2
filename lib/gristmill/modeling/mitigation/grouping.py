"""Which group a row belongs to, learnt once from the training rows and then the same for every row, one at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.metrics.groups import MAX_NUMBERS_AS_GROUPS, MISSING_GROUP, QUANTILE_GROUPS, as_groups, level_groups

JOINED = " & "


@dataclass(frozen=True)
class ColumnGroups:
    """The groups of one column: its values, or ranges of numbers and dates.

    Attributes
    ----------
    column
        Name of the column.
    edges
        Upper ends, each included, of all ranges but the last; numbers, or days since 1970. None where each value is a group.
    names
        Names of the ranges; empty where each value is a group.
    """

    column: str
    edges: tuple[float, ...] | None = None
    names: tuple[str, ...] = ()

    def of(self, values: pd.Series) -> pd.Series:
        """Return the group of each row, as text."""
        if self.edges is None:
            return level_groups(values)
        numbers = _numbers(values)
        place = np.searchsorted(np.asarray(self.edges), numbers, side="left")
        named = np.asarray(self.names, dtype=object)[np.minimum(place, len(self.names) - 1)]
        return pd.Series(np.where(np.isnan(numbers), MISSING_GROUP, named), index=values.index, dtype=object)


def _numbers(values: pd.Series) -> NDArray[np.float64]:
    """Return numbers as they are, and dates as days since 1970."""
    if pd.api.types.is_datetime64_any_dtype(values):
        index = pd.DatetimeIndex(values)
        days = np.asarray((index - pd.Timestamp(0, tz=index.tz)) / pd.Timedelta(days=1), dtype=np.float64)
        return np.where(index.isna(), np.nan, days)
    return np.asarray(pd.to_numeric(values, errors="coerce").astype("Float64").to_numpy(dtype=float, na_value=np.nan))


def learn_groups(values: pd.Series) -> ColumnGroups:
    """Return the groups of a column that :func:`gristmill.metrics.groups.as_groups` makes of these rows."""
    name = str(values.name)
    dated = pd.api.types.is_datetime64_any_dtype(values)
    counted = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    if not (dated or counted) or values.nunique() <= MAX_NUMBERS_AS_GROUPS:
        return ColumnGroups(name)
    known = values.notna().to_numpy()
    numbers, groups = _numbers(values)[known], as_groups(values).to_numpy()[known]
    _, ends = pd.qcut(numbers, QUANTILE_GROUPS, labels=False, retbins=True, duplicates="drop")
    place = np.searchsorted(ends[1:-1], numbers, side="left")
    used, first = np.unique(place, return_index=True)  # a range that no row lies in belongs to the next one
    return ColumnGroups(name, tuple(float(ends[1:-1][one]) for one in used[:-1]), tuple(str(groups[row]) for row in first))


@dataclass(frozen=True)
class Grouping:
    """The groups of several sensitive columns together."""

    columns: tuple[ColumnGroups, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(one.column for one in self.columns)

    def of(self, frame: pd.DataFrame) -> NDArray[np.object_]:
        """Return the group of each row of ``frame``, shape ``(n_rows,)``: the groups of its columns, joined."""
        coded = [pd.factorize(one.of(frame[one.column]).to_numpy(dtype=object)) for one in self.columns]
        shape = [len(names) for _, names in coded]
        used, place = np.unique(np.ravel_multi_index([codes for codes, _ in coded], shape), return_inverse=True)
        each = zip(*np.unravel_index(used, shape), strict=True)
        joined = [JOINED.join(names[code] for code, (_, names) in zip(codes, coded, strict=True)) for codes in each]
        return np.array(joined, dtype=object)[place]

    def as_record(self) -> list[dict[str, Any]]:
        """Return it as it stands in ``model.json``."""
        return [
            {"column": one.column, "edges": None if one.edges is None else list(one.edges), "names": list(one.names)}
            for one in self.columns
        ]

    @classmethod
    def from_record(cls, record: Sequence[Mapping[str, Any]]) -> "Grouping":
        """Return what :meth:`as_record` wrote."""
        return cls(
            tuple(
                ColumnGroups(
                    str(one["column"]),
                    None if one["edges"] is None else tuple(float(edge) for edge in one["edges"]),
                    tuple(str(name) for name in one["names"]),
                )
                for one in record
            )
        )


def learn_grouping(frame: pd.DataFrame, features: Sequence[str]) -> Grouping:
    """Return the groups of the sensitive columns of training rows."""
    return Grouping(tuple(learn_groups(frame[feature]) for feature in features))
