"""Requests for a new model, kept in the state database until something works them off (R34).

The service only writes them down, once each: a request with an idempotency key that was used for this model before is the same
request. Whoever trains takes the oldest that waits.
"""

import uuid
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from gristmill.state_database import Session, StateDatabase, Tables

WAITING = "waiting"

_TABLE = (
    "CREATE TABLE gristmill_retrain_requests (number {identity}, id TEXT NOT NULL UNIQUE, model TEXT NOT NULL, at TEXT NOT NULL, "
    "who TEXT NOT NULL, reason TEXT NOT NULL, idempotency_key TEXT, state TEXT NOT NULL, UNIQUE (model, idempotency_key))"
)
TABLES = Tables(
    "gristmill_retrain_requests",
    sqlite=(_TABLE.format(identity="INTEGER PRIMARY KEY AUTOINCREMENT"),),
    postgres=(_TABLE.format(identity="BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"),),
)


@dataclass(frozen=True)
class RetrainRequest:
    """A request for a new model.

    Attributes
    ----------
    number
        Its place among all requests there were.
    id
        Its name.
    model
        The registered model.
    at, who
        When it was made (ISO 8601, UTC), and by whom.
    reason
        Why.
    idempotency_key
        What makes a second request with it the same one; None without.
    state
        :data:`WAITING` until something else is written by whoever works it off.
    """

    number: int
    id: str
    model: str
    at: str
    who: str
    reason: str
    idempotency_key: str | None
    state: str


_COLUMNS = tuple(one.name for one in fields(RetrainRequest))
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM gristmill_retrain_requests"  # noqa: S608 - names of ours


def enqueue(root: Path, model: str, who: str, reason: str, idempotency_key: str | None = None) -> tuple[RetrainRequest, int, bool]:
    """Write a request down, and return it, how many of this model wait before it, and whether it is new.

    Parameters
    ----------
    root
        The project.
    model
        The registered model.
    who, reason
        For the record.
    idempotency_key
        The same for the same request, however often it is sent; None if it is not to be recognised.

    Raises
    ------
    StateError
        The database does not answer; nothing was written.
    """
    identity, at = str(uuid.uuid4()), datetime.now(UTC).isoformat(timespec="milliseconds")
    with StateDatabase(root).transaction(TABLES) as session:
        made = session.execute(
            "INSERT INTO gristmill_retrain_requests (id, model, at, who, reason, idempotency_key, state) "
            "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (model, idempotency_key) DO NOTHING RETURNING id",
            identity, model, at, who, reason, idempotency_key, WAITING,
        )  # fmt: skip
        where, value = ("id", identity) if made else ("idempotency_key", idempotency_key)
        found = RetrainRequest(*session.execute(f"{_SELECT} WHERE model = ? AND {where} = ?", model, value)[0])
        return found, _before(session, found), bool(made)


def waiting(root: Path, model: str | None = None) -> list[RetrainRequest]:
    """Return the requests that wait, the oldest first; of one model, or of all.

    Raises
    ------
    StateError
        The database does not answer.
    """
    database = StateDatabase(root)
    if not database.exists:
        return []
    with database.transaction(TABLES) as session:
        rows = session.execute(f"{_SELECT} WHERE state = ? ORDER BY number", WAITING)
    return [one for one in (RetrainRequest(*row) for row in rows) if model in (None, one.model)]


def _before(session: Session, request: RetrainRequest) -> int:
    """Return how many requests of the same model wait before one."""
    statement = "SELECT count(*) FROM gristmill_retrain_requests WHERE model = ? AND state = ? AND number < ?"
    return int(session.execute(statement, request.model, WAITING, request.number)[0][0])
