"""What the target is like among some rows, with an interval: the share of a class, or the mean of a number."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm
from scipy.stats import t as student

from gristmill.data.targets import class_text
from gristmill.reporting.wording import figure

CONFIDENCE = 0.95
"""Confidence of the intervals, one group at a time."""

MOST_CLASSES = 4

COLUMNS = ["group", "series", "n", "value", "low", "high"]


def series_of(target: pd.Series, case: Any) -> dict[str, NDArray[np.float64]]:
    """Return what is averaged over rows, by name.

    For two classes whether a row is of the positive one, for several the same of each of the :data:`MOST_CLASSES` most frequent,
    and the number itself for a regression.
    """
    if case.task == "regression":
        return {"mean": np.asarray(pd.to_numeric(target), dtype=np.float64)}
    texts = class_text(target)
    classes = [case.positive_class] if case.task == "binary" and case.positive_class else list(texts.value_counts().index)
    kept = classes[: 1 if case.task == "binary" else MOST_CLASSES]
    return {str(name): np.asarray(texts == str(name), dtype=np.float64) for name in kept}


def by_group(target: pd.Series, groups: pd.Series, case: Any) -> pd.DataFrame:
    """Return what the target is like in each group of rows.

    Parameters
    ----------
    target
        Target of each row.
    groups
        Group of each row, in the same order: an ordered categorical, or anything that sorts; rows without one are left out.
    case
        The case.

    Returns
    -------
    DataFrame
        ``group``, ``series`` (as of :func:`series_of`), ``n`` (rows), ``value`` with ``low`` and ``high``: Wilson's interval of a
        share, Student's of a mean.
    """
    found = []
    for name, values in series_of(target, case).items():
        grouped = pd.Series(values).groupby(groups.reset_index(drop=True), observed=True, sort=True)
        table = grouped.agg(["count", "mean", "std"])
        table = table[table["count"] > 0]
        low, high = _ends(table, of_a_mean=case.task == "regression")
        found.append(
            pd.DataFrame(
                {"group": table.index, "series": name, "n": table["count"], "value": table["mean"], "low": low, "high": high}
            )
        )
    return pd.concat(found, ignore_index=True)[COLUMNS]


def _ends(table: pd.DataFrame, *, of_a_mean: bool) -> tuple[pd.Series, pd.Series]:
    """Return the ends of the interval of each row's mean or share."""
    n, mean = table["count"], table["mean"]
    if of_a_mean:
        half = student.ppf((1 + CONFIDENCE) / 2, np.maximum(n - 1, 1)) * table["std"].fillna(0.0) / np.sqrt(n)
        return mean - half, mean + half
    z = float(norm.ppf((1 + CONFIDENCE) / 2))
    middle = (mean + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(mean * (1 - mean) / n + z**2 / (4 * n**2))
    return (middle - half).clip(lower=0.0), (middle + half).clip(upper=1.0)


def apart(table: pd.DataFrame) -> bool:
    """Return whether some two groups of one series have intervals that do not meet."""
    return any(part["low"].max() > part["high"].min() for _, part in table.groupby("series"))


def value_words(value: float, case: Any) -> str:
    """Return a share as a percentage, and a mean as a number."""
    return figure(value) if case.task == "regression" else f"{value:.1%}"


def called(series: str, case: Any) -> str:
    """Return what is averaged, in words: ``mean price``, or ``share of churn = Yes``."""
    return f"mean {case.target}" if case.task == "regression" else f"share of {case.target} = {series}"


def widest(table: pd.DataFrame, least_rows: int) -> tuple[pd.Series, pd.Series] | None:
    """Return the rows of the lowest and the highest group of the series that differs most; None if fewer than two are large."""
    large = table[table["n"] >= least_rows]
    spans = {
        name: (part.iloc[int(part["value"].argmin())], part.iloc[int(part["value"].argmax())])
        for name, part in large.groupby("series")
        if len(part) > 1
    }
    return max(spans.values(), key=lambda ends: float(ends[1]["value"] - ends[0]["value"]), default=None)


def overall(target: pd.Series, case: Any) -> dict[str, float]:
    """Return what the target is like over all rows, by series."""
    return {name: float(values.mean()) for name, values in series_of(target, case).items()}


def axis_label(case: Any) -> str:
    """Return what is averaged, for the axis of a figure: of several classes it does not say which."""
    if case.task == "regression":
        return f"mean {case.target}"
    return f"share of {case.target}" + (f" = {case.positive_class}" if case.task == "binary" and case.positive_class else "")
