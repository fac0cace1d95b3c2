"""What the columns of a snapshot hold, computed over all rows in bounded memory."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from gristmill.data.snapshots.parquet_queries import NUMBERS, TYPES, connected, holds_dates, is_ordered, number_of, row, table_of
from gristmill.data.snapshots.snapshot import Snapshot, verified

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class ColumnSummary:
    """What one column holds.

    Attributes
    ----------
    name, kind
        Its name, and what its type is called.
    missing
        Share of the rows without a value, 0 to 1.
    distinct
        Different values, approximately.
    mean, minimum, median, maximum
        Of numbers; of moments the ends and the middle; else None.
    commonest
        The most frequent value of text and of true or false, approximately; else None.
    """

    name: str
    kind: str
    missing: float
    distinct: int
    mean: float | None = None
    minimum: float | datetime | None = None
    median: float | datetime | None = None
    maximum: float | datetime | None = None
    commonest: str | None = None


def describe(snapshot: Snapshot, root: Path) -> list[ColumnSummary]:
    """Return a summary of each column of a snapshot, in the table's order.

    Parameters
    ----------
    snapshot
        Which one.
    root
        The project.

    Raises
    ------
    ArtifactError
        The snapshot is missing or damaged.
    """
    file = verified(root / snapshot.path)
    table = table_of(file, len(snapshot.columns))
    with connected() as connection:
        return [_column(connection, table, position, name, kind) for position, (name, kind) in enumerate(snapshot.columns.items())]


def _column(connection: "duckdb.DuckDBPyConnection", table: str, position: int, name: str, kind: str) -> ColumnSummary:
    """Return the summary of one column."""
    dates = kind == "string" and holds_dates(connection, table, position)
    ordered = dates or is_ordered(kind)
    value = number_of(position, kind) if ordered else f"CAST(c{position} AS VARCHAR)"
    rows, filled, distinct = row(connection, ["count(*)", f"count({value})", f"approx_count_distinct({value})"], table)
    missing, word = 1 - filled / rows, "date as text" if dates else TYPES.get(kind, kind)
    if not ordered:
        (top,) = row(connection, [f"approx_top_k({value}, 1)"], table)
        return ColumnSummary(name, word, missing, min(distinct, filled), commonest=top[0] if top else None)
    asked = [f"avg({value}) FILTER (isfinite({value}))", f"min({value})", f"approx_quantile({value}, 0.5)", f"max({value})"]
    mean, *ends = row(connection, asked, table)
    if kind not in NUMBERS:
        mean, ends = None, [None if seconds is None else moment_of(seconds) for seconds in ends]
    return ColumnSummary(name, word, missing, min(distinct, filled), mean, *ends)


def moment_of(seconds: float) -> datetime:
    """Return seconds since 1970 as a moment in UTC without a zone."""
    return datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None) + timedelta(seconds=seconds)
