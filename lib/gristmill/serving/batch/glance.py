"""A look at what came in and what went out of a batch, for its report; counts and ranges, no test for drift."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.serving.batch.portions import Position
from gristmill.serving.batch.quarantine import quarantine_file
from gristmill.serving.batch.scoring import Scored
from gristmill.serving.batch.tables import open_rows
from gristmill.serving.predictor import PREDICTION, PROBABILITY

SAMPLE_ROWS = 20_000
"""Rows of the output that a picture is drawn of."""

_SHOWN_ROWS = 10


@dataclass(frozen=True)
class Spread:
    """How predictions are spread.

    Attributes
    ----------
    counts
        Of all rows: how many of each class, or least, mean and greatest of numbers.
    sample
        Some rows with ``prediction`` and, of two classes, ``probability``.
    """

    counts: pd.DataFrame
    sample: pd.DataFrame


def reference(case: str, model: str | int, root: Path) -> str:
    """Return how the registry calls a model: ``model`` is an alias or a version of the case's, or a model directory."""
    model = str(model)
    if (root / model).is_dir():
        return str(root / model)
    return f"{case}/{model}" if model.isdigit() else model if "@" in model or "/" in model else f"{case}@{model}"


def bad_rows(target: Path) -> pd.DataFrame:
    """Return the first rows of an output that have no prediction; none where all have."""
    listed = _listed(target)
    return listed.head(_SHOWN_ROWS).fillna({"column": ""}).set_index("row")


def reasons(target: Path) -> pd.DataFrame:
    """Return how many rows have no prediction, by column and the first of their reasons."""
    listed = _listed(target).fillna({"column": "the whole row"})
    grouped = listed.groupby("column", sort=False)
    return pd.DataFrame({"rows": grouped.size(), "first reason": grouped["reason"].first()}).sort_values("rows", ascending=False)


def _listed(target: Path) -> pd.DataFrame:
    path = quarantine_file(target)
    if not path.is_file():
        return pd.DataFrame(columns=["row", "line", "column", "reason", "content"])
    listed = pd.read_csv(path, dtype={"column": str}) if path.suffix.lower() == ".csv" else pd.read_parquet(path)
    return listed.astype({"line": "Int64"})


def beside_training(source: Path, model: FittedModel) -> pd.DataFrame:
    """Return, for each column the model reads, what is missing and what lies outside of training; read portion by portion.

    Parameters
    ----------
    source
        The table that was scored.
    model
        The model, whose contract says what training has seen.

    Returns
    -------
    DataFrame
        Indexed by column: ``missing`` and ``missing in training`` (shares), ``range`` and ``range in training`` of numbers, and
        ``outside``: values outside that range, or of a level that training has not seen.
    """
    told = {column["name"]: column for column in model.contract["columns"] if column["name"] in model.feature_columns}
    found: dict[str, dict[str, float]] = {
        name: {"rows": 0, "missing": 0, "least": np.inf, "greatest": -np.inf, "outside": 0} for name in told
    }
    with tempfile.TemporaryDirectory(prefix="gristmill-") as folder, open_rows(source, model, Path(folder)) as rows:
        for portion in rows.portions(Position()) if rows.size else ():
            kept = np.setdiff1d(np.arange(portion.batch.num_rows), portion.unfit)
            for name, counts in found.items():
                _count(portion.batch.column(name).take(kept).to_pandas(), told[name], counts)
    return pd.DataFrame([_row(name, told[name], counts) for name, counts in found.items()]).set_index("column")


def _count(values: pd.Series, column: Mapping[str, Any], counts: dict[str, float]) -> None:
    """Add what one portion of a column holds."""
    present = values.dropna()
    counts["rows"] += len(values)
    counts["missing"] += len(values) - len(present)
    if column["kind"] == "numeric":
        numbers = pd.to_numeric(present, errors="coerce").dropna()
        if len(numbers):
            counts["least"] = min(counts["least"], float(numbers.min()))
            counts["greatest"] = max(counts["greatest"], float(numbers.max()))
        if column["minimum"] is not None:
            counts["outside"] += int(((numbers < column["minimum"]) | (numbers > column["maximum"])).sum())
    elif column["kind"] == "categorical" and column["levels"] is not None:
        counts["outside"] += int((~present.astype(str).isin(column["levels"])).sum())


def _row(name: str, column: Mapping[str, Any], counts: Mapping[str, float]) -> dict[str, Any]:
    numeric = column["kind"] == "numeric"
    return {
        "column": name,
        "kind": column["kind"],
        "missing": counts["missing"] / counts["rows"] if counts["rows"] else 0.0,
        "missing in training": column["missing_share"],
        "range": _range(counts["least"], counts["greatest"]) if numeric else "",
        "range in training": _range(column["minimum"], column["maximum"]) if numeric else "",
        "outside": int(counts["outside"]),
    }


def _range(least: float | None, greatest: float | None) -> str:
    if least is None or greatest is None or not np.isfinite(least):
        return ""
    return f"{least:,.6g} to {greatest:,.6g}"


def remark(columns: pd.DataFrame, rows: int) -> str:
    """Return in a sentence which columns hold values that training has not seen."""
    beyond = columns.loc[columns["outside"] > 0, "outside"].sort_values(ascending=False)
    if beyond.empty:
        return "No column holds a value that training has not seen."
    named = ", ".join(f"`{name}` ({count:,})" for name, count in beyond.head(5).items())
    more = f", and {len(beyond) - 5} more columns" if len(beyond) > 5 else ""
    return f"Of {rows:,} rows, values that training has not seen: {named}{more}."


def predictions(target: Path) -> Spread:
    """Return how the predictions of an output are spread; memory does not grow with it."""
    import duckdb  # noqa: PLC0415

    reader = f"read_csv(?, types={{'{PREDICTION}': 'VARCHAR'}})" if target.suffix.lower() == ".csv" else "read_parquet(?)"
    with duckdb.connect(config={"memory_limit": "1GB"}) as connection:
        given = [str(target)]
        table = connection.execute(f"SELECT * FROM {reader} LIMIT 0", given).df()  # noqa: S608
        shown = [name for name in (PREDICTION, PROBABILITY) if name in table.columns]
        picked = ", ".join(shown)
        rows = f"SELECT {picked} FROM {reader} WHERE {PREDICTION} IS NOT NULL"  # noqa: S608
        sample = connection.execute(f"SELECT * FROM ({rows}) USING SAMPLE reservoir({SAMPLE_ROWS} ROWS) REPEATABLE (0)", given).df()  # noqa: S608
        if any(name.startswith(PROBABILITY) for name in table.columns):
            asked = f"SELECT {PREDICTION}, count(*) AS rows FROM ({rows}) GROUP BY 1 ORDER BY 2 DESC, 1"  # noqa: S608
            return Spread(connection.execute(asked, given).df().set_index(PREDICTION), sample)
        number = f"CAST({PREDICTION} AS DOUBLE)"
        asked = f"SELECT min({number}) AS least, avg({number}) AS mean, max({number}) AS greatest FROM ({rows})"  # noqa: S608
        return Spread(connection.execute(asked, given).df(), sample.astype({PREDICTION: float}))


def conclusion(scored: Scored, columns: pd.DataFrame) -> str:
    """Return in a few sentences what a reader has to know."""
    share = scored.quarantined / scored.rows if scored.rows else 0.0
    bad = (
        "Every row has a prediction."
        if not scored.quarantined
        else f"{scored.quarantined:,} rows ({share:.2%}) have no prediction."
    )
    return f"{scored.rows:,} rows were scored. {bad} {remark(columns, scored.rows)}"


def summary(scored: Scored, model: str, source: str, target: str, columns: pd.DataFrame) -> dict[str, Any]:
    """Return what ``scoring.json`` holds."""
    return {
        "input": source,
        "output": target,
        "model": {"reference": model, "digest": scored.model_digest},
        "rows": scored.rows,
        "quarantined": scored.quarantined,
        "columns": columns.reset_index().to_dict(orient="records"),
    }
