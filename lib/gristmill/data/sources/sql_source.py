"""Tables and queries of databases, read in chunks over a connection that can only read.

What a table holds can change at any moment, so nothing here asks a database whether it has: it is read again by
``gristmill refresh``.
"""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from gristmill.data.sources.retries import DEFAULT_RETRIES, with_retries
from gristmill.data.sources.sql_text import bind, quoted
from gristmill.data.sources.table_source import Source, nearest
from gristmill.errors import SourceError

if TYPE_CHECKING:
    import pyarrow as pa

OPTIONS = ("params", "retries")
"""Keys that ``source.options`` may have for a database."""

SINCE = "gristmill_since"
"""Name of the parameter that holds the watermark."""


@dataclass(frozen=True)
class Request:
    """What is asked of a database.

    ``table`` or ``query`` is set. ``since``, if not None, is the smallest value of the column ``watermark`` that is wanted.
    """

    table: str | None = None
    query: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    watermark: str | None = None
    since: Any = None
    retries: int = DEFAULT_RETRIES


class Database(ABC):
    """An open connection that can only read, in one transaction."""

    @abstractmethod
    def tables(self) -> dict[str, str]:
        """Return what can be read: the name as a person writes it, and as SQL does."""

    @abstractmethod
    def mark(self, number: int, name: str) -> str:
        """Return how a query marks its parameter of that number and name."""

    @abstractmethod
    def read(self, query: str, values: Mapping[str, Any]) -> "Iterator[pa.RecordBatch]":
        """Yield the rows of a query with marked parameters in batches.

        Parameters
        ----------
        query
            The query.
        values
            The parameters' values by name, in the order of their numbers.

        Raises
        ------
        SourceError
            The database refuses the query, or the connection is lost.
        """

    @abstractmethod
    def close(self) -> None:
        """Give the connection back; what was begun is rolled back."""


class SqlSource(Source):
    """A table or query of a database.

    Parameters
    ----------
    uri
        What the case file calls it; holds no secret.
    connect
        Opens the database; raises :class:`gristmill.data.sources.retries.UnreachableError` when another attempt may succeed.
    request
        What is asked of it.
    """

    def __init__(self, uri: str, connect: Callable[[], Database], request: Request) -> None:
        super().__init__(uri)
        self._connect = connect
        self.request = request
        self.watermark = request.watermark

    def version(self) -> str:
        """Return a digest of what is asked; whether the answer has changed is not looked at."""
        asked = [self.uri, self.request.table, self.request.query, dict(self.request.params), self.request.watermark]
        return "query sha256:" + hashlib.sha256(json.dumps(asked, default=str).encode()).hexdigest()[:16]

    def since(self, value: Any) -> "SqlSource":
        """Return the same source, but only its rows whose watermark is at least ``value``; there may be none."""
        return SqlSource(self.uri, self._connect, replace(self.request, since=value))

    @property
    def may_be_empty(self) -> bool:
        """Whether no rows are no error."""
        return self.request.since is not None

    def _batches(self) -> "Iterator[pa.RecordBatch]":
        with closing(with_retries(self._connect, self.uri, self.request.retries)) as database:
            query, values = self._query(database)
            yield from database.read(query, values)

    def _query(self, database: Database) -> tuple[str, dict[str, Any]]:
        """Return the query that answers the request, and the values of its parameters."""
        values = dict(self.request.params)
        query = self.request.query or f"SELECT * FROM {self._table(database)}"  # noqa: S608 - quoted by the database's rules
        if self.request.since is not None and self.request.watermark is not None:
            column = quoted(self.request.watermark)
            query = f"SELECT * FROM (\n{query.strip().rstrip(';')}\n) AS source WHERE {column} >= :{SINCE}"  # noqa: S608
            values[SINCE] = self.request.since
        text, names = bind(query, values, database.mark)
        return text, {name: values[name] for name in names}

    def _table(self, database: Database) -> str:
        """Return the SQL name of the table that is asked for."""
        tables = database.tables()
        if self.request.table in tables:
            return tables[self.request.table]
        some = ", ".join(list(tables)[:10]) + (", ..." if len(tables) > 10 else "") if tables else "none that this user may see"
        if self.request.table is None:
            raise SourceError(f"{self.uri} names no table. Add ?table=NAME to it, or write `source.query`; its tables: {some}.")
        raise SourceError(
            f"{self.uri}: the database has no table {self.request.table!r}; its tables: {some}"
            + nearest(self.request.table, tables)
        )


def split_uri(uri: str, options: Mapping[str, Any], query: str | None, watermark: str | None) -> tuple[str, Request]:
    """Return the URI without what is ours in it, and the request that it, the options and the case file make.

    Raises
    ------
    SourceError
        Both a table and a query are named, or an option is unknown or wrong.
    """
    for key in options:
        if key not in OPTIONS:
            raise SourceError(f"A database takes no option {key!r}, only {', '.join(OPTIONS)}" + nearest(key, OPTIONS))
    params, retries = options.get("params", {}), options.get("retries", DEFAULT_RETRIES)
    if not isinstance(params, Mapping):
        raise SourceError(
            f"Expected `source.options.params` to be names with values, such as {{since: 2024-01-01}}; got {params!r}."
        )
    if isinstance(retries, bool) or not isinstance(retries, int) or not 0 <= retries <= 20:
        raise SourceError(f"Expected `source.options.retries` to be a whole number from 0 to 20, got {retries!r}.")
    parts = urlsplit(uri)
    asked = parse_qsl(parts.query, keep_blank_values=True)
    tables = [value for key, value in asked if key == "table"]
    if query is not None and tables:
        raise SourceError(f"{uri} names a table, and `source.query` is given as well. Keep one of the two.")
    if params and query is None:
        raise SourceError(
            "`source.options.params` are values for `source.query`, which is not given. Remove them or write the query."
        )
    left = urlencode([pair for pair in asked if pair[0] != "table"])
    rest = uri.partition("?")[0] + (f"?{left}" if left else "")  # `urlunsplit` loses a slash of sqlite:////absolute.db
    return rest, Request(tables[0] if tables else None, query, params, watermark, retries=retries)
