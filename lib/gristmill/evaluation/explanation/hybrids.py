"""Rows put together column by column from several tables, which is what every explanation asks a model about."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.metrics.scores import Floats

Predict = Callable[[pd.DataFrame], Floats]
"""From raw rows to probabilities ``(n_rows, n_classes)`` or numbers ``(n_rows,)``."""

BATCH_ROWS = 20_000
"""Rows per call of a model: enough that the fixed cost of a call vanishes, few enough to stay in memory."""


class RowPool:
    """Rows of several tables with the same columns, from which new rows are put together.

    Parameters
    ----------
    tables
        Tables with the same columns; the rows of the pool are theirs, one table after the other.
    """

    def __init__(self, *tables: pd.DataFrame) -> None:
        self.columns = list(tables[0].columns)
        pooled = pd.concat(list(tables), ignore_index=True) if len(tables) > 1 else tables[0].reset_index(drop=True)
        self._values = [pooled.iloc[:, position].array for position in range(pooled.shape[1])]
        self.codes = np.column_stack(
            [pd.factorize(pooled.iloc[:, position], use_na_sentinel=False)[0] for position in range(pooled.shape[1])]
        )

    def frame(self, sources: NDArray[np.intp]) -> pd.DataFrame:
        """Return the rows whose cell in column ``j`` is that of the pool's row ``sources[:, j]``."""
        cells = {position: values.take(sources[:, position]) for position, values in enumerate(self._values)}
        frame = pd.DataFrame(cells)
        frame.columns = pd.Index(self.columns)
        return frame

    def predict(self, predict: Predict, sources: NDArray[np.intp]) -> Floats:
        """Return predictions for rows put together as in :meth:`frame`, always two-dimensional, in batches."""
        blocks = [
            as_columns(predict(self.frame(sources[start : start + BATCH_ROWS]))) for start in range(0, len(sources), BATCH_ROWS)
        ]
        return np.concatenate(blocks)


def as_columns(predicted: Floats) -> Floats:
    """Return what is explained, ``(n_rows, n_outputs)``: the number, the positive class's probability, or one per class."""
    values = np.asarray(predicted, dtype=np.float64)
    if values.ndim == 1:
        return values[:, None]
    return values[:, 1:] if values.shape[1] == 2 else values
