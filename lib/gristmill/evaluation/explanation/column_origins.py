"""Which raw column feeds which column of the matrix that an estimator reads, found by switching raw columns one by one."""

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.evaluation.explanation.hybrids import RowPool
from gristmill.features.rows import RowFeatures
from gristmill.metrics.scores import Floats

NOTHING = 1e-9
"""Share of the largest value below which a value is rounding."""

ROWS_A_VALUE = 3
"""Rows that each value is put into."""

MOST_VALUES = 150
"""Values of a column that are tried when it is asked what the column feeds."""


class MixedOriginError(Exception):
    """A matrix column is not fed by exactly one raw column; the message says how."""


class Traced:
    """Rows on their way through the preparations of a model, with what each raw column feeds."""

    def __init__(self, features: RowFeatures, rows: pd.DataFrame, background: pd.DataFrame) -> None:
        self.rows, self.background = features.transform(rows), features.transform(background)
        self.n_columns = rows.shape[1]
        pool = RowPool(rows, background)
        missing = np.concatenate([rows.isna().to_numpy(), background.isna().to_numpy()])
        switched = [_switches(pool.codes, column, missing[:, column]) for column in range(self.n_columns)]
        self._ends = np.cumsum([0, *(len(own) for _, own in switched)])
        bases = np.tile(np.arange(len(pool.codes))[:, None], self.n_columns)[np.concatenate([own for _, own in switched])]
        self._switched = features.transform(pool.frame(np.concatenate([sources for sources, _ in switched])))
        self._bases = features.transform(pool.frame(bases))

    def owners(self, prepare: Any) -> NDArray[np.intp]:
        """Return, for each column of a preparation's matrix, the raw column that feeds it; -1 where none was seen to.

        Raises
        ------
        MixedOriginError
            Two raw columns feed one.
        """
        made, base = (np.asarray(prepare.transform(frame), dtype=np.float64) for frame in (self._switched, self._bases))
        differs = (made != base) & ~(np.isnan(made) & np.isnan(base))
        feeds = np.array([differs[start:end].any(axis=0) for start, end in pairwise(self._ends)])
        if (feeds.sum(axis=0) > 1).any():
            raise MixedOriginError(
                "a feature is made from several columns of the table, and its value cannot be split between them"
            )
        return np.where(feeds.any(axis=0), feeds.argmax(axis=0), -1)

    def to_raw(self, prepare: Any, values: Floats) -> Floats:
        """Return values of matrix columns, ``(n_rows, n_matrix_columns, n_outputs)``, summed to raw columns."""
        owners = self.owners(prepare)
        if np.abs(values[:, owners < 0]).max(initial=0.0) > NOTHING * max(1.0, float(np.abs(values).max(initial=0.0))):
            raise MixedOriginError("a feature has a value, and no single column of the table was seen to feed it")
        raw = np.zeros((len(values), self.n_columns, values.shape[2]))
        for place in np.flatnonzero(owners >= 0):
            raw[:, owners[place]] += values[:, place]
        return raw


def _switches(codes: NDArray[np.intp], column: int, missing: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return where the cells of rows come from in which one column is switched to each of its values, and the rows without that.

    The most frequent values, at most :data:`MOST_VALUES`, and a missing one are put into a few rows that have another.
    """
    values, first, counts = np.unique(codes[:, column], return_index=True, return_counts=True)
    absent = np.isin(values, codes[missing, column])
    kept = np.lexsort((-counts, ~absent))[:MOST_VALUES]
    pairs = [
        (holder, row) for value, holder in zip(values[kept], first[kept], strict=True) for row in _others(codes[:, column], value)
    ]
    holders, own = np.array(pairs, dtype=np.intp).reshape(-1, 2).T
    sources = np.repeat(own[:, None], codes.shape[1], axis=1)
    sources[:, column] = holders
    return sources, own


def _others(codes: NDArray[np.intp], value: int) -> NDArray[np.intp]:
    """Return positions of at most :data:`ROWS_A_VALUE` rows, far apart, whose code is not ``value``."""
    others = np.flatnonzero(codes != value)
    return others[:: max(1, len(others) // ROWS_A_VALUE)][:ROWS_A_VALUE]
