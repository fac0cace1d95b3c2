"""Scoring of whole tables, in chunks, so that memory does not grow with their size (R36).

The contract says what the columns are, not the file: codes such as ``01`` stay text wherever the model was built on text.
"""

import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from gristmill.data.products import replacing
from gristmill.errors import DataError, SourceError
from gristmill.features.treated import Treated
from gristmill.modeling.conformal.conformity import checked_level
from gristmill.paths import ProjectPaths
from gristmill.serving.predictor import PREDICTION, PREDICTION_SET, Predictor
from gristmill.serving.tables import SUFFIXES, open_rows

if TYPE_CHECKING:
    import pyarrow as pa

Write = Callable[["pa.RecordBatch"], None]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scored:
    """What was scored.

    Attributes
    ----------
    rows
        How many rows were predicted.
    counts
        What was missing, far out or unseen in them, None where there were
        no rows, or the model has no plan.
    """

    rows: int
    counts: Treated | None

    @property
    def sentence(self) -> str:
        """What became of missing values, outliers and levels never seen; empty where nothing is known of them."""
        return "" if self.counts is None else f"{self.counts.sentence}."


def score(
    input_file: Path | str,
    output_file: Path | str,
    model_reference: str,
    paths: ProjectPaths | None = None,
    *,
    interval: float | None = None,
) -> Scored:
    """Predict every row of a file and write one row for each, in order; return how many there were, and what was wrong in them.

    Parameters
    ----------
    input_file, output_file
        CSV or Parquet, told by their suffixes. The output is written whole or not at all.
    model_reference
        ``NAME@alias``, ``NAME/VERSION`` or a model directory.
    paths
        The project; found from the working directory when omitted.
    interval
        Share of rows, from 0.5 to 0.999, whose set or interval is to hold the truth. The output then has ``prediction_set``, a list
        of classes (in CSV as a JSON array), or for numbers ``lower`` and ``upper``.

    Raises
    ------
    LevelError
        The level is none, or the model learnt from too few rows to vouch for it.
    SourceError
        A file cannot be read or written, has another suffix, or both are the same.
    DataError
        A column is missing, or holds a value its contracted type cannot hold.
    RegistryError, ArtifactError
        There is no such model, it is not what its manifest says, or it was built before there were sets and intervals.
    """
    source, target = Path(input_file), Path(output_file)
    _check_files(source, target)
    if interval is not None:
        checked_level(interval)
    predictor = Predictor.named(model_reference, paths)
    columns = predictor.columns_with(interval)
    with open_rows(source, predictor.model) as rows, replacing(target) as temporary:
        schema = _output_schema(rows.ids, predictor, columns, target.suffix.lower())
        done = 0
        counts: Treated | None = None
        with _writer(target.suffix.lower(), temporary, schema) as write:
            for batch in rows.batches:
                answers, more = _answered(batch, predictor, schema, f"{source}, from row {done + 1}", interval)
                write(answers)
                done += batch.num_rows
                counts = more if counts is None or more is None else counts.with_more(more)
    totals = None if counts is None else counts.totals
    _LOG.info("scored %s with %s: %d rows, %s", source, predictor.manifest.digest[:12], done, totals)
    return Scored(done, counts)


def _check_files(source: Path, target: Path) -> None:
    """Refuse files that cannot be what they are asked to be."""
    for path in (source, target):
        if path.suffix.lower() not in SUFFIXES:
            raise SourceError(f"Expected a file called *.csv or *.parquet, got {str(path)!r}. Convert it, or correct its name.")
    if not source.is_file():
        raise SourceError(f"There is no file {str(source)!r} to score.")
    if target.is_dir() or not target.parent.is_dir() or not os.access(target.parent, os.W_OK):
        raise SourceError(f"{str(target)!r} cannot be written: its folder does not exist or is closed, or it is a folder itself.")
    if target.exists() and source.samefile(target):
        raise SourceError(f"The output {str(target)!r} is the input itself, which would be lost. Name another output.")


def _output_schema(ids: "pa.Schema", predictor: Predictor, columns: Sequence[str], suffix: str) -> "pa.Schema":
    """Return the columns of the output: identifiers as they came, prediction, probabilities, and set or interval."""
    import pyarrow as pa  # noqa: PLC0415

    clash = sorted(set(ids.names) & set(columns))
    if clash:
        raise DataError(f"The id column {clash[0]!r} has the name of a column of predictions. Rename it.")
    types = {PREDICTION_SET: pa.string() if suffix == ".csv" else pa.list_(pa.string())}
    if predictor.model.classes:
        types[PREDICTION] = pa.string()
    return pa.schema([*ids, *(pa.field(name, types.get(name, pa.float64())) for name in columns)])


def _answered(
    batch: "pa.RecordBatch", predictor: Predictor, schema: "pa.Schema", place: str, interval: float | None
) -> tuple["pa.RecordBatch", Treated | None]:
    """Return identifiers and predictions of one batch of rows, and what was wrong in them."""
    import pyarrow as pa  # noqa: PLC0415

    from gristmill.data.sources.plain import plain_batches  # noqa: PLC0415

    plain = next(plain_batches([batch], place))
    try:
        answers, counts = predictor.answer_counted(plain.to_pandas(), interval=interval)
    except DataError as error:
        raise DataError(f"{place}: {error}") from error
    if PREDICTION_SET in answers.columns and schema.field(PREDICTION_SET).type == pa.string():
        written = {one: json.dumps(one, ensure_ascii=False) for one in set(answers[PREDICTION_SET])}
        answers[PREDICTION_SET] = [written[one] for one in answers[PREDICTION_SET]]
    n_ids = len(schema) - answers.shape[1]
    made = [pa.array(answers[field.name], type=field.type, from_pandas=False) for field in list(schema)[n_ids:]]
    return pa.RecordBatch.from_arrays([*(batch.column(name) for name in schema.names[:n_ids]), *made], schema=schema), counts


@contextmanager
def _writer(suffix: str, path: Path, schema: "pa.Schema") -> Iterator[Write]:
    """Give a function that appends batches to a CSV or Parquet file."""
    import pyarrow.parquet as pq  # noqa: PLC0415

    if suffix == ".parquet":
        with pq.ParquetWriter(path, schema) as writer:
            yield writer.write_batch
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        pd.DataFrame(columns=schema.names).to_csv(file, index=False)
        yield lambda batch: batch.to_pandas(types_mapper=pd.ArrowDtype).to_csv(file, index=False, header=False)
