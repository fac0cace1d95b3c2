"""Figures on the way from probabilities to decisions: are they true, and where to draw the line.

Truth and probabilities as in :mod:`gristmill.reporting.plots.classification`.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from gristmill.reporting.plots import headlines
from gristmill.reporting.plots.style import (
    BLUE,
    GREY,
    HALO,
    LIGHT,
    SERIES,
    SKY,
    HouseFigure,
    canvas,
    empty,
    grid_lines,
    house_style,
    number_axis,
    percent_axis,
)
from gristmill.reporting.wording import figure, metric_label, shorten

Floats = NDArray[np.float64]


def _wilson(hits: Floats, total: Floats, z: float = 1.96) -> tuple[Floats, Floats]:
    """Return the 95 % interval of a share (Wilson 1927)."""
    rate = hits / total
    centre = (rate + z**2 / (2 * total)) / (1 + z**2 / total)
    half = z * np.sqrt(rate * (1 - rate) / total + z**2 / (4 * total**2)) / (1 + z**2 / total)
    return centre - half, centre + half


@house_style
def calibration_curve(
    y_true: ArrayLike,
    y_proba: ArrayLike,
    classes: Sequence[str] = ("0", "1"),
    *,
    before: ArrayLike | None = None,
    others: Mapping[str, ArrayLike] | None = None,
    n_bins: int = 10,
    title: str | None = None,
) -> HouseFigure:
    """Return how often an event came true against how probable it was said to be, with 95 % intervals.

    Parameters
    ----------
    y_true, y_proba
        Truth and probabilities; see the module. With more than two classes, the most probable class is judged.
    before
        Probabilities before calibration, drawn in grey.
    others
        Name of another model -> its probabilities for the same rows, drawn without intervals.
    n_bins
        Bins with about as many rows each.
    """
    title = title or headlines.calibrated(*_judged(y_true, y_proba), n_bins)
    made, (axes, below) = canvas(title, 4.9, rows=2, height_ratios=[4, 1], sharex=True)
    axes.plot([0, 1], [0, 1], color=LIGHT, linewidth=1.4)
    for values, color in ((before, GREY), (y_proba, BLUE)):
        if values is not None:
            truth, score = _judged(y_true, values)
            _reliability(axes, truth, score, n_bins, color)
    above = 2 if before is not None else 1
    for row, (color, (name, values)) in enumerate(zip(SERIES[1:], (others or {}).items(), strict=False)):
        _reliability(axes, *_judged(y_true, values), n_bins, color, with_band=False)
        axes.annotate(name, (0.02, 0.93 - 0.07 * (row + above)), xycoords="axes fraction", color=color)
    if others and before is None:
        axes.annotate("candidate, with intervals", (0.02, 0.93), xycoords="axes fraction", color=BLUE, fontweight="bold")
    axes.annotate("perfect", (1, 1), xytext=(-4, -16), textcoords="offset points", ha="right", color=GREY, fontsize=8.5)
    if before is not None:
        axes.annotate("before calibration", (0.02, 0.93), xycoords="axes fraction", color=GREY)
        axes.annotate("after calibration", (0.02, 0.86), xycoords="axes fraction", color=BLUE, fontweight="bold")
    below.hist(_judged(y_true, y_proba)[1], bins=np.linspace(0, 1, 41).tolist(), color=SKY, edgecolor="white", linewidth=0.4)
    named = f"probability of {shorten(classes[1])}" if len(classes) == 2 else "probability of the predicted class"
    axes.set(ylabel="share that came true", xlim=(-0.01, 1.01), ylim=(-0.02, 1.02))
    below.set(xlabel=named, ylabel="rows")
    for panel in (axes, below):
        grid_lines(panel, "y")
    percent_axis(axes.yaxis)
    percent_axis(below.xaxis)
    return made


def _judged(y_true: ArrayLike, y_proba: ArrayLike) -> tuple[NDArray[np.bool_], Floats]:
    """Return whether the judged class came true, and its probability."""
    truth, proba = np.asarray(y_true).astype(int), np.asarray(y_proba, dtype=float)
    if proba.ndim == 1:
        return truth == 1, proba
    if proba.shape[1] == 2:
        return truth == 1, proba[:, 1]
    return proba.argmax(axis=1) == truth, proba.max(axis=1)


def _reliability(axes: Axes, truth: NDArray[np.bool_], score: Floats, n_bins: int, color: str, *, with_band: bool = True) -> None:
    """Draw one reliability curve over bins of equal counts."""
    edges = np.unique(np.quantile(score, np.linspace(0, 1, n_bins + 1)))
    bins = np.clip(np.searchsorted(edges, score, side="right") - 1, 0, max(0, len(edges) - 2))
    total: Floats = np.bincount(bins).astype(np.float64)
    filled = total > 0
    total = total[filled]
    said = np.bincount(bins, weights=score)[filled] / total
    hits: Floats = np.bincount(bins, weights=truth.astype(float))[filled].astype(np.float64)
    if with_band:
        axes.vlines(said, *_wilson(hits, total), color=color, alpha=0.35, linewidth=3)
    axes.plot(said, hits / total, color=color, marker="o", markersize=5 if with_band else 3, linewidth=1.6 if with_band else 1.0)


@house_style
def threshold_curve(
    thresholds: ArrayLike,
    curves: Mapping[str, ArrayLike],
    *,
    chosen: float | None = None,
    own: Mapping[str, float] | None = None,
    y_label: str = "score",
    title: str | None = None,
) -> HouseFigure:
    """Return what each threshold would give, with the chosen one marked.

    Parameters
    ----------
    thresholds
        Shape ``(n_thresholds,)``, ascending.
    curves
        What is measured -> its value at each threshold; one panel for each unless all lie between 0 and 1.
    chosen
        The threshold in force.
    own
        Curves of other models, by name -> the threshold by which that one decides.
    """
    x = np.asarray(thresholds, dtype=float)
    drawn = {name: np.asarray(values, dtype=float) for name, values in curves.items()}
    if not drawn or len(x) == 0:
        return empty(title or "Threshold", "No threshold was compared.")
    shares = all(np.nanmin(values) >= 0 and np.nanmax(values) <= 1 for values in drawn.values())
    panels_needed = 1 if shares else len(drawn)
    title = title or headlines.best_threshold(x, drawn, chosen)
    made, panels = canvas(title, 1.0 + 2.2 * panels_needed, rows=panels_needed, sharex=True)
    for index, (name, values) in enumerate(drawn.items()):
        axes, color = panels[0 if shares else index], SERIES[index if shares else 0]
        axes.plot(x, values, color=color, label=metric_label(name))
        axes.set_ylabel(y_label if shares else metric_label(name))
        at = (own or {}).get(name, chosen)
        if at is not None:
            value = float(np.interp(at, x, values, right=np.nan))  # what a stricter threshold gives is not known
            _mark_choice(axes, at, value, color, value_only=shares and len(drawn) > 1)
    for axes in panels:
        grid_lines(axes, "y")
        number_axis(axes.yaxis)
    if shares and len(drawn) > 1:
        panels[0].legend(loc="best")
    panels[-1].set_xlabel("threshold on the probability of the positive class")
    return made


def _mark_choice(axes: Axes, chosen: float, value: float, color: str, *, value_only: bool) -> None:
    """Mark the chosen threshold and what it gives."""
    axes.axvline(chosen, color=LIGHT, linewidth=1.4, zorder=1)
    if not np.isfinite(value):
        return
    axes.scatter(chosen, value, s=48, color=color, edgecolor="white", zorder=4)
    named = f"chosen {figure(chosen)}" if chosen <= 1 else "no row is flagged"
    text = figure(value) if value_only else f"{named}: {figure(value)}"
    axes.annotate(
        text, (chosen, value), xytext=(8, 6), textcoords="offset points", color=color, fontweight="bold", path_effects=HALO
    )
