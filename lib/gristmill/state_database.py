"""What processes of a project must agree on, in a database: SQLite in its folder, or the PostgreSQL that the environment names.

A transaction is all there is: it either happened, whole and on the disk, or it did not. Statements are written once, in the SQL
that both databases speak, with ``?`` for each value.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from gristmill.errors import StateError
from gristmill.paths import ProjectPaths
from gristmill.state_postgres import URL_VARIABLE
from gristmill.state_postgres import opened as opened_postgres
from gristmill.state_tables import Tables

__all__ = ["URL_VARIABLE", "Session", "StateDatabase", "Tables"]

_SECONDS_TO_WAIT = 60


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
        opened = opened_postgres(self.url, tables) if self.url else _open_sqlite(self.file, tables)
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
