"""Another attempt, a little later, at what may be away for a moment only."""

import time
from collections.abc import Callable
from typing import TypeVar

from gristmill.errors import SourceError

FIRST_WAIT = 0.5
"""Seconds before the second attempt; each further wait is twice as long."""

LONGEST_WAIT = 8.0
DEFAULT_RETRIES = 4
"""Attempts after the first: with waits of 0.5, 1, 2 and 4 seconds."""

T = TypeVar("T")


class UnreachableError(Exception):
    """A connection could not be made, for a reason that may pass by itself; its text is the reason."""


def with_retries(
    connect: Callable[[], T], what: str, retries: int = DEFAULT_RETRIES, wait: Callable[[float], object] = time.sleep
) -> T:
    """Return what ``connect`` returns, trying again while it raises :class:`UnreachableError`.

    Parameters
    ----------
    connect
        Makes the connection.
    what
        What is connected to, for the message.
    retries
        How often to try again; the waits between are 0.5, 1, 2, 4, 8, 8, ... seconds.
    wait
        Waits so many seconds.

    Raises
    ------
    SourceError
        The last attempt failed as well.
    """
    for attempt in range(retries):
        try:
            return connect()
        except UnreachableError:
            wait(min(FIRST_WAIT * 2**attempt, LONGEST_WAIT))
    try:
        return connect()
    except UnreachableError as error:
        times = f"{retries + 1} attempts" if retries else "one attempt"
        raise SourceError(
            f"{what} cannot be reached after {times}: {error}. Start it, or mend where `source.uri` says it is, and run the "
            "command again."
        ) from error
