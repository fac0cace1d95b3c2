"""Lengths of time as a case file states them."""

import re

_UNITS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}
_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(second|minute|hour|day|week)s?\s*", re.IGNORECASE)


def seconds(duration: str) -> float:
    """Return how many seconds a duration such as ``7 days`` or ``12 hours`` has.

    Raises
    ------
    ValueError
        The text is not a number with a unit, or the number is zero. A month is no unit: months differ in length.

    Examples
    --------
    >>> seconds("1.5 hours")
    5400.0
    """
    found = _DURATION.fullmatch(duration)
    if found is None or float(found[1]) == 0:
        raise ValueError(
            f"expected a duration above zero with its unit, such as `7 days` or `12 hours` (seconds, minutes, hours, days, weeks), "
            f"got {duration!r}"
        )
    return float(found[1]) * _UNITS[found[2].lower()]
