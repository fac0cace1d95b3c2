"""Moments at which a table's rows might have been asked about: more by day than by night."""

import numpy as np

from gristmill.metrics.scores import Floats

DAY = 86_400.0
SWING = 0.8
"""How far the traffic of the busiest hour is above the mean, and that of the quietest below."""
BUSIEST_HOUR = 15.0
"""UTC."""
_STEP = 300.0


def moments(count: int, days: float, until: float, rng: np.random.Generator) -> Floats:
    """Return ``count`` moments in seconds since 1970, in order, spread over the days that end at ``until``.

    Traffic swings about its mean once a day. The moments are the quantiles of that, each moved by chance as far as to its
    neighbours, so that every day has its share whatever the seed.
    """
    grid = np.arange(0.0, days * DAY + _STEP, _STEP).clip(max=days * DAY)
    begun = until - days * DAY
    phase = 2 * np.pi * ((begun + grid) / DAY - BUSIEST_HOUR / 24)
    reached = grid + SWING * DAY / (2 * np.pi) * np.sin(phase)  # the integral of 1 + SWING * cos
    shares = (np.arange(count) + rng.random(count)) / max(count, 1)
    wanted = reached[0] + shares * (reached[-1] - reached[0])
    return np.asarray(begun + np.interp(wanted, reached, grid), dtype=np.float64)
