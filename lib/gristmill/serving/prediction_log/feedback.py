"""Labels that come after their predictions."""

import json
from collections.abc import Callable, Sequence
from math import isfinite

from gristmill.errors import LogUnavailable
from gristmill.serving.prediction_log.records import Feedback, FeedbackOutcome, Label, Predicted
from gristmill.serving.prediction_log.rows import as_json, clean
from gristmill.serving.prediction_log.store import Store
from gristmill.state_database import Session

LabelCheck = Callable[[Predicted, Label], str | None]

_FIND = "SELECT model, version FROM gristmill_predictions WHERE prediction_id = ?"
_LATEST = "SELECT revision, label FROM gristmill_feedback WHERE prediction_id = ? ORDER BY revision DESC LIMIT 1"
_OVERHEAD = 400
"""Bytes that a label takes beside its texts, about."""
_ADD = "INSERT INTO gristmill_feedback (prediction_id, revision, label, at, key_id) VALUES (?, ?, ?, ?, ?)"


def any_label(predicted: Predicted, label: Label) -> str | None:  # noqa: ARG001 - the shape of a check
    """Accept whatever is a label."""
    return None


def size_of(labels: Sequence[Feedback]) -> int:
    """Return about how many bytes labels take while they wait."""
    return sum(len(one.prediction_id) + len(str(one.label)) + _OVERHEAD for one in labels)


def record(store: Store, given_up: Callable[[], bool], labels: Sequence[Feedback], check: LabelCheck) -> FeedbackOutcome:
    """Write labels in one transaction, and return what became of each; see :meth:`..log.PredictionLog.record_feedback`.

    Whether somebody waits for it still is asked last, while nobody else can label these predictions: whoever was refused before
    finds nothing written, and what he sends after a refusal comes after these labels, in whichever process.

    Raises
    ------
    LogUnavailable
        The log cannot be written, or ``given_up`` says that nobody waits any more; no label was written.
    """
    recorded: list[str] = []
    repeated: list[str] = []
    corrected: list[str] = []
    refused: dict[str, str] = {}
    with store.transaction() as session:
        for label in sorted(labels, key=_id):  # in one order, so that no two wait for each other
            why_not = _refusal(session, label, check, store.lock_rows)
            if why_not is not None:
                refused[_id(label)] = why_not
            else:
                {0: recorded, 1: repeated, 2: corrected}[_written(session, label)].append(_id(label))
        if given_up():
            raise LogUnavailable("Labels that took too long were not written. Send them again.")
    return FeedbackOutcome(tuple(recorded), tuple(repeated), tuple(corrected), refused)


def _refusal(session: Session, label: Feedback, check: LabelCheck, lock: str) -> str | None:
    """Return why a label is not taken, or None."""
    found = session.execute(_FIND + lock, _id(label))
    if not found:
        return (
            f"There is no prediction {_id(label)!r} in the log: it was never answered, or is older than the log is kept. "
            "Send the id that the answer gave, after the answer."
        )
    if isinstance(label.label, float) and not isfinite(label.label):
        return f"Expected a class or a finite number as the label, got {label.label!r}."
    return check(Predicted(_id(label), *found[0]), label.label)


def _written(session: Session, label: Feedback) -> int:
    """Write a label down, and return 0 if it is the first one, 1 if it was there already, 2 if it corrects another."""
    former = session.execute(_LATEST, _id(label))
    if former and json.loads(former[0][1]) == label.label and isinstance(label.label, bool) == (former[0][1] in {"true", "false"}):
        return 1
    revision = former[0][0] + 1 if former else 1
    session.execute(_ADD, _id(label), revision, as_json(label.label), float(label.at), clean(label.key_id))
    return 2 if former else 0


def _id(label: Feedback) -> str:
    """Return the id of a label's prediction, as the log would have stored it."""
    return clean(label.prediction_id)
