"""Measures of disparity in words: products are JSON, which knows no infinity, so that one that is infinite has to be told apart."""

import math
from collections.abc import Mapping
from typing import Any

from gristmill.reporting.wording import figure

INFINITE = "infinite"

SMALLEST = 1e-8
"""What is smaller is written as nothing: the end of a ratio's interval whose smaller side may be nothing."""


def extent(found: Mapping[str, Any] | None, end: str = "value") -> float:
    """Return how far groups differ, or one end of its interval: not a number where it is unknown.

    A ratio whose smaller side is nothing is infinite; in JSON it is null, as is what is unknown, but it names the two groups.

    Parameters
    ----------
    found
        A measure as it stands in ``fairness.json``, with ``value``, ``low``, ``high`` and ``groups``.
    end
        ``value``, ``low`` or ``high``.
    """
    if found is None or end not in found:
        return math.nan
    value = found[end]
    if isinstance(value, int | float):
        return float(value)
    return math.inf if found.get("groups") else math.nan


def in_figures(found: Mapping[str, Any] | None) -> str:
    """Return a measure with its interval as a reader would write it; nothing where it is unknown."""
    value, low, high = (extent(found, end) for end in ("value", "low", "high"))
    if math.isnan(value):
        return ""
    ends = "" if math.isnan(low) or math.isinf(low) else f" ({one_figure(low)}\u2013{one_figure(high)})"
    return f"{one_figure(value)}{ends}"


def one_figure(value: float) -> str:
    """Return a number as :func:`gristmill.reporting.wording.figure` does, and infinity by its name."""
    return INFINITE if math.isinf(value) else figure(0.0 if abs(value) < SMALLEST else value)
