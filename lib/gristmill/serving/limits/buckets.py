"""Token buckets: so many a second on average, and a burst after a pause."""

import time
from collections import OrderedDict
from collections.abc import Callable


class Buckets:
    """A token bucket for each of many names, in bounded memory.

    A bucket holds at most ``burst`` tokens, and gains ``rate`` a second. Only the ``most`` names used last are remembered; a bucket
    that is forgotten begins full, so that ``most`` should be far above the number of names that matter.

    Parameters
    ----------
    burst_seconds
        A full bucket holds what comes in as long, at least one token.
    most
        Names that are remembered.
    clock
        Monotonic, in seconds.
    """

    def __init__(self, burst_seconds: float = 1.0, most: int = 10_000, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst_seconds, self._most, self._clock = burst_seconds, most, clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str, rate: float) -> float:
        """Take a token, and return 0; or the seconds until there is one, if there is none now."""
        level, now = self._level(name, rate)
        missing = 1.0 - level
        self._keep(name, level if missing > 0 else level - 1.0, now)
        return max(0.0, missing / rate)

    def wait(self, name: str, rate: float) -> float:
        """Return the seconds until there is a token, 0 if there is one, and take none."""
        return max(0.0, (1.0 - self._level(name, rate)[0]) / rate) if name in self._levels else 0.0

    def _level(self, name: str, rate: float) -> tuple[float, float]:
        """Return how full a bucket is now, and when now is."""
        now, full = self._clock(), max(1.0, rate * self._burst_seconds)
        level, at = self._levels.get(name, (full, now))
        return min(full, level + (now - at) * rate), now

    def _keep(self, name: str, level: float, now: float) -> None:
        self._levels[name] = level, now
        self._levels.move_to_end(name)
        if len(self._levels) > self._most:
            self._levels.popitem(last=False)
