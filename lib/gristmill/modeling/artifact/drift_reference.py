"""What the training rows looked like, kept with the model so that drift can be measured against it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.features.rows import MISSING_LEVEL, dates, levels, numbers

Floats = NDArray[np.float64]

LARGEST_LEVELS = 50
"""Levels kept by name; the rarer ones are counted together."""


def drift_reference(
    train: pd.DataFrame, contract: dict[str, Any], columns: Sequence[str], predicted: Floats, bins: int
) -> dict[str, Any]:
    """Return the distribution of every column the model reads and of its predictions, as JSON-able data.

    Parameters
    ----------
    train
        Training rows with raw columns.
    contract
        The data contract, for the columns' kinds and the classes.
    columns
        The columns to describe.
    predicted
        Out-of-fold predictions of the validated rows: probabilities ``(n_rows, n_classes)`` or numbers ``(n_rows,)``.
    bins
        Number of quantile bins of a number.

    Returns
    -------
    dict
        ``rows``; ``columns``, each with ``kind`` (``bins``: ``edges`` and ``shares``, one share more than inner edges; ``levels``:
        ``shares`` by level and the share of all ``other`` levels) and ``missing_share``; ``predictions`` in the same form, by class
        for a classifier.
    """
    kinds = {column["name"]: column["kind"] for column in contract["columns"]}
    described = {name: describe(train[name], kinds[name], bins) for name in columns}
    table = predicted.reshape(len(predicted), -1)
    names = contract.get("classes") or ["prediction"]
    predictions = {name: binned(table[:, place], bins) for place, name in enumerate(names)}
    return {"rows": len(train), "columns": described, "predictions": predictions}


def describe(values: pd.Series, kind: str, bins: int) -> dict[str, Any]:
    """Return the distribution of one column of the given contracted kind."""
    if kind == "categorical":
        return shares_by_level(levels(values))
    if kind == "date":
        index = dates(values)
        seconds = np.where(index.isna(), np.nan, index.astype("datetime64[s]").astype("int64").to_numpy(dtype=np.float64))
        return {**binned(seconds, bins), "unit": "seconds since 1970-01-01"}
    if kind == "text":
        words = np.array([np.nan if pd.isna(text) else len(str(text).split()) for text in values], dtype=np.float64)
        return {**binned(words, bins), "unit": "words"}
    return binned(numbers(values), bins)


def binned(values: Floats, bins: int) -> dict[str, Any]:
    """Return the inner quantile edges of numbers, the share of the present values in each bin, mean, spread and missing share.

    A value equal to an edge lies in the bin above it; equal quantiles give one edge.
    """
    present = values[~np.isnan(values)]
    missing_share = float(np.isnan(values).mean()) if len(values) else 0.0
    if len(present) == 0:
        return {"kind": "bins", "edges": [], "shares": [0.0], "mean": None, "std": None, "missing_share": missing_share}
    edges = np.unique(np.quantile(present, np.linspace(0, 1, bins + 1)[1:-1]))
    counts = np.bincount(np.searchsorted(edges, present, side="right"), minlength=len(edges) + 1)
    return {
        "kind": "bins",
        "edges": edges.tolist(),
        "shares": (counts / len(present)).tolist(),
        "mean": float(present.mean()),
        "std": float(present.std()),
        "missing_share": missing_share,
    }


def shares_by_level(values: NDArray[np.object_]) -> dict[str, Any]:
    """Return the share of every frequent level, of all others together, and of missing values."""
    shares = pd.Series(values, dtype=object).value_counts(normalize=True)
    named = shares.drop(index=MISSING_LEVEL, errors="ignore").head(LARGEST_LEVELS)
    missing_share = float(shares.get(MISSING_LEVEL, 0.0))
    return {
        "kind": "levels",
        "shares": {str(level): float(share) for level, share in named.items()},
        "other": max(0.0, 1.0 - float(named.sum()) - missing_share),
        "missing_share": missing_share,
    }
