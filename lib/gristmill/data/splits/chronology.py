"""Rows in order of time, cut into blocks that never divide a moment."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.errors import DataError

Integers = NDArray[np.int64]


def moments(values: pd.Series) -> pd.Series:
    """Return a time column as something that can be ordered: numbers as they are, everything else as dates.

    Raises
    ------
    DataError
        A time is missing or cannot be read.
    """
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        times: pd.Series = values
    else:
        times = pd.to_datetime(values, errors="coerce", utc=True, format=None if values.dtype != object else "mixed")
    if times.isna().any():
        example = values[times.isna()].iloc[0]
        raise DataError(
            f"The time column {values.name!r} holds {int(times.isna().sum())} values that are missing or not a time, such as "
            f"{example!r}; a split by time needs them all. Mend them in the source, or set `split.strategy` to another one."
        )
    return times


def blocks(rank: Integers, shares: NDArray[np.float64], column: str) -> Integers:
    """Return the block of each row in order of time, in the given shares; equal times are in one block, no block is empty."""
    n_times = len(np.unique(rank))
    if n_times < len(shares) or len(shares) < 2:
        raise DataError(
            f"The time column {column!r} has {n_times} different times to divide, too few for a split by time: models train on "
            "earlier rows, are validated on later ones and tested on the latest. Use another `split.strategy`."
        )
    positions = np.unique(rank, return_inverse=True)[1]
    rows_until = np.cumsum(np.bincount(positions))
    cuts = np.searchsorted(rows_until, np.cumsum(shares)[:-1] * len(rank) - 0.5) + 1
    last = len(cuts) - 1
    for number in range(len(cuts)):  # no block without a time of its own, whatever the rows at each
        cuts[number] = max(cuts[number], cuts[number - 1] + 1 if number else 1)
    for number in range(last, -1, -1):
        cuts[number] = min(cuts[number], n_times - 1 - (last - number))
    return np.searchsorted(cuts, positions, side="right").astype(np.int64)
