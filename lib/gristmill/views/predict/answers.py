"""An answer of the service as a page shows it; the same whether the service runs in the app or elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Noticed:
    """What is unusual about a row: the column, or an empty text for the whole row, and a sentence."""

    column: str
    detail: str

    @property
    def sentence(self) -> str:
        """Both as one sentence."""
        return f"{self.column}: {self.detail}" if self.column else self.detail


@dataclass(frozen=True)
class Answer:
    """The answer to one row.

    Attributes
    ----------
    prediction
        A class as it is written in the table, or a number.
    probabilities
        Class -> probability; empty for a number.
    level
        Share of rows whose set or interval holds the truth; None where the model knows none.
    classes
        The set of classes at that level; empty for a number.
    ends
        The interval at that level; None for classes.
    model, version
        Who answered.
    prediction_id
        Its name in the prediction log.
    noticed
        What is unusual about the row.
    explanation
        Reasons, where the service gave them with the answer.
    """

    prediction: str | float
    probabilities: Mapping[str, float]
    level: float | None
    classes: tuple[str, ...]
    ends: tuple[float, float] | None
    model: str
    version: str
    prediction_id: str
    noticed: tuple[Noticed, ...] = ()
    explanation: Mapping[str, Any] | None = field(default=None)

    @property
    def confidence(self) -> float | None:
        """Probability of the class that was answered; None for a number."""
        return self.probabilities.get(str(self.prediction))


def answer_of(body: Mapping[str, Any], level: float | None) -> Answer:
    """Return the first answer in a body of the service, asked for at a level."""
    ends = body.get("intervals", [None])[0]
    return Answer(
        prediction=body["predictions"][0],
        probabilities=dict(body.get("probabilities", [{}])[0]),
        level=level,
        classes=tuple(body.get("prediction_sets", [()])[0]),
        ends=None if ends is None else (float(ends["lower"]), float(ends["upper"])),
        model=body["model"]["name"],
        version=str(body["model"]["version"]),
        prediction_id=body["prediction_ids"][0],
        noticed=tuple(Noticed(one["column"], one["detail"]) for one in body.get("warnings", ())),
        explanation=body.get("explanations", [None])[0],
    )


def refusal(detail: str, more: Mapping[str, Any]) -> str:
    """Return a problem document of the service as sentences: what is wrong, then column by column."""
    parts = [detail]
    for one in more.get("errors", ()):
        if "expected" in one:
            parts.append(f"{one['column'] or 'The row'}: expected {one['expected']}, got {one['got']}.")
        elif "detail" in one:
            parts.append(f"{one['column'] or 'The row'}: {one['detail']}")
    return " ".join(parts)
