"""Groups of the test rows: how large each is, and how well the model does there."""

from typing import Any

import numpy as np
import pandas as pd

from gristmill.data.exploration.against_target import groups
from gristmill.reporting.wording import UNKNOWN, count, figure, interval, metric_label, share
from gristmill.views.explorer.decisions import Stakes, decide
from gristmill.views.explorer.evaluated import Evaluated

FEWEST = 20
"""Rows below which a group's figures say nothing."""


def by_column(model: Evaluated, column: str, threshold: float, stakes: Stakes) -> pd.DataFrame:
    """Return what the model does in each group of rows that a column makes, as a table for reading.

    Parameters
    ----------
    model
        The evaluated model.
    column
        A column of the test rows: its levels, or stretches of its numbers with equally many rows.
    threshold, stakes
        From which probability on rows are acted on, and what that is worth; of two classes alone.

    Returns
    -------
    DataFrame
        Indexed by group, with ``rows``; for two classes the share of positive rows, of rows acted on, of these that are positive,
        of positive rows that are found, and the amount per 1,000 rows; for several the share answered rightly; for numbers the mean
        error and the mean miss. Figures of fewer than :data:`FEWEST` rows are left out.
    """
    cut = groups(model.columns[column])
    found = {}
    for group in cut.cat.categories:
        rows = (cut == group).to_numpy(dtype=bool)
        if rows.any():
            found[str(group)] = {"rows": count(rows.sum())} | _figures(model, rows, threshold, stakes)
    return pd.DataFrame(found).T.rename_axis(column)


def _figures(
    model: Evaluated, rows: np.ndarray[tuple[int], np.dtype[np.bool_]], threshold: float, stakes: Stakes
) -> dict[str, str]:
    """Return the figures of some rows as text."""
    enough = rows.sum() >= FEWEST
    if model.case.task == "regression":
        missed = model.misses[rows]
        said = {"mean error": figure(float(np.abs(missed).mean())), "mean miss (above: too high)": figure(float(missed.mean()))}
    elif model.case.task == "multiclass":
        said = {"answered rightly": share(float(model.right[rows].mean()), 1)}
    else:
        one = decide(model.scores[rows], model.positives[rows], threshold, stakes)
        said = {
            f"are {model.case.positive_class}": share(float(model.positives[rows].mean()), 1),
            "acted on": share(one.share, 1),
            "of these rightly": share(one.precision, 1),
            "found": share(one.recall, 1),
            f"{stakes.what.lower()} per 1,000": figure(one.amount),
        }
    return said if enough else dict.fromkeys(said, UNKNOWN)


def hard(model: Evaluated) -> pd.DataFrame:
    """Return the segments that ``07_evaluate`` found the model worst in, as a table for reading."""
    rows = [_segment(one) for one in model.evaluation.get("segments") or []]
    return pd.DataFrame(rows, columns=["segment", "rows", "share", "metric", "value", "interval"]).set_index("segment")


def _segment(one: dict[str, Any]) -> list[str]:
    """Return one segment as texts."""
    return [
        str(one["segment"]), count(one["n"]), share(one["share"], 1), metric_label(str(one["metric"])), figure(one.get("value")),
        interval(one.get("low"), one.get("high")),
    ]  # fmt: skip
