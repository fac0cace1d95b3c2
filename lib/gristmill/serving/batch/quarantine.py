"""The side file of rows that could not be predicted: each with its number, the row as it was, and the reason."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gristmill.data.products import replacing
from gristmill.serving.batch.writing import writer

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS_AT_ONCE = 10_000


def quarantine_file(target: Path) -> Path:
    """Return where the rows that ``target`` has no prediction for are written: ``out.quarantine.csv`` beside ``out.csv``."""
    return target.with_name(f"{target.stem}.quarantine{target.suffix}")


def write_quarantine(target: Path, rows: Iterable[dict[str, Any]], folder: Path) -> int:
    """Write the side file of an output, or remove it where there are no such rows; return how many there are.

    Parameters
    ----------
    target
        The output, whose format the side file has.
    rows
        As :meth:`gristmill.serving.batch.portions.BadRow.as_record` gives them, in order.
    folder
        Where it lies while it is written.
    """
    import pyarrow as pa  # noqa: PLC0415

    path = quarantine_file(target)
    schema = pa.schema(
        [("row", pa.int64()), ("line", pa.int64()), ("column", pa.string()), ("reason", pa.string()), ("content", pa.string())]
    )
    count, waiting = 0, list[dict[str, Any]]()
    with replacing(path, folder) as temporary, writer(target.suffix.lower(), temporary, schema) as write:
        for row in rows:
            waiting.append(row)
            count += 1
            if len(waiting) == _ROWS_AT_ONCE:
                write(_batch(waiting, schema))
                waiting = []
        if waiting:
            write(_batch(waiting, schema))
    if not count:
        path.unlink()
    return count


def _batch(rows: list[dict[str, Any]], schema: "pa.Schema") -> "pa.RecordBatch":
    import pyarrow as pa  # noqa: PLC0415

    return pa.RecordBatch.from_pylist(rows, schema=schema)
