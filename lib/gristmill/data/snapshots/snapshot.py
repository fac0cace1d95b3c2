"""Raw tables as immutable Parquet, each named by the SHA-256 of its content.

A snapshot is written to a temporary name and renamed, and never written again: the same table taken twice is one file.
"""

import datetime as dt
import fcntl
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from gristmill.data.snapshots.incremental import Continuation
from gristmill.data.snapshots.parquet_file import write_batches
from gristmill.data.sources.plain import to_frame
from gristmill.data.sources.table_source import Source
from gristmill.errors import ArtifactError, SourceError
from gristmill.paths import ProjectPaths

if TYPE_CHECKING:
    import pandas as pd

_TAKING = ".taking-"
_SECONDS_TO_LOCK = 60
"""A younger file may belong to a process that has not locked it yet."""


@dataclass(frozen=True)
class Snapshot:
    """What is known about a snapshot; the form it has in ``snapshot.json``."""

    uri: str
    digest: str
    path: str
    rows: int
    columns: dict[str, str]
    ingested_at: str
    source_version: str

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a mapping."""
        return asdict(self)


def take(source: Source, paths: ProjectPaths) -> Snapshot:
    """Store the rows of ``source`` under the project's ``data/snapshots`` and say what was stored.

    Parameters
    ----------
    source
        The table; it is read in batches, never as a whole. One with a watermark is read on from where it was left.
    paths
        The project.

    Raises
    ------
    SourceError
        The table cannot be read, or the disk does not take it; nothing is left behind.
    """
    folder = paths.snapshots
    version = source.version()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(folder)
        handle, name = tempfile.mkstemp(prefix=_TAKING, suffix=".parquet", dir=folder)
    except OSError as error:
        raise _unstorable(source, folder, error) from error
    fcntl.flock(handle, fcntl.LOCK_EX)  # given back by the system when this process ends, however it ends
    temporary = Path(name)
    try:
        going_on = Continuation(source, paths, is_whole) if source.watermark is not None else None
        if going_on is not None:
            schema, rows = write_batches(going_on.batches(), temporary)
        else:
            schema, rows = source.consumed(lambda batches: write_batches(batches, temporary))
        digest = _digest(temporary)
        _keep(temporary, folder / f"{digest}.parquet")
        if going_on is not None:
            going_on.save(folder / f"{digest}.parquet")
    except OSError as error:
        raise _unstorable(source, folder, error) from error
    finally:
        temporary.unlink(missing_ok=True)
        os.close(handle)
    return Snapshot(
        uri=source.uri,
        digest=digest,
        path=str((folder / f"{digest}.parquet").relative_to(paths.root)),
        rows=rows,
        columns={field.name: str(field.type) for field in schema},
        ingested_at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        source_version=version,
    )


@contextmanager
def borrowed(source: Source) -> Iterator[Path]:
    """Give the rows of ``source`` as a Parquet file such as :func:`take` keeps, which is gone when the block ends.

    Raises
    ------
    SourceError
        As :func:`take`.
    """
    with tempfile.TemporaryDirectory(prefix="gristmill-") as folder:
        file = Path(folder) / "rows.parquet"
        try:
            source.consumed(lambda batches: write_batches(batches, file))
        except OSError as error:
            raise _unstorable(source, Path(folder), error) from error
        yield file


def _unstorable(source: Source, folder: Path, error: OSError) -> SourceError:
    """Return what to say when the system does not take a snapshot."""
    return SourceError(
        f"{source.uri} cannot be stored under {folder}: {error.strerror or error}. Nothing was kept; make room there, or let this "
        "user write there, and run the command again."
    )


def _remove_abandoned(folder: Path) -> None:
    """Remove what a process that was killed left half written; nobody holds its lock any more."""
    for file in folder.glob(f"{_TAKING}*"):
        with suppress(OSError), file.open("rb") as left:
            if time.time() - file.stat().st_mtime > _SECONDS_TO_LOCK:
                fcntl.flock(left, fcntl.LOCK_EX | fcntl.LOCK_NB)
                file.unlink()


def _digest(path: Path) -> str:
    """Return the SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_whole(snapshot: Path) -> bool:
    """Return whether the file of a snapshot is there and holds what its name states."""
    return snapshot.is_file() and _digest(snapshot) == snapshot.stem


def _keep(temporary: Path, target: Path) -> None:
    """Give a finished file its final name, read-only, unless that content is already there."""
    if is_whole(target):
        return
    with temporary.open("rb+") as written:
        os.fsync(written.fileno())
    temporary.chmod(0o444)
    temporary.replace(target)


def verified(path: Path | str) -> Path:
    """Return the file of a snapshot after a look at every byte of it.

    Raises
    ------
    ArtifactError
        The file is missing, or its content is not the one its name states.
    """
    file = Path(path)
    if not file.is_file():
        raise ArtifactError(
            f"Expected the snapshot {file}, but it does not exist. Bring it back (`gristmill data pull`), or build the case "
            "again: `make run`."
        )
    if len(file.stem) == 64 and _digest(file) != file.stem:
        raise ArtifactError(
            f"The snapshot {file} was changed after it was taken. Delete it, then bring it back or build the case "
            "again: `make run`."
        )
    return file


def first_rows(path: Path, n: int = 5) -> "pd.DataFrame":
    """Return the first ``n`` rows of a snapshot's file, without a look at the rest."""
    with pq.ParquetFile(path) as file:
        batch = next(file.iter_batches(batch_size=n))
    return to_frame(pa.Table.from_batches([batch]))


def load(path: Path | str) -> "pd.DataFrame":
    """Return the rows of a snapshot.

    Raises
    ------
    ArtifactError
        As :func:`verified`.
    """
    return to_frame(pq.read_table(verified(path)))
