"""Figures of every column over all rows, computed by DuckDB one column at a time."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from gristmill.data.snapshots.parquet_queries import connected, table_of

if TYPE_CHECKING:
    import duckdb

MOST_COUNTED = 5_000_000
"""Rows up to which distinct values are counted, beyond which they are estimated."""

FIGURES = ("missing", "distinct", "mean", "std", "minimum", "q25", "median", "q75", "maximum", "commonest", "commonest_share")
"""What DuckDB computes of each column."""

_TYPES = {"BIGINT": "whole number", "DOUBLE": "number", "VARCHAR": "text", "BOOLEAN": "true or false"}
_CELL = 20


def summaries(rows: pd.DataFrame | Path) -> pd.DataFrame:
    """Return one row a column, computed over all rows by DuckDB, a column at a time.

    Parameters
    ----------
    rows
        A table in memory, or the Parquet file of a snapshot, which is not loaded.

    Returns
    -------
    DataFrame
        Indexed by column: ``type``, ``missing`` (share), ``distinct`` (counted up to :data:`MOST_COUNTED` rows, beyond them
        estimated to a few percent), ``mean``, ``std``, ``minimum``, ``q25``, ``median``, ``q75`` and ``maximum`` (of numbers; of
        moments the ends alone), ``commonest`` and ``commonest_share``. Ends and commonest values are text that fits into a cell.
    """
    with connected() as connection:
        if isinstance(rows, Path):
            names = pq.read_schema(rows).names
            table = table_of(rows, len(names))
        else:
            names, table = list(rows.columns), "registered"
            numbered = rows.set_axis([f"c{at}" for at in range(len(names))], axis=1)
            connection.register(table, pa.Table.from_pandas(numbered, preserve_index=False))
        kinds = [str(row[1]) for row in connection.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()]  # noqa: S608 - names made here
        (n_rows,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone() or (0,)  # noqa: S608
        figures = [_figures(connection, table, f"c{at}", kind, n_rows) for at, kind in enumerate(kinds)]
    made = pd.DataFrame(figures, columns=list(FIGURES), index=pd.Index(names, name="column"))
    made.insert(0, "type", [_type_word(kind) for kind in kinds])
    for name in ("minimum", "maximum", "commonest"):
        made[name] = [_in_a_cell(value) for value in made[name]]
    numeric = ["mean", "std", "q25", "median", "q75"]
    made[numeric] = made[numeric].astype("float64").replace([np.inf, -np.inf], np.nan)  # sums beyond the largest float
    return made


def _figures(
    connection: "duckdb.DuckDBPyConnection", table: str, column: str, kind: str, n_rows: int
) -> dict[str, Any]:  # fmt: skip
    """Return the figures of one column, by the names in :data:`FIGURES`."""
    value = f"nullif({column}, 'nan'::DOUBLE)" if kind == "DOUBLE" else column
    distinct = f"count(DISTINCT {value})" if n_rows <= MOST_COUNTED else f"approx_count_distinct({value})"
    if kind in ("BIGINT", "DOUBLE"):
        parts = [f"avg({value})", f"stddev({value})", f"min({value})"]
        parts += [f"quantile_cont({value}, {share})" for share in (0.25, 0.5, 0.75)] + [f"max({value})"]
    elif kind.startswith("TIMESTAMP"):
        parts = ["NULL", "NULL", f"min({value})", "NULL", "NULL", "NULL", f"max({value})"]
    else:
        parts = ["NULL"] * 7
    found = connection.execute(f"SELECT count({value}), {', '.join([distinct, *parts])} FROM {table}").fetchone()  # noqa: S608
    filled, *rest = found or ()
    most = connection.execute(
        f"SELECT {value} AS v, count(*) AS n FROM {table} WHERE v IS NOT NULL GROUP BY v ORDER BY n DESC, v LIMIT 1"  # noqa: S608
    ).fetchone() or (None, None)
    shares = ((n_rows - filled) / n_rows if n_rows else 0.0, *rest, most[0], None if most[1] is None else most[1] / n_rows)
    return dict(zip(FIGURES, shares, strict=True))


def _type_word(kind: str) -> str:
    """Return what a type of DuckDB is called here."""
    return "moment" if kind.startswith("TIMESTAMP") else _TYPES.get(kind, "no value")


def _in_a_cell(value: Any) -> str | None:
    """Return a value as text that fits into a cell of a table."""
    if pd.isna(value):
        return None
    text = f"{value:.6g}" if isinstance(value, float) else str(value).removesuffix(" 00:00:00")
    return text if len(text) <= _CELL else f"{text[: _CELL - 1]}…"


def distinct_in_words(summary: pd.DataFrame, n_rows: int) -> pd.Series:
    """Return the numbers of distinct values as text, those that are estimates with "about" before them."""
    return summary["distinct"].map(("{:,}" if n_rows <= MOST_COUNTED else "about {:,}").format)
