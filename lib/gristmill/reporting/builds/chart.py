"""The history of a metric as an inline SVG: a dot and an interval for each build, and marks where data or code changed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from markupsafe import Markup

from gristmill.reporting.builds.facts import build_label, kinds_changed
from gristmill.reporting.builds.history import Entry
from gristmill.reporting.templating import environment
from gristmill.reporting.wording import figure, interval, metric_label

KINDS = ("data", "code", "parameters")
"""What may have changed at a build, each a line of marks under the chart."""

MOST_DRAWN = 40
"""Builds that one chart shows, the latest."""

_LEFT, _RIGHT, _TOP, _HEIGHT, _LINE = 74, 12, 14, 150, 17
_PLACE, _NARROWEST, _WIDEST = 460, 42, 92
"""Pixels for all builds where they are few, and the least and the most for one."""


@dataclass(frozen=True)
class _Scale:
    """Where a value stands between top and bottom."""

    low: float
    high: float

    def y(self, value: float) -> float:
        """Return the height of a value in pixels from the top."""
        return round(_TOP + (self.high - value) / (self.high - self.low) * _HEIGHT, 1)


def draw_history(entries: Sequence[Entry], metric: str, part: str = "test") -> Markup:
    """Return the chart of one metric over the builds, oldest to the left; nothing where no build has it.

    Parameters
    ----------
    entries
        The builds, oldest first.
    metric, part
        The metric, and the rows it was measured on.
    """
    shown = [entry for entry in entries[-MOST_DRAWN:] if metric in entry["metrics"].get(part, {})]
    if not shown:
        return Markup()
    scores = [entry["metrics"][part][metric] for entry in shown]
    scale = _scale([end for score in scores for end in score if end is not None])
    step = max(_NARROWEST, min(_WIDEST, _PLACE / len(shown)))
    across = [_LEFT + round(step * (place + 0.5), 1) for place in range(len(shown))]
    dots = [_dot(x, entry, entry["metrics"][part][metric], scale) for x, entry in zip(across, shown, strict=True)]
    first, last = figure(scores[0][0]), figure(scores[-1][0])
    width = _LEFT + round(step * len(shown)) + _RIGHT
    template = environment().get_template("history.svg.j2")
    return Markup(  # noqa: S704 - the template escapes
        template.render(
            width=width,
            height=_TOP + _HEIGHT + 30 + _LINE * len(KINDS),
            left=_LEFT,
            right=width - _RIGHT,
            bottom=_TOP + _HEIGHT,
            dots=dots,
            line=" ".join(f"{dot['x']},{dot['y']}" for dot in dots),
            ticks=[{"y": scale.y(value), "text": figure(value)} for value in _ticks(scale)],
            kinds=[{"name": kind, "y": _TOP + _HEIGHT + 36 + _LINE * place} for place, kind in enumerate(KINDS)],
            marks=_marks(entries, dict(zip((entry["number"] for entry in shown), across, strict=True))),
            label=f"{metric_label(metric)} on the {part} rows over {len(shown)} builds, from {first} to {last}",
        ).strip()
    )


def _scale(values: Sequence[float]) -> _Scale:
    """Return a scale that holds all values with some room around them."""
    low, high = min(values), max(values)
    room = 0.08 * (high - low) or 0.05 * abs(high) or 1.0
    return _Scale(low - room, high + room)


def _ticks(scale: _Scale) -> list[float]:
    """Return round values at which the scale is labelled: two to five of them."""
    least = (scale.high - scale.low) / 4
    power = 10.0 ** math.floor(math.log10(least))
    step = next(power * share for share in (1, 2, 5, 10) if power * share >= least)
    first, last = math.ceil(scale.low / step), math.floor(scale.high / step)
    return [round(place * step, 12) for place in range(first, last + 1)]


def _dot(x: float, entry: Entry, score: Sequence[float | None], scale: _Scale) -> dict[str, Any]:
    """Return one build of the chart."""
    value, low, high = score
    words = f"{build_label(entry)}: {figure(value)} {interval(low, high)}".strip()
    return {
        "x": x,
        "y": scale.y(value or 0.0),
        "low": None if low is None else scale.y(low),
        "high": None if high is None else scale.y(high),
        "number": entry["number"],
        "promoted": entry["model"]["promoted"],
        "words": words + (", promoted" if entry["model"]["promoted"] else ""),
    }


def _marks(entries: Sequence[Entry], across: Mapping[int, float]) -> list[dict[str, Any]]:
    """Return where data, code or parameters are others than in the build before, of the builds that stand somewhere."""
    return [
        {
            "x": across[later["number"]],
            "y": _TOP + _HEIGHT + 32 + _LINE * KINDS.index(kind),
            "words": f"{kind} changed at build {later['number']}",
        }
        for earlier, later in pairwise(entries)
        if later["number"] in across
        for kind in kinds_changed(earlier, later)
    ]
