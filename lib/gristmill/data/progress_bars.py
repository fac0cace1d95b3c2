"""DuckDB's own progress bars, which are not wanted: they would be printed into the output of a script or of a notebook."""

from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


def hide_bars(connection: "duckdb.DuckDBPyConnection") -> None:
    """Let a connection show no progress bar.

    In a notebook whose environment lacks ipywidgets, DuckDB has no bar to show, and refuses even to be told so.
    """
    import duckdb  # noqa: PLC0415 - a connection is there, so it is loaded

    with suppress(duckdb.InvalidInputException):
        connection.execute("SET enable_progress_bar = false")
