"""From probabilities or numbers to what is said to the one who asked, and to what the log keeps of it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gristmill.metrics.scores import Floats
from gristmill.serving.api.asked import Asked
from gristmill.serving.guards.guard import RowWarning
from gristmill.serving.prediction_log.records import PredictionRecord, Role, new_prediction_id
from gristmill.serving.prediction_log.subjects import subject_text
from gristmill.serving.served.versions import ServedVersion

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Said:
    """The predictions of one version for the rows of one request.

    Attributes
    ----------
    version, role
        Who said it.
    rows
        What it was asked about.
    predictions
        The class as it is written in the table, or a number, a row.
    probabilities
        Of each class in the order of the model, a row; None for numbers.
    confidences
        Probability of the class that was said; None for numbers.
    ids
        The name of each prediction.
    warnings
        What is to be known about each row.
    seconds
        From the request to the prediction.
    """

    version: ServedVersion
    role: Role
    rows: Rows
    predictions: Sequence[Any]
    probabilities: Sequence[Sequence[float]] | None
    confidences: Sequence[float] | None
    ids: Sequence[str]
    warnings: Sequence[Sequence[RowWarning]]
    seconds: float


def said(
    version: ServedVersion,
    role: Role,
    asked: Asked,
    values: Floats,
    warnings: Sequence[Sequence[RowWarning]],
    seconds: float | None = None,
) -> Said:
    """Return in words what a version says of rows, ``values`` of shape ``(n_rows, n_classes)`` or ``(n_rows,)``."""
    ids = [new_prediction_id() for _ in asked.rows]
    if seconds is None:
        seconds = time.perf_counter() - asked.began
    classes = version.predictor.model.classes
    listed = values.tolist()
    if not classes:
        return Said(version, role, asked.rows, listed, None, None, ids, warnings, seconds)
    codes = version.codes(values)
    confidences = [row[code] for row, code in zip(listed, codes, strict=True)]
    predictions = [classes[code] for code in codes]
    return Said(version, role, asked.rows, predictions, listed, confidences, ids, warnings, seconds)


def body_of(made: Said, asked: Asked) -> dict[str, Any]:
    """Return the answer as it goes out; its form is a contract with other programs."""
    body: dict[str, Any] = {"predictions": made.predictions}
    if made.probabilities is not None:
        classes = made.version.predictor.model.classes
        body["probabilities"] = [dict(zip(classes, row, strict=True)) for row in made.probabilities]
    body["model"] = {"name": made.version.name, "version": made.version.label}
    body["request_id"] = asked.request_id
    body["prediction_ids"] = made.ids
    found = [
        {"row": place, "code": one.code, "column": one.column, "detail": one.detail}
        for place, row in enumerate(made.warnings)
        for one in row
    ]
    if found:
        body["warnings"] = found
    return body


def records_of(made: Said, asked: Asked, at: float, beside: Sequence[str] = ()) -> list[PredictionRecord]:
    """Return what the log keeps of predictions, made ``at`` in seconds since 1970; ``beside`` as the log's records have it."""
    version = made.version
    name, label, logged, ids = version.name, version.label, version.logged_columns, version.id_columns
    milliseconds = made.seconds * 1000
    records = []
    for place, row in enumerate(made.rows):
        subject = {column: subject_text(row[column]) for column in ids if row.get(column) is not None}
        kept = row if len(row) == len(logged) and not subject else {column: row[column] for column in logged if column in row}
        records.append(
            PredictionRecord(
                made.ids[place], asked.request_id, at, name, label, made.role, asked.key_id, subject, kept, made.predictions[place],
                None if made.probabilities is None else tuple(made.probabilities[place]),
                None if made.confidences is None else made.confidences[place],
                milliseconds,
                tuple(one.short for one in made.warnings[place]) if made.warnings else (),
                beside[place] if beside else "",
            )
        )  # fmt: skip
    return records
