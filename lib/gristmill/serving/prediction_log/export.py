"""The log as a Parquet file."""

import os
import secrets
from pathlib import Path

from gristmill.errors import SourceError
from gristmill.serving.prediction_log.arrow import LABEL_COLUMNS, schema
from gristmill.serving.prediction_log.reader import LogReader
from gristmill.serving.prediction_log.rows import COLUMNS


def export(reader: LogReader, file: Path, model: str | None = None, since: float | None = None, until: float | None = None) -> int:
    """Write records with their latest labels to a Parquet file, and return how many; see :meth:`..reader.LogReader.batches`.

    The file appears whole, or not at all; memory is bounded by a page of records.

    Parameters
    ----------
    reader
        The log.
    file
        Where to; what is there is replaced. It is readable by its owner alone: it is about people.
    model, since, until
        Which records.

    Raises
    ------
    SourceError
        The file cannot be written.
    LogUnavailable
        There is no log, or it cannot be read.
    """
    import pyarrow.parquet as pq  # noqa: PLC0415 - not before it is needed

    half = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    written = 0
    try:
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            with pq.ParquetWriter(opened, schema((*COLUMNS, *LABEL_COLUMNS)), compression="zstd") as writer:
                for batch in reader.batches(model, since, until):
                    writer.write_batch(batch)
                    written += batch.num_rows
            opened.flush()
            os.fsync(opened.fileno())
        half.replace(file)
    except OSError as error:
        raise SourceError(f"The file {file} cannot be written: {error}. Name one in a folder that exists, with space.") from error
    finally:
        half.unlink(missing_ok=True)
    return written
