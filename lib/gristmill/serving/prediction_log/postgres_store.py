"""The prediction log in a PostgreSQL."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from gristmill.errors import LogUnavailable, NoLogYet, StateError
from gristmill.serving.prediction_log.rows import Row, as_json
from gristmill.serving.prediction_log.tables import (
    BLANK,
    HAS_STATISTICS,
    INSERT_POSTGRES,
    NO_BLANK,
    NO_STATISTICS,
    SOME_STATISTICS,
    TABLES,
)
from gristmill.state_database import Session
from gristmill.state_postgres import PostgresSession, connect, make

_WITH_PEOPLE = ("gristmill_predictions", "gristmill_feedback")


class PostgresStore:
    """A kept connection whose commits are on the server's disk when they return."""

    lock_rows = " FOR UPDATE"
    holds = "strpos(subject, ?) > 0"
    whole = "CAST(floor({}) AS BIGINT)"

    def __init__(self, session: PostgresSession) -> None:
        self._session = session

    @classmethod
    def open(cls, url: str, seconds: float, *, existing: bool = False) -> "PostgresStore":
        """Return the log in a PostgreSQL, in which its tables are made if need be; see :func:`..store.open_store`.

        Whoever wants a log that exists is a command or a reader, which may go through all of it: its statements may take long.
        """
        with _told():
            session = connect(url, _options(seconds))
            try:
                session.execute("SET synchronous_commit = on")
                session.execute(f"SET lock_timeout = {max(1, round(seconds * 1000))}")
                if existing:
                    _expect_log(session)
                else:
                    session.execute(f"SET statement_timeout = {max(1, round(seconds * 1000))}")
                    with session.transaction():
                        make(session, TABLES)
            except BaseException:
                session.close()
                raise
        return cls(session)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Give a session; see :class:`..store.Store`."""
        with _told(), self._session.transaction() as session:
            yield session

    def read(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a statement; see :class:`..store.Store`."""
        with _told():
            return self._session.execute(statement, *values)

    def insert(self, rows: Sequence[Row]) -> None:
        """Write rows; see :class:`..store.Store`."""
        with _told():
            self._session.execute(INSERT_POSTGRES, as_json(rows))

    def scrub(self, marks: Sequence[str]) -> None:  # noqa: ARG002 - the server's files are not ours to look into
        """Leave nothing of what was deleted in the files of the tables, nor in their statistics; see :class:`..store.Store`."""
        with _told():
            for table in _WITH_PEOPLE:
                self._session.execute(f"VACUUM (FULL) {table}")  # it waits for whoever is about to take statistics of former rows
            self._renew_statistics()
            self._session.execute("VACUUM (FULL) pg_statistic")  # former ones lie there; who may not is told so by a warning

    def _renew_statistics(self) -> None:
        """Have the statistics speak of the rows that there are.

        ``ANALYZE`` copies values of rows, and leaves what it copied where a table is empty or a column no longer looked at.
        """
        with self._session.transaction() as session:
            old = session.execute(HAS_STATISTICS)[0][0]
            for statement in (*(SOME_STATISTICS if old else ()), *BLANK):
                session.execute(statement)
            for table in _WITH_PEOPLE:
                session.execute(f"ANALYZE {table}")
            for statement in (*NO_BLANK, *NO_STATISTICS):
                session.execute(statement)

    def close(self) -> None:
        """Close the connection."""
        self._session.close()


def _expect_log(session: PostgresSession) -> None:
    """Raise if the database has no log."""
    if not session.has(TABLES.name):
        raise NoLogYet(f"There is no prediction log yet in {session.address}. It is made by the first prediction served.")


def _options(seconds: float) -> dict[str, str]:
    """Return options of a connection that notices soon that nobody is there any more."""
    return {
        "connect_timeout": str(max(2, round(seconds))),  # libpq knows no shorter one
        "tcp_user_timeout": str(max(1, round(seconds * 1000))),
        "keepalives_idle": "5",
        "application_name": "gristmill prediction log",
    }


@contextmanager
def _told() -> Iterator[None]:
    """Raise what the database says as what it means for the log."""
    try:
        yield
    except LogUnavailable:
        raise
    except StateError as error:
        said = str(error).replace("The state database", "The prediction log's database").replace(
            " Run the command again once it answers.", " The service goes on by itself once it answers."
        )  # fmt: skip
        raise LogUnavailable(said) from error
