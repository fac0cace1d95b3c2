"""The prediction log in an SQLite file, which several processes write."""

import ctypes
import fcntl
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from gristmill.errors import LogUnavailable, NoLogYet
from gristmill.serving.prediction_log.rows import Row
from gristmill.serving.prediction_log.tables import INSERT_SQLITE, ONCE, ROW_SQLITE, TABLES
from gristmill.state_database import Session

_TRUNCATE = "PRAGMA wal_checkpoint(TRUNCATE)"
_MOST_AT_ONCE = 128
"""Rows of one statement; SQLite takes 32,766 values."""

_IN_USE = 128
"""The byte of the index beside the log that each process with an open connection has locked (SQLite's ``UNIX_SHM_DMS``)."""


class SqliteStore:
    """A kept connection that writes ahead, has its commits on the disk, and overwrites what it deletes."""

    lock_rows = ""
    holds = "instr(subject, ?) > 0"
    whole = "CAST({} AS INTEGER)"

    def __init__(self, connection: sqlite3.Connection, file: Path, turn: IO[str], seconds: float) -> None:
        self._connection, self._file, self._turn, self._seconds = connection, file, turn, seconds
        self._log = file.with_name(f"{file.name}-wal")
        self._place = _place(self._file), _place(self._log)

    @classmethod
    def open(cls, file: Path, seconds: float, *, existing: bool = False) -> "SqliteStore":
        """Return the log in ``file``, which is made with its tables if need be; see :func:`..store.open_store`."""
        if existing and not file.exists():
            raise NoLogYet(f"There is no prediction log yet: {file} does not exist. It is made by the first prediction served.")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            turn = file.with_name(f".{file.name}.lock").open("w")
            try:
                fcntl.flock(turn, fcntl.LOCK_EX)  # who is first makes it, the others wait
                return cls(_connected(file, seconds), file, turn, seconds)
            except BaseException:
                turn.close()
                raise
            finally:
                if not turn.closed:
                    fcntl.flock(turn, fcntl.LOCK_UN)
        except (sqlite3.Error, OSError) as error:
            raise _unavailable(file, error) from error

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Give a session; see :class:`..store.Store`.

        Writers of several processes take turns by a lock that wakes the next at once: SQLite's own makes them sleep and try again.
        """
        try:
            fcntl.flock(self._turn, fcntl.LOCK_EX)
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield _SqliteSession(self._connection)
                    self._connection.execute("COMMIT")
                except BaseException:
                    with suppress(sqlite3.Error):  # an error may have ended it already
                        self._connection.execute("ROLLBACK")
                    raise
            finally:
                fcntl.flock(self._turn, fcntl.LOCK_UN)
        except (sqlite3.Error, OSError) as error:
            raise _unavailable(self._file, error) from error
        self._still_there()

    def read(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a statement; see :class:`..store.Store`."""
        try:
            return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise _unavailable(self._file, error) from error

    def insert(self, rows: Sequence[Row]) -> None:
        """Write rows; see :class:`..store.Store`."""
        with self.transaction() as session:
            for some in _in_powers_of_two(rows):
                values = tuple(value for row in some for value in row)
                session.execute(f"{INSERT_SQLITE} VALUES {', '.join([ROW_SQLITE] * len(some))} {ONCE}", *values)

    def scrub(self, marks: Sequence[str]) -> None:
        """Leave nothing of what was deleted; see :class:`..store.Store`.

        What is deleted is overwritten in its page (``secure_delete``), and the write-ahead log is emptied. A copy that SQLite made
        when it moved rows between pages may still be in a gap; then the file is written anew.
        """
        try:
            self._empty_log()
            if _in_file(self._file, marks):
                self._connection.execute("VACUUM")
                self._empty_log()
        except sqlite3.Error as error:
            raise _unavailable(self._file, error) from error

    def close(self) -> None:
        """Close the connection.

        One whose file was deleted is never closed: SQLite would delete, by their names, the files beside the new one. Where only
        the write-ahead log was deleted, what it holds is moved into the file first.
        """
        if not _is(self._file, self._place[0]):
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._connection))  # not even at the end of the process
        else:
            with suppress(sqlite3.Error, OSError):  # a full disk may keep it from tidying up; what is committed is in no doubt
                if not _is(self._log, self._place[1]):
                    self._log.unlink(missing_ok=True)  # whatever lies there is not what this connection has written
                    self._connection.execute(_TRUNCATE)
            with suppress(sqlite3.Error):
                self._connection.close()
        self._turn.close()

    def _empty_log(self) -> None:
        """Move all of the write-ahead log into the file, and cut it to nothing, once nobody reads it."""
        until = time.monotonic() + max(self._seconds, 10)
        while self._connection.execute(_TRUNCATE).fetchone()[0]:
            if time.monotonic() > until:
                raise LogUnavailable(
                    f"What was erased still stands in the write-ahead log {self._file}-wal, which somebody else reads without end. "
                    "Find who has the file open, end it, and run the command again."
                )
            time.sleep(0.01)

    def _still_there(self) -> None:
        """Raise if the log was deleted or replaced while it was open: what was written would be in a file without a name."""
        if not (_is(self._file, self._place[0]) and _is(self._log, self._place[1])):
            raise LogUnavailable(f"The prediction log {self._file} was deleted or replaced while it was open.")


class _SqliteSession:
    """A transaction of SQLite."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def execute(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows."""
        return self.connection.execute(statement, values).fetchall()


def _in_powers_of_two(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """Give rows in portions of 128, 64, ... 1, each of which is one statement, of which there are so few that all stay prepared.

    Python gives its lock away and asks for it again with each statement, for which the event loop may let it wait.
    """
    first, size = 0, _MOST_AT_ONCE
    while first < len(rows):
        while size > len(rows) - first:
            size //= 2
        yield rows[first : first + size]
        first += size


def _connected(file: Path, seconds: float) -> sqlite3.Connection:
    """Return a connection to the log, which exists and has been written to when this returns."""
    _tidy(file)
    os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))  # it is about people; the files beside it get the same rights
    connection = sqlite3.connect(file, timeout=seconds, isolation_level=None, cached_statements=32)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA secure_delete=ON")
        connection.execute("BEGIN IMMEDIATE")
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (TABLES.name,)).fetchall():
            for statement in TABLES.sqlite:
                connection.execute(statement)
        connection.execute("COMMIT")
    except BaseException:
        connection.close()
        raise
    return connection


def _tidy(file: Path) -> None:
    """Delete what is left beside a log that was deleted, or whose write-ahead log was: it would be taken for the new one's.

    Raises
    ------
    LogUnavailable
        Only the write-ahead log was deleted, and other processes have it open still; each lets go when it writes next.
    """
    log, index = file.with_name(f"{file.name}-wal"), file.with_name(f"{file.name}-shm")
    if not file.exists():
        log.unlink(missing_ok=True)
        index.unlink(missing_ok=True)
    elif index.exists() and not log.exists():
        with index.open("r+b") as opened:
            try:
                fcntl.lockf(opened, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _IN_USE)
            except OSError as error:
                raise LogUnavailable(
                    f"The write-ahead log {log} was deleted while other processes write it. It is made again when each of them has "
                    "written once more, or has ended."
                ) from error
            index.unlink()


def _place(file: Path) -> tuple[int, int]:
    """Return which file a name means."""
    found = file.stat()
    return found.st_dev, found.st_ino


def _is(file: Path, place: tuple[int, int]) -> bool:
    """Return whether a name means that file still."""
    try:
        return _place(file) == place
    except OSError:
        return False


def _in_file(file: Path, marks: Sequence[str]) -> bool:
    """Return whether the bytes of a file hold one of the texts.

    Another process looks: in this one, closing the file would release SQLite's own locks on it (fcntl(2)).
    """
    found = subprocess.run(
        [sys.executable, "-m", "gristmill.serving.prediction_log.residue", str(file)],
        input="\n".join(marks),
        text=True,
        capture_output=True,
        check=True,
    )
    return found.stdout.strip() != "0"


def _unavailable(file: Path, error: Exception) -> LogUnavailable:
    """Return what SQLite or the system says, as a sentence with what to do."""
    said = str(error)
    advice = "Make its folder writable"
    if "full" in said or "I/O" in said:
        advice = "Free space on its disk"
    elif "locked" in said:
        advice = "Find who holds its lock (`fuser -v FILE`) and end it"
    elif "malformed" in said or "not a database" in said:
        advice = "Move it away and restore it from a backup, or begin a new one"
    return LogUnavailable(f"The prediction log {file} cannot be written: {said}. {advice}; the service goes on by itself.")
