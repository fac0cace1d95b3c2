"""Which columns of a table of text hold numbers or truth values, asked of DuckDB.

A column becomes numeric or boolean only if every value in it is, so that no row far down the file can contradict a guess, and
codes with leading zeros (``01234``) stay the text they are. The first rows rule most types out and suggest one of those left; a
query that casts to it stops at the first value that does not fit, and only then are all rows looked at before any is cast.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

MISFIT = "gristmill: a value does not fit the type of its column"
"""What DuckDB's error says when a column is cast to a type that one of its values does not have."""

_CELLS = 2_000_000
_FIRST_ROWS = 10_000
_COLUMNS_A_QUERY = 500

_FITS = {
    "whole": "regexp_full_match({0}, '\\s*[+-]?(0|[1-9][0-9]{{0,17}})\\s*')",
    "number": "try_cast({0} AS DOUBLE) IS NOT NULL AND NOT regexp_matches({0}, '^\\s*[+-]?0[0-9]')",
    "comma": "regexp_full_match({0}, '\\s*[+-]?([1-9][0-9]{{0,2}}(\\.[0-9]{{3}})+|0|[1-9][0-9]*)(,[0-9]+)?\\s*')",
    "truth": "lower({0}) IN ('true', 'false')",
    "empty": "false",
}
"""Whether a text is of a type; the first type that fits every text of a column is the column's."""

_CASTS = {
    "whole": "CAST(trim({0}) AS BIGINT)",
    "number": "try_cast({0} AS DOUBLE)",
    "comma": "CAST(replace(replace({0}, '.', ''), ',', '.') AS DOUBLE)",
    "truth": "CAST({0} AS BOOLEAN)",
    "empty": "CAST(NULL AS VARCHAR)",
}
"""A text as the type it is of."""

TEXT = "text"


def possible_types(decimal: str) -> tuple[str, ...]:
    """Return the types that a column may have besides text, the narrowest first; ``decimal`` is the sign before fractions."""
    return ("whole", "number", "comma", "truth") if decimal == "," else ("whole", "number", "truth")


class ColumnTypes:
    """The types of the columns ``c0``, ``c1``, ... of a table of text.

    Parameters
    ----------
    connection
        Where the table is.
    table
        What stands behind ``FROM``: all rows, each column text.
    n_columns
        How many columns it has.
    decimal
        The sign before fractions, ``.`` or ``,``.
    kept_text
        Positions of columns that stay text whatever they hold.

    Attributes
    ----------
    n_rows
        How many rows have been looked at; 0 means that the table has none.
    """

    def __init__(
        self, connection: "duckdb.DuckDBPyConnection", table: str, n_columns: int, decimal: str, kept_text: Sequence[int] = ()
    ) -> None:
        self._connection, self._table = connection, table
        self._columns = [f"c{position}" for position in range(n_columns)]
        kept = {f"c{position}" for position in kept_text}
        possible = possible_types(decimal)
        self.n_rows = 0
        self._open = {name: possible for name in self._columns if name not in kept}
        filled, self._open = self._ruled_out(f"(SELECT * FROM {table} LIMIT {first_rows(n_columns)})")  # noqa: S608
        self._types = {name: (left[0] if left else TEXT) if filled[name] else "empty" for name, left in self._open.items()}

    def survey(self) -> None:
        """Look at all rows, so that the types are sure."""
        filled, self._open = self._ruled_out(self._table)
        self._types = {name: (left[0] if left else TEXT) if filled[name] else "empty" for name, left in self._open.items()}

    def select(self) -> list[str]:
        """Return the expressions that cast the columns in order; one that meets a misfit stops the query with :data:`MISFIT`."""
        return [_checked(name, self._types.get(name, TEXT)) for name in self._columns]

    def _ruled_out(self, table: str) -> tuple[dict[str, int], dict[str, tuple[str, ...]]]:
        """Return how many texts each open column has in ``table``, and the types that all of them are of."""
        filled: dict[str, int] = {}
        left: dict[str, tuple[str, ...]] = {}
        names = list(self._open)
        for start in range(0, max(1, len(names)), _COLUMNS_A_QUERY):
            some = names[start : start + _COLUMNS_A_QUERY]
            asked = [(name, kind) for name in some for kind in self._open[name]]
            counts = [f"count({name})" for name in some] + [f"count_if({_misfits(name, kind)})" for name, kind in asked]
            n_rows, *row = self._connection.execute(f"SELECT {', '.join(['count(*)', *counts])} FROM {table}").fetchall()[0]  # noqa: S608
            self.n_rows = int(n_rows)
            filled.update(zip(some, row, strict=False))
            wrong: Mapping[tuple[str, str], int] = dict(zip(asked, row[len(some) :], strict=True))
            left.update({name: tuple(kind for kind in self._open[name] if not wrong[name, kind]) for name in some})
        return filled, left


def first_rows(n_columns: int) -> int:
    """Return how many rows the first guess is made from: fewer of a wide table, which would not fit into memory."""
    return max(100, min(_FIRST_ROWS, _CELLS // n_columns))


def _misfits(column: str, kind: str) -> str:
    """Return the condition under which a text is not of a type."""
    return f"{column} IS NOT NULL AND NOT ({_FITS[kind].format(column)})"


def _checked(column: str, kind: str) -> str:
    """Return the expression that casts a column, or stops the query."""
    if kind == TEXT:
        return column
    cast = _CASTS[kind].format(column)
    return f"CASE WHEN {column} IS NULL THEN NULL WHEN {_FITS[kind].format(column)} THEN {cast} ELSE error('{MISFIT}') END"
