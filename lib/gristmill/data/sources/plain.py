"""Tables reduced to a few plain column types: text, whole numbers, numbers, booleans, moments in time.

Everything after the source sees these types only, so that no stage has to know what a dictionary-encoded, decimal or nested
column is.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from gristmill.data.products import ROW_KEY
from gristmill.errors import SourceError

MOMENT = pa.timestamp("us")
"""Type of every date and time: microseconds without a zone, in UTC where the source had one."""


def plain_type(kind: pa.DataType) -> pa.DataType:
    """Return the plain type that a column of Arrow type ``kind`` is stored as."""
    if pa.types.is_dictionary(kind):
        return plain_type(kind.value_type)
    if pa.types.is_boolean(kind):
        return pa.bool_()
    if pa.types.is_integer(kind) and kind != pa.uint64():
        return pa.int64()
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind) or kind == pa.uint64() or pa.types.is_duration(kind):
        return pa.float64()
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return MOMENT
    return pa.string()


def _as_text(column: pa.Array) -> pa.Array:
    """Return anything that has no plain type (nested values, bytes, times of day) as text."""
    texts = [
        None if value is None else json.dumps(value, default=str, ensure_ascii=False) if isinstance(value, list | dict) else
        value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        for value in column.to_pylist()
    ]  # fmt: skip
    return pa.array(texts, type=pa.string())


def _plain_array(column: pa.Array) -> pa.Array:
    kind = column.type
    wanted = plain_type(kind)
    if pa.types.is_dictionary(kind):
        return _plain_array(column.dictionary_decode())
    if pa.types.is_duration(kind):
        return pc.divide(pc.cast(pc.cast(column, pa.duration("us")), pa.int64()).cast(pa.float64()), 1e6)
    if pa.types.is_floating(kind) and pa.types.is_float16(kind):
        return pa.array(
            column.to_numpy(zero_copy_only=False).astype("float64"), mask=column.is_null().to_numpy(zero_copy_only=False)
        )
    if wanted == pa.string() and not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind)):
        return _as_text(column)
    return column.cast(wanted, safe=False)


def check_names(names: Sequence[str], where: str) -> list[str]:
    """Return the column names as text, empty ones filled in.

    Raises
    ------
    SourceError
        Two columns share a name, or one has the name that Gristmill gives to its row index.
    """
    texts = [str(name) if str(name) else f"unnamed_{position}" for position, name in enumerate(names, start=1)]
    twice = [name for name, count in Counter(texts).items() if count > 1]
    if twice:
        raise SourceError(
            f"{where} has {Counter(texts)[twice[0]]} columns called {twice[0]!r}; every column needs a name of its own. Rename "
            "them in the source and run the command again."
        )
    if ROW_KEY in texts:
        raise SourceError(f"{where} has a column called {ROW_KEY!r}, a name that Gristmill gives to its own row index. Rename it.")
    return texts


def plain_batches(batches: Iterable[pa.RecordBatch], where: str) -> Iterator[pa.RecordBatch]:
    """Yield the batches with plain column types and checked names; all of them have the same schema.

    Raises
    ------
    SourceError
        As :func:`check_names`.
    """
    names: list[str] | None = None
    for batch in batches:
        names = names or check_names(batch.schema.names, where)
        yield pa.RecordBatch.from_arrays([_plain_array(column) for column in batch.columns], names=names)


def _object_array(values: pd.Series) -> pa.Array:
    """Return a column of Python objects as an Arrow array; mixed types become text."""
    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([None if missing else str(value) for value, missing in zip(values, values.isna(), strict=True)])


def frame_batch(frame: pd.DataFrame) -> pa.RecordBatch:
    """Return a pandas table as one record batch; its index is left behind."""
    arrays = []
    for position in range(frame.shape[1]):
        values = frame.iloc[:, position]
        column = _object_array(values)
        arrays.append(column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column)
    return pa.RecordBatch.from_arrays(arrays, names=[str(name) for name in frame.columns])


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Return an Arrow table of plain types as pandas; missing text and missing booleans are None."""
    frame: pd.DataFrame = table.to_pandas()
    return frame
