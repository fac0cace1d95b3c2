"""Figures of the choice of a model: what a better score costs in time."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Annotation
from matplotlib.ticker import FuncFormatter, NullFormatter

from gristmill.config.metric_names import greater_is_better
from gristmill.reporting.plots.labels import Label, place_labels
from gristmill.reporting.plots.style import (
    AMBER,
    BLUE,
    GREY,
    HALO,
    LIGHT,
    SKY,
    HouseFigure,
    canvas,
    empty,
    grid_lines,
    house_style,
)
from gristmill.reporting.wording import metric_label, plain, shorten

MOST_NAMED = 10
"""Candidates up to which each is named in the figure; of more, those on the line and the chosen one."""


@house_style
def frontier(
    rows: Sequence[Mapping[str, Any]],
    metric: str,
    *,
    chosen: str | None = None,
    limit: float | None = None,
    title: str | None = None,
) -> HouseFigure:
    """Return score against time: each candidate a dot, those that no other beats in both joined by a line.

    Parameters
    ----------
    rows
        Mappings with ``name``, ``score`` and ``row_ms``, in any order; one without either is left out.
    metric
        What the scores are.
    chosen
        Name of the candidate that was chosen; it is highlighted.
    limit
        Milliseconds that one row may take, drawn as a line.
    """
    shown = [row for row in rows if _known(row.get("score")) and _known(row.get("row_ms")) and row["row_ms"] > 0]
    if not shown:
        return empty(title or "Score against time", "No candidate has a score and a time.")
    best = frontier_of(shown, metric)
    made, (axes,) = canvas(title or f"{metric_label(metric)} against the time of one row", 3.9)
    line = sorted(best, key=lambda row: float(row["row_ms"]))
    axes.step([row["row_ms"] for row in line], [row["score"] for row in line], where="post", color=LIGHT, linewidth=1.8, zorder=1)
    for row in shown:
        color = BLUE if row["name"] == chosen else SKY if row in best else LIGHT
        size = 84 if row["name"] == chosen else 44
        axes.scatter(row["row_ms"], row["score"], s=size, color=color, edgecolor="white", linewidth=0.8, zorder=3)
    axes.set_xscale("log")
    low, high = min(row["row_ms"] for row in shown), max(row["row_ms"] for row in shown)
    limits = [] if limit is None else [_limit(axes, limit)]
    if limit is not None:
        low, high = min(low, limit), max(high, limit)
    axes.set_xlim(low / 1.5, high * 3)
    axes.margins(y=0.18)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    better = "higher" if greater_is_better(metric) else "lower"
    axes.set(xlabel="milliseconds for one row, in the form that will serve (logarithmic)")
    axes.set_ylabel(f"{metric_label(metric)} (out of fold, {better} is better)")
    grid_lines(axes, "y")
    named = [row for row in shown if len(shown) <= MOST_NAMED or row in best or row["name"] == chosen]
    place_labels(axes, _names(named, best, chosen), limits)
    return made


def frontier_of(rows: Sequence[Mapping[str, Any]], metric: str) -> list[Mapping[str, Any]]:
    """Return the candidates that no other one beats: none is both at least as good and at least as fast, and better in one."""
    sign = 1 if greater_is_better(metric) else -1

    def beats(other: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
        gain, saved = sign * (other["score"] - row["score"]), row["row_ms"] - other["row_ms"]
        return bool(gain >= 0 and saved >= 0 and (gain > 0 or saved > 0))

    return [row for row in rows if not any(beats(other, row) for other in rows)]


def _known(value: object) -> bool:
    """Return whether a value is a finite number."""
    return isinstance(value, int | float) and bool(np.isfinite(value))


def _names(rows: Sequence[Mapping[str, Any]], best: Sequence[Mapping[str, Any]], chosen: str | None) -> list[Label]:
    """Return the names of candidates, the chosen one first, then those that no other beats."""
    in_order = sorted(rows, key=lambda row: (row["name"] != chosen, row not in best, float(row["row_ms"])))
    return [
        Label(
            float(row["row_ms"]),
            float(row["score"]),
            shorten(row["name"]) + ("  ✓" if row["name"] == chosen else ""),
            BLUE if row["name"] == chosen else GREY,
            "bold" if row["name"] == chosen else "normal",
        )
        for row in in_order
    ]


def _limit(axes: Axes, limit: float) -> Annotation:
    """Draw the time that one row may take, and return its label."""
    axes.axvline(limit, color=AMBER, linewidth=1.4, linestyle=(0, (4, 3)), zorder=1)
    return axes.annotate(
        f"limit {plain(float(limit))} ms",
        (limit, 0),
        xycoords=("data", "axes fraction"),
        xytext=(5, 5),
        textcoords="offset points",
        color=GREY,
        fontsize=8.5,
        path_effects=HALO,
    )
