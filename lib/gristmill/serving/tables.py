"""The rows of a file to be scored, batch by batch, with the columns that the model needs and nothing else."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gristmill.data.contract.schema import nearest_column
from gristmill.data.sources.delimited import read_delimited
from gristmill.data.sources.dialect import find_delimiter, find_encoding
from gristmill.errors import DataError, SourceError
from gristmill.modeling.artifact.fitted import FittedModel

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIXES = (".csv", ".parquet")
ROWS_A_BATCH = 65_536
SAMPLE_CHARACTERS = 1 << 18
READ_AS_NUMBERS = ("numeric", "boolean")
"""Kinds of columns whose type may be taken from the file; all others are read as text from CSV."""


@dataclass(frozen=True)
class Rows:
    """A table that is being read.

    Attributes
    ----------
    ids
        Schema of the id columns it has.
    batches
        Its rows in order; may be none.
    """

    ids: "pa.Schema"
    batches: "Iterator[pa.RecordBatch]"


@contextmanager
def open_rows(source: Path, model: FittedModel) -> Iterator[Rows]:
    """Give the rows of a CSV or Parquet file as far as ``model`` needs them.

    Raises
    ------
    SourceError
        The file cannot be read.
    DataError
        A column that the model needs is missing.
    """
    if source.suffix.lower() == ".parquet":
        with _open_parquet(source, model) as rows:
            yield rows
    else:
        yield _open_csv(source, model)


def _wanted(names: Sequence[str], model: FittedModel, source: Path) -> list[str]:
    """Return the columns to read: the identifiers there are, then what the model reads; name all that are missing."""
    missing = [name for name in model.feature_columns if name not in names]
    if missing:
        raise DataError(
            f"{source} lacks {', '.join(map(repr, missing[:8]))}{', ...' if len(missing) > 8 else ''}, which the model was built "
            f"on; of {missing[0]!r}, {nearest_column(missing[0], list(names))}"
        )
    ids = [name for name in model.id_columns if name in names]
    return list(dict.fromkeys([*ids, *model.feature_columns]))


@contextmanager
def _open_parquet(source: Path, model: FittedModel) -> Iterator[Rows]:
    """Give the rows of a Parquet file; identifiers keep their types."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        with pq.ParquetFile(source) as file:
            schema = file.schema_arrow
            wanted = _wanted(schema.names, model, source)
            ids = pa.schema([schema.field(name).remove_metadata() for name in wanted if name in model.id_columns])
            yield Rows(ids, file.iter_batches(ROWS_A_BATCH, columns=wanted))
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{source} cannot be read as Parquet: {error} It may be cut off; write it again.") from error


def _open_csv(source: Path, model: FittedModel) -> Rows:
    """Return the rows of a CSV file; identifiers, levels and text stay as they are written."""
    import pyarrow as pa  # noqa: PLC0415

    header, has_rows = _look_at(source)
    wanted = _wanted(header, model, source)
    typed = {column["name"] for column in model.contract["columns"] if column["kind"] in READ_AS_NUMBERS} - set(model.id_columns)
    ids = pa.schema([(name, pa.string()) for name in wanted if name in model.id_columns])
    batches = read_delimited(source, {}, set(header) - typed) if has_rows else iter(())
    return Rows(ids, (batch.select(wanted) for batch in batches))


def _look_at(source: Path) -> tuple[tuple[str, ...], bool]:
    """Return the header of a CSV file, and whether a row follows it."""
    with source.open(encoding=find_encoding(source).replace("utf-8", "utf-8-sig"), newline="") as text:
        delimiter = find_delimiter(text.read(SAMPLE_CHARACTERS))
        text.seek(0)
        records = (record for record in csv.reader(text, delimiter=delimiter) if record)
        header = next(records, [])
        return tuple(header), next(records, None) is not None
