"""What acting on the predictions was worth, week by week, in the business's currency (R49)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gristmill.evaluation.measure import BUSINESS_RULES, counts_in_currency
from gristmill.metrics.disparity import mean_interval
from gristmill.metrics.scores import Floats, decide
from gristmill.monitoring.performance.served import Mask, Served

WEEK = 7 * 86_400
MONDAY = 4 * 86_400
"""Seconds from 1970-01-01, a Thursday, to the first Monday."""


@dataclass(frozen=True)
class Amounts:
    """What each row brought, and what it would have brought otherwise, shape ``(n_rows,)`` each; costs are below zero.

    Attributes
    ----------
    decided
        By the model's decision.
    everyone, nobody
        If every row had been acted on, or none.
    """

    decided: Floats
    everyone: Floats
    nobody: Floats


def amounts(settings: Any, positive: Mask, flagged: Mask) -> Amounts | None:
    """Return what each decision was worth; None where the case puts no price on decisions.

    Parameters
    ----------
    settings
        The case's ``threshold``: its rule, what a true positive is worth, what acting costs, and what mistakes cost.
    positive, flagged
        Which rows are positive, and which were acted on.
    """
    priced = counts_in_currency(settings)
    if priced is None:
        return None
    if priced == "profit":
        acting, leaving = positive * settings.value_true_positive - settings.cost_contact, np.zeros(len(positive))
    else:
        acting, leaving = -(~positive * settings.cost_false_positive), -(positive * settings.cost_false_negative)
    return Amounts(np.where(flagged, acting, leaving), np.asarray(acting, dtype=np.float64), np.asarray(leaving, dtype=np.float64))


def business(served: Served, settings: Any, threshold: float | None, confidence: float = 0.95) -> dict[str, Any] | None:
    """Return what the decisions on labelled rows were worth, over all and by week; None where nothing is priced.

    Parameters
    ----------
    served
        Mature predictions of the version in production.
    settings
        The case's ``threshold``.
    threshold
        Smallest probability of the positive class that is acted on.
    confidence
        Level of the intervals.

    Returns
    -------
    dict
        ``name`` (what is counted), ``total`` and ``weeks``, each line with ``week`` (its Monday), ``predictions``, ``labels``, and
        per prediction ``value``, ``over_everyone`` and ``over_nobody`` (earned beyond acting on all or none), each with its
        interval; ``sum`` is the value of all its predictions, those without a label counted as the others are on average.
    """
    if served.task != "binary":
        return None
    labelled = served.take(served.labelled)
    scored = labelled.scored()
    found = amounts(settings, np.asarray(scored.y_true == 1), decide(scored.predicted, threshold) == 1)
    if found is None:
        return None
    every, own = (_weeks(one.rows["at"].to_numpy(dtype=np.float64)) for one in (served, labelled))
    weeks = [
        {
            "week": f"{pd.Timestamp(int(week), unit='s'):%Y-%m-%d}",
            **_line(found, own == week, int((every == week).sum()), confidence),
        }
        for week in np.unique(every)
    ]
    name = BUSINESS_RULES[str(counts_in_currency(settings))].split(" per ")[0]
    return {"name": name, "total": _line(found, np.ones(len(labelled), dtype=bool), len(served), confidence), "weeks": weeks}


def _weeks(at: Floats) -> Floats:
    """Return the Monday of each moment, both in seconds since 1970."""
    return np.asarray(np.floor((at - MONDAY) / WEEK) * WEEK + MONDAY, dtype=np.float64)


def _line(found: Amounts, which: Mask, predictions: int, confidence: float) -> dict[str, Any]:
    """Return the figures of some labelled rows out of so many predictions."""
    decided = found.decided[which]
    value = mean_interval(decided, confidence)
    return {
        "predictions": predictions,
        "labels": int(which.sum()),
        "value": value,
        "over_everyone": mean_interval(decided - found.everyone[which], confidence),
        "over_nobody": mean_interval(decided - found.nobody[which], confidence),
        "sum": {end: amount * predictions for end, amount in value.items()},
    }
