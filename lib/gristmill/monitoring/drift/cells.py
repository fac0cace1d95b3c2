"""The values of a window's column, from Arrow or pandas, read as those of the reference were."""

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gristmill.features.rows import LARGEST, MISSING_LEVEL, levels
from gristmill.modeling.artifact.column_counts import Floats
from gristmill.modeling.artifact.drift_reference import as_numbers

if TYPE_CHECKING:
    import pyarrow as pa


def numbers_of(values: "pd.Series | pa.ChunkedArray", kind: str) -> Floats:
    """Return a column that is no level as numbers ``(n_rows,)``, not-a-number where missing."""
    import pyarrow as pa  # noqa: PLC0415

    if isinstance(values, pd.Series):
        return as_numbers(values, kind)
    if kind == "text" and (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return _words(values)
    if kind in ("numeric", "boolean") and (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)):
        return np.clip(_floats(values), -LARGEST, LARGEST)
    return as_numbers(values.to_pandas(), kind)


def _floats(values: "pa.ChunkedArray") -> Floats:
    """Return Arrow's numbers as floats, a copy a column."""
    made = np.empty(len(values))
    start = 0
    for chunk in values.chunks:
        made[start : start + len(chunk)] = chunk.to_numpy(zero_copy_only=False)  # Arrow's nulls become not-a-numbers
        start += len(chunk)
    return made


def _words(values: "pa.ChunkedArray") -> Floats:
    """Return the number of words of texts."""
    import pyarrow.compute as pc  # noqa: PLC0415

    trimmed = pc.utf8_trim_whitespace(values)
    words = pc.list_value_length(pc.utf8_split_whitespace(trimmed))
    return _floats(pc.if_else(pc.equal(trimmed, ""), 0, words).cast("float64"))


def count_levels(values: "pd.Series | pa.ChunkedArray") -> tuple[dict[str, int], int]:
    """Return the rows of each level of a column, and how many have none; only distinct values become Python objects."""
    import pyarrow as pa  # noqa: PLC0415

    if isinstance(values, pd.Series):
        found = values.astype(object).value_counts(dropna=False) if values.dtype == object else values.value_counts(dropna=False)
        distinct, rows = pd.Series(found.index.astype(object)), found.to_numpy()
    else:
        distinct, rows = _distinct(values if not pa.types.is_dictionary(values.type) else values.cast(values.type.value_type))
    counts: Counter[str] = Counter()
    for level, number in zip(levels(distinct), rows.tolist(), strict=True):
        counts[str(level)] += int(number)
    missing = counts.pop(MISSING_LEVEL, 0)
    return dict(counts), missing


def _distinct(values: "pa.ChunkedArray") -> tuple[pd.Series, Any]:
    """Return the distinct values of an Arrow column, and the rows of each."""
    found = values.value_counts()
    return found.field("values").to_pandas().astype(object), found.field("counts").to_numpy()
