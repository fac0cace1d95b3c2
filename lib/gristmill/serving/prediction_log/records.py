"""What the prediction log holds: a record for each prediction, and the labels that came later."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Role = Literal["champion", "challenger", "shadow"]
Label = str | float | bool

REPLAYED = "replay"
"""In place of a key's id, where a table was written into the log as if it had been served: nobody waited for an answer."""


@dataclass(frozen=True, slots=True)
class PredictionRecord:
    """One prediction, as it was answered.

    Attributes
    ----------
    prediction_id
        Unique among all predictions; see :func:`new_prediction_id`.
    request_id
        The request it was made for, which may have asked for several.
    at
        When it was made, in seconds since 1970 (UTC).
    model, version
        Name of the registered model, and its version as text.
    role
        As what that version answered.
    key_id
        Who asked: the id of the key, never the key.
    subject
        The id columns of the row, as text: whom or what it is about. Erasure finds records by these.
    features
        The row as it was sent: column -> value.
    prediction
        The class as it is written in the table, or a number.
    probabilities
        Of each class, in the order of the model's classes; None for numbers.
    confidence
        Probability of the class that was answered; None for numbers.
    latency_ms
        How long the answer took, in milliseconds.
    warnings
        What was said about the row.
    beside
        For a shadow's prediction, the id of the one that was answered to the same row: labels of that one count for both.
    """

    prediction_id: str
    request_id: str
    at: float
    model: str
    version: str
    role: Role
    key_id: str
    subject: Mapping[str, str]
    features: Mapping[str, object]
    prediction: str | float
    probabilities: tuple[float, ...] | None
    confidence: float | None
    latency_ms: float
    warnings: tuple[str, ...] = ()
    beside: str = ""


@dataclass(frozen=True, slots=True)
class Feedback:
    """What turned out to be true of a row that was predicted.

    Attributes
    ----------
    prediction_id
        Which prediction.
    label
        The class as it is written in the table, or a number.
    at
        When the label was received, in seconds since 1970 (UTC).
    key_id
        Who sent it: the id of the key.
    """

    prediction_id: str
    label: Label
    at: float
    key_id: str = ""


@dataclass(frozen=True, slots=True)
class Predicted:
    """The prediction that a label is for: what a check of the label needs to know.

    Attributes
    ----------
    prediction_id, model, version
        As in its record.
    """

    prediction_id: str
    model: str
    version: str


@dataclass(frozen=True, slots=True)
class FeedbackOutcome:
    """What became of labels; each is in one of the four.

    Attributes
    ----------
    recorded
        Ids whose first label was written down.
    repeated
        Ids that had this very label already; nothing was done.
    corrected
        Ids that had another label, which is kept with its time; this one counts now.
    refused
        Id -> a sentence that says why its label was not taken.
    """

    recorded: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()
    corrected: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)


def new_prediction_id() -> str:
    """Return a new id: a UUID of version 7 (RFC 9562), whose beginning is the time.

    Ids that grow with time are added at one end of the database's index, which random ones would rewrite page by page.
    """
    bits = (time.time_ns() // 1_000_000 & (1 << 48) - 1) << 80 | int.from_bytes(os.urandom(10))
    bits = bits & ~(0xF << 76) | 7 << 76
    text = f"{bits & ~(0x3 << 62) | 2 << 62:032x}"  # as `str(uuid.UUID(int=...))` writes it, in a fifth of the time
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
