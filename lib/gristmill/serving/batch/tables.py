"""The rows of a file to be scored, portion by portion, with the columns that the model needs and nothing else."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gristmill.data.contract.schema import nearest_column
from gristmill.errors import DataError, SourceError
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.serving.batch.delimited_rows import DelimitedRows
from gristmill.serving.batch.parquet_rows import ParquetRows
from gristmill.serving.batch.portions import Portion, Position

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIXES = (".csv", ".parquet")
ROWS_A_PORTION = 65_536
CELLS_A_PORTION = 1 << 21
"""Of a wide table, a portion has fewer rows."""


@dataclass(frozen=True)
class Rows:
    """A table that is being read.

    Attributes
    ----------
    ids
        Schema of the id columns it has.
    size
        How much there is to read: rows, or bytes of delimited text.
    portions
        Gives its rows from a position on, in order; may be none.
    """

    ids: "pa.Schema"
    size: int
    portions: Callable[[Position], Iterator[Portion]]

    def share(self, position: Position) -> float:
        """Return the share of the table that lies before a position."""
        return min(1.0, (position.offset or position.rows) / self.size) if self.size else 1.0


@contextmanager
def open_rows(source: Path, model: FittedModel, folder: Path) -> Iterator[Rows]:
    """Give the rows of a CSV or Parquet file as far as ``model`` needs them.

    Parameters
    ----------
    source
        The file.
    model
        The model.
    folder
        Where a copy of the file may be written.

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
        yield _open_csv(source, model, folder)


def _wanted(names: Sequence[str], model: FittedModel, source: Path) -> list[str]:
    """Return the columns to read: the identifiers there are, then what the model reads; name all that are missing."""
    missing = [name for name in model.feature_columns if name not in names]
    if missing:
        raise DataError(
            f"{source} lacks {', '.join(map(repr, missing[:8]))}{', ...' if len(missing) > 8 else ''}, which the model was built "
            f"on; of {missing[0]!r}, {nearest_column(missing[0], list(names))}"
        )
    ids = [name for name in model.id_columns if name in names]
    twice = next((name for name in [*ids, *model.feature_columns] if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"{source} has {names.count(twice)} columns called {twice!r}; every column needs a name of its own.")
    return list(dict.fromkeys([*ids, *model.feature_columns]))


def _rows_a_portion(n_columns: int) -> int:
    return max(1_024, min(ROWS_A_PORTION, CELLS_A_PORTION // max(n_columns, 1))) if ROWS_A_PORTION > 1_024 else ROWS_A_PORTION


@contextmanager
def _open_parquet(source: Path, model: FittedModel) -> Iterator[Rows]:
    """Give the rows of a Parquet file; identifiers keep their types."""
    import pyarrow as pa  # noqa: PLC0415

    try:
        file = ParquetRows(source)
        try:
            wanted = _wanted(file.schema.names, model, source)
            file.select(wanted)
            ids = pa.schema([file.schema.field(name).remove_metadata() for name in wanted if name in model.id_columns])
            yield Rows(ids, file.size, lambda start: file.portions(start, _rows_a_portion(len(wanted))))
        finally:
            file.close()
    except pa.ArrowException as error:
        raise SourceError(f"{source} cannot be read as Parquet: {error} It may be cut off; write it again.") from error


def _open_csv(source: Path, model: FittedModel, folder: Path) -> Rows:
    """Return the rows of a CSV file; identifiers, levels and text stay as they are written."""
    import pyarrow as pa  # noqa: PLC0415

    file = DelimitedRows(source, folder)
    wanted = _wanted(file.names, model, source)
    rows = _rows_a_portion(len(file.names))
    file.select(wanted, model)
    file.find_commas(rows)
    ids = pa.schema([(name, pa.string()) for name in wanted if name in model.id_columns])
    return Rows(ids, file.size, lambda start: file.portions(start, rows))
