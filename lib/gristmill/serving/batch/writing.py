"""Tables as CSV or Parquet, batch by batch, without a Python object for a cell."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

Write = Callable[["pa.RecordBatch"], None]

_NEEDS_QUOTES = '[",\r\n]'


@contextmanager
def writer(suffix: str, path: Path, schema: "pa.Schema") -> Iterator[Write]:
    """Give a function that appends batches to a CSV or Parquet file.

    In CSV a missing value is an empty field, a number the shortest text that reads back as the same number, and a text is quoted
    where it has to be.

    Parameters
    ----------
    suffix
        ``.csv`` or ``.parquet``.
    path
        The file; it is replaced.
    schema
        Its columns.
    """
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    if suffix == ".parquet":
        with pq.ParquetWriter(path, schema) as parquet:
            yield parquet.write_batch
        return
    with path.open("wb") as file:
        names = [_quoted(pa.array([name]))[0].as_py() for name in schema.names]
        file.write((",".join(names) + "\n").encode())
        yield lambda batch: _write_lines(file.write, batch)


def _write_lines(write: Callable[[memoryview], object], batch: "pa.RecordBatch") -> None:
    """Write a batch as lines of CSV."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.compute as pc  # noqa: PLC0415

    if not batch.num_rows:
        return
    between, end, nothing = (pa.scalar(text, pa.large_string()) for text in (",", "\n", ""))
    pieces: list[pa.Array | pa.Scalar] = []
    for column in batch.columns:
        pieces += [_field(column), between]
    pieces[-1] = end
    lines = pc.binary_join_element_wise(*pieces, nothing)
    write(_bytes_of(lines))


def _bytes_of(lines: "pa.Array") -> memoryview:
    """Return the texts of an array one behind the other, as they lie in its memory."""
    import numpy as np  # noqa: PLC0415
    import pyarrow as pa  # noqa: PLC0415

    wide = pa.types.is_large_string(lines.type)
    offsets = np.frombuffer(lines.buffers()[1], dtype=np.int64 if wide else np.int32)
    first, last = offsets[lines.offset], offsets[lines.offset + len(lines)]
    return memoryview(lines.buffers()[2])[first:last]


def _field(column: "pa.Array") -> "pa.Array":
    """Return a column as the fields of CSV."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.compute as pc  # noqa: PLC0415

    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.dictionary_decode()
    text = column if pa.types.is_string(kind) or pa.types.is_large_string(kind) else _as_text(column)
    filled = pc.fill_null(text.cast(pa.large_string()), pa.scalar("", pa.large_string()))
    return _quoted(filled)


def _as_text(column: "pa.Array") -> "pa.Array":
    """Return a column of any type as text."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.compute as pc  # noqa: PLC0415

    if pa.types.is_boolean(column.type):
        return pc.if_else(column, "True", "False")
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), None, column)
    try:
        return column.cast(pa.string())
    except pa.ArrowException:
        return pa.array([None if value is None else str(value) for value in column.to_pylist()], type=pa.string())


def _quoted(text: "pa.Array") -> "pa.Array":
    """Return texts with those in quotes that CSV could not tell from what surrounds them."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.compute as pc  # noqa: PLC0415

    needed = pc.match_substring_regex(text, _NEEDS_QUOTES)
    if not pc.any(needed).as_py():
        return text
    mark, nothing = pa.scalar('"', text.type), pa.scalar("", text.type)
    inner = pc.replace_substring(text, '"', '""')
    return pc.if_else(needed, pc.binary_join_element_wise(mark, inner, mark, nothing), text)
