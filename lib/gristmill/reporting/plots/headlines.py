"""What figures have found, in the words of their titles."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gristmill.config.metric_names import CLASSIFICATION_METRICS, REGRESSION_METRICS
from gristmill.reporting.wording import figure, metric_label, share, shorten

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SMALL_IS_GOOD = {name for name, greater in (CLASSIFICATION_METRICS | REGRESSION_METRICS).items() if not greater} | {"cost"}
"""What is better the smaller it is."""

NAMED = 22
"""Characters of a name in a title."""


def ranking(several: Sequence[tuple[str, str, float]]) -> str:
    """Return how well classes are ranked: of two, how often one is above the other; of several, the best and the worst told.

    Parameters
    ----------
    several
        Name, colour and area under the ROC curve of each class drawn.
    """
    if not several:
        return "ROC: there is only one class to tell"
    if len(several) == 1:
        name, _, area = several[0]
        return f"ROC: a {shorten(name, NAMED)} is ranked above another row {share(area)} of the time"
    best, worst = (pick(several, key=lambda one: one[2])[0] for pick in (max, min))
    return f"ROC: {shorten(best, NAMED)} is told best, {shorten(worst, NAMED)} worst"


def finding(several: Sequence[tuple[str, str, float]], rates: Sequence[float]) -> str:
    """Return the average precision of the first class, and what picking at random would have."""
    if not several:
        return "Precision against recall"
    return f"Precision against recall: {figure(several[0][2])} on average, {figure(rates[0])} at random"


def calibrated(truth: Bools, score: Floats, n_bins: int = 10) -> str:
    """Return how far probabilities lie from what came true on average, over bins of about as many rows each."""
    order = np.argsort(score, kind="stable")
    bins = [part for part in np.array_split(order, min(n_bins, max(1, len(order)))) if len(part)]
    gaps = [abs(float(score[part].mean()) - float(truth[part].mean())) * len(part) for part in bins]
    points = 100 * sum(gaps) / max(1, len(score))
    return f"Calibration: on average {points:.1f} points between what was said and what came true"


def best_threshold(thresholds: Floats, curves: Mapping[str, Floats], chosen: float | None) -> str:
    """Return where the first curve is best, and what the chosen threshold gives of it."""
    name, values = next(iter(curves.items()))
    if not np.isfinite(values).any():
        return "What each threshold would give"
    low = name in SMALL_IS_GOOD
    best = int(np.nanargmin(values) if low else np.nanargmax(values))
    said = f"{metric_label(name)} is {'least' if low else 'greatest'} at a threshold of {figure(float(thresholds[best]))}"
    return said if chosen is None or abs(thresholds[best] - chosen) < 0.005 else f"{said}; {figure(chosen)} is in force"


def extremes(named: Sequence[tuple[str, float]], metric: str, by: str = "") -> str:
    """Return the group in which a metric is lowest, and that in which it is highest."""
    known = [(name, value) for name, value in named if np.isfinite(value)]
    about = f"{metric_label(metric)}{f' by {shorten(by, NAMED)}' if by else ''}"
    if len(known) < 2:
        return about
    (low, least), (high, most) = min(known, key=lambda one: one[1]), max(known, key=lambda one: one[1])
    return f"{about}: from {figure(least)} ({shorten(low, NAMED)}) to {figure(most)} ({shorten(high, NAMED)})"


def weakest(named: Sequence[tuple[str, float]], metric: str, overall: float | None) -> str:
    """Return the segment in which a metric is worst, beside all rows."""
    known = [(name, value) for name, value in named if np.isfinite(value)]
    if not known:
        return f"{metric_label(metric)} in segments of the test rows"
    name, value = (max if metric in SMALL_IS_GOOD else min)(known, key=lambda one: one[1])
    beside = "" if overall is None else f", {figure(overall)} over all rows"
    return f"{metric_label(metric)} {figure(value)} where {shorten(name, 40)}{beside}"


def held(levels: Mapping[float, Mapping[str, Any]]) -> str:
    """Return the shares of truths that were held, level by level."""
    said = ", ".join(f"{share(levels[level]['coverage'], 1)} for {share(level)}" for level in sorted(levels))
    return f"Truths held, for those asked: {said}"


def moved_most(curves: Sequence[Mapping[str, Any]]) -> str:
    """Return the column along which the mean prediction moves most, and between what."""
    spans = [(float(np.ptp(np.asarray(one["mean"], dtype=float))), one) for one in curves]
    _, most = max(spans, key=lambda span: span[0])
    ends = [figure(float(pick(most["mean"]))) for pick in (min, max)]
    return f"{shorten(most['feature'], NAMED)} moves the mean prediction most, between {ends[0]} and {ends[1]}"


def more_rows(sizes: Floats, valid: Floats, metric: str) -> str:
    """Return how far the score on validation rows has come, and what the last rows added."""
    if len(sizes) < 2 or not np.isfinite(valid[[-2, -1]]).all():
        return f"{metric_label(metric)} as training rows are added"
    step = float(valid[-1] - valid[-2])
    return (
        f"{metric_label(metric)} {figure(float(valid[-1]))} with {int(sizes[-1]):,} rows: the last {int(sizes[-1] - sizes[-2]):,} "
        f"changed it by {'+' if step >= 0 else ''}{figure(step)}"
    )


def over_folds(scores: Mapping[str, Sequence[float]], metric: str) -> str:
    """Return between what the scores of the folds lie."""
    values = [float(value) for one in scores.values() for value in one if np.isfinite(value)]
    if len(values) < 2:
        return f"{metric_label(metric)} in every validation fold"
    return f"{metric_label(metric)} between {figure(min(values))} and {figure(max(values))} over the validation folds"
