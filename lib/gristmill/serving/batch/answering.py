"""The answers to one portion of rows, one for each row, empty for those that cannot be predicted."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.errors import DataError
from gristmill.features.treated import Treated
from gristmill.serving.batch.portions import BadRow, Portion
from gristmill.serving.batch.unfit_values import unfit_values
from gristmill.serving.compiled.sources import LevelSource
from gristmill.serving.predictor import PREDICTION, PREDICTION_SET, Predictor

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Answers:
    """The answers to a portion.

    Attributes
    ----------
    batch
        One row for each of the portion.
    bad
        Rows that could not be predicted, in order.
    counts
        What was missing, far out or unseen in the others.
    """

    batch: "pa.RecordBatch"
    bad: tuple[BadRow, ...]
    counts: Treated | None


def output_schema(ids: "pa.Schema", predictor: Predictor, interval: float | None, suffix: str) -> "pa.Schema":
    """Return the columns of the output: identifiers as they came, prediction, probabilities, and set or interval.

    Raises
    ------
    DataError
        An identifier has the name of one of the others.
    LevelError, ArtifactError
        The model cannot answer at the level of ``interval``.
    """
    import pyarrow as pa  # noqa: PLC0415

    columns = predictor.columns_with(interval)
    clash = sorted(set(ids.names) & set(columns))
    if clash:
        raise DataError(f"The id column {clash[0]!r} has the name of a column of predictions. Rename it.")
    types = {PREDICTION_SET: pa.string() if suffix == ".csv" else pa.list_(pa.string())}
    if predictor.model.classes:
        types[PREDICTION] = pa.string()
    return pa.schema([*ids, *(pa.field(name, types.get(name, pa.float64())) for name in columns)])


def answer(
    portion: Portion,
    predictor: Predictor,
    schema: "pa.Schema",
    interval: float | None,
    *,
    strict: bool = False,
    counted: bool = True,
) -> Answers:
    """Return the answers to a portion.

    Parameters
    ----------
    portion
        The rows.
    predictor
        The model.
    schema
        What :func:`output_schema` has returned.
    interval
        The level of sets or intervals, None without.
    strict
        Whether to refuse a row that cannot be predicted.
    counted
        Whether to count what was missing, far out or unseen.

    Raises
    ------
    DataError
        ``strict``, and there is such a row; or the model cannot be asked at all.
    """
    from gristmill.data.sources.plain import plain_batches  # noqa: PLC0415

    if strict:
        _refuse(portion.bad)
    read = portion.batch.select(list(predictor.model.feature_columns))  # identifiers go from the input to the output as they are
    plain = next(plain_batches([read], f"rows from {portion.before + 1}"))
    frame = plain.to_pandas(categories=_levels(plain.schema, predictor))
    kept, bad = np.delete(np.arange(len(frame)), portion.unfit), portion.bad
    try:
        said, counts = _said(predictor, _at(frame, kept), interval, counted=counted)
    except DataError:
        unfit = {index: told for index, told in unfit_values(frame, predictor.model).items() if index in set(kept.tolist())}
        if not unfit:
            raise
        found = [portion.bad_row(int(portion.places[index]), *told) for index, told in unfit.items()]
        bad = tuple(sorted([*bad, *found], key=lambda row: row.row))
        if strict:
            _refuse(bad)
        kept = kept[~np.isin(kept, list(unfit))]
        said, counts = _said(predictor, _at(frame, kept), interval, counted=counted)
    return Answers(_whole(portion, kept, said, schema), bad, counts)


def _said(
    predictor: Predictor, frame: pd.DataFrame, interval: float | None, *, counted: bool
) -> tuple[pd.DataFrame, Treated | None]:
    """Return the answers to rows, and the counts if they are wanted."""
    return predictor.answer_counted(frame, interval=interval) if counted else (predictor.answer(frame, interval=interval), None)


def _levels(schema: "pa.Schema", predictor: Predictor) -> list[str]:
    """Return the columns of text that a compiled model only looks up: their codes are read faster than a text a row."""
    import pyarrow as pa  # noqa: PLC0415

    compiled = predictor.compiled_model
    sources = () if compiled is None else compiled.plan.intake.sources
    return [
        s.column for s in sources if isinstance(s, LevelSource) and s.written and pa.types.is_string(schema.field(s.column).type)
    ]


def _at(frame: pd.DataFrame, kept: NDArray[np.int64]) -> pd.DataFrame:
    """Return the rows at some places."""
    return frame if len(kept) == len(frame) else frame.iloc[kept].reset_index(drop=True)


def _refuse(bad: tuple[BadRow, ...]) -> None:
    """Refuse the first row that cannot be predicted, if there is one.

    Raises
    ------
    DataError
        There is one.
    """
    if bad:
        sentence = bad[0].sentence
        raise DataError(f"{sentence[0].upper()}{sentence[1:]}. Mend it, or score without --strict, which leaves such rows empty.")


def _whole(portion: Portion, kept: NDArray[np.int64], said: pd.DataFrame, schema: "pa.Schema") -> "pa.RecordBatch":
    """Return one row for each of the portion: identifiers of those that could be read, answers of those that were predicted."""
    import pyarrow as pa  # noqa: PLC0415

    n_ids = len(schema) - said.shape[1]
    ids = [portion.batch.column(name) for name in schema.names[:n_ids]]
    made = [_array(said[field.name], field.type) for field in list(schema)[n_ids:]]
    if len(portion.places) < portion.n_rows:
        ids = [_spread(column, portion.places, portion.n_rows) for column in ids]
    if len(kept) < portion.n_rows:
        made = [_spread(column, portion.places[kept], portion.n_rows) for column in made]
    return pa.RecordBatch.from_arrays([*ids, *made], schema=schema)


def _array(values: pd.Series, kind: "pa.DataType") -> "pa.Array":
    """Return answers in the type of their column; sets in a column of text are JSON arrays."""
    import pyarrow as pa  # noqa: PLC0415

    if values.name == PREDICTION_SET and kind == pa.string():
        written = {one: json.dumps(one, ensure_ascii=False) for one in set(values)}
        return pa.array([written[one] for one in values], type=kind)
    return pa.array(values, type=kind, from_pandas=False)


def _spread(column: "pa.Array", places: NDArray[np.int64], n_rows: int) -> "pa.Array":
    """Return an array of ``n_rows`` with the values of ``column`` at some places and nothing at the others."""
    import pyarrow as pa  # noqa: PLC0415

    source = np.full(n_rows, -1, dtype=np.int64)
    source[places] = np.arange(len(places))
    return column.take(pa.array(source, mask=source < 0))
