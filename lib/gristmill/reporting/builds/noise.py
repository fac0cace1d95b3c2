"""Whether a difference between two builds in a metric is more than noise, told from their intervals."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gristmill.config.metric_names import greater_is_better

BETTER, WORSE, WITHIN_NOISE, UNKNOWN = "better", "worse", "within noise", "not known"

WORDS = {
    BETTER: "better, by more than noise",
    WORSE: "worse, by more than noise",
    WITHIN_NOISE: "within noise",
    UNKNOWN: "no interval to tell by",
}
"""Verdict -> how it is written."""

Score = Sequence[float | None]
"""Value, and the ends of its interval, which may be unknown."""


@dataclass(frozen=True)
class Change:
    """A difference, later minus earlier, with its interval and what can be said of it."""

    value: float
    low: float | None
    high: float | None
    verdict: str


def change_of(metric: str, earlier: Score, later: Score) -> Change:
    """Return how a metric changed from an earlier build to a later one.

    The interval is recovered from those of the two values, taken as independent (MOVER; Zou and Donner 2008). Where both were
    measured on the same rows they are not, and the interval is wider than it need be: what it calls more than noise is.

    Parameters
    ----------
    metric
        Its name says whether more is better.
    earlier, later
        Value, low and high of the two builds; the values must be known.
    """
    before, after = float(earlier[0] or 0.0), float(later[0] or 0.0)
    difference = after - before
    if any(end is None for end in (*earlier[:3], *later[:3])):
        return Change(difference, None, None, UNKNOWN)
    (_, before_low, before_high), (_, after_low, after_high) = map(_known, (earlier, later))
    low = difference - math.hypot(after - after_low, before_high - before)
    high = difference + math.hypot(after_high - after, before - before_low)
    return Change(difference, low, high, _verdict(metric, low, high))


def _known(score: Score) -> tuple[float, float, float]:
    """Return value and ends of a score, all of which are known."""
    value, low, high = (0.0 if end is None else end for end in score[:3])
    return value, low, high


def _verdict(metric: str, low: float, high: float) -> str:
    """Return what an interval of a difference says."""
    if low <= 0 <= high:
        return WITHIN_NOISE
    return BETTER if (low > 0) == more_is_better(metric) else WORSE


def more_is_better(metric: str) -> bool:
    """Return whether a larger value is a better one; a metric that is not known is taken to be a gain."""
    try:
        return greater_is_better(metric)
    except KeyError:
        return True
