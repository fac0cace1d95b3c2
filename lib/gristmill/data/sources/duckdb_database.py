"""DuckDB files, through DuckDB itself."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gristmill.data.progress_bars import hide_bars
from gristmill.data.sources.retries import UnreachableError
from gristmill.data.sources.sql_source import Database
from gristmill.data.sources.sql_text import quoted
from gristmill.errors import SourceError

if TYPE_CHECKING:
    import pyarrow as pa

_MEMORY = "1GB"
_ROWS_A_BATCH = 65_536


class DuckdbDatabase(Database):
    """A DuckDB file, opened for reading; a query reaches nothing beside it.

    Parameters
    ----------
    path
        The file.
    called
        What errors call it; its path if None.

    Raises
    ------
    UnreachableError
        Another program is writing to it.
    SourceError
        It is no DuckDB file, or damaged, or of a release that this DuckDB does not read.
    """

    def __init__(self, path: Path, called: str | None = None) -> None:
        import duckdb  # noqa: PLC0415

        self._called = called or str(path)
        try:
            self._connection = duckdb.connect(str(path), read_only=True, config={"memory_limit": _MEMORY})
            hide_bars(self._connection)
            self._connection.execute("SET enable_external_access = false")
            self._connection.execute("BEGIN")
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            if "lock" in reason:
                raise UnreachableError(f"another program is writing to {path}") from error
            raise SourceError(f"{path} cannot be read as a DuckDB database: {reason} It is damaged or of another kind.") from error

    def tables(self) -> dict[str, str]:
        """Return tables and views; those outside the schema ``main`` with its name before theirs."""
        asked = (
            "SELECT table_schema, table_name FROM information_schema.tables WHERE table_catalog = current_database() "
            "ORDER BY table_schema <> 'main', table_schema, table_name"
        )
        found = self._connection.execute(asked).fetchall()
        shown = {f"{schema}.{name}".removeprefix("main."): (schema, name) for schema, name in found}
        return {text: f"{quoted(schema)}.{quoted(name)}" for text, (schema, name) in shown.items()}

    def mark(self, _number: int, name: str) -> str:
        """Return ``$name``."""
        return f"${name}"

    def read(self, query: str, values: Mapping[str, Any]) -> "Iterator[pa.RecordBatch]":
        """Yield the rows."""
        import duckdb  # noqa: PLC0415

        try:
            rows = self._connection.sql(query, params=dict(values))
            if rows is None:
                raise SourceError(f"{self._called}: expected `source.query` to be a SELECT, got {query!r}.")
            batches: Iterator[pa.RecordBatch] = rows.to_arrow_reader(_ROWS_A_BATCH)
            yield from batches
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            raise SourceError(
                f"{self._called}: DuckDB refuses the query: {reason} Mend `source.query`; a parameter that is a date is written "
                "CAST(:name AS DATE)."
            ) from error

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
