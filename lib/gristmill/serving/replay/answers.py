"""A table's rows as the records that a service would have logged of them, and their labels."""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gristmill.data.targets import class_text, encode_classes, encode_numbers
from gristmill.metrics.scores import Floats, decide
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.serving.prediction_log.records import REPLAYED, Feedback, Label, PredictionRecord
from gristmill.serving.prediction_log.subjects import subject_text

KEY_ID = REPLAYED
"""Who asked, in the log: no key of the service."""

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "gristmill:replay")


@dataclass(frozen=True)
class Answered:
    """What a version says of a table's rows.

    Attributes
    ----------
    model
        The model.
    name, version
        As it is registered.
    rows
        The table.
    predicted
        Probabilities ``(n_rows, n_classes)``, or numbers ``(n_rows,)``.
    row_ms
        Milliseconds that a row took, on the average.
    """

    model: FittedModel
    name: str
    version: str
    rows: pd.DataFrame
    predicted: Floats
    row_ms: float

    @property
    def logged_columns(self) -> list[str]:
        """Columns of the contract that the table has, without what names a row and what is predicted: what a service logs."""
        hidden = {*self.model.id_columns, self.model.target}
        known = [str(column["name"]) for column in self.model.contract["columns"]]
        return [name for name in known if name not in hidden and name in self.rows.columns]


def identities(answered: Answered, marks: Sequence[object]) -> list[str]:
    """Return an id for each row: the same for the same row at the same place, of the same version and marks.

    Parameters
    ----------
    answered
        The rows.
    marks
        What else tells one replay from another.
    """
    digest = hashlib.sha256(repr([answered.name, answered.version, *marks]).encode())
    digest.update(pd.util.hash_pandas_object(answered.rows, index=False).to_numpy().tobytes())
    space = uuid.uuid5(_NAMESPACE, digest.hexdigest())
    return [str(uuid.uuid5(space, str(place))) for place in range(len(answered.rows))]


def records(answered: Answered, ids: Sequence[str], at: Floats) -> list[PredictionRecord]:
    """Return what the log holds of each row: as a service would have answered it as champion, at its moment."""
    model, classes = answered.model, answered.model.classes
    rows = _plain_rows(answered.rows, answered.logged_columns)
    subjects = _plain_rows(answered.rows, [name for name in model.id_columns if name in answered.rows.columns])
    codes = decide(answered.predicted, model.threshold).tolist() if classes else []
    made = []
    for place, (name, value) in enumerate(zip(ids, answered.predicted.tolist(), strict=True)):
        subject = {column: subject_text(one) for column, one in subjects[place].items() if one is not None}
        made.append(
            PredictionRecord(
                name, f"replay-{name[:8]}", float(at[place]), answered.name, answered.version, "champion", KEY_ID, subject,
                rows[place], classes[codes[place]] if classes else value, tuple(value) if classes else None,
                value[codes[place]] if classes else None, answered.row_ms,
            )
        )  # fmt: skip
    return made


def labels(answered: Answered, ids: Sequence[str], at: Floats, delay: float, until: float) -> list[Feedback]:
    """Return the labels that the table knows, ``delay`` seconds after their predictions, as far as they come before ``until``.

    Raises
    ------
    DataError
        A label is no class of the model, or no number.
    """
    if answered.model.target not in answered.rows.columns:
        return []
    target = answered.rows[answered.model.target]
    known = np.flatnonzero(target.notna())
    said = _said(target.iloc[known], answered.model.classes)
    moments = at[known] + delay
    return [
        Feedback(ids[place], label, float(moment), KEY_ID)
        for place, label, moment in zip(known, said, moments, strict=True)
        if moment < until
    ]


def _said(target: pd.Series, classes: Sequence[str]) -> list[Label]:
    """Return labels as they are sent: classes as they are written in the table, or numbers."""
    if not classes:
        return [float(one) for one in encode_numbers(target)]
    encode_classes(target, classes)
    return [str(one) for one in class_text(target)]


def _plain_rows(frame: pd.DataFrame, names: Sequence[str]) -> list[Mapping[str, object]]:
    """Return some columns of each row as values of JSON."""
    columns = {name: _plain(frame[name]) for name in names}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)] or [{}] * len(frame)


def _plain(values: pd.Series) -> list[object]:
    """Return a column as values of JSON: numbers, truth values and texts; None where there is none."""
    if pd.api.types.is_datetime64_any_dtype(values):
        found: list[object] = [None if pd.isna(one) else one.isoformat() for one in values]
        return found
    if pd.api.types.is_bool_dtype(values) or pd.api.types.is_numeric_dtype(values):
        return [None if pd.isna(one) or not np.isfinite(one) else one for one in values.astype(object).tolist()]
    return [None if pd.isna(one) else one if isinstance(one, bool | int | float) else str(one) for one in values]
