"""A question asked of any table that is no database: its rows lie in a DuckDB file of their own while the query runs."""

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gristmill.data.progress_bars import hide_bars
from gristmill.data.sources.sql_text import bind, quoted
from gristmill.data.sources.table_source import Source
from gristmill.errors import SourceError

if TYPE_CHECKING:
    import pyarrow as pa

TABLE = "source"
"""What a query calls the rows of a file, folder or demo table."""


class QueriedSource(Source):
    """What a query makes of the rows of another source, which it calls ``source``.

    The rows go into a DuckDB file in a temporary folder, batch by batch, and the query is answered from there over a connection
    that reaches nothing else: memory does not grow with the table.

    Parameters
    ----------
    source
        Where the rows come from.
    query
        A SELECT in DuckDB's SQL; ``:name`` stands for a parameter.
    params
        Values of the parameters by name.
    """

    def __init__(self, source: Source, query: str, params: Mapping[str, Any]) -> None:
        super().__init__(source.uri)
        self.source, self.query, self.params = source, query, dict(params)

    def version(self) -> str:
        """Return the version of the table below, and a digest of what is asked of it."""
        asked = json.dumps([self.query, self.params], default=str)
        return f"{self.source.version()}, query sha256:{hashlib.sha256(asked.encode()).hexdigest()[:16]}"

    def _batches(self) -> "Iterator[pa.RecordBatch]":
        from gristmill.data.sources.duckdb_database import DuckdbDatabase  # noqa: PLC0415

        with tempfile.TemporaryDirectory(prefix="gristmill-") as folder:
            file = Path(folder) / "source.duckdb"
            self._fill(file)
            with closing(DuckdbDatabase(file, called=f"`source.query` of {self.uri}")) as database:
                text, names = bind(self.query, self.params, database.mark)
                yield from database.read(text, {name: self.params[name] for name in names})

    def _fill(self, file: Path) -> None:
        """Write the rows of the table below into a DuckDB file."""
        import duckdb  # noqa: PLC0415
        import pyarrow as pa  # noqa: PLC0415

        with duckdb.connect(str(file), config={"memory_limit": "1GB"}) as connection:
            hide_bars(connection)
            verb = f"CREATE TABLE {quoted(TABLE)} AS"
            for batch in self.source.batches():
                connection.register("arriving", pa.Table.from_batches([batch]))
                try:
                    connection.execute(f"{verb} SELECT * FROM arriving")  # noqa: S608 - of two texts
                except duckdb.Error as error:
                    raise SourceError(
                        f"{self.uri} cannot be prepared for `source.query`: {str(error).splitlines()[0]} Rename the column, or "
                        "free space in the temporary folder."
                    ) from error
                connection.unregister("arriving")
                verb = f"INSERT INTO {quoted(TABLE)}"
