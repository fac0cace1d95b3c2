"""What treating groups more alike would cost: points of quality and disparity, all of them out of fold.

The point that the case asks for is judged as it will serve. Of the others, thresholds by group are tried on the chosen model, and
what has to be learnt again is tried on the family that answers fastest, with few rows and for a few seconds: enough to say what is
worth asking for.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.config.fairness_limits import fairness_limits, keeps
from gristmill.config.mitigations import GRADIENT, NONE, THRESHOLDS, mitigations
from gristmill.metrics.groups import crossed
from gristmill.metrics.scores import decide, score
from gristmill.modeling.choice import selection
from gristmill.modeling.choice.candidates import Choice
from gristmill.modeling.choice.thresholds import ChosenThreshold, threshold_curve
from gristmill.modeling.mitigation.asked import Asked, Relearnt
from gristmill.modeling.mitigation.group_disparity import Predicted, beyond, disparities, sensitive_columns

Floats = NDArray[np.float64]

SECONDS = 10.0
"""No further point is begun after so long, other than those that only move thresholds."""

MOST_ROWS, MOST_MIXTURE_ROWS = 4_000, 1_000
"""Rows that a model of a point is learnt from, fold by fold; a mixture is dozens of models."""


@dataclass(frozen=True)
class Standing:
    """A model as it would serve: its out-of-fold predictions and its threshold."""

    model: str
    oof: Floats
    decision: ChosenThreshold | None


def standing(case: Any, asked: Asked, train: pd.DataFrame, choice: Choice) -> Standing:
    """Return a choice calibrated and with its threshold, as ``06_select`` does it."""
    calibration = selection.calibrated(asked.rows, asked.metric, choice)
    oof = choice.candidate.oof if calibration is None else calibration.oof
    return Standing(choice.candidate.name, oof, selection.threshold(asked.rows, oof, case, train))


def frontier(case: Any, asked: Asked, train: pd.DataFrame, free: Choice, served: Standing) -> dict[str, Any]:
    """Return the points of the frontier as JSON-able data; none where the case names no sensitive features.

    Parameters
    ----------
    case
        The case; ``fairness``, ``sensitive_features``, ``threshold``, ``evaluation`` and ``task`` are read.
    asked
        What the case asks for.
    train
        Training rows with their raw columns.
    free
        What would be chosen without a mitigation.
    served
        What is served: with the mitigation, if one is asked for.

    Returns
    -------
    dict
        ``asked``; ``points``, each with ``name``, ``model``, ``score``, ``accuracy`` (classes), ``gain`` (two classes), its
        disparities (the names of those that are infinite in ``infinite``), ``intersections`` (limit that one surely breaks -> its
        features), ``keeps`` and ``chosen``; ``left_out``, names for which there was no time; and ``reason`` in a sentence.
    """
    if asked.people is None:
        return {"asked": asked.name, "points": [], "left_out": [], "reason": "The case names no sensitive features."}
    groups = _people(case, asked, train)
    unmitigated = served if asked.name == NONE else standing(case, asked, train, free)
    first = _point(case, asked, groups, NONE, unmitigated)
    points = [first] if asked.name == NONE else [first, _point(case, asked, groups, asked.name, served)]
    left_out, began, wanted = [], time.monotonic(), asked.name != NONE or not first["keeps"]
    for name in [one for one in mitigations(case.task) if one not in (NONE, asked.name)]:
        worth = wanted or not name.startswith(GRADIENT)  # seconds for a mixture, which nobody asked for
        tried = _tried(name, case, asked, train, unmitigated, in_time=worth and time.monotonic() - began < SECONDS)
        points += [] if tried is None else [_point(case, asked, groups, name, tried)]
        left_out += [name] if tried is None else []
    return {"asked": asked.name, "points": points, "left_out": left_out, "reason": _reason(asked, keeps=first["keeps"])}


def _reason(asked: Asked, *, keeps: bool) -> str:
    """Return how the model without a mitigation stands."""
    if asked.name != NONE:
        return "The case asks for a mitigation."
    return f"Out of fold {'no' if keeps else 'a'} limit between groups is exceeded, and the case asks for no mitigation."


def _tried(name: str, case: Any, asked: Asked, train: pd.DataFrame, base: Standing, *, in_time: bool) -> Standing | None:
    """Return a mitigation as it would serve; None where it has to be learnt and there is no time."""
    this = replace(asked, name=name)
    if this.kind == THRESHOLDS:
        oof, decision = this.decided(base.oof, base.decision)
        return Standing(base.model, oof, decision)
    if not in_time or asked.people is None:
        return None
    again = Relearnt(name, asked.rows, asked.members, asked.people)
    oof = again.mixture_oof(MOST_MIXTURE_ROWS) if this.kind == GRADIENT else again.member_oof(again.fastest, MOST_ROWS)
    return Standing(again.fastest.family, oof, selection.threshold(asked.rows, oof, case, train))


@dataclass(frozen=True)
class _People:
    """The group of each row that was predicted, by each sensitive feature and by several together."""

    own: Mapping[str, pd.Series]
    together: Mapping[str, pd.Series]


def _people(case: Any, asked: Asked, train: pd.DataFrame) -> _People:
    """Return the groups of the rows that were predicted out of fold."""
    own = {feature: column.iloc[asked.rows.validated] for feature, column in sensitive_columns(case, train).items()}
    return _People(own, crossed(own))


def _point(case: Any, asked: Asked, people: _People, name: str, one: Standing) -> dict[str, Any]:
    """Return one point: how good, and how unlike groups are treated."""
    valid = asked.rows.validated
    y, predicted = asked.rows.y[valid], one.oof[valid]
    threshold = None if one.decision is None else one.decision.value
    rows = Predicted(y, predicted, threshold)
    apart, broken = disparities(case, rows, people.own), beyond(case, rows, people.together)
    made = {"name": name, "model": one.model, "score": score(asked.metric, y, predicted, threshold=threshold)}
    if asked.rows.classes:
        made["accuracy"] = float((decide(predicted, threshold) == y).mean())
    if threshold is not None:
        made |= _gain(case.threshold, y, predicted, threshold)
    told = {"infinite": [measure for measure, value in apart.items() if np.isinf(value)], "intersections": broken}
    return {**made, **apart, **told, "keeps": _keeps(case, apart) and not broken, "chosen": name == asked.name}


def _gain(settings: Any, y: NDArray[Any], predicted: Floats, threshold: float) -> dict[str, Any]:
    """Return what decisions bring by the rule of the case: money per 1,000 rows, or what the rule makes greatest."""
    rule = settings.rule if settings.rule in ("profit", "cost", "fbeta", "youden") else "f1"
    value = float(threshold_curve(y, predicted[:, 1], settings, np.array([threshold]))[rule][0])
    return {"rule": rule, "gain": 1000 * value / len(y) if rule in ("profit", "cost") else value}


def _keeps(case: Any, apart: Mapping[str, float]) -> bool:
    """Return whether every limit of the case that could be measured is kept by each feature."""
    return all(
        limit is None or np.isnan(apart[measure]) or keeps(apart[measure], direction, limit)
        for measure, (direction, limit) in fairness_limits(case.fairness, case.task).items()
    )


def in_words(found: Mapping[str, Any]) -> str:
    """Return in a sentence what was looked at, or why nothing was."""
    if not found["points"]:
        return str(found["reason"])
    names = ", ".join(f"`{point['name']}`" for point in found["points"] if point["keeps"])
    kept = f"Within all limits: {names}." if names else "None keeps all limits."
    return f"{found['reason']} {len(found['points'])} points were looked at. {kept}"
