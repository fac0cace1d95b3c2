"""In which direction columns move predictions, along which curve, and which of them act together; in the raw table's columns.

Partial dependence is the mean prediction with one column set to a value in all rows (Friedman 2001); each row's own curve is its
individual conditional expectation (Goldstein et al. 2015). Two columns act together as far as switching both changes more than
the two switches one by one: the Shapley interaction index (Grabisch and Roubens 1999), estimated over random sets of the other
columns and random background rows. An additive model has none of it, whatever the sample.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.evaluation.explanation.hybrids import Predict, RowPool
from gristmill.evaluation.explanation.shapley import ShapleyValues
from gristmill.metrics.groups import MAX_NUMBERS_AS_GROUPS
from gristmill.metrics.scores import Floats
from gristmill.reporting.wording import figure, shorten

STRONGEST = 5
"""Columns that get a curve, and whose pairs are measured."""

CURVE_ROWS, CURVE_POINTS, CURVES_KEPT = 100, 12, 20
PAIR_ROWS, PAIR_DRAWS = 40, 6
ROUNDING = 1e-9
"""Share of the largest prediction below which an interaction is rounding."""

FREQUENT = 0.01
"""Share of the rows that a level needs to be named."""

MONOTONE = 0.5
"""Rank correlation between a column's values and its contributions from which it is said to rise or fall."""


def is_ordered(values: pd.Series) -> bool:
    """Return whether a column holds many numbers or dates, so that it has a direction; flags and few numbers are levels."""
    if pd.api.types.is_bool_dtype(values):
        return False
    ordered = pd.api.types.is_numeric_dtype(values) or pd.api.types.is_datetime64_any_dtype(values)
    return ordered and values.nunique() > MAX_NUMBERS_AS_GROUPS


def in_order(values: pd.Series) -> Floats:
    """Return numbers or dates as floats that sort alike, missing ones as not-a-number."""
    if pd.api.types.is_datetime64_any_dtype(values):
        return np.asarray(np.where(values.isna(), np.nan, pd.DatetimeIndex(values).asi8.astype(np.float64)), dtype=np.float64)
    return np.asarray(values.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)


def value_text(value: Any) -> str:
    """Return one value of a raw column as a reader would write it; an empty text where it is missing."""
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return ""
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}" if value == value.normalize() else f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, float | np.floating):
        number = float(value)
        return f"{number:.6g}" if abs(number) < 1e6 else f"{number:.0f}"
    return str(value)


def directions(values: ShapleyValues, rows: pd.DataFrame, classes: Sequence[str] = ()) -> dict[str, str]:
    """Return what each column does, in words: whether more of it raises the prediction, or which levels raise and lower it.

    Parameters
    ----------
    values
        SHAP values of ``rows``.
    rows
        The explained rows, in their contracted types.
    classes
        Classes of a case with more than two; then the words are about the class that a column moves most, which they name.
    """
    found = {}
    for place, name in enumerate(values.columns):
        parts = values.contributions[:, place]
        output = int(np.abs(parts).mean(axis=0).argmax())
        suffix = f" (for {classes[output]})" if len(classes) > 2 else ""
        found[name] = _direction(rows.iloc[:, place], parts[:, output]) + suffix
    return found


def _direction(column: pd.Series, parts: Floats) -> str:
    """Return what one column does, in words."""
    if not np.abs(parts).max(initial=0.0) > 0:
        return "moves nothing"
    if is_ordered(column):
        numbers = in_order(column)
        known = ~np.isnan(numbers)
        tie = pd.Series(numbers[known]).corr(pd.Series(parts[known]), method="spearman") if np.ptp(parts[known]) > 0 else np.nan
        if np.isnan(tie) or abs(tie) < MONOTONE:
            return "higher values neither raise nor lower throughout"
        return "higher values raise" if tie > 0 else "higher values lower"
    levels = pd.Series(parts).groupby(column.map(value_text).replace("", "(missing)").to_numpy())
    means = levels.mean()[levels.size() >= max(2, FREQUENT * len(parts))]
    if means.empty:
        return "differs from value to value"
    words = [f"{shorten(means.idxmax())} raises"] if means.max() > 0 else []
    words += [f"{shorten(means.idxmin())} lowers"] if means.min() < 0 else []
    return ", ".join(words) or "moves nothing"


def _grid(column: pd.Series) -> NDArray[np.intp]:
    """Return positions of the rows whose values a curve goes through, in the order of the curve: quantiles, or frequent levels."""
    if is_ordered(column):
        numbers = in_order(column)
        known = np.flatnonzero(~np.isnan(numbers))
        ranked = known[np.argsort(numbers[known], kind="stable")]
        picked = ranked[np.round(np.linspace(0.02, 0.98, CURVE_POINTS) * (len(ranked) - 1)).astype(np.intp)]
        return picked[np.unique(numbers[picked], return_index=True)[1]]
    texts = column.map(value_text).astype(object)
    frequent = texts.value_counts().index[:CURVE_POINTS]
    positions = np.array([int(np.argmax((texts == text).to_numpy())) for text in frequent], dtype=np.intp)
    if pd.api.types.is_numeric_dtype(column):
        return positions[np.argsort(in_order(column)[positions], kind="stable")]
    return positions


def partial_dependence(
    predict: Predict,
    rows: pd.DataFrame,
    background: pd.DataFrame,
    columns: Sequence[str],
    outputs: Mapping[str, int] | None = None,
    *,
    random_state: int = 0,
) -> list[dict[str, Any]]:
    """Return the curve of each of ``columns``: the mean prediction with the column set to a value, and single rows' own curves.

    Parameters
    ----------
    predict
        From raw rows to predictions.
    rows
        Rows whose column is set; :data:`CURVE_ROWS` of them are drawn.
    background
        Training rows, whose values a curve goes through: :data:`CURVE_POINTS` quantiles, or the most frequent levels.
    columns
        The columns to draw.
    outputs
        Which output each column's curve is about, by column; the only or first one by default.
    random_state
        Seed of the rows.

    Returns
    -------
    list
        ``feature, kind`` (``ordered`` or ``levels``), ``output`` (its place), ``values`` (as text), ``position`` (numbers or
        seconds since 1970 for ``ordered``), ``mean``, ``low`` and ``high`` (a tenth and nine tenths of the rows' curves) and
        ``ice`` (curves of :data:`CURVES_KEPT` rows).
    """
    rng = np.random.default_rng(random_state)
    picked = rows.iloc[np.sort(rng.permutation(len(rows))[:CURVE_ROWS])]
    pool = RowPool(picked, background)
    found = []
    for name in columns:
        place, column = pool.columns.index(name), background[name]
        grid = _grid(column)
        if not len(grid):
            continue
        sources = np.repeat(np.tile(np.arange(len(picked)), len(grid))[:, None], len(pool.columns), axis=1)
        sources[:, place] = len(picked) + np.repeat(grid, len(picked))
        output = (outputs or {}).get(name, 0)
        curves = pool.predict(predict, sources)[:, output].reshape(len(grid), len(picked)).T
        found.append({"feature": name, "output": output, **_curve(column.iloc[grid], curves, ordered=is_ordered(column))})
    return found


def _curve(values: pd.Series, curves: Floats, *, ordered: bool) -> dict[str, Any]:
    """Return what is told of a column along some of its values, from the curves of single rows, shape ``(n_rows, n_values)``."""
    low, high = np.quantile(curves, [0.1, 0.9], axis=0)
    return {
        "kind": "ordered" if ordered else "levels",
        "values": [value_text(value) or "(missing)" for value in values],
        "position": _positions(values) if ordered else list(range(len(values))),
        "mean": curves.mean(axis=0).tolist(),
        "low": low.tolist(),
        "high": high.tolist(),
        "ice": curves[:CURVES_KEPT].tolist(),
    }


def _positions(values: pd.Series) -> list[float]:
    """Return where the values of a curve lie: numbers as they are, dates in seconds since 1970."""
    if pd.api.types.is_datetime64_any_dtype(values):
        return [float(pd.Timestamp(value).timestamp()) for value in values]
    return [float(number) for number in in_order(values)]


def interactions(
    predict: Predict,
    rows: pd.DataFrame,
    background: pd.DataFrame,
    columns: Sequence[str],
    *,
    draws: int = PAIR_DRAWS,
    n_rows: int = PAIR_ROWS,
    random_state: int = 0,
) -> list[dict[str, Any]]:
    """Return how far each two of ``columns`` act together, the strongest pair first.

    Parameters
    ----------
    predict
        From raw rows to predictions.
    rows, background
        Rows to explain, and those that stand for "not knowing" a column.
    columns
        The columns whose pairs are measured.
    draws
        Random sets of the other columns, each with a background row, for each row and pair.
    n_rows
        Rows the pairs are measured on, drawn from ``rows``.
    random_state
        Seed.

    Returns
    -------
    list
        ``features`` (two), ``strength`` (mean over the rows of the absolute interaction index, summed over classes, in units of the
        prediction) and ``mean`` (with its sign, of the output that it moves most).
    """
    rng = np.random.default_rng(random_state)
    picked = rows.iloc[np.sort(rng.permutation(len(rows))[:n_rows])]
    pool = RowPool(picked, background)
    own = np.repeat(np.arange(len(picked)), draws)
    found = []
    for one, other in combinations(columns, 2):
        first, second = pool.columns.index(one), pool.columns.index(other)
        sets = _coalitions(len(own), len(pool.columns), rng)
        backdrop = len(picked) + rng.integers(0, len(background), len(own))
        asked = []
        for with_first, with_second in ((True, True), (True, False), (False, True), (False, False)):
            known = sets.copy()
            known[:, first], known[:, second] = with_first, with_second
            asked.append(np.where(known, own[:, None], backdrop[:, None]))
        both, left, right, neither = pool.predict(predict, np.concatenate(asked)).reshape(4, len(own), -1)
        index = (both - left - right + neither).reshape(len(picked), draws, -1).mean(axis=1)
        leading = int(np.abs(index).mean(axis=0).argmax())
        index[np.abs(index) < ROUNDING * np.abs(both).max()] = 0.0
        strength = float(np.abs(index).mean(axis=0).sum())
        found.append({"features": [one, other], "strength": strength, "mean": float(index[:, leading].mean())})
    return sorted(found, key=lambda pair: -pair["strength"])


def _coalitions(n: int, n_columns: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return ``n`` random sets of columns, every size as likely as any other, as the index weighs them."""
    return np.asarray(rng.random((n, n_columns)) < rng.random((n, 1)))


def interaction_table(pairs: Sequence[Mapping[str, Any]], top: int = STRONGEST) -> pd.DataFrame:
    """Return the strongest pairs as a reader would write them."""
    lines = {
        " and ".join(pair["features"]): {"strength": figure(pair["strength"], 4)} for pair in pairs[:top] if pair["strength"] > 0
    }
    return pd.DataFrame.from_dict(lines, orient="index", columns=["strength"])


def strongest_outputs(values: ShapleyValues) -> dict[str, int]:
    """Return, for each column, the place of the output it moves most."""
    sizes: Floats = np.abs(values.contributions).mean(axis=0)
    return {name: int(part.argmax()) for name, part in zip(values.columns, sizes, strict=True)}
