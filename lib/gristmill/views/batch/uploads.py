"""A table that somebody uploads: scored with the model in production, and given back with what was wrong in it."""

import shutil
import weakref
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import BinaryIO

import pandas as pd

from gristmill.errors import ArtifactError, DataError, GristmillError
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.modeling.artifact.model_directory import MANIFEST
from gristmill.serving.batch.inputs import check_suffix
from gristmill.serving.batch.quarantine import quarantine_file
from gristmill.serving.batch.scoring import score
from gristmill.serving.predictor import PREDICTION, PREDICTION_SET
from gristmill.serving.served.versions import ServedVersion
from gristmill.views.batch.formula_cells import escape_csv

Progress = Callable[[float, int], object]

CSV, PARQUET = FORMATS = (".csv", ".parquet")


LETTERS = 300
"""Of a cell that a page shows; the download has the rest."""


class VisitFolder:
    """A temporary folder that goes with whoever holds this: the visit of a person, or the program.

    Attributes
    ----------
    path
        The folder.
    """

    def __init__(self) -> None:
        self.path = Path(mkdtemp(prefix="gristmill-app-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


@dataclass(frozen=True)
class ScoredUpload:
    """What became of a table.

    Attributes
    ----------
    name
        Of the file as it was uploaded.
    rows, bad
        How many rows it has, and how many of them have no prediction.
    sentence
        What was missing, far out or unseen in the others.
    output
        One row for each row, as it is to be downloaded.
    quarantine
        The rows without a prediction, each with the reason; None if there are none.
    escaped
        Cells that a spreadsheet program would have taken for formulas.
    """

    name: str
    rows: int
    bad: int
    sentence: str
    output: Path
    quarantine: Path | None
    escaped: int = 0

    @property
    def output_name(self) -> str:
        """The name for the download of the output."""
        return f"{Path(self.name).stem}.scored{self.output.suffix}"

    @property
    def quarantine_name(self) -> str:
        """The name for the download of the rows without a prediction."""
        return quarantine_file(Path(self.output_name)).name

    @property
    def summary(self) -> str:
        """How many rows have a prediction."""
        done = f"{self.rows - self.bad:,} of {self.rows:,} rows of {self.name} have a prediction"
        return f"{done}; {self.bad:,} could not be read or predicted." if self.bad else f"{done}."


def score_upload(
    upload: BinaryIO,
    name: str,
    folder: Path,
    version: ServedVersion,
    suffix: str,
    *,
    level: float | None,
    progress: Progress,
    most: int | None = None,
) -> ScoredUpload:
    """Return what became of an uploaded table, whose output is in ``folder``.

    Parameters
    ----------
    upload
        Its bytes.
    name
        Of the file; the suffix says whether it is CSV or Parquet.
    folder
        Empty, and the caller's to remove.
    version
        The model.
    suffix
        One of :data:`FORMATS`: of the output.
    level
        Of sets or intervals, None without.
    progress
        Is told the share that is done, and how many rows that is.
    most
        Rows that it may have; None for any number.

    Raises
    ------
    SourceError, DataError
        The table cannot be read, is too long, lacks a column, or no row of it can be predicted; the message names the upload.
    ArtifactError
        The files of the version are gone, or not those that it was loaded from.
    """
    check_suffix(Path(name))
    if not (version.directory / MANIFEST).is_file():
        raise ArtifactError(
            f"The files of version {version.label} are gone from {version.directory}. Put them back, or build again."
        )
    source, output = folder / f"table{Path(name).suffix.lower()}", folder / f"raw{suffix}"
    with source.open("wb") as file:
        shutil.copyfileobj(upload, file)
    try:
        _check_length(source, most)
        done = score(
            source, output, str(version.directory), interval=level, progress=lambda part, rows: _told(progress, part, rows)
        )
    except GristmillError as error:
        raise DataError(str(error).replace(str(source), name)) from error
    finally:
        source.unlink()
    if done.model_digest != version.predictor.manifest.digest:
        output.unlink()
        raise ArtifactError(f"The files of version {version.label} are not those that it was loaded from: {version.directory}.")
    made, escaped = _for_download(output, version.predictor.model)
    quarantine = None if done.quarantine is None else _for_download(done.quarantine, None)[0]
    counted = "" if done.counts is None else f"{done.counts.sentence}."
    return ScoredUpload(name, done.rows, done.quarantined, counted, made, quarantine, escaped)


def _check_length(source: Path, most: int | None) -> None:
    """Refuse a Parquet file of more rows than are wanted: a few kilobytes of it can hold as many as would fill the disk."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    if most is None or source.suffix != PARQUET:
        return
    with suppress(pa.ArrowException, OSError):  # no Parquet at all: reading it says so
        rows = pq.read_metadata(source).num_rows
        if rows > most:
            raise DataError(f"{source} has {rows:,} rows, and {most:,} are allowed here (`app.batch_rows`). Use `gristmill score`.")


def _told(progress: Progress, part: float, rows: int) -> None:
    """Tell the page how far it is, whatever it answers."""
    progress(part, rows)


def _for_download(file: Path, model: FittedModel | None) -> tuple[Path, int]:
    """Return a file as it is to be downloaded, and how many cells were escaped: Parquet as it is, no program runs its cells."""
    if file.suffix != CSV:
        return file, 0
    safe = file.with_name(file.name.replace("raw", "safe"))
    numbers = () if model is None else _numbers(file, model)
    escaped = escape_csv(file, safe, numbers)
    file.unlink()
    return safe, escaped


def _numbers(file: Path, model: FittedModel) -> list[str]:
    """Return the columns of an output that hold numbers: all but identifiers, classes and sets of these."""
    names = list(pd.read_csv(file, nrows=0).columns)
    texts = {*model.id_columns, PREDICTION_SET, *([PREDICTION] if model.classes else [])}
    return [name for name in names if name not in texts]


def head(file: Path, n_rows: int) -> pd.DataFrame:
    """Return the first rows of a scored table, all cells as they are written, as far as a page has room for them."""
    return _first(file, n_rows).map(lambda cell: f"{cell[:LETTERS]}…" if isinstance(cell, str) and len(cell) > LETTERS else cell)


def _first(file: Path, n_rows: int) -> pd.DataFrame:
    if file.suffix == CSV:
        return pd.read_csv(file, nrows=n_rows, dtype=str, keep_default_na=False)
    import pyarrow.parquet as pq  # noqa: PLC0415

    with pq.ParquetFile(file) as parquet:
        batch = next(parquet.iter_batches(n_rows), None)
        shown: pd.DataFrame = parquet.schema_arrow.empty_table().to_pandas() if batch is None else batch.to_pandas()
    return shown


def template(model: FittedModel, example: dict[str, object]) -> bytes:
    """Return a CSV file with the columns that a table needs, and one row of usual values."""
    names = [*model.id_columns, *model.feature_columns]
    return pd.DataFrame([{name: example.get(name) for name in names}]).to_csv(index=False).encode()
