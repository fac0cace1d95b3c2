"""The rows of a Parquet file, portion by portion, from any row."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gristmill.serving.batch.portions import Portion, Position

if TYPE_CHECKING:
    import pyarrow as pa

_BUFFER_BYTES = 1 << 20
"""How much of a column is read at once: without it, the whole of a row group would be."""


class ParquetRows:
    """A Parquet file that is being read; to be closed.

    Parameters
    ----------
    source
        The file.

    Raises
    ------
    pyarrow.ArrowException, OSError
        It is no Parquet file.
    """

    def __init__(self, source: Path) -> None:
        import pyarrow.parquet as pq  # noqa: PLC0415

        self._source = source
        self._file: pq.ParquetFile = pq.ParquetFile(source, buffer_size=_BUFFER_BYTES)
        self.schema: pa.Schema = self._file.schema_arrow
        self.size: int = self._file.metadata.num_rows

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def select(self, wanted: Sequence[str]) -> None:
        """Choose the columns that are read."""
        self._wanted = list(wanted)

    def portions(self, start: Position, rows: int) -> Iterator[Portion]:
        """Yield portions of ``rows`` rows each, the last one shorter, from a position that a portion has given."""
        done = start.rows
        for batch in _of_size(self._batches_from(start.rows, rows), rows):
            done += batch.num_rows

            def describe(place: int, batch: "pa.RecordBatch" = batch) -> tuple[None, str]:
                return None, json.dumps(batch.slice(place, 1).to_pylist()[0], default=str, ensure_ascii=False)

            yield Portion(batch.num_rows, batch, np.arange(batch.num_rows), (), Position(done), describe)

    def _batches_from(self, row: int, rows: int) -> "Iterator[pa.RecordBatch]":
        """Yield the rows from one on; row groups before it are not read."""
        metadata, first, groups = self._file.metadata, 0, list(range(self._file.metadata.num_row_groups))
        while groups and first + metadata.row_group(groups[0]).num_rows <= row:
            first += metadata.row_group(groups.pop(0)).num_rows
        skipped = row - first
        for batch in self._file.iter_batches(rows, row_groups=groups, columns=self._wanted):
            kept = batch.slice(min(skipped, batch.num_rows))
            skipped -= batch.num_rows - kept.num_rows
            if kept.num_rows:
                yield kept.select(self._wanted)


def _of_size(batches: "Iterator[pa.RecordBatch]", rows: int) -> "Iterator[pa.RecordBatch]":
    """Yield the same rows in batches of ``rows`` each, the last one shorter."""
    import pyarrow as pa  # noqa: PLC0415

    waiting: list[pa.RecordBatch] = []
    held = 0
    for batch in batches:
        waiting.append(batch)
        held += batch.num_rows
        while held >= rows:
            table = pa.Table.from_batches(waiting)
            yield _one(table.slice(0, rows))
            waiting, held = table.slice(rows).to_batches(), held - rows
    if held:
        yield _one(pa.Table.from_batches(waiting))


def _one(table: "pa.Table") -> "pa.RecordBatch":
    """Return a table, of at least one row, as one batch."""
    import pyarrow as pa  # noqa: PLC0415

    arrays = [column.combine_chunks() for column in table.columns]
    arrays = [one.combine_chunks() if isinstance(one, pa.ChunkedArray) else one for one in arrays]
    return pa.RecordBatch.from_arrays(arrays, schema=table.schema)
