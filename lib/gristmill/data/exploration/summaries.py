"""Figures of every column over all rows, computed by DuckDB one column at a time."""

from typing import Any

import numpy as np
import pandas as pd

MOST_COUNTED = 5_000_000
"""Rows up to which distinct values are counted, beyond which they are estimated."""

FIGURES = ("distinct", "mean", "std", "minimum", "q25", "median", "q75", "maximum")
"""What DuckDB computes of each column."""

_TYPES = {"BIGINT": "whole number", "DOUBLE": "number", "VARCHAR": "text", "BOOLEAN": "true or false"}
_CELL = 20


def summaries(frame: pd.DataFrame) -> pd.DataFrame:
    """Return one row a column, computed over all rows by DuckDB, a column at a time.

    Returns
    -------
    DataFrame
        Indexed by column: ``type``, ``missing`` (share), ``distinct`` (counted up to :data:`MOST_COUNTED` rows, beyond them
        estimated to a few percent), ``mean``, ``std``, ``minimum``, ``q25``, ``median``, ``q75`` and ``maximum`` (of numbers; of
        moments the ends alone), ``commonest`` and ``commonest_share``. Ends and commonest values are text that fits into a cell.
    """
    import duckdb  # noqa: PLC0415 - a fifth of a second
    import pyarrow as pa  # noqa: PLC0415

    numbered = pa.Table.from_pandas(frame.set_axis([f"c{at}" for at in range(frame.shape[1])], axis=1), preserve_index=False)
    with duckdb.connect() as connection:
        connection.register("rows", numbered)
        kinds = [str(row[1]) for row in connection.execute("DESCRIBE rows").fetchall()]
        figures = [
            dict(zip(FIGURES, connection.execute(_query(f"c{at}", kind, len(frame))).fetchone() or (), strict=True))
            for at, kind in enumerate(kinds)
        ]
    made = pd.DataFrame(figures, columns=list(FIGURES), index=pd.Index(frame.columns, name="column"))
    made.insert(0, "type", [_type_word(kind) for kind in kinds])
    made.insert(1, "missing", frame.isna().mean().to_numpy())
    numeric = ["mean", "std", "q25", "median", "q75"]
    for end in ("minimum", "maximum"):
        made[end] = [_in_a_cell(value) for value in made[end]]
    made[numeric] = made[numeric].astype("float64").replace([np.inf, -np.inf], np.nan)  # sums beyond the largest float
    return made.assign(**_commonest(frame))


def _query(column: str, kind: str, n_rows: int) -> str:
    """Return the query for the figures of one column, in the order of :data:`FIGURES`."""
    distinct = f"count(DISTINCT {column})" if n_rows <= MOST_COUNTED else f"approx_count_distinct({column})"
    if kind in ("BIGINT", "DOUBLE"):
        parts = [f"avg({column})", f"stddev({column})", f"min({column})"]
        parts += [f"quantile_cont({column}, {share})" for share in (0.25, 0.5, 0.75)] + [f"max({column})"]
    elif kind.startswith("TIMESTAMP"):
        parts = ["NULL", "NULL", f"min({column})", "NULL", "NULL", "NULL", f"max({column})"]
    else:
        parts = ["NULL"] * 7
    return f"SELECT {', '.join([distinct, *parts])} FROM rows"  # noqa: S608 - names made here


def _type_word(kind: str) -> str:
    """Return what a type of DuckDB is called here."""
    return "moment" if kind.startswith("TIMESTAMP") else _TYPES.get(kind, "no value")


def _commonest(frame: pd.DataFrame) -> dict[str, list[Any]]:
    """Return the most frequent value of each column, and its share of the rows."""
    counts = [frame[name].value_counts().head(1) for name in frame.columns]
    return {
        "commonest": [_in_a_cell(count.index[0]) if len(count) else None for count in counts],
        "commonest_share": [float(count.iloc[0]) / len(frame) if len(count) else None for count in counts],
    }


def _in_a_cell(value: Any) -> str | None:
    """Return a value as text that fits into a cell of a table."""
    if pd.isna(value):
        return None
    text = f"{value:.6g}" if isinstance(value, float) else str(value).removesuffix(" 00:00:00")
    return text if len(text) <= _CELL else f"{text[: _CELL - 1]}…"


def distinct_in_words(summary: pd.DataFrame, n_rows: int) -> pd.Series:
    """Return the numbers of distinct values as text, those that are estimates with "about" before them."""
    return summary["distinct"].map(("{:,}" if n_rows <= MOST_COUNTED else "about {:,}").format)
