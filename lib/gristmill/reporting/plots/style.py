"""The house style of all figures, and the figure that carries it.

Figures are plain :class:`matplotlib.figure.Figure` objects: no pyplot, no global state, nothing to close. As the last
expression of a notebook cell they show themselves, twice as sharp as the page, with their title as the alternative text.

The figures stand in modules by subject: :mod:`.data` (class_balance, histogram, distributions, missing_bars,
association_heatmap, split_overview), :mod:`.exploration` (target_against, target_over_time, gap_patterns, far_out),
:mod:`.training` (fold_scores, trials_scatter, leaderboard, learning_curve, epochs), :mod:`.selection` (frontier),
:mod:`.decisions` (calibration_curve, threshold_curve), :mod:`.acting` (amounts), :mod:`.classification` (roc_curve, pr_curve,
confusion_matrix, gains), :mod:`.coverage` (coverage), :mod:`.regression` (predicted_vs_actual, residuals) and :mod:`.evidence`
(score_bars, importance_bars, reasons, group_bars, segments, gates). Where no title is given, it says what the figure has found:
:mod:`.headlines`.
"""

import base64
import io
import textwrap
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patheffects import Normal, Stroke
from matplotlib.ticker import FuncFormatter, MaxNLocator

INK = "#1c2733"
GREY = "#66727f"
LIGHT = "#d5dbe1"
PALE = "#eef1f4"
BLUE = "#0072b2"
SKY = "#56b4e9"
ORANGE = "#d55e00"
AMBER = "#e69f00"
GREEN = "#00805c"
PURPLE = "#a8508a"

SERIES = (BLUE, ORANGE, GREEN, PURPLE, AMBER, SKY, GREY, INK)
"""Colours of several series, told apart by readers with any colour vision (after Okabe and Ito 2008)."""

WIDTH = 7.8
"""Width of a figure in inches: the text column of a report at 100 pixels an inch."""

_LETTERS = 10.5
"""Letters of a title in an inch."""

MINUS = "\u2212"

HALO = [Stroke(linewidth=3, foreground="white"), Normal()]
"""Outline that keeps a text readable where it crosses a line."""

SHARPNESS = 2
"""Image pixels for each pixel of the page."""

_FONTS = ("Inter", "Helvetica Neue", "Segoe UI", "Arial", "Liberation Sans", "DejaVu Sans")

P = ParamSpec("P")


def _installed_fonts() -> list[str]:
    """Return which of the preferred fonts this machine has; naming another would make matplotlib complain at every draw."""
    installed = {font.name for font in font_manager.fontManager.ttflist}
    return [name for name in _FONTS if name in installed] or ["sans-serif"]


STYLE: dict[str, Any] = {
    "font.family": _installed_fonts(),
    "font.size": 9.5,
    "text.color": INK,
    "text.parse_math": False,  # a column called "price in $" is not mathematics
    "axes.edgecolor": LIGHT,
    "axes.labelcolor": GREY,
    "axes.labelsize": 9,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.titlecolor": GREY,
    "axes.titlepad": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": False,
    "grid.color": PALE,
    "grid.linewidth": 1.0,
    "xtick.color": LIGHT,
    "ytick.color": LIGHT,
    "xtick.labelcolor": GREY,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 9,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "lines.linewidth": 2.0,
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
    "legend.fontsize": 9,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.facecolor": "white",
    "figure.dpi": 100,
    "figure.titlesize": 11.5,
    "figure.titleweight": "bold",
    "svg.hashsalt": "gristmill",
}
"""matplotlib's settings in the house style."""


@contextmanager
def _quiet_style() -> Iterator[None]:
    """Apply the style, and say nothing of names whose letters no installed font has."""
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        yield


class HouseFigure(Figure):
    """A figure in the house style that a notebook shows without pyplot."""

    def draw(self, renderer: Any) -> None:
        """Draw with the style in force, since ticks are made at that moment."""
        with _quiet_style():
            super().draw(renderer)

    def savefig(self, fname: Any, **options: Any) -> None:
        """Save with the style in force."""
        with _quiet_style():
            super().savefig(fname, **options)

    @property
    def title(self) -> str:
        """What the figure shows, in words."""
        return str(self.get_suptitle()).replace("\n", " ")

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, str], dict[str, dict[str, Any]]]:
        """Return the image a notebook shows: PNG, with its size on the page and its alternative text."""
        buffer = io.BytesIO()
        width, height = self.get_size_inches() * 100
        self.savefig(buffer, format="png", dpi=100 * SHARPNESS, metadata={"Software": None})
        image = base64.b64encode(buffer.getvalue()).decode("ascii")
        size = {"width": round(width), "height": round(height), "alt": self.title}
        return {"image/png": image, "text/plain": self.title}, {"image/png": size}


def house_style(function: Callable[P, HouseFigure]) -> Callable[P, HouseFigure]:
    """Make ``function`` build its figure with the style in force."""

    @wraps(function)
    def styled(*args: P.args, **kwargs: P.kwargs) -> HouseFigure:
        with _quiet_style():
            return function(*args, **kwargs)

    return styled


def canvas(
    title: str, height: float = 3.4, *, width: float = WIDTH, rows: int = 1, columns: int = 1, **grid: Any
) -> tuple[HouseFigure, list[Axes]]:
    """Return an empty figure with its title at the top left, and its axes row by row.

    Parameters
    ----------
    title
        What the figure shows; over several lines, each of which makes the figure higher, where it is too long for one.
    height, width
        Size in inches.
    rows, columns
        Grid of axes; further options go to :meth:`matplotlib.figure.Figure.subplots`.
    """
    spacing = ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.06, hspace=0.06, wspace=0.05)
    lines = textwrap.wrap(title, int(width * _LETTERS)) or [""]
    made = HouseFigure(figsize=(width, height + 0.2 * (len(lines) - 1)), layout=spacing)
    made.suptitle("\n".join(lines), x=0.008, ha="left")
    axes = made.subplots(rows, columns, squeeze=False, **grid)
    return made, list(axes.ravel())


def retitle(made: HouseFigure, title: str) -> None:
    """Give a figure the title that is known only once it is drawn."""
    made.suptitle("\n".join(textwrap.wrap(title, int(made.get_size_inches()[0] * _LETTERS))), x=0.008, ha="left")


def grid_lines(axes: Axes, direction: str = "x") -> None:
    """Draw quiet guide lines behind the data, and drop the spine they make needless."""
    axes.grid(visible=True, axis=direction)  # type: ignore[arg-type]
    axes.spines["left" if direction == "x" else "bottom"].set_visible(direction != "x")
    axes.tick_params(axis="x" if direction == "x" else "y", length=0)


def percent_axis(axis: Any) -> None:
    """Write the ticks of shares as percentages."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))


def number_axis(axis: Any) -> None:
    """Write the ticks of numbers of any size without an exponent: 1.2 M for 1200000."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: _tick(value)))


def _tick(value: float) -> str:
    """Return how a tick at ``value`` is written."""
    for size, letter in ((1e9, " B"), (1e6, " M"), (1e4, " k")):
        if abs(value) >= size:
            return f"{value / (1e3 if letter == ' k' else size):g}{letter}".replace("-", MINUS)
    return f"{value:g}".replace("-", MINUS)


def whole_numbers_axis(axis: Any) -> None:
    """Put ticks at whole numbers alone."""
    axis.set_major_locator(MaxNLocator(nbins=8, integer=True))


def rows_height(n_rows: int, *, each: float = 0.27, around: float = 1.05) -> float:
    """Return the height in inches of a figure with ``n_rows`` labelled rows."""
    return around + each * max(1, n_rows)


def empty(title: str, message: str) -> HouseFigure:
    """Return a figure that says in words why there is nothing to draw."""
    made, (axes,) = canvas(title, 1.1)
    axes.set_axis_off()
    axes.text(0, 0.5, message, color=GREY, va="center", transform=axes.transAxes)
    return made
