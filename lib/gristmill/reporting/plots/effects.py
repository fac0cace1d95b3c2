"""Figures of what a model makes of single columns."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from gristmill.reporting.plots import headlines
from gristmill.reporting.plots.style import BLUE, GREY, HouseFigure, canvas, empty, grid_lines, house_style, number_axis
from gristmill.reporting.wording import shorten

ACROSS = 3
"""Panels side by side."""


@house_style
def effect_curves(curves: Sequence[Mapping[str, Any]], *, label: str, title: str | None = None) -> HouseFigure:
    """Return, column by column, the mean prediction along its values over the thin curves of single rows.

    Parameters
    ----------
    curves
        Mappings with ``feature``, ``kind`` (``ordered`` or ``levels``), ``values`` (text), ``position``, ``mean``, ``ice`` (curves
        of single rows) and, where there are several classes, ``class``.
    label
        What is predicted and its unit, written at the left.
    """
    if not curves:
        return empty(title or "Predictions along the values of the strongest columns", "No column was followed.")
    heading = title or headlines.moved_most(curves)
    across = min(ACROSS, len(curves))
    rows = -(-len(curves) // across)
    made, panels = canvas(heading, 0.6 + 2.4 * rows, rows=rows, columns=across)
    for place, (axes, curve) in enumerate(zip(panels, curves, strict=False)):
        _panel(axes, curve)
        if place % across == 0:
            axes.set_ylabel(label)
    for axes in panels[len(curves) :]:
        axes.set_axis_off()
    return made


def _panel(axes: Axes, curve: Mapping[str, Any]) -> None:
    """Draw one column's curves."""
    where = np.asarray(curve["position"], dtype=float)
    ordered = curve["kind"] == "ordered"
    for own in curve["ice"]:
        axes.plot(where, own, color=GREY, linewidth=0.6, alpha=0.35)
    joined = "-" if ordered else ":"  # between two levels there is nothing
    axes.plot(
        where,
        curve["mean"],
        color=BLUE,
        linewidth=2.2 if ordered else 1.2,
        linestyle=joined,
        marker="o",
        markersize=3 if ordered else 6,
    )
    about = f" → {curve['class']}" if curve.get("class") else ""
    axes.set_title(shorten(f"{curve['feature']}{about}", 34), fontsize=9, loc="left")
    grid_lines(axes, "y")
    number_axis(axes.yaxis)
    few = _apart(where) if ordered else list(range(len(where)))
    axes.set_xticks([where[place] for place in few], [shorten(str(curve["values"][place]), 14) for place in few])
    if not ordered and (len(where) > 3 or max(len(str(value)) for value in curve["values"]) > 8):
        axes.tick_params(axis="x", labelrotation=40, labelsize=7)


def _apart(where: NDArray[np.float64]) -> list[int]:
    """Return the places of both ends, and of the value nearest to their middle if its tick is well apart from theirs."""
    ends = [0, len(where) - 1]
    reach = where[-1] - where[0]
    middle = int(np.abs(where - where[0] - reach / 2).argmin())
    return sorted({*ends, middle}) if all(abs(where[middle] - where[end]) > reach / 4 for end in ends) else sorted(set(ends))
