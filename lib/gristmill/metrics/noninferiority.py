"""What a difference between two models allows one to say: better, not worse, worse, or that it cannot be told yet.

A new model is *not worse* when the whole interval of its improvement lies above minus a margin that was fixed before (a
non-inferiority test; Wellek 2010, chapter 2). The interval has two tails: a model that is worse by exactly the margin passes with
half the chance that the interval leaves out, and one that is no different is called better with the same chance. That a difference
was not found proves nothing; how many rows it would take is then part of the answer.
"""

import math
from dataclasses import dataclass

from gristmill.metrics.interval_ends import Interval

BETTER, NOT_WORSE, WORSE, CANNOT_TELL = "better", "not worse", "worse", "cannot tell"

POWER = 0.8
"""Chance with which the rows that would be needed show what is asked, the usual one in trials."""

MOST_ROWS = 1e9
"""More rows than this are called none."""


@dataclass(frozen=True)
class Judgement:
    """What can be said of a new model beside another.

    Attributes
    ----------
    verdict
        :data:`BETTER`, :data:`NOT_WORSE`, :data:`WORSE` or :data:`CANNOT_TELL`.
    improvement
        Share of the other model's loss that the new one removes, with its interval.
    margin
        Share of the loss by which it may be worse.
    rows_needed
        About how many rows would tell, where these cannot; None where no number would, or none is needed.
    """

    verdict: str
    improvement: Interval
    margin: float
    rows_needed: int | None = None

    @property
    def accepted(self) -> bool:
        """Whether the new model may take the other's place."""
        return self.verdict in (BETTER, NOT_WORSE)


def judge(
    improvement: Interval, error: float, margin: float, n_rows: int, confidence: float, gain: Interval | None = None
) -> Judgement:
    """Return what the interval of an improvement allows one to say.

    Parameters
    ----------
    improvement, error
        As in :class:`gristmill.metrics.paired.Difference`.
    margin
        Share of the loss by which the new model may be worse, not negative.
    n_rows
        Rows behind the interval.
    confidence
        Level of the interval.
    gain
        The plain difference, more is better; it tells that a model is worse where the improvement is not finite, because the
        other model loses nothing.
    """
    low, high = improvement["low"], improvement["high"]
    if math.isfinite(low) and low > 0:
        return Judgement(BETTER, improvement, margin)
    if math.isfinite(low) and low >= -margin:
        return Judgement(NOT_WORSE, improvement, margin)
    lost_plainly = gain is not None and not math.isfinite(improvement["value"]) and gain["high"] < 0
    if high < -margin or lost_plainly:
        return Judgement(WORSE, improvement, margin)
    return Judgement(CANNOT_TELL, improvement, margin, rows_needed(improvement["value"], error, margin, n_rows, confidence))


def rows_needed(value: float, error: float, margin: float, n_rows: int, confidence: float) -> int | None:
    """Return about how many rows would tell whether a model is within the margin, to two digits; None if no number would.

    The rows with which :data:`POWER` of all such comparisons end in a verdict if the truth is what was found; an improvement is not
    counted on, unless there is no margin.

    Parameters
    ----------
    value, error
        The improvement found, and its standard error on ``n_rows`` rows, which falls with the square root of their number.
    margin, n_rows, confidence
        As for :func:`judge`.
    """
    if not (math.isfinite(value) and math.isfinite(error)):
        return None
    distance = max(margin, value) if value > 0 else abs(value + margin)
    if distance == 0:
        return None
    steps = (normal_steps(confidence) + normal_steps(2 * POWER - 1)) * error / distance
    needed = max(n_rows * steps**2, n_rows + 1)
    if needed > MOST_ROWS:
        return None
    digits = 1 - math.floor(math.log10(needed))
    return max(n_rows + 1, int(round(needed, digits)))


def normal_steps(confidence: float) -> float:
    """Return how many standard errors to both sides hold a normal value with this confidence."""
    from scipy.special import ndtri  # noqa: PLC0415

    return float(ndtri(0.5 + confidence / 2))
