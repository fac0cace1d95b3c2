"""DuckDB without the progress bar that it prints into the output of scripts and notebooks."""

from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


def silence(connection: "duckdb.DuckDBPyConnection") -> None:
    """Let a connection print no progress bar.

    In a notebook where ipywidgets is not installed DuckDB has none, and refuses even to turn it off.
    """
    import duckdb  # noqa: PLC0415 - a fifth of a second

    with suppress(duckdb.InvalidInputException):
        connection.execute("SET enable_progress_bar = false")
