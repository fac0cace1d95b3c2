"""Questions to a snapshot that DuckDB answers without holding it in memory.

Columns are called ``c0``, ``c1``, ... in queries, whatever their names are: DuckDB takes ``a`` and ``A`` for one, and a name may
hold anything.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gristmill.data.progress_bars import hide_bars

if TYPE_CHECKING:
    import duckdb

MEMORY = "1GB"
"""What DuckDB may use before it goes on in temporary files."""

TYPES = {"int64": "whole number", "double": "number", "string": "text", "bool": "true or false", "timestamp[us]": "moment"}
"""Type of a column as a snapshot states it -> what it is called here."""

NUMBERS = ("int64", "double")


@contextmanager
def connected() -> "Iterator[duckdb.DuckDBPyConnection]":
    """Give a connection to an empty database in memory, with a folder of its own for what does not fit."""
    import duckdb  # noqa: PLC0415 - a fifth of a second

    with (
        tempfile.TemporaryDirectory(prefix="gristmill-") as folder,
        duckdb.connect(config={"temp_directory": folder, "memory_limit": MEMORY}) as connection,
    ):
        hide_bars(connection)
        yield connection


def table_of(path: Path, n_columns: int) -> str:
    """Return what stands behind FROM to have the rows of a Parquet file, its columns by position."""
    names = ", ".join(f"c{position}" for position in range(n_columns))
    return f"read_parquet({quoted(str(path))}) AS t({names})"


def quoted(text: str) -> str:
    """Return a text as SQL has it."""
    return "'" + text.replace("'", "''") + "'"


def is_ordered(kind: str) -> bool:
    """Return whether a type has an order that people mean: numbers and moments."""
    return kind in NUMBERS or kind.startswith("timestamp")


def number_of(position: int, kind: str) -> str:
    """Return the SQL of a column as a number: moments, and texts that are dates, as seconds; not-a-number as missing."""
    column = f"c{position}"
    if kind not in NUMBERS:
        return f"epoch(TRY_CAST({column} AS TIMESTAMP))"
    return f"nullif(CAST({column} AS DOUBLE), 'nan'::DOUBLE)"


def holds_dates(connection: "duckdb.DuckDBPyConnection", table: str, position: int) -> bool:
    """Return whether a column of text holds ISO dates and nothing else."""
    column = f"c{position}"
    filled, dates = row(connection, [f"count({column})", f"count(TRY_CAST({column} AS TIMESTAMP))"], table)
    return bool(filled == dates > 0)


def row(connection: "duckdb.DuckDBPyConnection", select: Sequence[str], table: str) -> tuple[Any, ...]:
    """Return the one row that a query of aggregates gives."""
    answer = connection.execute(f"SELECT {', '.join(select)} FROM {table}").fetchone()  # noqa: S608 - our own SQL
    return tuple(answer or ())
