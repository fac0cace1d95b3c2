"""A look at a table of any size: facts counted over all rows, and as many rows as fit into memory, drawn evenly."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gristmill.data.progress_bars import hide_bars
from gristmill.data.snapshots import snapshot
from gristmill.data.sources.plain import to_frame
from gristmill.data.sources.sql_text import quoted
from gristmill.data.sources.table_source import Source
from gristmill.data.targets import class_text

if TYPE_CHECKING:
    import duckdb

LOOKED_AT = 100_000
"""Rows up to which a table is looked at whole; of a larger one, as many are drawn."""

RARE_ROWS = 500
"""A class with fewer rows than this is looked at whole."""

MOST_CLASSES = 1_000
"""Different values up to which those of a target are counted one by one."""

_COUNTED_EXACTLY = 1_000_000
_NEARLY_ALL = 0.8
_COLUMNS_A_QUERY = 50


@dataclass(frozen=True)
class Facts:
    """What is known of one column over all rows that have a target.

    ``low`` and ``high`` are the smallest and largest value; ``whole`` and ``infinite`` are those of numbers. ``distinct`` is exact
    up to a million rows, and above that where nearly all values differ; else it is within a few per cent.
    """

    filled: int
    distinct: int
    low: Any
    high: Any
    whole: bool
    infinite: bool


class Table:
    """A table that lies in a Parquet file of plain types.

    Parameters
    ----------
    path
        The file; it has at least one row.
    spill
        A folder for what DuckDB cannot hold in memory.
    """

    def __init__(self, path: Path, spill: Path) -> None:
        self.path, self._spill = path, spill
        with pq.ParquetFile(path) as file:
            self.n_rows: int = file.metadata.num_rows
            self.schema: pa.Schema = file.schema_arrow
        self.columns: list[str] = list(self.schema.names)
        self._looked_at: dict[str | None, pd.DataFrame] = {}

    @property
    def is_sampled(self) -> bool:
        """Whether only a part of the rows is looked at."""
        return self.n_rows > LOOKED_AT

    @cached_property
    def _connection(self) -> "duckdb.DuckDBPyConnection":
        import duckdb  # noqa: PLC0415 - asked only when something is counted

        connection = duckdb.connect(config={"memory_limit": "1GB", "temp_directory": str(self._spill)})
        hide_bars(connection)
        return connection

    def _ask(self, select: str, rest: str = "") -> list[tuple[Any, ...]]:
        """Return the rows of a query over the file."""
        return self._connection.execute(f"SELECT {select} FROM {self._file} {rest}").fetchall()  # noqa: S608

    @property
    def _file(self) -> str:
        """The file as SQL names it."""
        return "read_parquet('" + str(self.path).replace("'", "''") + "')"

    def _value(self, name: str) -> str:
        """Return the SQL of a column's values, in which what is not a number is missing."""
        column = quoted(name)
        return f"(CASE WHEN isnan({column}) THEN NULL ELSE {column} END)" if self._is_float(name) else column

    def _is_float(self, name: str) -> bool:
        return bool(pa.types.is_floating(self.schema.field(name).type))

    def facts(self, target: str) -> dict[str, Facts]:
        """Return what is known of each column over all rows that have a target."""
        where = f"WHERE {self._value(target)} IS NOT NULL"
        exact = self.n_rows <= _COUNTED_EXACTLY
        found: dict[str, Facts] = {}
        for start in range(0, len(self.columns), _COLUMNS_A_QUERY):
            names = self.columns[start : start + _COLUMNS_A_QUERY]
            answer = self._ask(", ".join(self._questions(name, exact=exact) for name in names), where)[0]
            for at, name in enumerate(names):
                found[name] = Facts(*answer[6 * at : 6 * at + 6])
        return found if exact else {name: self._exactly(name, facts, where) for name, facts in found.items()}

    def _questions(self, name: str, *, exact: bool) -> str:
        """Return the select list of one column's facts."""
        value = self._value(name)
        count = f"count(DISTINCT {value})" if exact else f"approx_count_distinct({value})"
        number = self._is_float(name)
        fractions = f"count_if(isfinite({value}) AND {value} <> trunc({value}))" if number else "0"
        infinite = f"count_if(isinf({value}))" if number else "0"
        return f"count({value}), {count}, min({value}), max({value}), {fractions} = 0, {infinite} > 0"

    def _exactly(self, name: str, facts: Facts, where: str) -> Facts:
        """Count the different values of a column in which nearly all differ one by one."""
        if facts.distinct < _NEARLY_ALL * facts.filled or not facts.whole:
            return facts
        inner = f"(SELECT {self._value(name)} AS value FROM {self._file} {where} GROUP BY value)"  # noqa: S608
        n_distinct = self._connection.execute(f"SELECT count(value) FROM {inner}").fetchall()[0][0]  # noqa: S608
        return Facts(facts.filled, n_distinct, facts.low, facts.high, facts.whole, facts.infinite)

    def gaps(self, target: str) -> dict[str, tuple[int, int]]:
        """Return in how many rows each column is missing: of those without a target, and of those with one."""
        found: dict[str, tuple[int, int]] = {}
        lacks = f"{self._value(target)} IS NULL"
        for start in range(0, len(self.columns), _COLUMNS_A_QUERY):
            names = self.columns[start : start + _COLUMNS_A_QUERY]
            missing = [f"{self._value(name)} IS NULL" for name in names]
            asked = ", ".join(f"count_if({lacks} AND {gap}), count_if(NOT {lacks} AND {gap})" for gap in missing)
            answer = self._ask(asked)[0]
            found.update({name: (answer[2 * at], answer[2 * at + 1]) for at, name in enumerate(names)})
        return found

    def levels(self, name: str) -> pd.Series | None:
        """Return how many rows each value of a column has, as the class that it is, the most frequent first.

        None where there are more than :data:`MOST_CLASSES` values.
        """
        value = self._value(name)
        rest = f"WHERE {value} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MOST_CLASSES + 1}"
        found = self._ask(f"{value}, count(*)", rest)
        if len(found) > MOST_CLASSES:
            return None
        values = to_frame(pa.table({name: pa.array([value for value, _ in found], self.schema.field(name).type)}))[name]
        counts = pd.Series([count for _, count in found], index=class_text(values), dtype="int64")
        return counts.groupby(level=0, sort=False).sum().sort_values(ascending=False, kind="stable")

    def different(self, name: str, target: str) -> pd.Series:
        """Return the different values that a column has in the rows with a target, in no order."""
        found = self._connection.sql(
            f"SELECT DISTINCT {self._value(name)} AS v FROM {self._file} "  # noqa: S608
            f"WHERE {self._value(name)} IS NOT NULL AND {self._value(target)} IS NOT NULL"
        ).to_arrow_table()
        return to_frame(found.rename_columns([name]))[name]

    def rows(self, target: str | None = None) -> pd.DataFrame:
        """Return the rows that are looked at, in their order: all, or an even sample with the rare classes of ``target`` whole."""
        if not self.is_sampled:
            target = None
        if target not in self._looked_at:
            self._looked_at = {target: self._drawn(target) if self.is_sampled else to_frame(pq.read_table(self.path))}
        return self._looked_at[target]

    def _drawn(self, target: str | None) -> pd.DataFrame:
        """Return an even sample, always the same."""
        drawn = np.random.default_rng(0).choice(self.n_rows, LOOKED_AT, replace=False, shuffle=False)
        return self._at(np.union1d(drawn, self._rare_rows(target)))

    def _rare_rows(self, target: str | None) -> NDArray[np.int64]:
        """Return the positions of rows whose class is rare."""
        value = self._value(target) if target is not None else ""
        if target is None or len(self._ask(f"DISTINCT {value}", f"LIMIT {MOST_CLASSES + 1}")) > MOST_CLASSES:
            return np.array([], dtype=np.int64)
        rare = f"SELECT {value} FROM {self._file} GROUP BY 1 HAVING count(*) < {RARE_ROWS} LIMIT 50"  # noqa: S608
        numbered = f"(SELECT {value} AS value, row_number() OVER () - 1 AS place FROM {self._file})"  # noqa: S608
        found = self._connection.execute(f"SELECT place FROM {numbered} WHERE value IN ({rare})").fetchall()  # noqa: S608
        return np.array([row[0] for row in found], dtype=np.int64)

    def _at(self, positions: NDArray[np.int64]) -> pd.DataFrame:
        """Return the rows at sorted positions."""
        taken, begins = [], 0
        with pq.ParquetFile(self.path) as file:
            for group in range(file.num_row_groups):
                ends = begins + file.metadata.row_group(group).num_rows
                wanted = positions[(positions >= begins) & (positions < ends)] - begins
                if len(wanted):
                    taken.append(file.read_row_group(group).take(pa.array(wanted)))
                begins = ends
        return to_frame(pa.concat_tables(taken))

    def values_in_parts(self, name: str) -> Iterator[pd.Series]:
        """Yield all values of one column, in parts."""
        with pq.ParquetFile(self.path) as file:
            for batch in file.iter_batches(columns=[name]):
                yield to_frame(pa.Table.from_batches([batch]))[name]


@contextmanager
def spooled(source: Source) -> Iterator[Table]:
    """Give the rows of a source as a table on the disk, which is removed at the end; memory does not grow with it.

    Raises
    ------
    SourceError
        The source cannot be read, or the disk does not take its rows.
    """
    with snapshot.borrowed(source) as path:
        yield Table(path, path.parent)


@contextmanager
def stored(path: Path) -> Iterator[Table]:
    """Give a Parquet file of plain types, such as a snapshot, as a table."""
    with tempfile.TemporaryDirectory(prefix="gristmill-") as folder:
        yield Table(path, Path(folder))
