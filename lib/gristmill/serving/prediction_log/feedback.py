"""Labels that come after their predictions."""

import json
from collections.abc import Callable, Sequence

from gristmill.serving.prediction_log.records import Feedback, FeedbackOutcome, Label, Predicted
from gristmill.serving.prediction_log.rows import as_json
from gristmill.serving.prediction_log.store import Store
from gristmill.state_database import Session

LabelCheck = Callable[[Predicted, Label], str | None]

_FIND = "SELECT model, version FROM gristmill_predictions WHERE prediction_id = ?"
_LATEST = "SELECT revision, label FROM gristmill_feedback WHERE prediction_id = ? ORDER BY revision DESC LIMIT 1"
_ADD = "INSERT INTO gristmill_feedback (prediction_id, revision, label, at, key_id) VALUES (?, ?, ?, ?, ?)"


def any_label(predicted: Predicted, label: Label) -> str | None:  # noqa: ARG001 - the shape of a check
    """Accept whatever is a label."""
    return None


def record(store: Store, labels: Sequence[Feedback], check: LabelCheck) -> FeedbackOutcome:
    """Write labels in one transaction, and return what became of each; see :meth:`..log.PredictionLog.record_feedback`."""
    recorded: list[str] = []
    repeated: list[str] = []
    corrected: list[str] = []
    refused: dict[str, str] = {}
    with store.transaction() as session:
        for label in sorted(labels, key=lambda one: one.prediction_id):  # in one order, so that no two wait for each other
            why_not = _refusal(session, label, check, store.lock_rows)
            if why_not is not None:
                refused[label.prediction_id] = why_not
            else:
                {0: recorded, 1: repeated, 2: corrected}[_written(session, label)].append(label.prediction_id)
    return FeedbackOutcome(tuple(recorded), tuple(repeated), tuple(corrected), refused)


def _refusal(session: Session, label: Feedback, check: LabelCheck, lock: str) -> str | None:
    """Return why a label is not taken, or None."""
    found = session.execute(_FIND + lock, label.prediction_id)
    if not found:
        return (
            f"There is no prediction {label.prediction_id!r} in the log: it was never answered, or is older than the log is kept. "
            "Send the id that the answer gave, after the answer."
        )
    return check(Predicted(label.prediction_id, *found[0]), label.label)


def _written(session: Session, label: Feedback) -> int:
    """Write a label down, and return 0 if it is the first one, 1 if it was there already, 2 if it corrects another."""
    former = session.execute(_LATEST, label.prediction_id)
    if former and json.loads(former[0][1]) == label.label and isinstance(label.label, bool) == (former[0][1] in {"true", "false"}):
        return 1
    revision = former[0][0] + 1 if former else 1
    session.execute(_ADD, label.prediction_id, revision, as_json(label.label), float(label.at), label.key_id)
    return 2 if former else 0
