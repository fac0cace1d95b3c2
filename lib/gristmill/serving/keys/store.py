"""Keys in the state database: made, revoked, rotated; and the record of who did that, and when.

Entries of the record are only ever added; the database refuses to change or remove one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gristmill.errors import GristmillError
from gristmill.registry.releases import actor
from gristmill.serving.keys.key import SCOPES, Key
from gristmill.serving.keys.tokens import hash_of, new_token
from gristmill.state_database import Session, StateDatabase, Tables

CREATED, REVOKED, ROTATED = ACTIONS = ("created", "revoked", "rotated")
LONGEST_NAME = 100

_KEYS = (
    "CREATE TABLE gristmill_keys (id TEXT PRIMARY KEY, name TEXT NOT NULL, hash TEXT NOT NULL, scopes TEXT NOT NULL, "
    "created DOUBLE PRECISION NOT NULL, expires DOUBLE PRECISION NOT NULL, revoked DOUBLE PRECISION, rate DOUBLE PRECISION)"
)
_HISTORY = (
    "CREATE TABLE gristmill_key_history (number {identity}, key TEXT NOT NULL, at TEXT NOT NULL, who TEXT NOT NULL, "
    "action TEXT NOT NULL, detail TEXT NOT NULL)"
)
_REFUSAL = "entries of the history of keys are only added"
TABLES = Tables(
    "gristmill_key_history",
    sqlite=(
        _KEYS,
        _HISTORY.format(identity="INTEGER PRIMARY KEY AUTOINCREMENT"),
        *(
            f"CREATE TRIGGER gristmill_key_history_{word.lower()} BEFORE {word} ON gristmill_key_history "
            f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
            for word in ("UPDATE", "DELETE")
        ),
    ),
    postgres=(
        _KEYS,
        _HISTORY.format(identity="BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"),
        f"CREATE FUNCTION gristmill_key_history_kept() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$",
        "CREATE TRIGGER gristmill_key_history_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON gristmill_key_history "
        "FOR EACH STATEMENT EXECUTE FUNCTION gristmill_key_history_kept()",
    ),
)


class KeyStoreError(GristmillError):
    """A key cannot be made as asked, or there is none of that id."""


@dataclass(frozen=True)
class StoredKey:
    """A key as the database has it.

    Attributes
    ----------
    key
        What the service knows of it.
    hash
        SHA-256 of its token.
    created, revoked
        In seconds since 1970 (UTC); None if it is not revoked.
    """

    key: Key
    hash: str
    created: float
    revoked: float | None

    def state(self, now: float) -> str:
        """Return ``valid``, ``expired`` or ``revoked``."""
        if self.revoked is not None:
            return "revoked"
        return "valid" if now < self.key.expires else "expired"


@dataclass(frozen=True)
class KeyEvent:
    """An entry of the record: what was done with which key, when (ISO 8601, UTC) and by whom."""

    key: str
    at: str
    who: str
    action: str
    detail: str


class KeyStore:
    """The keys of the project at ``root``; raises ``StateError`` where the database does not answer."""

    def __init__(self, root: Path) -> None:
        self._database = StateDatabase(root)

    @property
    def exists(self) -> bool:
        """Whether there can be any key yet."""
        return self._database.exists

    def create(
        self, name: str, scopes: Sequence[str], lifetime: float, requests_per_second: float | None = None
    ) -> tuple[str, Key]:
        """Make a key, and return its token, which is kept nowhere, with what the service knows of it.

        Parameters
        ----------
        name
            Who or what it is for.
        scopes
            What it allows, of :data:`gristmill.serving.keys.key.SCOPES`.
        lifetime
            Seconds until it expires.
        requests_per_second
            A limit of its own.

        Raises
        ------
        KeyStoreError
            The name is empty or too long, a scope is none, or the lifetime or the limit is not above zero.
        """
        _check(name, scopes, lifetime, requests_per_second)
        now = _now()
        token, identity = new_token()
        key = Key(identity, name, frozenset(scopes), now + lifetime, requests_per_second)
        with self._database.transaction(TABLES) as session:
            _insert(session, key, hash_of(token), now)
            _record(session, identity, now, CREATED, f"{name}: {_listed(key)}, until {key.expires_at}")
        return token, key

    def all(self) -> list[StoredKey]:
        """Return every key there is or was, the oldest first."""
        if not self._database.exists:
            return []
        with self._database.transaction(TABLES) as session:
            rows = session.execute(
                "SELECT id, name, hash, scopes, created, expires, revoked, rate FROM gristmill_keys ORDER BY created"
            )
        return [_stored(row) for row in rows]

    def history(self) -> list[KeyEvent]:
        """Return all that was done with keys, the oldest first."""
        if not self._database.exists:
            return []
        with self._database.transaction(TABLES) as session:
            rows = session.execute("SELECT key, at, who, action, detail FROM gristmill_key_history ORDER BY number")
        return [KeyEvent(*row) for row in rows]

    def revoke(self, identity: str) -> Key:
        """Revoke a key, which stays so, and return it; one that is revoked already is left as it is.

        Raises
        ------
        KeyStoreError
            There is no key of that id.
        """
        now = _now()
        with self._database.transaction(TABLES) as session:
            stored = _find(session, identity)
            if stored.revoked is None:
                session.execute("UPDATE gristmill_keys SET revoked = ? WHERE id = ? AND revoked IS NULL", now, identity)
                _record(session, identity, now, REVOKED, stored.key.name)
        return stored.key

    def rotate(self, identity: str, overlap: float) -> tuple[str, Key]:
        """Make a key that allows the same for as long, let the old one work for ``overlap`` seconds more, and return the new one.

        Raises
        ------
        KeyStoreError
            There is no such key, or it is revoked or expired; or the overlap is negative.
        """
        if overlap < 0:
            raise KeyStoreError(f"Expected an overlap of zero or more, got {overlap:g} seconds.")
        now = _now()
        token, successor = new_token()
        with self._database.transaction(TABLES) as session:
            stored = _find(session, identity)
            if stored.state(now) != "valid":
                raise KeyStoreError(f"The key {identity} is {stored.state(now)}. Make a new one: `gristmill keys create`.")
            old, until = stored.key, min(stored.key.expires, now + overlap)
            made = Key(successor, old.name, old.scopes, now + (old.expires - stored.created), old.requests_per_second)
            session.execute("UPDATE gristmill_keys SET expires = ? WHERE id = ?", until, identity)
            _insert(session, made, hash_of(token), now)
            _record(session, identity, now, ROTATED, f"{old.name}: followed by {successor}, works until {_iso(until)}")
            _record(
                session, successor, now, CREATED, f"{made.name}: {_listed(made)}, until {made.expires_at}, in place of {identity}"
            )
        return token, made


def _check(name: str, scopes: Sequence[str], lifetime: float, requests_per_second: float | None) -> None:
    """Raise where a key cannot be made as asked."""
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise KeyStoreError(
            f"Expected a name of 1 to {LONGEST_NAME} printable characters for the key, got {name[:LONGEST_NAME]!r}."
        )
    wrong = [scope for scope in scopes if scope not in SCOPES]
    if wrong or not scopes:
        got = repr(wrong[0]) if wrong else "none"
        raise KeyStoreError(f"Expected scopes of {', '.join(SCOPES)}, got {got}. Give one or more: `--scope predict`.")
    if not lifetime > 0:
        raise KeyStoreError(f"Expected a lifetime above zero, got {lifetime:g} seconds.")
    if requests_per_second is not None and not requests_per_second > 0:
        raise KeyStoreError(f"Expected requests per second above zero, got {requests_per_second:g}.")


def _insert(session: Session, key: Key, digest: str, now: float) -> None:
    """Add a key within a transaction."""
    session.execute(
        "INSERT INTO gristmill_keys (id, name, hash, scopes, created, expires, rate) VALUES (?, ?, ?, ?, ?, ?, ?)",
        key.id, key.name, digest, _listed(key), now, key.expires, key.requests_per_second,
    )  # fmt: skip


def _record(session: Session, key: str, now: float, action: str, detail: str) -> None:
    """Add an entry within a transaction."""
    session.execute(
        "INSERT INTO gristmill_key_history (key, at, who, action, detail) VALUES (?, ?, ?, ?, ?)",
        key,
        _iso(now),
        actor(),
        action,
        detail,
    )


def _find(session: Session, identity: str) -> StoredKey:
    """Return a key within a transaction."""
    rows = session.execute(
        "SELECT id, name, hash, scopes, created, expires, revoked, rate FROM gristmill_keys WHERE id = ?", identity
    )
    if not rows:
        raise KeyStoreError(f"Expected the id of a key, got {identity[:40]!r}. See which there are: `gristmill keys list`.")
    return _stored(rows[0])


def _stored(row: tuple[object, ...]) -> StoredKey:
    """Return a key from its row."""
    identity, name, digest, scopes, created, expires, revoked, rate = row
    own = None if rate is None else float(str(rate))
    key = Key(str(identity), str(name), frozenset(str(scopes).split()), float(str(expires)), own)
    return StoredKey(key, str(digest), float(str(created)), None if revoked is None else float(str(revoked)))


def _listed(key: Key) -> str:
    """Return the scopes of a key as one text."""
    return " ".join(sorted(key.scopes))


def _now() -> float:
    return datetime.now(UTC).timestamp()


def _iso(seconds: float) -> str:
    """Return a time in ISO 8601 and UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
