"""Which database a URI names: ``sqlite:///file.db``, ``duckdb:///file.duckdb``, ``postgresql://user@host/database``."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from gristmill.data.sources.files import base_folder, check_readable
from gristmill.data.sources.sql_source import Database, SqlSource, split_uri
from gristmill.errors import SourceError

SCHEMES = ("sqlite", "duckdb", "postgresql", "postgres")
"""Schemes of the URIs that name a database."""


def open_database(
    uri: str, options: Mapping[str, Any], root: Path | None, query: str | None = None, watermark: str | None = None
) -> SqlSource:
    """Return the table or query of a database; a connection is made when rows are read, not before.

    Parameters
    ----------
    uri
        The database, with ``?table=NAME`` unless ``query`` is given.
    options
        ``params``: values of the query's parameters by name; ``retries``: further attempts at a connection.
    root
        Folder that a relative path starts from.
    query
        A query in place of a table; ``:name`` stands for a parameter.
    watermark
        Column that only grows; when the source is refreshed, rows from its highest known value on are read.

    Raises
    ------
    SourceError
        The file is missing, the URI holds a password, or the options do not fit.
    """
    scheme = urlsplit(uri).scheme
    if scheme.startswith("postgres"):
        from gristmill.data.sources.postgres_database import PostgresDatabase, with_credentials  # noqa: PLC0415

        with_credentials(uri)  # before anything prints the URI
        address, request = split_uri(uri, options, query, watermark)
        return SqlSource(uri, lambda: PostgresDatabase(address), request)
    address, request = split_uri(uri, options, query, watermark)
    path = _path(uri, address, root)
    return SqlSource(uri, _opener(scheme, path), request)


def _opener(scheme: str, path: Path) -> Callable[[], Database]:
    """Return what opens a database file."""

    def connect() -> Database:
        if scheme == "sqlite":
            from gristmill.data.sources.sqlite_database import SqliteDatabase  # noqa: PLC0415

            return SqliteDatabase(path)
        from gristmill.data.sources.duckdb_database import DuckdbDatabase  # noqa: PLC0415

        return DuckdbDatabase(path)

    return connect


def _path(uri: str, address: str, root: Path | None) -> Path:
    """Return the file of a database URI: ``sqlite:///relative.db`` or ``sqlite:////absolute.db``."""
    parts = urlsplit(address)
    named = unquote(parts.path).removeprefix("/")
    if parts.netloc or not named:
        raise SourceError(
            f"Expected {parts.scheme}:///PATH, with three slashes before a relative path and four before an absolute one, got "
            f"{uri!r}."
        )
    path = base_folder(root) / Path(named).expanduser()
    check_readable(path)
    return path
