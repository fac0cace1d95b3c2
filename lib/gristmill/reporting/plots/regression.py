"""Figures of regressions: what was predicted against what was true, and what is left over."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from gristmill.reporting.plots.style import (
    BLUE,
    GREY,
    INK,
    LIGHT,
    ORANGE,
    SERIES,
    SKY,
    HouseFigure,
    canvas,
    grid_lines,
    house_style,
    number_axis,
)
from gristmill.reporting.wording import UNKNOWN, figure, share, shorten

Floats = NDArray[np.float64]

DRAWN_ROWS = 3000

Others = Mapping[str, ArrayLike]
"""Name of another model -> its predictions of the same rows."""


def _finite_pairs(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[Floats, Floats]:
    """Return the pairs without a missing value, at most :data:`DRAWN_ROWS`, evenly spaced through the rows."""
    truth, predicted = np.asarray(y_true, dtype=float), np.asarray(y_pred, dtype=float)
    known = np.isfinite(truth) & np.isfinite(predicted)
    truth, predicted = truth[known], predicted[known]
    keep = np.unique(np.linspace(0, max(0, len(truth) - 1), DRAWN_ROWS).astype(int)) if len(truth) > DRAWN_ROWS else slice(None)
    return truth[keep], predicted[keep]


@house_style
def predicted_vs_actual(
    y_true: ArrayLike, y_pred: ArrayLike, *, name: str = "target", others: Others | None = None, title: str | None = None
) -> HouseFigure:
    """Return each row's prediction against its truth, with the line of perfect agreement.

    Parameters
    ----------
    y_true, y_pred
        Numbers, shape ``(n_rows,)``.
    name
        What is predicted, with its unit.
    others
        Other models on the same rows, drawn as small points.
    """
    truth, predicted = _finite_pairs(y_true, y_pred)
    within = float(np.mean(np.abs(predicted - truth) <= 0.2 * np.abs(truth))) if len(truth) else 0.0
    made, (axes,) = canvas(title or f"{share(within)} of predictions of {shorten(name)} lie within 20 % of the truth", 4.6)
    for row, (color, (other, values)) in enumerate(zip(SERIES[1:], (others or {}).items(), strict=False)):
        axes.scatter(*_finite_pairs(y_true, values), s=6, color=color, alpha=0.4, linewidth=0)
        axes.annotate(other, (0.02, 0.89 - 0.06 * row), xycoords="axes fraction", color=color)
    if others:
        axes.annotate("candidate", (0.02, 0.95), xycoords="axes fraction", color=BLUE, fontweight="bold")
    axes.scatter(truth, predicted, s=16, color=BLUE, alpha=0.45, linewidth=0)
    if len(truth):
        ends = [min(truth.min(), predicted.min()), max(truth.max(), predicted.max())]
        axes.plot(ends, ends, color=INK, linewidth=1.2)
        axes.annotate("perfect", (ends[1], ends[1]), xytext=(-4, -14), textcoords="offset points", ha="right", color=GREY)
    axes.set(xlabel=f"true {shorten(name)}", ylabel=f"predicted {shorten(name)}")
    axes.grid(visible=True)
    number_axis(axes.xaxis)
    number_axis(axes.yaxis)
    return made


@house_style
def residuals(
    y_true: ArrayLike, y_pred: ArrayLike, *, name: str = "target", others: Others | None = None, title: str | None = None
) -> HouseFigure:
    """Return what predictions miss (truth minus prediction), over the prediction and as a distribution.

    Parameters
    ----------
    y_true, y_pred
        Numbers, shape ``(n_rows,)``.
    name
        What is predicted, with its unit.
    others
        Other models on the same rows; the distribution of their residuals is drawn as a line.
    """
    truth, predicted = _finite_pairs(y_true, y_pred)
    left = truth - predicted
    typical = figure(float(np.median(np.abs(left)))) if len(left) else UNKNOWN
    title = title or f"Residuals: half of the predictions of {shorten(name)} miss by less than {typical}"
    made, (axes, side) = canvas(title, 3.9, columns=2, width_ratios=[3.2, 1], sharey=True)
    axes.scatter(predicted, left, s=16, color=BLUE, alpha=0.45, linewidth=0)
    axes.axhline(0, color=INK, linewidth=1.2)
    if len(left) >= 30:
        _running_median(axes, predicted, left)
    side.hist(
        left,
        bins=min(40, max(5, int(np.sqrt(len(left) or 1)))),
        orientation="horizontal",
        color=SKY,
        edgecolor="white",
        linewidth=0.4,
    )
    for row, (color, (other, values)) in enumerate(zip(SERIES[2:], (others or {}).items(), strict=False)):  # the median is orange
        known, said = _finite_pairs(y_true, values)
        side.hist(known - said, bins=40, orientation="horizontal", histtype="step", color=color, linewidth=1.2)
        axes.annotate(f"{other} (right)", (0.02, 0.88 - 0.07 * row), xycoords="axes fraction", color=color)
    if others:
        axes.annotate("candidate", (0.02, 0.95), xycoords="axes fraction", color=BLUE, fontweight="bold")
    side.axhline(0, color=INK, linewidth=1.2)
    axes.set(xlabel=f"predicted {shorten(name)}", ylabel="residual (truth \u2212 prediction)")
    number_axis(axes.xaxis)
    number_axis(axes.yaxis)
    side.set(xlabel="rows")
    axes.grid(visible=True)
    grid_lines(side, "x")
    return made


def _running_median(axes: Axes, predicted: Floats, left: Floats) -> None:
    """Draw the median residual over ten equally filled bins of the prediction: away from zero, it is a bias."""
    parts = np.array_split(np.argsort(predicted, kind="stable"), 10)
    centres = [float(np.median(predicted[part])) for part in parts]
    axes.plot(centres, [float(np.median(left[part])) for part in parts], color=ORANGE, marker="o", markersize=4)
    axes.annotate("median", (0.99, 0.02), xycoords="axes fraction", ha="right", color=ORANGE, fontweight="bold")
    axes.spines["left"].set_color(LIGHT)
