"""Which features say nothing that another does not say already.

Nothing here looks at the target, so it may look at all training rows without leaking.
"""

from collections.abc import Hashable

import numpy as np
import pandas as pd

NEAR_PERFECT = 0.9999
"""Size of the correlation from which two numbers are taken for the same."""

SAMPLED_ROWS = 20_000
"""Rows on which correlations are measured."""


def uninformative(frame: pd.DataFrame) -> dict[str, str]:
    """Return the features to drop, each with the reason in words.

    Parameters
    ----------
    frame
        Row-wise features of the training rows: float columns with missing values, and text columns.

    Examples
    --------
    >>> uninformative(pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 3.0], "c": [1.0, 2.0]}))
    {'b': "it has the same value, '3.0', in every row", 'c': "it repeats 'a'"}
    """
    dropped = constant(frame)
    dropped |= repeated(frame.drop(columns=list(dropped)))
    dropped |= correlated(frame.drop(columns=list(dropped)))
    return dropped


def constant(frame: pd.DataFrame) -> dict[str, str]:
    """Return the features with one value, or none, in all rows."""
    found = {}
    for name in frame.columns:
        values = frame[name].unique()
        if len(values) <= 1:
            value = values[0] if len(values) else None
            found[name] = "it is missing in every row" if pd.isna(value) else f"it has the same value, {str(value)!r}, in every row"
    return found


def repeated(frame: pd.DataFrame) -> dict[str, str]:
    """Return the features that split the rows exactly as an earlier one of the same type does, whatever the values' names.

    For numbers the values themselves have to be equal; levels may be called differently.
    """
    first: dict[Hashable, str] = {}
    found = {}
    for name in frame.columns:
        values = frame[name]
        is_number = values.dtype.kind == "f"
        pattern = values.to_numpy() if is_number else pd.factorize(values)[0]
        key = (is_number, np.ascontiguousarray(pattern).tobytes())
        if key in first:
            found[name] = f"it repeats {first[key]!r}"
        first.setdefault(key, name)
    return found


def correlated(frame: pd.DataFrame, limit: float = NEAR_PERFECT) -> dict[str, str]:
    """Return the numeric features whose correlation with an earlier one exceeds ``limit`` in size.

    Missing values count as the column's mean, so that two columns missing in different rows are not taken for the same.
    """
    floats = frame.select_dtypes("float")
    if floats.shape[1] < 2 or len(floats) < 3:
        return {}
    sample = floats if len(floats) <= SAMPLED_ROWS else floats.sample(SAMPLED_ROWS, random_state=0)
    scale = sample.abs().max().replace(0, 1)
    sample = (sample / scale).fillna((sample / scale).mean())
    deviation = sample.std()
    sample = sample.loc[:, deviation > 1e-12]
    strength = np.abs(np.atleast_2d(np.corrcoef(sample.to_numpy(), rowvar=False)))
    found: dict[str, str] = {}
    for later, earlier in zip(*np.nonzero(np.tril(strength, -1) > limit), strict=True):
        name, other = str(sample.columns[later]), str(sample.columns[earlier])
        if other not in found and name not in found:
            found[name] = f"its correlation with {other!r} is {strength[later, earlier]:.5f}"
    return found
