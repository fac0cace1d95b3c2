"""The figure of how often sets and intervals hold the truth."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes

from gristmill.reporting.plots import headlines
from gristmill.reporting.plots.style import (
    AMBER,
    BLUE,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    HouseFigure,
    canvas,
    empty,
    grid_lines,
    house_style,
    percent_axis,
    rows_height,
)
from gristmill.reporting.wording import count, share, shorten

MARKS = {"baseline": ("grey", GREY), "champion": ("purple", PURPLE)}
"""Another model -> the colour of its marks, by name and by code; orange is taken by what falls short."""


@house_style
def coverage(parts: Sequence[Mapping[str, Any]], *, title: str | None = None) -> HouseFigure:
    """Return, in a panel a level, the share of truths that sets or intervals hold, part by part, against the level.

    Parameters
    ----------
    parts
        Mappings with ``part`` (its name) and ``levels``: level -> ``coverage``, ``low``, ``high``, ``n``. A part whose interval
        lies below the level is drawn in orange. ``others`` holds, by name and level, how often other models hold its truths.
    title
        Title of the figure.
    """
    levels = sorted(parts[0]["levels"]) if parts else []
    if not levels:
        return empty(title or "Sets and intervals", "None were measured.")
    height = rows_height(len(parts), each=0.3, around=1.3)
    made, panels = canvas(title or headlines.held(parts[0]["levels"]), height, columns=len(levels), sharey=True, sharex=True)
    marked = [value for part in parts for by_level in (part.get("others") or {}).values() for value in by_level.values()]
    lowest = min([*marked, *(part["levels"][level]["low"] for part in parts for level in levels)])
    for axes, level in zip(panels, levels, strict=True):
        axes.axvline(level, color=AMBER, linewidth=1.4, linestyle=(0, (4, 3)), zorder=1)
        for row, part in enumerate(parts):
            found = part["levels"][level]
            color = ORANGE if found["high"] < level else BLUE if row else INK
            axes.plot([found["low"], found["high"]], [row, row], color=color, alpha=0.35, linewidth=5, solid_capstyle="butt")
            axes.scatter(found["coverage"], row, s=36, color=color, zorder=3)
            _draw_marks(axes, row, part.get("others") or {}, level)
        axes.set(xlim=(max(0.0, min(lowest, levels[0]) - 0.05), 1.02), xlabel=f"asked: {share(level)} (dashed)")
        percent_axis(axes.xaxis)
        grid_lines(axes)
    names = [shorten(part["part"], 34) + f"  n = {count(part['levels'][levels[0]]['n'])}" for part in parts]
    panels[0].set_yticks(range(len(names)), names)
    panels[0].set_ylim(len(names) - 0.4, -0.6)
    beside = [f"{color}: {name}" for name, (color, _) in MARKS.items() if any(name in (p.get("others") or {}) for p in parts)]
    if beside:
        made.supxlabel("; ".join(beside), fontsize=9, color=GREY)
    return made


def _draw_marks(axes: Axes, row: int, others: Mapping[str, Mapping[float, float]], level: float) -> None:
    """Draw how often other models hold the truths of a part as upright marks."""
    for name, by_level in others.items():
        if level in by_level:
            axes.plot([by_level[level]] * 2, [row - 0.28, row + 0.28], color=MARKS[name][1], linewidth=2)
