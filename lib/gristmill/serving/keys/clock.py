"""A clock that shows the time of day and never goes back within a process."""

import time
from collections.abc import Callable


class SteadyClock:
    """Seconds since 1970 that only grow, whatever is done to the clock of the machine.

    It follows the clock of the machine forward. Where that is set back, it goes on from the latest time it has shown, at the pace
    of the monotonic clock: what has expired stays expired.

    Parameters
    ----------
    wall, monotonic
        The clocks it is made from.
    """

    def __init__(self, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._wall, self._monotonic = wall, monotonic
        self._shown, self._at = wall(), monotonic()

    def now(self) -> float:
        """Return the time, in seconds since 1970 (UTC)."""
        wall, steady = self._wall(), self._shown + (self._monotonic() - self._at)
        if wall > steady:
            self._shown, self._at = wall, self._monotonic()
            return wall
        return steady
