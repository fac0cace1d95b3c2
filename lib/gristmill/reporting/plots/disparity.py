"""The figure of what treating groups more alike costs."""

from collections.abc import Mapping, Sequence
from typing import Any

from gristmill.config.fairness_limits import AT_LEAST
from gristmill.reporting.plots.style import AMBER, BLUE, GREY, HALO, SKY, HouseFigure, canvas, grid_lines, house_style
from gristmill.reporting.wording import metric_label


@house_style
def frontier(
    points: Sequence[Mapping[str, Any]], metric: str, measure: str, *, direction: str, limit: float | None, title: str
) -> HouseFigure:
    """Return the score of each point against its disparity, the more alike the further to the left.

    Parameters
    ----------
    points
        At least one mapping with ``name``, ``score``, ``disparity`` and ``chosen``.
    metric, measure
        What scores and disparities are.
    direction
        ``at least`` where large values of the measure are good; the axis is then turned.
    limit
        The case's limit, drawn as a line; None without.
    title
        Title of the figure.
    """
    made, (axes,) = canvas(title, 3.9)
    for place, point in enumerate(sorted(points, key=lambda point: (float(point["disparity"]), str(point["name"])))):
        color = BLUE if point["chosen"] else SKY
        axes.scatter(point["disparity"], point["score"], s=84 if point["chosen"] else 44, color=color, edgecolor="white", zorder=3)
        axes.annotate(
            str(point["name"]) + ("  ✓" if point["chosen"] else ""),
            (point["disparity"], point["score"]),
            xytext=(7, 7 if place % 2 == 0 else -13),
            textcoords="offset points",
            color=BLUE if point["chosen"] else GREY,
            fontsize=8.5,
            path_effects=HALO,
            zorder=4,
        )
    if limit is not None:
        axes.axvline(limit, color=AMBER, linewidth=1.4, linestyle=(0, (4, 3)), zorder=1)
    axes.margins(x=0.25, y=0.18)
    axes.set(xlabel=f"{metric_label(measure)} (out of fold)", ylabel=f"{metric_label(metric)} (out of fold)")
    if direction == AT_LEAST:
        axes.invert_xaxis()
    grid_lines(axes, "y")
    return made
