"""How the columns of a snapshot are read in DuckDB: as numbers, dates, levels; as :mod:`schema` reads them in pandas."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gristmill.data.contract.terms import NUMBERS
from gristmill.data.kinds import FALSE_TEXTS, TRUE_TEXTS
from gristmill.data.snapshots.parquet_queries import connected, quoted

if TYPE_CHECKING:
    import duckdb

ROW = "row_number"
THREADS = 2
"""Threads of a validation: its memory grows with them, and a build's machine has two cores at least."""

_AGGREGATES_A_QUERY = 600
_TELLING = 6
_HASHED_AT_ONCE = 40_000_000
"""Rows whose hashes are held at a time: a third of a gigabyte."""

_WHOLE_BELOW = 2**53


@dataclass(frozen=True)
class Column:
    """A column of a Parquet file.

    Attributes
    ----------
    name, position
        Its name, and where it stands: in queries it is called ``c0``, ``c1``, ... whatever its name holds.
    stored
        Its type in the file: ``int64``, ``double``, ``string``, ``bool`` or ``timestamp[us]``.
    """

    name: str
    position: int
    stored: str

    @property
    def sql(self) -> str:
        """Its name in queries."""
        return f"c{self.position}"

    @property
    def missing(self) -> str:
        """Condition: the row has no value. Not-a-number is none; empty text is one."""
        return f"({self.sql} IS NULL OR isnan({self.sql}))" if self.stored == "double" else f"({self.sql} IS NULL)"

    @property
    def number(self) -> str:
        """The value as a number, NULL where it is none."""
        if self.stored == "double":
            return f"nullif({self.sql}, 'nan'::DOUBLE)"
        if self.stored == "string":
            return f"nullif(TRY_CAST(trim({self.sql}) AS DOUBLE), 'nan'::DOUBLE)"
        return "NULL::DOUBLE" if self.stored.startswith("timestamp") else f"CAST({self.sql} AS DOUBLE)"

    def moment(self, date_format: str | None) -> str:
        """Return the value as a moment, NULL where it is none; text is read by a format, or as ISO writes dates."""
        if self.stored.startswith("timestamp"):
            return self.sql
        if self.stored != "string":
            return "NULL::TIMESTAMP"
        if date_format in {None, "ISO8601"}:
            return f"TRY_CAST({self.sql} AS TIMESTAMP)"
        return f"coalesce(try_strptime({self.sql}, {quoted(str(date_format))}), TRY_CAST({self.sql} AS TIMESTAMP))"

    @property
    def level(self) -> str:
        """The value as a case file or contract writes a level: whole numbers without a decimal point."""
        if self.stored == "bool":
            return f"CASE WHEN {self.sql} THEN 'True' WHEN NOT {self.sql} THEN 'False' END"
        if self.stored == "double":
            whole = f"{self.sql} = trunc({self.sql}) AND abs({self.sql}) < {_WHOLE_BELOW}"
            return f"CASE WHEN {whole} THEN CAST(CAST({self.sql} AS BIGINT) AS VARCHAR) ELSE CAST({self.sql} AS VARCHAR) END"
        return f"CAST({self.sql} AS VARCHAR)" if self.stored != "string" else self.sql

    def unreadable(self, kind: str, date_format: str | None) -> str | None:
        """Condition: a value cannot be read as a type of the contract; None if every value of what is stored can."""
        text = self.stored == "string"
        if kind in NUMBERS:
            wrong = None if self.stored in {"int64", "double", "bool"} else f"{self.number} IS NULL"
        elif kind == "boolean":
            texts = ", ".join(quoted(word) for word in sorted(TRUE_TEXTS | FALSE_TEXTS))
            wrong = f"lower(trim({self.level})) NOT IN ({texts})" if self.stored != "bool" else None
        elif kind == "date":
            wrong = None if self.stored.startswith("timestamp") else f"{self.moment(date_format)} IS NULL"
        else:
            return None
        if wrong is None:
            return None
        return f"NOT {self.missing} AND ({wrong})" + (f" AND trim({self.sql}) <> ''" if text else "")


def columns_of(path: Path) -> list[Column]:
    """Return the columns of a Parquet file, in order."""
    import pyarrow.parquet as pq  # noqa: PLC0415

    return [Column(field.name, position, str(field.type)) for position, field in enumerate(pq.read_schema(path))]


class Rows:
    """The rows of a Parquet file that a contract is held against, asked in few queries.

    Parameters
    ----------
    connection
        To DuckDB.
    path
        The file.
    columns
        All its columns, in order.
    target
        Column without whose value a row does not count; None if all rows count.

    Attributes
    ----------
    identity
        What tells these rows from those of any other file, or of the same file after a change.
    """

    def __init__(
        self, connection: "duckdb.DuckDBPyConnection", path: Path, columns: Sequence[Column], target: Column | None = None
    ) -> None:
        self.connection, self.columns = connection, tuple(columns)
        about = path.stat()
        self.identity = (str(path), about.st_size, about.st_mtime_ns, target.name if target is not None else None)
        self._known: dict[tuple[str, str], int] = {}
        names = ", ".join([*(column.sql for column in columns), ROW])
        self._table = f"read_parquet({quoted(str(path))}, file_row_number = true) AS t({names})"
        self._where = f"NOT {target.missing}" if target is not None else "true"

    def aggregates(self, expressions: Sequence[str]) -> list[Any]:
        """Return the value of each aggregate over all rows, a few hundred in one scan."""
        values: list[Any] = []
        for first in range(0, len(expressions), _AGGREGATES_A_QUERY):
            some = expressions[first : first + _AGGREGATES_A_QUERY]
            values += self.select(", ".join(some)).fetchone() or ()
        return values

    def of_levels(self, column: Column, levels: Mapping[str, int], missing: int, asked: Sequence[str]) -> list[Any]:
        """Return the value of each aggregate over the levels of a column of text, with no scan.

        Parameters
        ----------
        column
            The column; the expressions are of nothing else but it and ``n``, the number of rows of a level.
        levels, missing
            Rows of each text, and those without one.
        asked
            Aggregates in SQL.
        """
        import pyarrow as pa  # noqa: PLC0415

        texts = pa.array([*levels, *([None] if missing else [])], pa.string())
        numbers = pa.array([*levels.values(), *([missing] if missing else [])], pa.int64())
        with self.connection.cursor() as cursor:  # an answer on the connection itself may not be read to its end
            cursor.register("levels", pa.table({column.sql: texts, "n": numbers}))
            (values,) = cursor.execute(f"SELECT {', '.join(asked)} FROM levels").fetchall()  # noqa: S608
        return list(values)

    def count_by_level(self, column: Column, levels: Mapping[str, int], missing: int, conditions: Sequence[str]) -> list[int]:
        """Return how many rows meet each condition on a column of text; see :meth:`of_levels`."""
        asked = [f"coalesce(sum(n) FILTER (WHERE {condition}), 0)" for condition in conditions]
        return [int(count) for count in self.of_levels(column, levels, missing, asked)]

    def repeated(self, columns: Sequence[Column], where: str = "true") -> int:
        """Return how many rows repeat the values of an earlier one in some columns; without columns, all but one do.

        Where a few columns of numbers are different in every row, the others need not be read.
        """
        measured = [column for column in columns if column.stored == "double"][:_TELLING]
        if 0 < len(measured) < len(columns) and self._repeated(measured, where) == 0:
            return 0
        return self._repeated(columns, where)

    def _repeated(self, columns: Sequence[Column], where: str) -> int:
        """Return how many rows have the hash of an earlier one: in the sorted hashes, those that equal their neighbour."""
        key = ", ".join(column.sql for column in columns) or "1"
        if (key, where) not in self._known:
            (n_rows,) = self.select("count(*)", where).fetchone() or (0,)
            parts = 1 + n_rows // _HASHED_AT_ONCE
            self._known[key, where] = sum(
                self._neighbours(f"hash({key})", where if parts == 1 else f"({where}) AND hash({key}) % {parts} = {part}")
                for part in range(parts)
            )
        return self._known[key, where]

    def _neighbours(self, key: str, where: str) -> int:
        """Return how many values of a whole number repeat another one."""
        values = np.asarray(self.select(f"{key} AS h", where).fetchnumpy()["h"])
        values.sort()  # sorting in place takes a fraction of the time and the memory of a table of groups
        return int((values[1:] == values[:-1]).sum())

    def select(self, what: str, where: str = "true", rest: str = "") -> "duckdb.DuckDBPyConnection":
        """Return the answer to a query over the rows."""
        return self.connection.execute(f"SELECT {what} FROM {self._table} WHERE {self._where} AND ({where}) {rest}")  # noqa: S608


@contextmanager
def opened(path: Path, target: str | None = None) -> Iterator[tuple[Rows, list[Column]]]:
    """Give the rows of a Parquet file and its columns; memory is bounded, whatever the file's size.

    Parameters
    ----------
    path
        The file.
    target
        Name of the column without whose value a row does not count.
    """
    columns = columns_of(path)
    with connected() as connection:
        connection.execute(f"SET threads = {THREADS}")
        connection.execute("SET TimeZone = 'UTC'")
        yield Rows(connection, path, columns, next((one for one in columns if one.name == target), None)), columns
