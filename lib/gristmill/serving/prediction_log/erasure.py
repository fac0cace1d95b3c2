"""Erasing whatever the log holds of one person or thing, for requests under data protection law."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from gristmill.serving.prediction_log.retention import delete
from gristmill.serving.prediction_log.rows import subject_mark
from gristmill.serving.prediction_log.store import open_store

_MOST_MARKS = 100
_AT_ONCE = 500
_SECONDS_TO_WAIT = 60.0
_FIND = "SELECT seq, prediction_id FROM gristmill_predictions WHERE {holds} LIMIT ?"
_TOMBSTONE = "INSERT INTO gristmill_erasures (at, who, column_name, predictions, labels) VALUES (?, ?, ?, ?, ?)"
_COUNT = "UPDATE gristmill_erasures SET predictions = predictions + ?, labels = labels + ? WHERE at = ? AND who = ?"


@dataclass(frozen=True)
class Erased:
    """What was erased.

    Attributes
    ----------
    predictions, labels
        How many records, and labels of them.
    """

    predictions: int
    labels: int


def erase(root: Path, column: str, value: object, who: str, now: float) -> Erased:
    """Delete all records of a subject with their labels, leave nothing of them in the files, and note that it was done.

    The note has time, who, the column and the counts, and not the value. Where a kill interrupts it, the same call goes on.

    Parameters
    ----------
    root
        The project.
    column
        An id column of the model.
    value
        The subject's value in it; see :func:`..subjects.subject_text`.
    who
        Who erases.
    now
        The time, in seconds since 1970.

    Raises
    ------
    LogUnavailable
        There is no log, it cannot be written, or somebody else reads it without end.
    """
    mark = subject_mark({column: value})
    marks = [mark]
    predictions = labels = 0
    with closing(open_store(root, _SECONDS_TO_WAIT, existing=True)) as store:
        find = _FIND.format(holds=store.holds)
        with store.transaction() as session:
            session.execute(_TOMBSTONE, now, who, column, 0, 0)
        while True:
            with store.transaction() as session:
                those = session.execute(find, mark, _AT_ONCE)
                gone = delete(session, [(seq, name) for seq, name in those])
                session.execute(_COUNT, len(those), gone, now, who)
            if not those:
                break
            predictions, labels = predictions + len(those), labels + gone
            marks += [name for _, name in those[: _MOST_MARKS - len(marks)]]
        store.scrub(marks)
    return Erased(predictions, labels)
