"""Dates as they are commonest in JSON, read without pandas; every other one is the contract's own reading's."""

from collections.abc import Callable
from datetime import date, datetime

FIRST_YEAR, LAST_YEAR = 1700, 2200
"""Years within which a date is read directly; the contract's own reading has limits not far beyond."""


def moment_of(text: str) -> datetime | None:
    """Return the moment that a text in one of the two commonest forms of ISO 8601 says; None for every other text."""
    plain = text.isascii() and text[4:5] == "-" and text[7:8] == "-" and text.replace("-", "").replace(":", "")[:8].isdigit()
    if not plain or len(text) not in (10, 19) or (len(text) == 19 and (text[10] not in "T " or text[13] + text[16] != "::")):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if FIRST_YEAR <= found.year <= LAST_YEAR and found.tzinfo is None else None


_EPOCH = date(1970, 1, 1).toordinal()
PARTS: dict[str, Callable[[datetime], float]] = {
    "day number": lambda moment: float(moment.toordinal() - _EPOCH),
    "year": lambda moment: float(moment.year),
    "month": lambda moment: float(moment.month),
    "day": lambda moment: float(moment.day),
    "weekday": lambda moment: float(moment.weekday()),
    "hour": lambda moment: float(moment.hour),
}
"""What each step of a date is of a moment."""
