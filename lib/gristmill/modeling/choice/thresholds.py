"""From the probability of the positive class to a decision: the threshold that is best out of fold."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gristmill.modeling.choice.group_rates import GroupDifferences, GroupLimit, differences
from gristmill.reporting.wording import count, figure, metric_label, plain, share

Floats = NDArray[np.float64]

CURVE_POINTS = 200
"""Thresholds that are looked at: quantiles of the probabilities, so that each flags about as many rows more as the one before."""

NOBODY = float(np.nextafter(1.0, 2.0))
"""The smallest threshold that flags no row, not even one whose probability is exactly 1."""

SLACK = 1e-12
"""What rounding may add to a difference that lies exactly on its limit."""


@dataclass(frozen=True)
class ChosenThreshold:
    """A threshold, the rule that chose it and why, and what every threshold would have given.

    ``curve`` maps ``threshold``, ``share_flagged``, ``precision``, ``recall``, ``f1``, ``youden`` and ``profit`` to lists of equal
    length, in the order of rising thresholds; with the rules of these names also ``fbeta`` and ``cost``, and with a limit between
    groups ``disparity``. Profit and cost are in the currency of the case file, over all rows looked at. ``reason`` says in
    sentences what was chosen; ``disparity`` holds the limit and what became of it, None without one.
    """

    rule: str
    value: float
    curve: dict[str, list[float]]
    reason: str = ""
    disparity: dict[str, Any] | None = None

    def as_product(self) -> dict[str, Any]:
        """Return the threshold as JSON-able data."""
        return {"rule": self.rule, "value": self.value, "curve": self.curve, "reason": self.reason, "disparity": self.disparity}


def threshold_curve(
    y: NDArray[Any], positive: Floats, settings: Any, thresholds: Floats | None = None
) -> dict[str, NDArray[np.float64]]:
    """Return what every threshold gives; a row is flagged when its probability is at least the threshold.

    Parameters
    ----------
    y
        Codes, 1 for the positive class, shape ``(n_rows,)``.
    positive
        Probability of the positive class, shape ``(n_rows,)``.
    settings
        The case's ``threshold``: what hits are worth, and what contacts and mistakes cost.
    thresholds
        Rising; by default :data:`CURVE_POINTS` spread over the probabilities.
    """
    thresholds = _candidates(positive) if thresholds is None else thresholds
    order = np.sort(positive)
    hits_order = np.sort(positive[np.asarray(y) == 1])
    flagged = len(order) - np.searchsorted(order, thresholds, side="left")
    hits = len(hits_order) - np.searchsorted(hits_order, thresholds, side="left")
    n_positive, n_negative = len(hits_order), len(order) - len(hits_order)
    recall = hits / max(n_positive, 1)
    curve = {
        "threshold": thresholds,
        "share_flagged": flagged / len(order),
        "precision": hits / np.maximum(flagged, 1),
        "recall": recall,
        "f1": 2 * hits / np.maximum(flagged + n_positive, 1),
        "youden": recall - (flagged - hits) / max(n_negative, 1),
        "profit": hits * settings.value_true_positive - flagged * settings.cost_contact,
    }
    if settings.rule == "fbeta":
        weight = settings.beta**2
        curve["fbeta"] = (1 + weight) * hits / np.maximum(flagged + weight * n_positive, SLACK)
    if settings.rule == "cost":
        curve["cost"] = (flagged - hits) * settings.cost_false_positive + (n_positive - hits) * settings.cost_false_negative
    return {name: np.asarray(values, dtype=np.float64) for name, values in curve.items()}


def _candidates(positive: Floats) -> Floats:
    """Return the thresholds to look at, rising; the last one flags no row."""
    distinct = np.unique(positive)
    if len(distinct) > CURVE_POINTS:
        distinct = np.unique(np.quantile(positive, np.linspace(0, 1, CURVE_POINTS), method="nearest"))
    middles = (distinct[1:] + distinct[:-1]) / 2
    return np.concatenate([[0.0], middles if len(middles) else [0.5], [NOBODY]])


def allowed_rows(capacity: float, n_rows: int) -> int:
    """Return how many of ``n_rows`` rows a capacity allows: itself if it is a whole number, else that share, one at least."""
    if isinstance(capacity, int):
        return min(capacity, n_rows)
    return max(1, int(np.floor(capacity * n_rows + 1e-9)))


def capacity_threshold(positive: Floats, rows: int) -> float:
    """Return the threshold that flags the ``rows`` highest probabilities; fewer where equal ones would make it more."""
    ordered = np.sort(positive)[::-1]
    if rows >= len(ordered):
        return 0.0
    above = ordered[ordered > ordered[rows]]
    if not len(above):
        return NOBODY
    middle = float((above[-1] + ordered[rows]) / 2)
    return middle if middle > ordered[rows] else float(above[-1])


def choose_threshold(y: NDArray[Any], positive: Floats, settings: Any, limit: GroupLimit | None = None) -> ChosenThreshold:
    """Return the threshold that a case's ``threshold`` section asks for; of several equally good ones, the middle one.

    Under a limit between groups only thresholds that keep it out of fold are chosen from. Flagging no row, or every row, always
    keeps it; where nothing else does, the reason says so.

    Parameters
    ----------
    y
        Codes, 1 for the positive class.
    positive
        Out-of-fold probability of the positive class.
    settings
        The case's ``threshold``.
    limit
        What the case asks of the difference between groups, of the same rows; None: nothing.
    """
    codes = np.asarray(y, dtype=np.int64)
    thresholds = _candidates(positive)
    if settings.rule == "capacity":
        exact = capacity_threshold(positive, allowed_rows(settings.capacity, len(positive)))
        thresholds = np.unique(np.append(thresholds, exact))
    curve = threshold_curve(codes, positive, settings, thresholds)
    if settings.rule == "fixed":
        return ChosenThreshold("fixed", float(settings.value), _lists(curve), "The case file gives the threshold.")
    gains = _gains(curve, settings, len(positive))
    free = _middle_of_best(gains)
    if limit is None:
        return ChosenThreshold(settings.rule, float(thresholds[free]), _lists(curve), _reason(curve, free, settings, len(codes)))
    apart = differences(limit, codes, positive, thresholds)
    if not len(apart.largest):
        words = f"{_reason(curve, free, settings, len(codes))} {_not_measured(limit)}"
        return ChosenThreshold(settings.rule, float(thresholds[free]), _lists(curve), words, _record(limit, None, free, free))
    curve["disparity"] = apart.largest
    kept = _middle_of_best(np.where(apart.largest <= limit.most + SLACK, gains, -np.inf))
    words = f"{_reason(curve, kept, settings, len(codes))} {_kept(limit, apart, curve, kept, free)}"
    return ChosenThreshold(settings.rule, float(thresholds[kept]), _lists(curve), words, _record(limit, apart, kept, free))


def _gains(curve: dict[str, Floats], settings: Any, n_rows: int) -> Floats:
    """Return how good each threshold is by the rule, more being better."""
    if settings.rule == "cost":
        return -curve["cost"]
    if settings.rule != "capacity":
        return curve[settings.rule]
    flagged = np.round(curve["share_flagged"] * n_rows)
    return np.where(flagged <= allowed_rows(settings.capacity, n_rows), flagged, -np.inf)


def _middle_of_best(gains: Floats) -> int:
    """Return the position of the greatest gain, the middle one if there are several."""
    best = np.flatnonzero(gains >= gains.max() - SLACK)
    return int(best[len(best) // 2])


def _lists(curve: dict[str, Floats]) -> dict[str, list[float]]:
    """Return a curve as JSON-able lists."""
    return {name: values.tolist() for name, values in curve.items()}


def _reason(curve: dict[str, Floats], place: int, settings: Any, n_rows: int) -> str:
    """Return in a sentence what the rule makes of the threshold at ``place``."""
    flagged = round(float(curve["share_flagged"][place]) * n_rows)
    rows = f"{count(flagged)} of {count(n_rows)} rows ({share(flagged / n_rows)})"
    if settings.rule == "capacity":
        allowed = allowed_rows(settings.capacity, n_rows)
        return f"It flags {rows} out of fold; the capacity allows {count(allowed)}."
    if settings.rule in {"cost", "profit"}:
        what = {"cost": "the cost of mistakes least", "profit": "the profit greatest"}[settings.rule]
        here, none, every = (figure(1000 * float(curve[settings.rule][at]) / n_rows) for at in (place, -1, 0))
        ends = f"flagging no row gives {none}, every row {every}"
        return f"It makes {what} out of fold, {here} per 1,000 rows, and flags {rows}; {ends}."
    name = f"the F-score of beta {plain(float(settings.beta))}" if settings.rule == "fbeta" else _name(settings.rule)
    return f"It makes {name} greatest out of fold, {figure(float(curve[settings.rule][place]))}, and flags {rows}."


def _name(rule: str) -> str:
    """Return the name of what a rule maximises."""
    return {"f1": "F1", "youden": "Youden's J"}[rule]


def _kept(limit: GroupLimit, apart: GroupDifferences, curve: dict[str, Floats], kept: int, free: int) -> str:
    """Return in sentences what the limit between groups did."""
    feature, low, high = apart.between[free]
    rate, most = metric_label(limit.rate).lower(), plain(float(limit.most))
    if apart.largest[free] <= limit.most + SLACK:
        held = figure(float(apart.largest[free]))
        return f"The {rate} differs by {held} between groups of {feature} ({low} and {high}), within the limit of {most}."
    told = (
        f"Without the limit of {most} it would be {figure(float(curve['threshold'][free]))}, where the {rate} differs by "
        f"{figure(float(apart.largest[free]))} between {low} and {high} of {feature}; here it differs by "
        f"{figure(float(apart.largest[kept]))} at most."
    )
    flagged = curve["share_flagged"][kept]
    if flagged in {0.0, 1.0}:
        rows = "every" if flagged else "no"
        return f"{told} No threshold that tells rows apart keeps it as well as this one, which flags {rows} row."
    return told


def _not_measured(limit: GroupLimit) -> str:
    """Return in a sentence that the limit could not be held against any two groups."""
    kind = "positive rows" if limit.rate == "true_positive_rate" else "rows"
    return (
        f"The limit between groups could not be measured: no sensitive feature has two groups of {count(limit.min_group_size)} "
        f"{kind} out of fold."
    )


def _record(limit: GroupLimit, apart: GroupDifferences | None, kept: int, free: int) -> dict[str, Any]:
    """Return the limit and what became of it, JSON-able."""
    found: dict[str, Any] = {"rate": limit.rate, "limit": limit.most, "value": None, "without_limit": None}
    if apart is None:
        return found
    feature, low, high = apart.between[kept]
    return found | {
        "value": float(apart.largest[kept]),
        "without_limit": float(apart.largest[free]),
        "feature": feature,
        "groups": [low, high],
    }
