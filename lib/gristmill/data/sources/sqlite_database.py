"""SQLite files, through the standard library.

SQLite types values, not columns. A query is run twice in one transaction: first for the kinds of value in each column, then for the
rows; so no value far down can contradict a guess, and memory does not grow with the table.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gristmill.data.sources.retries import UnreachableError
from gristmill.data.sources.sql_source import Database
from gristmill.data.sources.sql_text import quoted
from gristmill.errors import SourceError

if TYPE_CHECKING:
    import pyarrow as pa

_CELLS_A_BATCH = 1_000_000
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


class SqliteDatabase(Database):
    """An SQLite file.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    UnreachableError
        Another program holds it.
    SourceError
        It is no SQLite file, or damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, isolation_level=None)
            self._connection.execute("PRAGMA query_only = 1")
            self._connection.execute("BEGIN")
            self._connection.execute("SELECT count(*) FROM sqlite_master")  # the transaction begins with the first read
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", None) in _BUSY:
                raise UnreachableError(f"another program holds {path}") from error
            raise SourceError(f"{path} cannot be read as an SQLite database: {error}. It is damaged or of another kind.") from error

    def tables(self) -> dict[str, str]:
        """Return the tables and views."""
        asked = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND substr(name, 1, 7) <> 'sqlite_' ORDER BY name"
        return {name: quoted(name) for (name,) in self._connection.execute(asked)}

    def mark(self, _number: int, name: str) -> str:
        """Return ``:name``."""
        return f":{name}"

    def read(self, query: str, values: Mapping[str, Any]) -> "Iterator[pa.RecordBatch]":
        """Yield the rows; columns with values of several kinds are text."""
        import pyarrow as pa  # noqa: PLC0415

        from gristmill.data.sources.plain import check_names  # noqa: PLC0415

        bound = {name: _bindable(value) for name, value in values.items()}
        try:
            cursor = self._connection.execute(query, bound)
            if cursor.description is None:
                raise SourceError(f"{self._path}: expected `source.query` to be a SELECT, got {query!r}.")
            names = check_names([column[0] for column in cursor.description], str(self._path))
            cursor.close()
            schema = pa.schema(list(zip(names, self._types(query, bound, len(names)), strict=True)))
            cursor = self._connection.execute(query, bound)
            while rows := cursor.fetchmany(max(1_000, min(50_000, _CELLS_A_BATCH // len(names)))):
                columns = zip(*rows, strict=True)
                arrays = [_column(column, kind) for column, kind in zip(columns, schema.types, strict=True)]
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)
        except sqlite3.Error as error:
            raise SourceError(
                f"{self._path}: SQLite refuses the query or cannot read on: {error}. Mend `source.query`, or copy the file again."
            ) from error

    def _types(self, query: str, values: Mapping[str, Any], n_columns: int) -> "list[pa.DataType]":
        """Return the type of each column that holds every value in it."""
        import pyarrow as pa  # noqa: PLC0415

        names = [f"c{position}" for position in range(n_columns)]
        asked = ", ".join(f"group_concat(DISTINCT typeof({name}))" for name in names)
        with_names = f"WITH source({', '.join(names)}) AS (\n{query}\n) SELECT {asked} FROM source"  # noqa: S608
        found = self._connection.execute(with_names, values).fetchone()
        kinds = [set((text or "").split(",")) - {"null", ""} for text in found]
        return [
            pa.int64() if kind == {"integer"} else pa.float64() if kind and kind <= {"integer", "real"} else pa.string()
            for kind in kinds
        ]

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def _bindable(value: Any) -> Any:
    """Return a value as SQLite stores it: moments are text there."""
    return value.isoformat(sep=" ") if hasattr(value, "isoformat") else value


def _column(values: tuple[Any, ...], kind: "pa.DataType") -> "pa.Array":
    """Return the values of a column as one type."""
    import pyarrow as pa  # noqa: PLC0415

    if kind != pa.string():
        return pa.array(values, type=pa.float64()).cast(kind) if kind == pa.float64() else pa.array(values, type=kind)
    return pa.array([_text(value) for value in values], type=kind)


def _text(value: Any) -> str | None:
    """Return any of SQLite's values as text."""
    if value is None:
        return None
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
