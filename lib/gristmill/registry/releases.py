"""The release row: for each model, which version serves and at which share of traffic; and the record of how it came to that (R33).

The row is the truth about what serves; MLflow's aliases follow it. It is moved by compare-and-swap: whoever moves it names the
token of the row that was read, and each move raises the token, so that of two moves from the same row one is refused. The move and
the entry about it are one transaction. Entries are only ever added; the database refuses to change or remove one.
"""

import getpass
import json
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gristmill.errors import ReleaseConflictError
from gristmill.paths import project_root
from gristmill.registry.versions import ALIASES
from gristmill.state_database import Session, StateDatabase, Tables

SHADOW, LIVE = "shadow", "live"
MODES = (SHADOW, LIVE)
ADOPTED, PROMOTED, ROLLED_BACK, REFUSED, REPAIRED = ACTIONS = ("adopted", "promoted", "rolled back", "refused", "repaired")

_ROW = (
    "CREATE TABLE gristmill_releases (model TEXT PRIMARY KEY, champion BIGINT, challenger BIGINT, staging BIGINT, "
    "share DOUBLE PRECISION NOT NULL CHECK (share >= 0 AND share <= 1), mode TEXT NOT NULL CHECK (mode IN ('shadow', 'live')), "
    "token BIGINT NOT NULL, aliased BIGINT NOT NULL, at TEXT NOT NULL, who TEXT NOT NULL)"
)
_ENTRIES = (
    "CREATE TABLE gristmill_release_history (number {identity}, model TEXT NOT NULL, at TEXT NOT NULL, who TEXT NOT NULL, "
    "action TEXT NOT NULL, alias TEXT NOT NULL, before BIGINT, after BIGINT, reason TEXT NOT NULL, gates TEXT NOT NULL, "
    "digest TEXT, token BIGINT NOT NULL)"
)
_INDEX = "CREATE INDEX gristmill_release_history_model ON gristmill_release_history (model, number)"
_REFUSAL = "entries of the release history are only added"
TABLES = Tables(
    "gristmill_release_history",
    sqlite=(
        _ROW,
        _ENTRIES.format(identity="INTEGER PRIMARY KEY AUTOINCREMENT"),
        _INDEX,
        *(
            f"CREATE TRIGGER gristmill_release_history_{word.lower()} BEFORE {word} ON gristmill_release_history "
            f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
            for word in ("UPDATE", "DELETE")
        ),
    ),
    postgres=(
        _ROW,
        _ENTRIES.format(identity="BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"),
        _INDEX,
        "CREATE FUNCTION gristmill_release_history_kept() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$",
        "CREATE TRIGGER gristmill_release_history_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON gristmill_release_history "
        "FOR EACH STATEMENT EXECUTE FUNCTION gristmill_release_history_kept()",
    ),
)


@dataclass(frozen=True)
class Release:
    """The release row of a model; as it stands here without values where there is none yet.

    Attributes
    ----------
    model
        The registered model, which has the name of the case.
    champion, challenger, staging
        Versions, or None.
    share
        Of the traffic, from 0 to 1, that the challenger gets.
    mode
        ``shadow``, where the challenger's answers are compared and not given; or ``live``.
    token
        Raised by each move; 0 where there is no row.
    aliased
        The token up to which MLflow's aliases are known to say the same.
    at, who
        When it was last moved (ISO 8601, UTC), and by whom.
    """

    model: str
    champion: int | None = None
    challenger: int | None = None
    staging: int | None = None
    share: float = 0.0
    mode: str = SHADOW
    token: int = 0
    aliased: int = 0
    at: str = ""
    who: str = ""

    @property
    def versions(self) -> dict[str, int | None]:
        """Alias -> the version it has to mean."""
        return {alias: getattr(self, alias) for alias in ALIASES}

    def with_version(self, alias: str, version: int | None) -> "Release":
        """Return the row with ``alias`` on a version, which loses its other aliases; a new challenger begins in the shadow."""
        left: dict[str, Any] = {other: None for other, held in self.versions.items() if version is not None and held == version}
        moved = replace(self, **{**left, alias: version})
        return moved if moved.challenger == self.challenger else replace(moved, share=0.0, mode=SHADOW)


@dataclass(frozen=True)
class Entry:
    """One line of the record.

    Attributes
    ----------
    model
        The registered model.
    action
        One of :data:`ACTIONS`.
    alias
        What was to be moved.
    before, after
        The version it meant, and the one it was to mean.
    reason
        Why; for a refusal, why not.
    gates
        Of the version ``after``: how many passed, and which failed; empty where none were asked.
    digest
        Of the model directory of ``after``, where it was verified.
    number, at, who, token
        Set when it is written: its place, when, by whom, and the token of the row after it.
    """

    model: str
    action: str
    alias: str
    before: int | None
    after: int | None
    reason: str = ""
    gates: Mapping[str, Any] = field(default_factory=dict)
    digest: str | None = None
    number: int = 0
    at: str = ""
    who: str = ""
    token: int = 0


_ACTING: ContextVar[str | None] = ContextVar("gristmill_acting", default=None)


@contextmanager
def acting_as(who: str) -> Iterator[None]:
    """Record what is moved within the block as done by somebody that this process works for."""
    token = _ACTING.set(who)
    try:
        yield
    finally:
        _ACTING.reset(token)


def actor() -> str:
    """Return who moves a release: whoever this process works for, else the one who runs it, as ``user@host``."""
    asked = _ACTING.get()
    if asked is not None:
        return asked
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number that has no name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def find(model: str, root: Path | None = None) -> Release:
    """Return the release row of a model; one without versions and with token 0 if it has none.

    Raises
    ------
    StateError
        The database does not answer.
    """
    database = _database(root)
    if not database.exists:
        return Release(model)
    with database.transaction(TABLES) as session:
        return _find(session, model)


def history(model: str, root: Path | None = None) -> list[Entry]:
    """Return all that was done, or refused, about a model, the oldest first; raises as :func:`find`."""
    database = _database(root)
    if not database.exists:
        return []
    names = ", ".join(one.name for one in fields(Entry))
    with database.transaction(TABLES) as session:
        rows = session.execute(f"SELECT {names} FROM gristmill_release_history WHERE model = ? ORDER BY number", model)  # noqa: S608
    entries = [Entry(*row) for row in rows]
    return [replace(entry, gates=json.loads(str(entry.gates))) for entry in entries]


def move(before: Release, after: Release, entries: Sequence[Entry], root: Path | None = None) -> Release:
    """Put a row in the place of the one that was read, with the entries about it, and return it as it was written.

    Parameters
    ----------
    before
        The row as :func:`find` gave it.
    after
        The row as it is to be; its token, time and author are set here.
    entries
        What is recorded with it, in this order.

    Raises
    ------
    ReleaseConflictError
        Somebody has moved the row since it was read; nothing was changed.
    StateError
        The database does not answer; nothing was changed.
    """
    made = replace(after, token=before.token + 1, at=_now(), who=actor())
    values = [getattr(made, name) for name in _MOVED]
    with _database(root).transaction(TABLES) as session:
        if before.token == 0:
            marks = ", ".join("?" * len(values))
            statement = f"INSERT INTO gristmill_releases ({', '.join(_MOVED)}) VALUES ({marks})"  # noqa: S608 - names of ours
            moved = session.execute(f"{statement} ON CONFLICT (model) DO NOTHING RETURNING token", *values)
        else:
            changes = ", ".join(f"{name} = ?" for name in _MOVED)
            statement = f"UPDATE gristmill_releases SET {changes} WHERE model = ? AND token = ? RETURNING token"  # noqa: S608
            moved = session.execute(statement, *values, before.model, before.token)
        if not moved:
            raise _conflict(before, _find(session, before.model))
        for entry in entries:
            _add(session, replace(entry, token=made.token))
    return made


_MOVED = tuple(one.name for one in fields(Release))


def record(entry: Entry, root: Path | None = None) -> None:
    """Add an entry about something that moved nothing; raises as :func:`find`."""
    with _database(root).transaction(TABLES) as session:
        _add(session, replace(entry, token=_find(session, entry.model).token))


def settle(release: Release, root: Path | None = None) -> bool:
    """Note that the aliases say what this row says, and return whether it is still the row; raises as :func:`find`."""
    with _database(root).transaction(TABLES) as session:
        statement = "UPDATE gristmill_releases SET aliased = ? WHERE model = ? AND token = ? RETURNING token"
        return bool(session.execute(statement, release.token, release.model, release.token))


def _database(root: Path | None) -> StateDatabase:
    """Return the state database of a project."""
    return StateDatabase(project_root() if root is None else root)


def _find(session: Session, model: str) -> Release:
    """Return the row of a model within a transaction."""
    found = session.execute(f"SELECT {', '.join(_MOVED)} FROM gristmill_releases WHERE model = ?", model)  # noqa: S608
    return Release(*found[0]) if found else Release(model)


def _add(session: Session, entry: Entry) -> None:
    """Add an entry within a transaction."""
    written = asdict(replace(entry, at=_now(), who=actor())) | {"gates": json.dumps(dict(entry.gates), sort_keys=True)}
    del written["number"]
    marks = ", ".join("?" * len(written))
    session.execute(f"INSERT INTO gristmill_release_history ({', '.join(written)}) VALUES ({marks})", *written.values())  # noqa: S608


def _now() -> str:
    """Return the time, in ISO 8601 and UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _conflict(read: Release, found: Release) -> ReleaseConflictError:
    """Return that somebody else was first."""
    champion = "none" if found.champion is None else f"version {found.champion}"
    return ReleaseConflictError(
        f"The release of {read.model} was moved by {found.who or 'somebody else'} at {found.at or 'the same time'}, while this "
        f"command ran: its champion is {champion} now. Nothing was changed; look at `gristmill history {read.model}`, then run it "
        "again if it still is what you want."
    )
