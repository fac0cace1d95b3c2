"""The times that one may look at, and into how many parts each is cut."""

from dataclasses import dataclass

from gristmill.serving.prediction_log.totals import Cut

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0

MOST_PARTS = 96
"""Points of a line that can still be told apart on a small screen."""

_STEPS = (MINUTE, 5 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 12 * HOUR, DAY, 7 * DAY, 28 * DAY, 91 * DAY, 364 * DAY)


@dataclass(frozen=True)
class Period:
    """Some time until now.

    Attributes
    ----------
    name
        As people choose it.
    seconds
        How long; None for all there is.
    step
        Length of the parts that it is cut into, in seconds; 0 to choose one that fits.
    """

    name: str
    seconds: float | None
    step: float = 0.0


PERIODS = (
    Period("Last hour", HOUR, MINUTE),
    Period("Last 24 hours", DAY, 30 * MINUTE),
    Period("Last 7 days", 7 * DAY, 3 * HOUR),
    Period("Last 30 days", 30 * DAY, 12 * HOUR),
    Period("Last 90 days", 90 * DAY, DAY),
    Period("All", None),
)


def period_of(name: str) -> Period:
    """Return the period of a name; the last seven days where there is none of that name."""
    return next((one for one in PERIODS if one.name == name), PERIODS[2])


def cut_of(period: Period, now: float, ends: tuple[float, float] | None) -> Cut:
    """Return a period as time with parts, which begin at whole multiples of their length.

    Parameters
    ----------
    period
        Which one.
    now
        Seconds since 1970.
    ends
        When the first and the last prediction were made, for a period that is all there is.
    """
    first, last = ends if ends is not None else (now, now)
    until = max(now, last + 1.0)
    length = period.seconds if period.seconds is not None else max(until - first, HOUR)
    step = period.step or next((step for step in _STEPS if length / step <= MOST_PARTS), _STEPS[-1])
    since = (until - length) // step * step
    return Cut(since, until, step)


def default_period(now: float, ends: tuple[float, float] | None) -> Period:
    """Return the shortest period that shows something: where nothing was asked lately, a longer one."""
    last = ends[1] if ends is not None else now
    return next((one for one in PERIODS[2:] if one.seconds is not None and now - last < one.seconds), PERIODS[-1])
