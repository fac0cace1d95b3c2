"""A source read on from where it was left: the snapshot taken last, and the rows that came since.

The highest value of the watermark column is remembered under ``state/watermarks``, with the snapshot that it is of. Rows at that
value itself are read again, since more of them may have come; earlier ones are kept as they were.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gristmill.data.products import write_json
from gristmill.data.sources.table_source import Source, nearest
from gristmill.errors import SourceError
from gristmill.paths import ProjectPaths


class Continuation:
    """The rows of a source with a watermark: those of its last snapshot, then what is new.

    Parameters
    ----------
    source
        A source whose ``watermark`` is set.
    paths
        The project.
    is_whole
        Says whether a snapshot is there and unchanged.
    """

    def __init__(self, source: Source, paths: ProjectPaths, is_whole: Callable[[Path], bool]) -> None:
        self._source, self._paths, self._is_whole = source, paths, is_whole
        asked = hashlib.sha256(f"{source.uri} {source.version()}".encode()).hexdigest()[:32]
        self._record = paths.state / "watermarks" / f"{asked}.json"
        self._highest: Any = None

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield all rows in order, earlier ones first.

        Raises
        ------
        SourceError
            The source cannot be read, has no such column, or a row has no value in it.
        """
        known = self._known()
        if known is not None:
            file, value = known
            kept = pq.read_schema(file)
            new = self._source.since(value).batches()
            first = next(new, None)
            if first is None or first.schema.equals(kept):
                yield from self._watched(self._earlier(file, value))
                yield from self._watched(iter([first] if first is not None else []))
                yield from self._watched(new)
                return
        yield from self._watched(self._source.batches())  # nothing is known, or the columns have changed since

    def save(self, snapshot: Path) -> None:
        """Remember that ``snapshot`` holds the rows up to the highest value that was seen."""
        self._record.parent.mkdir(parents=True, exist_ok=True)
        moment = hasattr(self._highest, "isoformat")
        value = self._highest.isoformat() if moment else self._highest
        write_json(self._record, {"uri": self._source.uri, "snapshot": snapshot.name, "highest": value, "is_time": moment})

    def _known(self) -> tuple[Path, Any] | None:
        """Return the last snapshot and the highest value in it; None if one of the two is gone."""
        try:
            record = json.loads(self._record.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        file = self._paths.snapshots / str(record["snapshot"])
        if not self._is_whole(file):
            return None
        return file, dt.datetime.fromisoformat(record["highest"]) if record["is_time"] else record["highest"]

    def _earlier(self, file: Path, value: Any) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a snapshot below the watermark."""
        with pq.ParquetFile(file) as opened:
            for batch in opened.iter_batches():
                column = batch.column(self._source.watermark)
                yield batch.filter(pc.less(column, pa.scalar(value, column.type)))

    def _watched(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the batches, and note the highest value of the watermark column."""
        name = str(self._source.watermark)
        for batch in batches:
            if name not in batch.schema.names:
                raise SourceError(
                    f"{self._source.uri} has no column {name!r}, which `source.watermark` names" + nearest(name, batch.schema.names)
                )
            column = batch.column(name)
            if column.null_count or pa.types.is_boolean(column.type):
                raise SourceError(
                    f"{self._source.uri}: the column {name!r} of `source.watermark` has rows without a value, or only true and "
                    "false; such rows would never be seen again. Name a column that is always filled and only grows."
                )
            highest = pc.max(column).as_py() if len(column) else None
            if highest is not None and (self._highest is None or highest > self._highest):
                self._highest = highest
            yield batch
