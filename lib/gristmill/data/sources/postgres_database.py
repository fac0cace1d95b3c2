"""PostgreSQL, through its Arrow driver.

Rows come through a cursor on the server, so that memory does not grow with the answer. Types without a plain counterpart are cast
on the server, where their text is known.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from gristmill.data.sources.retries import UnreachableError
from gristmill.data.sources.sql_source import SINCE, Database
from gristmill.data.sources.sql_text import quoted
from gristmill.errors import SourceError

if TYPE_CHECKING:
    import pyarrow as pa

_CELLS_A_BATCH = 1_000_000
_SECONDS_TO_CONNECT = "10"
_CURSOR = "gristmill_rows"
_PLAIN = {"bool", "int2", "int4", "int8", "float4", "float8", "text", "varchar", "bpchar", "name"}
_FINITE = "CASE WHEN isfinite({0}) THEN {0} END"  # the driver would read a day without end as some other day
_CAST = {
    "numeric": "CAST({0} AS double precision)",
    "interval": "CAST(extract(epoch FROM {0}) AS double precision)",
    **dict.fromkeys(("date", "timestamp", "timestamptz"), _FINITE),
}
_VARIABLE = re.compile(r"\$\{([A-Za-z_]\w*)\}")
_SECRET_KEYS = {"password", "sslpassword", "passfile"}
_BEGIN = (
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    "SET LOCAL TIME ZONE 'UTC'",
    "SET LOCAL synchronize_seqscans = off",  # the same table gives the same order
    "SET LOCAL cursor_tuple_fraction = 1",  # all rows are wanted, not the first ones soon
)
_MENDED_BY_HAND = re.compile(
    r"authentication failed|no password supplied|role \"?.*does not exist|database .*does not exist|no pg_hba|permission denied|"
    r"not permitted to log in|invalid (?:URI|connection option|integer value)|certificate|SSL"
)


def with_credentials(uri: str) -> str:
    """Return the connection string of a URI, with the password that the environment holds.

    The password is ``${VARIABLE}`` in the URI, or left out: PostgreSQL's own client library then takes ``PGPASSWORD``.

    Raises
    ------
    SourceError
        A password stands in the URI itself, or the variable is not set.
    """
    parts = urlsplit(uri)
    before, _, host = parts.netloc.rpartition("@")
    user, _, password = before.partition(":")
    secret = _VARIABLE.fullmatch(unquote(password))
    options = parse_qsl(parts.query, keep_blank_values=True)
    if (password and secret is None) or any(key in _SECRET_KEYS for key, _ in options):
        shown = f"postgresql://{user}@{host}{parts.path}"
        raise SourceError(
            f"The URI of {shown} holds a password, which a case file must not. Remove it and set the environment variable "
            "PGPASSWORD, or write ${NAME} in its place and set the variable NAME."
        )
    if secret is not None:
        value = os.environ.get(secret[1])
        if not value:
            raise SourceError(f"{uri} takes its password from the environment variable {secret[1]}, which is not set. Set it.")
        before = f"{user}:{quote(value, safe='')}"
    if not any(key == "connect_timeout" for key, _ in options):
        options.append(("connect_timeout", _SECONDS_TO_CONNECT))
    netloc = f"{before}@{host}" if before else host
    return urlunsplit(("postgresql", netloc, parts.path, urlencode(options), ""))


class PostgresDatabase(Database):
    """A PostgreSQL database, in a read-only transaction that sees one moment.

    Parameters
    ----------
    uri
        The URI as the case file has it, without what is ours in it.

    Raises
    ------
    UnreachableError
        No connection comes about, for a reason that may pass by itself.
    SourceError
        The driver is not installed, the password is wrong, or there is no such user or database.
    """

    def __init__(self, uri: str) -> None:
        try:
            from adbc_driver_manager import dbapi as manager  # noqa: PLC0415 - an extra
            from adbc_driver_postgresql import dbapi  # noqa: PLC0415
        except ImportError as error:
            raise SourceError(
                f"{uri} needs the package adbc-driver-postgresql. Install it: `uv pip install 'gristmill[postgres]'`."
            ) from error
        self._uri, self._errors = uri, manager.Error
        try:
            self._connection = dbapi.connect(with_credentials(uri), autocommit=True)
        except manager.Error as error:
            reason = _reason(error)
            if _MENDED_BY_HAND.search(reason):
                raise SourceError(
                    f"{uri} refuses the connection: {reason}. Mend user and database in `source.uri`; the password is taken from "
                    "the environment, by PGPASSWORD or the variable that stands in the URI as ${NAME}."
                ) from error
            raise UnreachableError(reason) from error
        self._cursor = self._connection.cursor()
        try:
            for statement in _BEGIN:
                self._run(statement)
        except SourceError:
            self.close()
            raise

    def tables(self) -> dict[str, str]:
        """Return tables and views; those outside the search path with their schema's name before theirs."""
        found = self._run(
            "SELECT n.nspname::text, c.relname::text, pg_table_is_visible(c.oid) FROM pg_class c JOIN pg_namespace n "
            "ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND n.nspname !~ '^pg_' "
            "AND n.nspname <> 'information_schema' ORDER BY NOT pg_table_is_visible(c.oid), 1, 2"
        ).to_pydict()
        schemas, names, visible = found.values()
        every = {f"{schema}.{name}": f"{quoted(schema)}.{quoted(name)}" for schema, name in zip(schemas, names, strict=True)}
        near = {name: every[f"{schema}.{name}"] for schema, name, seen in zip(schemas, names, visible, strict=True) if seen}
        return near | every

    def mark(self, number: int, _name: str) -> str:
        """Return ``$1``, ``$2``, ..."""
        return f"${number}"

    def read(self, query: str, values: Mapping[str, Any]) -> "Iterator[pa.RecordBatch]":
        """Yield the rows; numbers of any precision are doubles, intervals seconds, dates without end missing, other types text."""
        import pyarrow as pa  # noqa: PLC0415

        from gristmill.data.sources.plain import check_names  # noqa: PLC0415

        bound = tuple(values.values())
        if SINCE in values and isinstance(values[SINCE], str):  # the order in which the highest text was found
            query = re.sub(r"( >= \$\d+)$", r' COLLATE "C"\1', query)
        described = self._run(f"SELECT * FROM (\n{query}\n) AS source LIMIT 0", bound).schema  # noqa: S608
        names = check_names(described.names, self._uri)
        places = [f"c{position}" for position in range(len(names))]
        wanted = ", ".join(_plain(place, field) for place, field in zip(places, described, strict=True))
        renamed = f"SELECT {wanted} FROM (\n{query}\n) AS source({', '.join(places)})"  # noqa: S608
        self._run(f"DECLARE {_CURSOR} NO SCROLL CURSOR FOR {renamed}", bound)
        n_rows = max(500, min(50_000, _CELLS_A_BATCH // len(names)))
        while (table := self._run(f"FETCH FORWARD {n_rows} FROM {_CURSOR}")).num_rows:
            for batch in table.to_batches():
                yield pa.RecordBatch.from_arrays(batch.columns, names=names)

    def _run(self, statement: str, values: tuple[Any, ...] = ()) -> "pa.Table":
        """Return the whole answer to a statement."""
        try:
            self._cursor.adbc_statement.set_options(**{"adbc.postgresql.use_copy": "false"})  # COPY takes no cursor
            self._cursor.execute(statement, values or None)
            return self._cursor.fetch_arrow_table()
        except self._errors as error:
            raise self._explain(error) from error

    def _explain(self, error: Exception) -> SourceError:
        """Say what the server did not do, and what to do about it."""
        reason, state = _reason(error), str(getattr(error, "sqlstate", None) or "")
        if not state or state[:2] in ("08", "57"):
            return SourceError(
                f"The connection to {self._uri} was lost while rows were read: {reason}. Nothing was kept; run the command again."
            )
        if state == "42501":
            return SourceError(f"{self._uri}: {reason}. Ask the database's owner for the right to SELECT.")
        if state == "25006":
            return SourceError(f"{self._uri}: {reason}. A source only reads: make `source.query` a SELECT.")
        hint = " A parameter that is a date is written CAST(:name AS date)." if state in ("42883", "42804") else ""
        return SourceError(f"{self._uri} refuses the query: {reason}. Mend `source.query`.{hint}")

    def close(self) -> None:
        """Give the connection back; the server rolls back what was begun."""
        with suppress(self._errors):  # a lost connection cannot be closed properly
            self._cursor.close()
        with suppress(self._errors):
            self._connection.close()


def _plain(place: str, field: "pa.Field") -> str:
    """Return the expression that gives a column in a type that the driver and the snapshot know."""
    kind = (field.metadata or {}).get(b"POSTGRESQL:type", b"").decode()
    return place if kind in _PLAIN else _CAST.get(kind, "CAST({0} AS text)").format(place)


def _reason(error: Exception) -> str:
    """Return what the server says of an error, in one line without its codes."""
    text = re.sub(r"\. SQLSTATE: \w+\s*$", "", str(error)).split("] ", 1)[-1]
    said = re.search(r"(?:FATAL|ERROR):\s+(.*)", text)
    line = said[1] if said else text.split("failed: ")[-1]
    return " ".join(line.split("\n")[0].split()).rstrip(".")
