"""What the training rows looked like, kept with the model so that drift can be measured against it.

Format 2 holds, beside the shares that explanations draw from, counts in cells that windows are counted in, too (see
:mod:`gristmill.modeling.artifact.column_counts`). Models of earlier builds hold the shares alone, and stay readable.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.features.rows import MISSING_LEVEL, dates, levels, numbers
from gristmill.modeling.artifact.column_counts import NumberCounts

Floats = NDArray[np.float64]

FORMAT = 2

LARGEST_LEVELS = 50
"""Levels kept by name; the rarer ones are counted together."""

MOST_RARE = 1_000
"""Rarer levels up to which their names are kept, so that a new level can be told from a rare one."""

POINTS = 200
"""Cells a number is counted in, unless the case file says otherwise."""


def drift_reference(
    train: pd.DataFrame,
    contract: dict[str, Any],
    columns: Sequence[str],
    predicted: Floats,
    bins: int,
    points: int = POINTS,
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
        Number of quantile bins of a number, for shares, PSI and the chi-square test.
    points
        Number of quantile cells of a number, for Kolmogorov-Smirnov and Wasserstein; a number with no more values than this has
        a cell for each.

    Returns
    -------
    dict
        ``format``; ``rows``; ``columns``, each with ``kind`` (``bins``: ``edges`` and ``shares``, one share more than inner edges;
        ``levels``: ``shares`` by level and the share of all ``other`` levels), ``missing_share``, and for windows to be held
        against: of bins ``cells`` (``edges``, of which ``bins`` are those for PSI, and the record of a :class:`NumberCounts`); of
        levels ``counts`` by level, ``rare`` (names of the others, None if they are too many), ``rare_rows``, ``singletons`` (levels
        seen once) and ``missing``; ``predictions`` in the same form, by class for a classifier.
    """
    kinds = {column["name"]: column["kind"] for column in contract["columns"]}
    described = {name: describe(train[name], kinds[name], bins, points) for name in columns}
    table = predicted.reshape(len(predicted), -1)
    names = contract.get("classes") or ["prediction"]
    predictions = {name: binned(table[:, place], bins, points) for place, name in enumerate(names)}
    return {"format": FORMAT, "rows": len(train), "columns": described, "predictions": predictions}


def describe(values: pd.Series, kind: str, bins: int, points: int = POINTS) -> dict[str, Any]:
    """Return the distribution of one column of the given contracted kind."""
    if kind == "categorical":
        return shares_by_level(levels(values))
    unit = {"date": {"unit": "seconds since 1970-01-01"}, "text": {"unit": "words"}}.get(kind, {})
    return {**binned(as_numbers(values, kind), bins, points), **unit}


def as_numbers(values: pd.Series, kind: str) -> Floats:
    """Return a column of a kind that is no level as numbers: dates as seconds since 1970, texts as their number of words."""
    if kind == "date":
        index = dates(values)
        return np.where(index.isna(), np.nan, index.astype("datetime64[s]").astype("int64").to_numpy(dtype=np.float64))
    if kind == "text":
        return np.array([np.nan if pd.isna(text) else len(str(text).split()) for text in values], dtype=np.float64)
    return numbers(values)


def binned(values: Floats, bins: int, points: int = POINTS) -> dict[str, Any]:
    """Return the inner quantile edges of numbers, the share of the present values in each bin, mean, spread and missing share.

    A value equal to an edge lies in the bin above it; equal quantiles give one edge. ``cells`` holds counts between finer edges,
    among which are those of the bins.
    """
    present = values[~np.isnan(values)]
    missing_share = float(np.isnan(values).mean()) if len(values) else 0.0
    edges = _quantiles(present, bins)
    even = even_edges(present, bins)
    fine = np.union1d(np.union1d(edges, even), _fine_edges(present, points))
    counted = NumberCounts.of(values, fine)
    cells = {"edges": fine.tolist(), "bins": even.tolist(), **counted.to_record()}
    if len(present) == 0:
        shares: list[float] = [0.0]
        return {
            "kind": "bins",
            "edges": [],
            "shares": shares,
            "mean": None,
            "std": None,
            "missing_share": missing_share,
            "cells": cells,
        }
    return {
        "kind": "bins",
        "edges": edges.tolist(),
        "shares": (np.add.reduceat(counted.counts, bin_starts(fine, edges)) / len(present)).tolist(),
        "mean": float(present.mean()),
        "std": float(present.std()),
        "missing_share": missing_share,
        "cells": cells,
    }


def bin_starts(fine: Floats, edges: Floats) -> NDArray[np.intp]:
    """Return the first cell of each bin, shape ``(n_edges + 1,)``; ``fine`` holds all ``edges``."""
    return np.concatenate([[0], np.searchsorted(fine, edges, side="left") + 1]).astype(np.intp)


def even_edges(present: Floats, bins: int) -> Floats:
    """Return inner edges of bins in which a change shows whatever the distribution, shape ``(n_edges,)``.

    Quantiles alone would put a flag that is set in one row of twenty into a single bin with those that are not. A value that has a
    bin's share of the rows gets a bin of its own, and the others are cut at their quantiles. Few values have a bin each.
    """
    values, rows = np.unique(present, return_counts=True)
    if len(values) <= bins:
        return values
    heavy = np.flatnonzero(rows * bins >= len(present))
    rest = np.delete(values, heavy).repeat(np.delete(rows, heavy))
    after = values[np.minimum(heavy + 1, len(values) - 1)]
    parts = max(2, round(bins * len(rest) / len(present)))
    return np.unique(np.concatenate([values[heavy], after, _quantiles(rest, parts)]))


def _quantiles(present: Floats, parts: int) -> Floats:
    """Return the inner quantiles of numbers, each once."""
    if not len(present):
        return np.empty(0)
    return np.unique(np.quantile(present, np.linspace(0, 1, parts + 1)[1:-1]))


def _fine_edges(present: Floats, points: int) -> Floats:
    """Return an edge at each value where there are few, else at quantiles."""
    values = np.unique(present)
    return values if len(values) <= points else _quantiles(present, points)


def shares_by_level(values: NDArray[np.object_]) -> dict[str, Any]:
    """Return the share of every frequent level, of all others together, and of missing values."""
    found = pd.Series(values, dtype=object).value_counts()
    missing = int(found.get(MISSING_LEVEL, 0))
    present = found.drop(index=MISSING_LEVEL, errors="ignore")
    named, rare = present.head(LARGEST_LEVELS), present.iloc[LARGEST_LEVELS:]
    rows = max(len(values), 1)
    return {
        "kind": "levels",
        "shares": {str(level): float(count / rows) for level, count in named.items()},
        "other": float(rare.sum() / rows),
        "missing_share": float(missing / rows),
        "counts": {str(level): int(count) for level, count in named.items()},
        "rare": sorted(map(str, rare.index)) if len(rare) <= MOST_RARE else None,
        "rare_rows": int(rare.sum()),
        "singletons": int((present == 1).sum()),
        "missing": missing,
    }
