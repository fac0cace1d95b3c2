"""How sure the model is: what is left if only sure answers count, or an error is tolerated, and how wide its intervals are."""

import numpy as np
import pandas as pd

from gristmill.reporting.wording import UNKNOWN, count, figure, interval, share
from gristmill.views.explorer.evaluated import Evaluated


def within(model: Evaluated, tolerance: float) -> str:
    """Return how many predictions of numbers miss by no more than ``tolerance``, as a sentence."""
    size = np.abs(model.misses)
    near = float((size <= tolerance).mean())
    return (
        f"{share(near, 1)} of {count(len(size))} predictions of {model.case.target} miss by {figure(tolerance)} or less. Half miss "
        f"by less than {figure(float(np.median(size)))}, nine in ten by less than {figure(float(np.quantile(size, 0.9)))}."
    )


def answered(model: Evaluated, least: float) -> str:
    """Return how many rows are answered with at least that probability, and how many of them rightly, as a sentence."""
    sure = model.surest >= least
    if not sure.any():
        return f"No row is answered with a probability of {figure(least)} or more."
    rest = f", against {share(float(model.right[~sure].mean()), 1)} of the others" if not sure.all() else ""
    return (
        f"{count(sure.sum())} of {count(len(sure))} rows ({share(float(sure.mean()), 1)}) are answered with a probability of "
        f"{figure(least)} or more; {share(float(model.right[sure].mean()), 1)} of these answers are right{rest}."
    )


def levels(model: Evaluated) -> pd.DataFrame:
    """Return how often sets or intervals asked for at each level hold the truth, and how large they are, as a table for reading."""
    found = (model.evaluation.get("conformal") or {}).get("levels") or {}
    rows = {
        share(float(level)): {
            "held the truth": share(one["coverage"], 1),
            "interval": interval(one["low"], one["high"]),
            "mean size": figure(float(one["size"])) if "size" in one else UNKNOWN,
            "mean width": figure(float(one["width"])) if "width" in one else UNKNOWN,
        }
        for level, one in sorted(found.items(), key=lambda item: float(item[0]))
    }
    table = pd.DataFrame(rows).T.rename_axis("asked to hold")
    return table.loc[:, (table != UNKNOWN).any()] if len(table) else table
