"""Rows of a frame as they would stand in JSON."""

from typing import Any

import numpy as np
import pandas as pd


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a frame as column -> text, number, truth value, or None where missing; dates in ISO 8601."""
    columns = [_plain(frame.iloc[:, place]) for place in range(frame.shape[1])]
    names = [str(name) for name in frame.columns]
    return (
        [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)] if columns else [{} for _ in range(len(frame))]
    )


def _plain(values: pd.Series) -> list[Any]:
    """Return the values of a column as JSON has them."""
    if pd.api.types.is_datetime64_any_dtype(values):
        return [None if pd.isna(one) else one.isoformat() for one in values]
    gaps = values.isna().to_numpy()
    plain = [one.item() if isinstance(one, np.generic) else one for one in values.tolist()]
    return [None if gap else one for gap, one in zip(gaps.tolist(), plain, strict=True)]
