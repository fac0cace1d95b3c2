"""A record as a row of the log's table, and back."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from gristmill.errors import DataError
from gristmill.instruments.json_writing import writer
from gristmill.serving.prediction_log.records import PredictionRecord
from gristmill.serving.prediction_log.subjects import subject_text

Row = tuple[Any, ...]

COLUMNS = (
    "prediction_id", "request_id", "at", "model", "version", "role", "key_id", "subject", "features", "prediction",
    "probabilities", "confidence", "latency_ms", "warnings", "beside",
)  # fmt: skip
_OVERHEAD = 400
"""Bytes that a row takes beside its features, about."""


def _plain(value: object) -> object:
    """Return a NumPy scalar as the number it is; JSON knows no other types."""
    item = getattr(value, "item", None)
    if item is None:
        raise TypeError(f"{type(value).__name__} has no place in JSON")
    return item()


as_json = writer(ensure_ascii=True, default=_plain)
"""Encode a value compactly and in ASCII, so that any text can be stored and the same value is always the same bytes."""


def encode(record: PredictionRecord) -> tuple[Row, int]:
    """Return a record as a row in the order of ``COLUMNS``, and about how many bytes it takes.

    Raises
    ------
    DataError
        A number is not finite, or a value has no form in JSON.
    """
    confidence = record.confidence
    try:
        features, subject = as_json(record.features), as_json(record.subject) if record.subject else "{}"
        prediction = as_json(record.prediction)
        probabilities = None if record.probabilities is None else as_json(record.probabilities)
        warnings = as_json(record.warnings) if record.warnings else "[]"
        if not isfinite(record.at + record.latency_ms + (confidence or 0.0)):
            raise ValueError("at, latency_ms or confidence is not finite")  # noqa: TRY301 - told as the others
    except (TypeError, ValueError) as error:
        raise DataError(
            f"Expected a prediction that can be written as JSON, got one with a value that cannot: {error}. Send finite numbers, "
            "texts, truth values or null."
        ) from error
    row = (
        clean(record.prediction_id), clean(record.request_id), float(record.at), clean(record.model),
        clean(str(record.version)), record.role, clean(record.key_id), subject, features, prediction, probabilities,
        None if confidence is None else float(confidence), float(record.latency_ms), warnings, clean(record.beside),
    )  # fmt: skip
    return row, len(features) + len(subject) + _OVERHEAD


@dataclass(frozen=True, slots=True)
class EncodedRecords:
    """Records as rows of the log.

    Attributes
    ----------
    rows
        In the order of ``COLUMNS``.
    size
        About how many bytes they take.
    """

    rows: Sequence[Row]
    size: int


def encoded(records: Sequence[PredictionRecord]) -> EncodedRecords:
    """Return records as rows; see :func:`encode`."""
    made = [encode(record) for record in records]
    return EncodedRecords([row for row, _ in made], sum([size for _, size in made]))


def decode(row: Row) -> PredictionRecord:
    """Return the record of a row in the order of ``COLUMNS``."""
    named: dict[str, Any] = dict(zip(COLUMNS, row, strict=True))
    for name in ("subject", "features", "prediction"):
        named[name] = json.loads(named[name])
    named["warnings"] = tuple(json.loads(named["warnings"]))
    if named["probabilities"] is not None:
        named["probabilities"] = tuple(json.loads(named["probabilities"]))
    return PredictionRecord(**named)


def subject_mark(subject: Mapping[str, object]) -> str:
    """Return the text that the stored subject of a record holds if, and only if, it has this one id column with this value.

    Quotes inside a stored value are escaped, so that no value can look like a column and its value.
    """
    return as_json({column: subject_text(value) for column, value in subject.items()})[1:-1]


def clean(text: str) -> str:
    """Return a text that every database takes; what cannot be printed (zeros, halves of characters) is escaped."""
    return text if text.isprintable() else ascii(text)[1:-1]
