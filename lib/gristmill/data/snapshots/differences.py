"""What is different between two snapshots: columns, rows, and how values are distributed.

Everything is asked of DuckDB over the files, within bounded memory. Rows are compared by a 64-bit hash of their values, so that
two different rows pass for the same once in very many tables; a number is the same row content as an integer or a fraction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gristmill.data.snapshots.description import moment_of
from gristmill.data.snapshots.parquet_queries import NUMBERS, connected, holds_dates, is_ordered, number_of, row, table_of
from gristmill.data.snapshots.snapshot import Snapshot, verified

if TYPE_CHECKING:
    import duckdb

QUANTILES = 64
"""Parts that the values of each version are cut into to compare two distributions of numbers."""

MOSTLY_DIFFERENT = 0.5
"""Different texts a row above which a column names rows rather than having a distribution."""


Point = float | datetime
"""A place in a distribution."""


@dataclass(frozen=True)
class RowDifference:
    """How many rows two versions share, by their content in the columns that both have.

    Attributes
    ----------
    unchanged, added, removed
        Rows in both, only in the new and only in the old version. A row that stands twice counts twice.
    changed
        Rows whose identifiers are in both versions and whose other values differ; None where rows are not told apart by
        identifiers, and a changed row counts as one removed and one added.
    """

    unchanged: int
    added: int
    removed: int
    changed: int | None = None


@dataclass(frozen=True)
class ColumnDifference:
    """How far the values of one column have moved.

    Attributes
    ----------
    name
        The column.
    distance
        From 0, the same, to 1, nothing in common. Numbers and moments: the Kolmogorov-Smirnov distance, the largest difference of
        the two cumulative shares; text and true or false: the share of rows that would need another value (total variation). At
        least the difference of the missing shares. None where there is no distribution to compare.
    missing
        Share of missing values in the old version and the new.
    mean
        Of numbers or moments, where both versions have one.
    quartiles
        The first and third quartile of either version, approximately: old, old, new, new.
    level
        The text whose share moved most, with both shares.
    """

    name: str
    distance: float | None
    missing: tuple[float, float] = (0.0, 0.0)
    mean: tuple[Point, Point] | None = None
    quartiles: tuple[Point, Point, Point, Point] | None = None
    level: tuple[str, float, float] | None = None


@dataclass(frozen=True)
class Difference:
    """What is different between two versions.

    Attributes
    ----------
    old, new
        The versions.
    added, removed
        Columns that only one of them has, with their types.
    retyped
        Columns that both have, with both types.
    rows
        None where they have no column in common.
    columns
        A difference for each common column, the largest first, those that cannot be compared last.
    """

    old: Snapshot
    new: Snapshot
    added: Mapping[str, str]
    removed: Mapping[str, str]
    retyped: Mapping[str, tuple[str, str]]
    rows: RowDifference | None
    columns: tuple[ColumnDifference, ...]


@dataclass(frozen=True)
class _Side:
    """One of the two tables in queries."""

    table: str
    rows: int
    position: Mapping[str, int]
    kind: Mapping[str, str]


def compare(old: Snapshot, new: Snapshot, root: Path, id_columns: Sequence[str] = ()) -> Difference:
    """Return what is different between two snapshots.

    Parameters
    ----------
    old, new
        The versions.
    root
        The project.
    id_columns
        Columns that name rows; used where both versions have them all and no two rows of one are named alike.

    Raises
    ------
    ArtifactError
        One of them is missing or damaged.
    """
    before, after = _side(old, root), _side(new, root)
    common = [name for name in old.columns if name in new.columns]
    with connected() as connection:
        rows = _rows(connection, before, after, common) if common else None
        if id_columns and set(id_columns) <= set(common):
            rows = _rows_by_id(connection, before, after, common, id_columns) or rows
        columns = [_column(connection, before, after, name) for name in common]
    columns.sort(key=lambda column: -1.0 if column.distance is None else column.distance, reverse=True)
    return Difference(
        old,
        new,
        added={name: kind for name, kind in new.columns.items() if name not in old.columns},
        removed={name: kind for name, kind in old.columns.items() if name not in new.columns},
        retyped={name: (old.columns[name], new.columns[name]) for name in common if old.columns[name] != new.columns[name]},
        rows=rows,
        columns=tuple(columns),
    )


def _side(snapshot: Snapshot, root: Path) -> _Side:
    """Return a verified snapshot as queries name it."""
    positions = {name: position for position, name in enumerate(snapshot.columns)}
    return _Side(table_of(verified(root / snapshot.path), len(positions)), snapshot.rows, positions, snapshot.columns)


def _comparable(side: _Side, other: _Side, name: str) -> str:
    """Return the SQL of a column in a type in which the two versions can be compared."""
    kind, column = side.kind[name], f"c{side.position[name]}"
    if kind == other.kind[name]:
        return column
    return f"CAST({column} AS {'DOUBLE' if {kind, other.kind[name]} <= set(NUMBERS) else 'VARCHAR'})"


def _rows(connection: "duckdb.DuckDBPyConnection", old: _Side, new: _Side, common: list[str]) -> RowDifference:
    """Return how many rows are the same in both, as often as they stand in both."""
    hashes = [
        f"SELECT hash({', '.join(_comparable(side, other, name) for name in common)}) AS h, {counts} FROM {side.table}"  # noqa: S608
        for side, other, counts in ((old, new, "1 AS o, 0 AS n"), (new, old, "0 AS o, 1 AS n"))
    ]
    counted = f"(SELECT sum(o)::BIGINT AS o, sum(n)::BIGINT AS n FROM ({' UNION ALL '.join(hashes)}) GROUP BY h)"  # noqa: S608
    same, added, removed = row(connection, ["sum(least(o, n))", "sum(greatest(n - o, 0))", "sum(greatest(o - n, 0))"], counted)
    return RowDifference(int(same), int(added), int(removed))


def _rows_by_id(
    connection: "duckdb.DuckDBPyConnection", old: _Side, new: _Side, common: list[str], id_columns: Sequence[str]
) -> RowDifference | None:
    """Return how many rows were added, removed and changed by their identifiers; None if two rows of a version have the same."""
    rest = [name for name in common if name not in id_columns]
    tables = []
    for side, other in ((old, new), (new, old)):
        named = f"hash({', '.join(_comparable(side, other, name) for name in id_columns)})"
        valued = f"hash({', '.join(_comparable(side, other, name) for name in rest)})" if rest else "0"
        tables.append(f"(SELECT {named} AS k, {valued} AS h FROM {side.table})")  # noqa: S608
    for table in tables:
        rows, names = row(connection, ["count(*)", "count(DISTINCT k)"], table)
        if rows != names:
            return None
    asked = ["new.k IS NOT NULL AND old.h = new.h", "old.k IS NULL", "new.k IS NULL", "old.h <> new.h"]
    joined = f"{tables[0]} AS old FULL JOIN {tables[1]} AS new ON old.k = new.k"
    unchanged, added, removed, changed = row(connection, [f"count(*) FILTER ({one})" for one in asked], joined)
    return RowDifference(int(unchanged), int(added), int(removed), int(changed))


def _column(connection: "duckdb.DuckDBPyConnection", old: _Side, new: _Side, name: str) -> ColumnDifference:
    """Return how far one column has moved."""
    kinds = {old.kind[name], new.kind[name]}
    comparable = kinds <= set(NUMBERS) or (len(kinds) == 1 and is_ordered(min(kinds)))
    if comparable or (kinds == {"string"} and all(holds_dates(connection, side.table, side.position[name]) for side in (old, new))):
        return _of_numbers(connection, old, new, name)
    return _of_levels(connection, old, new, name)


def _of_numbers(connection: "duckdb.DuckDBPyConnection", old: _Side, new: _Side, name: str) -> ColumnDifference:
    """Return the difference of two distributions of numbers, looked at between the quantiles of both."""
    values = [number_of(side.position[name], side.kind[name]) for side in (old, new)]
    shares = ", ".join(str(part / QUANTILES) for part in range(1, QUANTILES))
    quantiles, means = [], []
    for side, value in zip((old, new), values, strict=True):
        asked = [f"{ask} FILTER (isfinite({value}))" for ask in (f"approx_quantile({value}, [{shares}])", f"avg({value})")]
        found, mean = row(connection, asked, side.table)
        quantiles.append(found or [])
        means.append(mean)
    edges = sorted({edge for found in quantiles for edge in found})
    counts = [_below(connection, side.table, value, edges) for side, value in zip((old, new), values, strict=True)]
    missing = (1 - counts[0][0] / old.rows, 1 - counts[1][0] / new.rows)
    moved = abs(missing[1] - missing[0])
    if not all(quantiles):
        return ColumnDifference(name, moved, missing)
    cumulative = [[count / total for count in below] for total, *below in counts]
    distance = max(moved, *(abs(new_share - old_share) for old_share, new_share in zip(*cumulative, strict=True)))
    points = [*means, *(found[place] for found in quantiles for place in (QUANTILES // 4 - 1, QUANTILES * 3 // 4 - 1))]
    shown: list[Point] = [one if old.kind[name] in NUMBERS else moment_of(one) for one in points]
    before, after, low, high, new_low, new_high = shown
    return ColumnDifference(name, distance, missing, (before, after), (low, high, new_low, new_high))


def _below(connection: "duckdb.DuckDBPyConnection", table: str, value: str, edges: list[float]) -> list[int]:
    """Return how many values there are, and how many are at or below each edge."""
    asked = [f"count(v) FILTER (v <= '{edge!r}'::DOUBLE)" for edge in edges]
    return list(row(connection, ["count(v)", *asked], f"(SELECT {value} AS v FROM {table})"))  # noqa: S608


def _of_levels(connection: "duckdb.DuckDBPyConnection", old: _Side, new: _Side, name: str) -> ColumnDifference:
    """Return the difference of two distributions of levels, and the level that moved most."""
    parts = [
        f"SELECT CAST(c{side.position[name]} AS VARCHAR) AS v, {counts} FROM {side.table}"  # noqa: S608
        for side, counts in ((old, "1 AS o, 0 AS n"), (new, "0 AS o, 1 AS n"))
    ]
    counted = f"SELECT v, sum(o) / {old.rows} AS o, sum(n) / {new.rows} AS n FROM ({' UNION ALL '.join(parts)}) GROUP BY v"  # noqa: S608
    connection.execute(f"CREATE OR REPLACE TEMP TABLE levels AS {counted}")
    levels, lost, gained = row(
        connection, ["count(v)", "coalesce(sum(o) FILTER (v IS NULL), 0)", "coalesce(sum(n) FILTER (v IS NULL), 0)"], "levels"
    )
    missing = (float(lost), float(gained))
    if levels > MOSTLY_DIFFERENT * max(old.rows, new.rows) and levels > QUANTILES:
        return ColumnDifference(name, None, missing)
    distance = float(row(connection, ["coalesce(sum(abs(n - o)), 0) / 2"], "levels")[0])
    most = row(connection, ["v", "o", "n"], "levels WHERE v IS NOT NULL ORDER BY abs(n - o) DESC, v LIMIT 1")
    level = (str(most[0]), float(most[1]), float(most[2])) if most else None
    return ColumnDifference(name, min(1.0, max(distance, abs(missing[1] - missing[0]))), missing, level=level)
