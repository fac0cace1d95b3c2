"""How sure one can be of the largest difference between groups.

The largest difference is never negative, and of several groups that are alike some always differ: resampling it says how far groups
differ in the sample, not whether they do. Here pairs of groups are compared instead. Each difference has an interval recovered from
the intervals of its two groups (MOVER; Zou and Donner 2008, for proportions Newcombe 1998), and the lower ends of all pairs that
may be the furthest apart are held at once: their critical value is that of the largest of their differences (moment selection;
Andrews and Soares 2010). Two groups that are alike then reach zero as often as is said, and so do twenty.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from gristmill.metrics.intervals import Bootstrap

Floats = NDArray[np.float64]
Limits = Callable[[float], tuple[Floats, Floats]]
"""From a number of standard errors to the lower and upper limit of each group."""


def largest_difference(values: Floats, errors: Floats, limits: Limits, bootstrap: Bootstrap) -> tuple[float, float]:
    """Return the interval of the largest value minus the smallest, not below zero.

    Parameters
    ----------
    values, errors
        What is compared, and its standard error, in each group; shape ``(n_groups,)``, independent of each other.
    limits
        The limits of the groups' own intervals, asymmetric where they should be.
    bootstrap
        Level of the interval, and the draws and seed behind the critical value of several pairs.
    """
    z = float(ndtri(0.5 + bootstrap.confidence / 2))
    low, high = _pairs(values, limits, z)
    possible = high >= low.max()
    critical = max(z, _critical_value(errors, possible, bootstrap))
    held = np.where(possible, _pairs(values, limits, critical)[0], -np.inf)
    return max(0.0, float(held.max())), float(high.max())


def _pairs(values: Floats, limits: Limits, z: float) -> tuple[Floats, Floats]:
    """Return the lower and upper limit of each ordered pair's difference, shape ``(n_groups, n_groups)``; itself is no pair."""
    lower, upper = limits(z)
    below, above = (values - lower) ** 2, (upper - values) ** 2
    difference = values[:, None] - values[None, :]
    low = difference - np.sqrt(below[:, None] + above[None, :])
    high = difference + np.sqrt(above[:, None] + below[None, :])
    same = np.eye(len(values), dtype=bool)
    return np.where(same, -np.inf, low), np.where(same, -np.inf, high)


def _critical_value(errors: Floats, possible: NDArray[np.bool_], bootstrap: Bootstrap) -> float:
    """Return how many standard errors the largest of the possible differences exceeds as seldom as the level says."""
    resamples = bootstrap.resamples
    drawn = np.random.default_rng(bootstrap.random_state).normal(size=(resamples, len(errors))) * errors
    largest = np.full(resamples, -np.inf)
    for group, others in enumerate(possible):
        if not others.any():
            continue
        apart = np.sqrt(errors[group] ** 2 + errors[others] ** 2)
        standard = np.divide(drawn[:, [group]] - drawn[:, others], apart, out=np.zeros((resamples, len(apart))), where=apart > 0)
        largest = np.maximum(largest, standard.max(axis=1))
    return float(np.quantile(largest, bootstrap.confidence))
