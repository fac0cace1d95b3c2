"""Names beside the dots of a figure, placed so that none lies on another name or on a dot."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

from gristmill.reporting.plots.style import GREY, HALO, LIGHT

_NEAR = 7.0
"""Points between a dot and its name, where there is room."""

_ROW = 12.5
"""Points from one line of names to the next."""

_ROWS = 8
_DOT = 5.0


@dataclass(frozen=True)
class Label:
    """A name, and the dot that it belongs to.

    Attributes
    ----------
    x, y
        The dot, in the units of the axes.
    text
        The name.
    color, weight
        How it is written.
    """

    x: float
    y: float
    text: str
    color: str = GREY
    weight: str = "normal"


def place_labels(axes: Axes, labels: Sequence[Label], taken: Sequence[Text] = ()) -> list[Annotation]:
    """Write ``labels`` beside their dots, the first ones nearest; return them as they were placed.

    A name that finds no free place near its dot stands further off, with a line to it. Limits and scales of the axes have to be
    final, and every dot has to be among the labels or be drawn where a name may cross it.

    Parameters
    ----------
    axes
        Where the dots are drawn.
    labels
        The names; what comes first has the choice.
    taken
        Further texts of the axes that no name may cross.
    """
    figure: Any = axes.figure
    figure.draw_without_rendering()  # only now is it known where a point of the data lies on the page
    scale = figure.dpi / 72
    dots = [axes.transData.transform((label.x, label.y)) for label in labels]
    occupied = [Bbox.from_bounds(x - _DOT * scale, y - _DOT * scale, 2 * _DOT * scale, 2 * _DOT * scale) for x, y in dots]
    occupied += [extent(text) for text in taken]
    inside = axes.get_window_extent()
    placed = []
    for label in labels:
        made, box = _placed(axes, label, occupied, inside)
        occupied.append(box)
        placed.append(made)
    return placed


def _placed(axes: Axes, label: Label, occupied: Sequence[Bbox], inside: Bbox) -> tuple[Annotation, Bbox]:
    """Write one name at the first place that is free, or at the one that crosses least; return it and its box."""
    found = []
    for dx, dy, side in _places():
        made = _written(axes, label, dx, dy, side)
        box = extent(made)
        crossed = sum(_shared(box, other) for other in occupied) + 10 * _outside(box, inside)
        if crossed == 0:
            return made, box
        found.append((crossed, dx, dy, side))
        made.remove()
    _, dx, dy, side = min(found)
    made = _written(axes, label, dx, dy, side)
    return made, extent(made)


def _places() -> Iterator[tuple[float, float, str]]:
    """Give places for a name around its dot, in points, the best first."""
    for row in range(_ROWS):
        away = row * _ROW
        yield from ((_NEAR, 3.5 + away, "left"), (_NEAR, -11.0 - away, "left"))
        yield from ((-_NEAR, 3.5 + away, "right"), (-_NEAR, -11.0 - away, "right"))
        if row:
            yield from ((0.0, 3.5 + away, "center"), (0.0, -11.0 - away, "center"))


def extent(text: Text) -> Bbox:
    """Return the box of a text on the page, without the line that leads to it."""
    text.get_window_extent()  # which moves it to its place
    return Text.get_window_extent(text)


def _written(axes: Axes, label: Label, dx: float, dy: float, side: str) -> Annotation:
    """Write a name at an offset from its dot, with a line to it where it is far."""
    far = abs(dy) > _ROW
    line = {"arrowstyle": "-", "color": LIGHT, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 5} if far else None
    made = axes.annotate(
        label.text,
        (label.x, label.y),
        xytext=(dx, dy),
        textcoords="offset points",
        ha=side,  # type: ignore[arg-type]
        color=label.color,
        fontsize=8.5,
        fontweight=label.weight,
        path_effects=HALO,
        arrowprops=line,
        zorder=4,
    )
    made.set_in_layout(False)  # else the axes would make room for it, and every dot would move
    return made


def _shared(one: Bbox, other: Bbox) -> float:
    """Return the area that two boxes share."""
    common = Bbox.intersection(one, other)
    return 0.0 if common is None else float(common.width * common.height)


def _outside(box: Bbox, inside: Bbox) -> float:
    """Return the area of a box that lies outside another."""
    return float(box.width * box.height) - _shared(box, inside)
