"""Small bars that stand in a line of text or a table: a value, its interval, and what it is compared with."""

import math
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup, escape

from gristmill.reporting.wording import UNIT_METRICS, figure, interval, metric_label

_WIDTH = 240
_HEIGHT = 18
_EDGE = 6


def number(value: Any) -> float | None:
    """Return a finite number as a float, and None for anything else."""
    known = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if known else None


def ends(score: Any) -> tuple[float | None, float | None, float | None]:
    """Return value, low and high of a score that is a mapping or a plain number."""
    if isinstance(score, Mapping):
        return number(score.get("value")), number(score.get("low")), number(score.get("high"))
    return number(score), None, None


def interval_bar(metric: str, score: Any, baseline: Any = None) -> Markup:
    """Return an SVG that shows a metric's value and interval on its scale, and the baseline as a tick.

    Parameters
    ----------
    metric
        Its name decides the scale: 0 to 1 where that is its range, else 0 to a little past the largest number.
    score, baseline
        ``{"value", "low", "high"}`` or a number; without a value, nothing is drawn.
    """
    value, low, high = ends(score)
    if value is None:
        return Markup()
    reference = ends(baseline)[0]
    known = [end for end in (value, low, high, reference) if end is not None]
    bottom = min(0.0, *known)
    top = max(1.0, *known) if metric in UNIT_METRICS else (max(known) * 1.08 or 1.0)

    def x(place: float) -> str:
        return f"{_EDGE + (place - bottom) / (top - bottom) * (_WIDTH - 2 * _EDGE):.1f}"

    parts = [f'<line class="scale" x1="{_EDGE}" x2="{_WIDTH - _EDGE}" y1="9" y2="9"/>']
    if low is not None and high is not None:
        parts.append(f'<line class="range" x1="{x(low)}" x2="{x(high)}" y1="9" y2="9"/>')
    if reference is not None:
        parts.append(f'<line class="baseline" x1="{x(reference)}" x2="{x(reference)}" y1="3" y2="15"/>')
    parts.append(f'<circle class="value" cx="{x(value)}" cy="9" r="4.2"/>')
    said = escape(f"{metric_label(metric)} {figure(value)} {interval(low, high)}".strip())
    words = said + (f", baseline {figure(reference)}" if reference is not None else "")
    return Markup(  # noqa: S704 - numbers, and an escaped name
        f'<svg class="bar" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{words}">{"".join(parts)}</svg>'
    )
