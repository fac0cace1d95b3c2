"""From bootstrap draws to the ends of an interval."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

Interval = dict[str, float]
"""``{"value", "low", "high"}``."""

MOST_BIAS = 1.0
"""Standard deviations by which the middle of the draws may lie off the value; beyond it a correction would be a guess."""


def _unknown(value: float) -> Interval:
    """Return an interval of which only the value is known, if that."""
    return {"value": value, "low": float("nan"), "high": float("nan")}


def percentile_interval(value: float, distribution: Floats, confidence: float) -> Interval:
    """Return the percentile interval of a distribution, stretched where needed to hold ``value``.

    An interval that leaves out its own estimate would confuse more than it tells. Draws that are not a number are left out.
    """
    finite = distribution[np.isfinite(distribution)]
    if not np.isfinite(value) or not len(finite):
        return _unknown(value)
    tail = (1 - confidence) / 2
    return _holding(value, *np.quantile(finite, [tail, 1 - tail]))


def bca_interval(value: float, distribution: Floats, confidence: float, acceleration: float) -> Interval:
    """Return the bias-corrected and accelerated interval (Efron 1987), stretched as :func:`percentile_interval` is.

    Infinite draws count, at their end; an infinite value has the interval of its draws, uncorrected.

    Parameters
    ----------
    value, distribution, confidence
        As for :func:`percentile_interval`.
    acceleration
        How fast the standard error changes with the value, from the jackknife.
    """
    draws = distribution[~np.isnan(distribution)]
    if np.isnan(value) or not len(draws):
        return _unknown(value)
    if not np.isfinite(value):
        return _holding(value, *_between(draws, (1 - confidence) / 2, (1 + confidence) / 2))
    from scipy.special import ndtr, ndtri  # noqa: PLC0415

    near = 1e-12 * max(1.0, abs(value))  # a draw that equals the value but for rounding is neither below nor above it
    below = float(np.mean(draws < value - near) + np.mean(np.abs(draws - value) <= near) / 2)
    bias = float(np.clip(ndtri(below), -MOST_BIAS, MOST_BIAS))
    tail = float(ndtri((1 - confidence) / 2))
    shifted = [bias + (bias + z) / max(1 - acceleration * (bias + z), 0.1) for z in (tail, -tail)]
    return _holding(value, *_between(draws, *ndtr(shifted)))


def studentised_interval(value: float, error: float, draws: Floats, errors: Floats, confidence: float) -> Interval:
    """Return the studentised interval (bootstrap-t; Hall 1988; Efron and Tibshirani 1993, section 12.5), not below zero.

    Each draw is measured in its own standard error. What few large losses make of a sample is then seen: a sample without them has
    both a small mean and a small error, and other intervals of it are too short.

    Parameters
    ----------
    value, error
        The figure and its standard error.
    draws, errors
        The same of each resample, shape ``(resamples,)``.
    confidence
        As for :func:`percentile_interval`.
    """
    if not np.isfinite(value):
        return _unknown(value)
    apart = np.divide(draws - value, errors, out=np.full(len(draws), np.nan), where=errors > 0)
    known = apart[np.isfinite(apart)]
    if not len(known):
        return _holding(value, value, value)
    tail = (1 - confidence) / 2
    least, most = np.quantile(known, [tail, 1 - tail])
    return _holding(value, max(0.0, value - most * error), value - least * error)


def _between(draws: Floats, low: float, high: float) -> tuple[float, float]:
    """Return two quantiles; among infinite draws, between which no line can be drawn, the next draw outwards."""
    if np.isfinite(draws).all():
        least, most = np.quantile(draws, [low, high])
        return float(least), float(most)
    return float(np.quantile(draws, low, method="lower")), float(np.quantile(draws, high, method="higher"))


def basic_interval(value: float, distribution: Floats, confidence: float, *, least: float = -np.inf) -> Interval:
    """Return the interval of the draws mirrored at the value, not below ``least``.

    For what resampling inflates, such as a calibration error: draws lie above the value by as much as the value lies above the
    truth, and mirrored they lie around the truth.
    """
    finite = distribution[np.isfinite(distribution)]
    if not np.isfinite(value) or not len(finite):
        return _unknown(value)
    tail = (1 - confidence) / 2
    high, low = np.maximum(2 * value - np.quantile(finite, [tail, 1 - tail]), least)
    return _holding(value, low, high)


def within(interval: Interval, low: float, high: float) -> Interval:
    """Return an interval without what lies outside the range of its figure, still holding its value.

    Draws of bags are moved to the value of the table, and so may lie beyond what the figure can be.
    """
    value = interval["value"]
    ends = {"low": max(interval["low"], min(low, value)), "high": min(interval["high"], max(high, value))}
    return interval if np.isnan([value, interval["low"], interval["high"]]).any() else {**interval, **ends}


def _holding(value: float, low: float, high: float) -> Interval:
    """Return an interval, stretched where needed to hold its value."""
    return {"value": value, "low": float(min(low, value)), "high": float(max(high, value))}
