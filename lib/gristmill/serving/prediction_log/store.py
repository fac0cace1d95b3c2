"""What the log needs of a database, and which one it is."""

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from gristmill.paths import ProjectPaths
from gristmill.serving.prediction_log.rows import Row
from gristmill.state_database import URL_VARIABLE, Session


class Store(Protocol):
    """A connection that is kept open, for one thread.

    After an error it is to be closed, and another one opened.
    """

    lock_rows: str
    """What a ``SELECT`` ends with whose rows nobody else may change before the transaction ends."""

    holds: str
    """The condition that the subject of a record holds a text."""

    whole: str
    """The whole part of a number that is not negative, with ``{}`` for the number."""

    def transaction(self) -> AbstractContextManager[Session]:
        """Give a session whose statements are durable when the block has ended, and had no effect if it raises.

        Raises
        ------
        LogUnavailable
            The database does not answer in time, refuses a statement, or is not where it was.
        """

    def read(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a statement, without waiting for writers.

        Raises
        ------
        LogUnavailable
            As :meth:`transaction`.
        """

    def insert(self, rows: Sequence[Row]) -> None:
        """Write rows in one transaction; they are durable when this returns. A row whose id is there already is left as it is."""

    def scrub(self, marks: Sequence[str]) -> None:
        """Have nothing left in the database's files of what was deleted; ``marks`` are texts that only stood there."""

    def close(self) -> None:
        """Close the connection."""


def open_store(root: Path, seconds: float, *, existing: bool = False) -> Store:
    """Return the log's database of the project at ``root``: the PostgreSQL the environment names, or its own SQLite file.

    Parameters
    ----------
    root
        The project.
    seconds
        How long to wait for others.
    existing
        Whether only a log that exists is opened, and none made.

    Raises
    ------
    LogUnavailable
        The database cannot be opened; or there is none, and none is to be made.
    """
    url = os.environ.get(URL_VARIABLE, "")
    if url:
        from gristmill.serving.prediction_log.postgres_store import PostgresStore  # noqa: PLC0415 - an extra

        return PostgresStore.open(url, seconds, existing=existing)
    from gristmill.serving.prediction_log.sqlite_store import SqliteStore  # noqa: PLC0415 - its counterpart

    return SqliteStore.open(log_file(root), seconds, existing=existing)


def log_file(root: Path) -> Path:
    """Return where the SQLite file of the log lies.

    It is not the project's ``gristmill.db``: the log grows with the traffic, and neither its size, its write lock nor its
    erasures may stand in the way of the release row.
    """
    return ProjectPaths(root).state / "predictions.db"
