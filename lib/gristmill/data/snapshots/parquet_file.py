"""Writing batches of rows as one Parquet file, the same bytes for the same rows however they were cut."""

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from gristmill.errors import SourceError

_ROWS_A_GROUP = 1 << 17
_CELLS_A_GROUP = 1 << 23
"""Cells of a row group of a wide table; one of ten thousand columns would not fit into memory otherwise."""


def write_batches(batches: Iterable[pa.RecordBatch], path: Path) -> tuple[pa.Schema, int]:
    """Write batches of one schema as a Parquet file, and return the schema and the number of rows.

    Row groups have one size, which depends on the number of columns alone. One group is written by a second thread while the
    next is gathered.

    Raises
    ------
    SourceError
        There is no batch.
    OSError
        The file cannot be written.
    """
    with _GroupWriter(path) as writer:
        for batch in batches:
            writer.add(batch)
    if writer.schema is None:  # a source with rows yields a batch; one without raises before this
        raise SourceError("The source gave no rows. Name a table that has data.")
    return writer.schema, writer.rows


class _GroupWriter:
    """A Parquet file that gathers batches into row groups."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.schema: pa.Schema | None = None
        self.rows = 0
        self._waiting: list[pa.RecordBatch] = []
        self._n_waiting = 0
        self._group = _ROWS_A_GROUP
        self._file: pq.ParquetWriter | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="parquet")
        self._writing: Future[None] | None = None

    def __enter__(self) -> "_GroupWriter":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None and self._n_waiting:
                self._write(pa.Table.from_batches(self._waiting).combine_chunks())
            self._wait(quietly=kind is not None)
        finally:
            self._thread.shutdown()
            if self._file is not None:
                self._file.close()

    def add(self, batch: pa.RecordBatch) -> None:
        """Take rows in, and write what fills row groups."""
        if self._file is None:
            self.schema = batch.schema
            self._file = pq.ParquetWriter(self._path, batch.schema, compression="zstd")
            self._group = max(1_024, min(_ROWS_A_GROUP, _CELLS_A_GROUP // max(1, len(batch.schema))))
        self.rows += batch.num_rows
        self._waiting.append(batch)
        self._n_waiting += batch.num_rows
        if self._n_waiting >= self._group:
            # in one piece, because Arrow cuts the pages of a column where its pieces end
            table = pa.Table.from_batches(self._waiting).combine_chunks()
            whole = self._n_waiting - self._n_waiting % self._group
            self._write(table.slice(0, whole))
            self._waiting, self._n_waiting = table.slice(whole).to_batches(), self._n_waiting - whole

    def _write(self, table: pa.Table) -> None:
        """Have the second thread write, when it has written what it was given before."""
        self._wait()
        assert self._file is not None  # noqa: S101 - `add` opened it
        self._writing = self._thread.submit(self._file.write_table, table, self._group)

    def _wait(self, *, quietly: bool = False) -> None:
        """Wait for the second thread; an error of it is raised here, unless another is on its way already."""
        writing, self._writing = self._writing, None
        if writing is not None and (writing.exception() is None or not quietly):
            writing.result()
