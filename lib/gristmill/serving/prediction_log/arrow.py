"""Rows of the log as Arrow tables, for Parquet and data frames."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gristmill.serving.prediction_log.rows import COLUMNS

if TYPE_CHECKING:
    import pyarrow as pa

LABEL_COLUMNS = ("label", "label_at", "corrections")
_TIMES = {"at", "label_at"}
_NUMBERS = {"confidence", "latency_ms"}
_LISTS = {"probabilities": "float64", "warnings": "string"}


def schema(columns: Sequence[str]) -> "pa.Schema":
    """Return the types of columns of the log: times in UTC, lists, numbers; ``subject`` and ``features`` are JSON texts."""
    import pyarrow as pa  # noqa: PLC0415 - not before it is needed

    def type_of(name: str) -> Any:
        if name in _TIMES:
            return pa.timestamp("us", tz="UTC")
        if name in _LISTS:
            return pa.list_(getattr(pa, _LISTS[name])())
        if name == "corrections":
            return pa.int64()
        return pa.float64() if name in _NUMBERS else pa.string()

    return pa.schema([(name, type_of(name)) for name in columns])


def batch(rows: Sequence[Sequence[Any]], columns: Sequence[str] = (*COLUMNS, *LABEL_COLUMNS)) -> "pa.RecordBatch":
    """Return rows of the log, whose values are in the order of ``columns``, as an Arrow batch."""
    import pyarrow as pa  # noqa: PLC0415

    types = schema(columns)
    values = zip(*rows, strict=True) if rows else [()] * len(columns)
    arrays = [
        pa.array([_value(name, one) for one in column], types.field(name).type)
        for name, column in zip(columns, values, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=types)


def _value(name: str, stored: Any) -> Any:
    """Return a stored value as Arrow takes it; predictions and labels are texts, whether classes or numbers."""
    if stored is None:
        return None
    if name in _TIMES:
        return round(stored * 1e6)
    if name in _LISTS:
        return json.loads(stored)
    if name in {"prediction", "label"}:
        return stored if stored[0] != '"' else json.loads(stored)
    return stored
