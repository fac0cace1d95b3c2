"""What processes of a project must agree on, in a database: SQLite in its folder, or the PostgreSQL that the environment names.

A transaction is all there is: it either happened, whole and on the disk, or it did not. Statements are written once, in the SQL
that both databases speak, with ``?`` for each value.
"""

import fcntl
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from gristmill.errors import StateError
from gristmill.paths import ProjectPaths

URL_VARIABLE = "GRISTMILL_DATABASE_URL"
_SECONDS_TO_WAIT = 60
_CREATING = 4_714_203_961
"""The number of PostgreSQL's lock that is held while tables are made: two processes that make them at once break each other."""


@dataclass(frozen=True)
class Tables:
    """Tables that belong together, made on first use.

    Attributes
    ----------
    name
        One of them; where it exists, all do.
    sqlite, postgres
        The statements that make them.
    """

    name: str
    sqlite: tuple[str, ...]
    postgres: tuple[str, ...]


class Session(Protocol):
    """A transaction that is open."""

    def execute(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run a statement with a value for each ``?``, and return its rows.

        Raises
        ------
        StateError
            The database refuses it, or is gone.
        """


@dataclass(frozen=True)
class StateDatabase:
    """The state database of the project at ``root``."""

    root: Path

    @property
    def url(self) -> str:
        """The PostgreSQL to use, or an empty text for the project's own SQLite file."""
        return os.environ.get(URL_VARIABLE, "")

    @property
    def file(self) -> Path:
        """The SQLite file."""
        return ProjectPaths(self.root).state / "gristmill.db"

    @property
    def exists(self) -> bool:
        """Whether anything can have been written yet."""
        return bool(self.url) or self.file.exists()

    @contextmanager
    def transaction(self, tables: Tables) -> Iterator[Session]:
        """Give a session whose statements take effect together when the block ends, and not at all when it raises.

        Writers follow each other: in SQLite one at a time, in PostgreSQL by row.

        Raises
        ------
        StateError
            The database does not answer, or refuses a statement.
        """
        opened = _open_postgres(self.url, tables) if self.url else _open_sqlite(self.file, tables)
        with opened as session:
            yield session


@contextmanager
def _open_sqlite(file: Path, tables: Tables) -> Iterator[Session]:
    """Give a transaction of an SQLite file, which is made with its tables if need be."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.with_name(f".{file.name}.lock").open("w") as lock:  # who is first makes it, the others wait
            fcntl.flock(lock, fcntl.LOCK_EX)
            connection = _connect_sqlite(file, tables)
    except (sqlite3.Error, OSError) as error:
        raise StateError(
            f"The state database {file} cannot be opened: {error}. Make the folder writable, or name a PostgreSQL in "
            f"{URL_VARIABLE}."
        ) from error
    with closing(connection):
        session = _SqliteSession(connection, file)
        session.execute("BEGIN IMMEDIATE")
        try:
            yield session
        except BaseException:
            connection.rollback()
            raise
        session.execute("COMMIT")


def _connect_sqlite(file: Path, tables: Tables) -> sqlite3.Connection:
    """Return a connection that writes ahead, waits its turn, and has its commits on the disk when they return."""
    connection = sqlite3.connect(file, timeout=_SECONDS_TO_WAIT, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (tables.name,)).fetchall():
            connection.execute("BEGIN IMMEDIATE")
            for statement in tables.sqlite:
                connection.execute(statement)
            connection.execute("COMMIT")
    except BaseException:
        connection.close()
        raise
    return connection


@dataclass(frozen=True)
class _SqliteSession:
    """A transaction of SQLite."""

    connection: sqlite3.Connection
    file: Path

    def execute(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows."""
        try:
            return self.connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise StateError(f"The state database {self.file} refuses: {error}. Nothing was changed by this command.") from error


@contextmanager
def _open_postgres(url: str, tables: Tables) -> Iterator[Session]:
    """Give a transaction of a PostgreSQL, in which the tables are made if need be."""
    try:
        from adbc_driver_manager import dbapi as manager  # noqa: PLC0415 - an extra
        from adbc_driver_postgresql import dbapi  # noqa: PLC0415
    except ImportError as error:
        raise StateError(
            f"{URL_VARIABLE} names a PostgreSQL, which needs the package adbc-driver-postgresql. Install it: `uv pip install "
            "'gristmill[postgres]'`."
        ) from error
    scheme, address = urlsplit(url).scheme, _shown(url)
    if scheme.partition("+")[0] not in ("postgresql", "postgres"):
        raise StateError(
            f"Expected {URL_VARIABLE} as postgresql://USER:PASSWORD@HOST/DATABASE, got {address!r}. Correct it, or unset it to use "
            "the project's own SQLite file."
        )
    try:
        connection = dbapi.connect(re.sub(r"^[a-z]+(\+\w+)?:", "postgresql:", url))
    except manager.Error as error:
        raise StateError(
            f"The state database {address} does not answer: {_reason(error)}. Start it, correct {URL_VARIABLE}, or unset it."
        ) from error
    session = _PostgresSession(connection, address, manager.Error)
    try:
        if not session.has(tables.name):
            session.execute("SELECT pg_advisory_xact_lock(?)::text", _CREATING)
            for statement in () if session.has(tables.name) else tables.postgres:
                session.execute(statement)
            session.commit()
        yield session
        session.commit()
    finally:
        connection.close()  # what was not committed is rolled back by the server


@dataclass(frozen=True)
class _PostgresSession:
    """A transaction of PostgreSQL."""

    connection: Any
    address: str
    errors: type[Exception]

    def execute(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows."""
        marks = iter(range(1, len(values) + 1))
        try:
            with self.connection.cursor() as cursor:
                cursor.adbc_statement.set_options(**{"adbc.postgresql.use_copy": "false"})  # COPY takes no values
                cursor.execute(re.sub(r"\?", lambda _: f"${next(marks)}", statement), values or None)
                return list(cursor.fetchall()) if cursor.description else []
        except self.errors as error:
            raise self._refusal(error) from error

    def has(self, table: str) -> bool:
        """Return whether there is a table of that name."""
        return self.execute("SELECT to_regclass(?)::text", table) != [(None,)]

    def commit(self) -> None:
        """Make what was done so far last."""
        try:
            self.connection.commit()
        except self.errors as error:
            raise self._refusal(error) from error

    def _refusal(self, error: Exception) -> StateError:
        """Return what the server said, as one sentence."""
        return StateError(f"The state database {self.address} refuses: {_reason(error)}. Run the command again once it answers.")


def _shown(url: str) -> str:
    """Return a URL without its password and options."""
    parts = urlsplit(url)
    user = f"{parts.username}@" if parts.username else ""
    return f"{parts.scheme}://{user}{parts.netloc.rpartition('@')[2]}{parts.path}"


def _reason(error: Exception) -> str:
    """Return what the server says of an error, in one line."""
    text = re.sub(r"\. SQLSTATE: \w+\s*$", "", str(error)).split("] ", 1)[-1]
    said = re.search(r"(?:FATAL|ERROR):\s+(.*)", text)
    return " ".join((said[1] if said else text).split("\n")[0].split()).rstrip(".")
