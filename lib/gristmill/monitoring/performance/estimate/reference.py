"""Rows whose truth and predictions are known: what an estimate learns from."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.features.rows import dates, levels, numbers
from gristmill.metrics.scores import Codes, Floats

MOST_LEVELS = 200
"""Levels of a column that a classifier is told apart; rarer ones are one."""


@dataclass(frozen=True)
class Reference:
    """Rows that the model did not learn from: out of fold, and the test rows.

    Attributes
    ----------
    task
        ``binary``, ``multiclass`` or ``regression``.
    y_true
        Codes or numbers, shape ``(n_rows,)``.
    predicted
        Probabilities ``(n_rows, n_classes)``, or numbers ``(n_rows,)``.
    features
        Their columns.
    """

    task: str
    y_true: Codes | Floats
    predicted: Floats
    features: pd.DataFrame

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.y_true)

    def take(self, places: NDArray[np.intp]) -> "Reference":
        """Return some rows."""
        features = self.features.iloc[places].reset_index(drop=True)
        return replace(self, y_true=self.y_true[places], predicted=self.predicted[places], features=features)


def at_most(n_rows: int, most: int, random_state: int) -> NDArray[np.intp]:
    """Return the places of all rows, or of a sample of ``most`` of them in their order."""
    if n_rows <= most:
        return np.arange(n_rows)
    return np.sort(np.random.default_rng(random_state).choice(n_rows, most, replace=False))


def as_numbers(frames: list[pd.DataFrame], kinds: Mapping[str, str]) -> tuple[list[Floats], NDArray[np.bool_]]:
    """Return tables as arrays of floats with the same codes, and which columns are levels.

    Parameters
    ----------
    frames
        Tables with the same columns.
    kinds
        Column -> ``numeric``, ``categorical``, ``boolean``, ``date`` (seconds) or ``text`` (words).
    """
    columns = list(frames[0].columns)
    arrays = [np.empty((len(frame), len(columns))) for frame in frames]
    for place, name in enumerate(columns):
        for array, values in zip(arrays, _column(name, kinds.get(name, "numeric"), frames), strict=True):
            array[:, place] = values
    return arrays, np.array([kinds.get(name) == "categorical" for name in columns])


def _column(name: str, kind: str, frames: list[pd.DataFrame]) -> list[Floats]:
    """Return one column of each table as floats."""
    parts = [frame[name] for frame in frames]
    if kind == "categorical":
        return _codes([levels(part) for part in parts])
    if kind == "date":
        return [_seconds(part) for part in parts]
    if kind == "text":
        return [np.array([np.nan if pd.isna(text) else float(len(str(text).split())) for text in part]) for part in parts]
    return [numbers(part) for part in parts]


def _seconds(values: pd.Series) -> Floats:
    """Return dates as seconds since 1970."""
    index = dates(values)
    return np.asarray(np.where(index.isna(), np.nan, index.astype("datetime64[s]").astype("int64")), dtype=np.float64)


def _codes(parts: list[NDArray[np.object_]]) -> list[Floats]:
    """Return levels as codes by how frequent they are in all tables; the rare ones share the last code."""
    ranks: Any = {level: rank for rank, level in enumerate(pd.Series(np.concatenate(parts)).value_counts().index)}
    return [np.array([min(ranks[level], MOST_LEVELS) for level in part], dtype=np.float64) for part in parts]
