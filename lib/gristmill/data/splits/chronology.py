"""Rows in order of time, cut into blocks that never divide a moment, with a gap before each block if the case asks for one."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.config.durations import seconds
from gristmill.errors import DataError

_MICROSECONDS = 1_000_000

Integers = NDArray[np.int64]
Clock = NDArray[Any]


def moments(values: pd.Series) -> pd.Series:
    """Return a time column as something that can be ordered: numbers as they are, everything else as dates.

    Raises
    ------
    DataError
        A time is missing or cannot be read.
    """
    if is_number(values):
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


def is_number(values: pd.Series) -> bool:
    """Return whether times are numbers, such as years, rather than dates."""
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def clock(values: pd.Series) -> Clock:
    """Return times as numbers: as they are, or microseconds since 1970 for dates; shape ``(n_rows,)``.

    Raises
    ------
    DataError
        As :func:`moments`.
    """
    times = moments(values)
    return times.to_numpy() if is_number(times) else times.dt.as_unit("us").astype("int64").to_numpy()


def gap_length(gap: str | float | None, values: pd.Series) -> float:
    """Return the case's ``split.gap`` in the unit of :func:`clock`; 0 without one.

    Raises
    ------
    DataError
        The gap is a duration and the times are numbers, or the other way round.
    """
    if gap is None:
        return 0.0
    if isinstance(gap, str) and is_number(values):
        raise DataError(
            f"Expected a number in `split.gap`, because the time column {values.name!r} holds numbers such as {values.iloc[0]}, "
            f"got the duration {gap!r}. State the gap in the unit of the column."
        )
    if not isinstance(gap, str) and not is_number(values):
        raise DataError(
            f"Expected a duration with its unit in `split.gap`, such as `7 days` or `12 hours`, because the time column "
            f"{values.name!r} holds dates, got {gap!r}."
        )
    return seconds(gap) * _MICROSECONDS if isinstance(gap, str) else float(gap)


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


def block_starts(times: Clock, case: Any, *, with_test: bool) -> tuple[float, ...]:
    """Return where each validation block and, with test rows, last the test begins, in the unit of :func:`clock`.

    Raises
    ------
    DataError
        There are too few different times.
    """
    split, column = case.split, case.time_column
    rank = np.unique(times, return_inverse=True)[1].astype(np.int64)
    tested = np.zeros(len(times), dtype=np.int64)
    if with_test:
        tested = blocks(rank, np.array([1 - split.test_size, split.test_size]), column)
    training = tested == 0
    n_folds = min(split.folds, len(np.unique(rank[training])) - 1)
    size = split.validation_size
    shares = np.array([1 - size, size]) if size is not None else np.full(n_folds + 1, 1 / (n_folds + 1))
    block = blocks(rank[training], shares, column)
    starts = [times[training][block == number].min().item() for number in range(1, len(shares))]
    return (*starts, times[~training].min().item()) if with_test else tuple(starts)


def in_gaps(times: Clock, starts: tuple[float, ...], length: float) -> NDArray[np.bool_]:
    """Return which rows are earlier than a start by less than ``length``."""
    found = np.zeros(len(times), dtype=bool)
    for start in starts if length else ():
        found |= (times < start) & (times > start - length)
    return found
