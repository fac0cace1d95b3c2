"""Which columns of a table of text hold numbers or truth values, asked of DuckDB.

A column becomes numeric or boolean only if every value in it is, so that no row far down the file can contradict a guess, and
codes with leading zeros (``01234``) stay the text they are. The first rows rule most types out and suggest one of those left; a
query that casts to it stops at the first value that does not fit, and only then are all rows looked at before any is cast.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

MISFIT = "gristmill: a value does not fit the type of its column"
"""What DuckDB's error says when a column is cast to a type that one of its values does not have."""

WIDE = 1_000
"""Columns above which a table is wide: all its rows are looked at before any is given out."""

_FIRST_ROWS = 10_000

TEXT, EMPTY = "text", "empty"

_FITS = {
    "whole": "regexp_full_match({0}, '\\s*[+-]?(0|[1-9][0-9]{{0,17}})\\s*')",
    "number": "try_cast({0} AS DOUBLE) IS NOT NULL AND NOT regexp_matches({0}, '^\\s*[+-]?0[0-9]')",
    "comma": "regexp_full_match({0}, '\\s*[+-]?([1-9][0-9]{{0,2}}(\\.[0-9]{{3}})+|0|[1-9][0-9]*)(,[0-9]+)?\\s*')",
    "truth": "lower({0}) IN ('true', 'false')",
    EMPTY: "false",
}
"""Whether a text is of a type; the first type that fits every text of a column is the column's."""

_CASTS = {
    "whole": "CAST(trim({0}) AS BIGINT)",
    "number": "try_cast({0} AS DOUBLE)",
    "comma": "CAST(replace(replace({0}, '.', ''), ',', '.') AS DOUBLE)",
    "truth": "CAST({0} AS BOOLEAN)",
    EMPTY: "CAST(NULL AS VARCHAR)",
}
"""A text as the type it is of."""


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
        self._sure = False
        self._open = {name: possible for name in self._columns if name not in kept}
        self._filled: dict[str, int] = {}
        if n_columns > WIDE:
            self.survey()
        else:
            self._rule_out(f"(SELECT * FROM {table} LIMIT {_FIRST_ROWS})")  # noqa: S608

    def survey(self) -> None:
        """Look at all rows, so that the types are sure."""
        if not self._sure:
            (self._rule_out if len(self._columns) <= WIDE else self._rule_out_wide)(self._table)
            self._sure = True

    def select(self) -> list[str]:
        """Return the expressions that cast the columns in order.

        Unless the types are sure, an expression that meets a misfit stops the query with :data:`MISFIT`.
        """
        types = {name: (left[0] if left else TEXT) if self._filled[name] else EMPTY for name, left in self._open.items()}
        cast = _cast if self._sure else _checked
        return [cast(name, types.get(name, TEXT)) for name in self._columns]

    def _rule_out(self, table: str) -> None:
        """Rule out the types that not all texts of a column in ``table`` are of."""
        asked = [(name, kind) for name, kinds in self._open.items() for kind in kinds]
        counts = [f"count({name})" for name in self._open] + [f"count_if({_misfits(name, kind)})" for name, kind in asked]
        query = f"SELECT {', '.join(['count(*)', *counts])} FROM {table}"  # noqa: S608
        self.n_rows, *row = self._connection.execute(query).fetchall()[0]
        self._filled = dict(zip(self._open, row, strict=False))
        wrong = {pair for pair, count in zip(asked, row[len(self._open) :], strict=True) if count}
        self._open = {name: tuple(kind for kind in kinds if (name, kind) not in wrong) for name, kinds in self._open.items()}

    def _rule_out_wide(self, table: str) -> None:
        """Rule out types as :meth:`_rule_out` does, with the cells of all columns under each other.

        DuckDB would plan for minutes over questions to ten thousand columns, each of its own.
        """
        import numpy as np  # noqa: PLC0415
        import pyarrow as pa  # noqa: PLC0415

        kinds = next(iter(self._open.values()), ())
        asked = ", ".join(f"count_if({_misfits('value', kind)})" for kind in kinds)
        counts = np.zeros((len(self._columns), 1 + len(kinds)), dtype=np.int64)
        with self._connection.cursor() as beside:
            for batch in self._connection.sql(f"SELECT * FROM {table}").to_arrow_reader(1_024):  # noqa: S608
                self.n_rows += batch.num_rows
                places = np.repeat(np.arange(len(self._columns)), batch.num_rows)
                beside.register("cells", pa.table({"place": places, "value": pa.chunked_array(batch.columns)}))
                for place, *row in beside.execute(f"SELECT place, count(value), {asked} FROM cells GROUP BY place").fetchall():  # noqa: S608
                    counts[place] += row
                beside.unregister("cells")
        found = {name: [int(count) for count in row] for name, row in zip(self._columns, counts, strict=True)}
        self._filled = {name: found[name][0] for name in self._open}
        self._open = {
            name: tuple(kind for kind, wrong in zip(kinds, found[name][1:], strict=True) if not wrong) for name in self._open
        }


def _misfits(column: str, kind: str) -> str:
    """Return the condition under which a text is not of a type."""
    return f"{column} IS NOT NULL AND NOT ({_FITS[kind].format(column)})"


def _cast(column: str, kind: str) -> str:
    """Return the expression that casts a column."""
    return column if kind == TEXT else _CASTS[kind].format(column)


def _checked(column: str, kind: str) -> str:
    """Return the expression that casts a column, or stops the query."""
    if kind == TEXT:
        return column
    fits = _FITS[kind].format(column)
    return f"CASE WHEN {column} IS NULL THEN NULL WHEN {fits} THEN {_cast(column, kind)} ELSE error('{MISFIT}') END"
