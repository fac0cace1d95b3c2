"""Hashes of rows by their content, the same wherever a row stands and whatever type its values are stored in."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]


def content_hashes(frame: pd.DataFrame, columns: Sequence[str] | None = None) -> Hashes:
    """Return a hash of each row's values, equal for equal rows, whatever the order of rows and columns; shape ``(n_rows,)``."""
    names = sorted(frame.columns if columns is None else columns)
    hashes = np.zeros(len(frame), dtype=np.uint64)
    for name in names:
        column = pd.util.hash_pandas_object(_comparable(frame[name]), index=False).to_numpy()
        hashes = hashes * np.uint64(0x9E3779B97F4A7C15) + (column ^ (column >> np.uint64(31)))
    return hashes


def _comparable(values: pd.Series) -> pd.Series:
    """Return a column in a form in which equal values are equal whatever type they are stored in: 1 and 1.0, missing and None."""
    if pd.api.types.is_bool_dtype(values) or values.dtype == object or not pd.api.types.is_numeric_dtype(values):
        return values.astype(object).where(values.notna(), "\x1fmissing").astype(str)
    if pd.api.types.is_integer_dtype(values) and int(values.abs().max() or 0) > 2**53:
        return values
    return values.astype("float64")
