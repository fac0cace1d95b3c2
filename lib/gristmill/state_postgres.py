"""A PostgreSQL that keeps the state of a project: connections, and what it says, in sentences without its password."""

import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from gristmill.errors import StateError
from gristmill.state_tables import Tables

URL_VARIABLE = "GRISTMILL_DATABASE_URL"
_CREATING = 4_714_203_961
"""The number of PostgreSQL's lock that is held while tables are made: two processes that make them at once break each other."""


@contextmanager
def opened(url: str, tables: Tables) -> Iterator["PostgresSession"]:
    """Give a transaction of a PostgreSQL, in which the tables are made if need be, over a connection of its own."""
    with closing(connect(url)) as session, session.transaction():  # what was not committed is rolled back by the server
        make(session, tables)
        yield session


def connect(url: str, options: Mapping[str, str] | None = None) -> "PostgresSession":
    """Return an open connection, on which each statement is a transaction unless one was begun.

    Parameters
    ----------
    url
        ``postgresql://USER:PASSWORD@HOST/DATABASE``.
    options
        Further ones of the connection (libpq's names), where the URL does not have them.

    Raises
    ------
    StateError
        The driver is not installed, the URL is none of a PostgreSQL, or nothing answers.
    """
    try:
        from adbc_driver_manager import dbapi as manager  # noqa: PLC0415 - an extra
        from adbc_driver_postgresql import dbapi  # noqa: PLC0415
    except ImportError as error:
        raise StateError(
            f"{URL_VARIABLE} names a PostgreSQL, which needs the package adbc-driver-postgresql. Install it: `uv pip install "
            "'gristmill[postgres]'`."
        ) from error
    scheme, address = urlsplit(url).scheme, shown(url)
    if scheme.partition("+")[0] not in ("postgresql", "postgres"):
        raise StateError(
            f"Expected {URL_VARIABLE} as postgresql://USER:PASSWORD@HOST/DATABASE, got {address!r}. Correct it, or unset it to use "
            "the project's own SQLite file."
        )
    try:
        connection = dbapi.connect(_completed(url, options or {}), autocommit=True)
    except manager.Error as error:
        raise StateError(
            f"The state database {address} does not answer: {_reason(error)}. Start it, correct {URL_VARIABLE}, or unset it."
        ) from error
    return PostgresSession(connection, address, manager.Error)


def make(session: "PostgresSession", tables: Tables) -> None:
    """Make tables in the transaction that is open, unless they are there."""
    if session.has(tables.name):
        return
    session.execute("SELECT pg_advisory_xact_lock(?)::text", _CREATING)
    for statement in () if session.has(tables.name) else tables.postgres:
        session.execute(statement)


@dataclass(frozen=True)
class PostgresSession:
    """A connection to a PostgreSQL."""

    connection: Any
    address: str
    errors: type[Exception]

    @contextmanager
    def transaction(self) -> Iterator["PostgresSession"]:
        """Have the statements of the block take effect together when it ends, and not at all when it raises."""
        self.execute("BEGIN")
        try:
            yield self
        except BaseException:
            self._roll_back()
            raise
        self.execute("COMMIT")

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

    def close(self) -> None:
        """Close the connection."""
        with suppress(self.errors):  # it may be broken, which is why it is closed
            self.connection.close()

    def _roll_back(self) -> None:
        """Undo what was done in the transaction; where the connection is lost, the server does."""
        with suppress(StateError):
            self.execute("ROLLBACK")

    def _refusal(self, error: Exception) -> StateError:
        """Return what the server said, as one sentence."""
        return StateError(f"The state database {self.address} refuses: {_reason(error)}. Run the command again once it answers.")


def shown(url: str) -> str:
    """Return a URL without its password and options."""
    parts = urlsplit(url)
    user = f"{parts.username}@" if parts.username else ""
    return f"{parts.scheme}://{user}{parts.netloc.rpartition('@')[2]}{parts.path}"


def _completed(url: str, options: Mapping[str, str]) -> str:
    """Return a URL as libpq reads it, with options that it does not have yet."""
    parts = urlsplit(re.sub(r"^[a-z]+(\+\w+)?:", "postgresql:", url))
    there = dict(parse_qsl(parts.query))
    more = urlencode({name: value for name, value in options.items() if name not in there})
    return urlunsplit(parts._replace(query="&".join(part for part in (parts.query, more) if part)))


def _reason(error: Exception) -> str:
    """Return what the server says of an error, in one line."""
    text = re.sub(r"\. SQLSTATE: \w+\s*$", "", str(error)).split("] ", 1)[-1]
    said = re.search(r"(?:FATAL|ERROR):\s+(.*)", text)
    return " ".join((said[1] if said else text).split("\n")[0].split()).rstrip(".")
