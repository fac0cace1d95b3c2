"""Figures of classifiers: how well they rank, and which classes they confuse.

Truth is class codes ``(n_rows,)`` and predictions are probabilities ``(n_rows, n_classes)`` in the order of the codes, as
everywhere in Gristmill; the probabilities of a positive class alone, ``(n_rows,)``, are understood too.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from gristmill.reporting.plots import headlines
from gristmill.reporting.plots.style import (
    BLUE,
    GREY,
    HALO,
    INK,
    LIGHT,
    ORANGE,
    SERIES,
    HouseFigure,
    canvas,
    empty,
    house_style,
    percent_axis,
    retitle,
)
from gristmill.reporting.wording import count, figure, share, shorten

Floats = NDArray[np.float64]

SHOWN_CLASSES = 6

OTHER_LINES = {"dashes": (5, 2), "dots": (1.5, 2), "dashes and dots": (6, 2, 1.5, 2)}
"""How the lines of other models are drawn, in words and on the page, in the order in which the models are named."""

Others = Mapping[str, ArrayLike]
"""Name of another model -> its probabilities for the same rows."""

Curve = tuple[Floats, Floats, float]
"""Both coordinates of a curve, and the area that is named beside it."""


def _by_class(y_true: ArrayLike, y_proba: ArrayLike, classes: Sequence[str]) -> list[tuple[str, NDArray[np.bool_], Floats]]:
    """Return name, truth and probability of the positive class, or of each class against the rest."""
    truth = np.asarray(y_true).astype(int)
    proba = np.asarray(y_proba, dtype=float)
    if proba.ndim == 1:
        proba = np.column_stack([1 - proba, proba])
    codes = [1] if proba.shape[1] == 2 else list(range(proba.shape[1]))[:SHOWN_CLASSES]
    return [(str(classes[code]), truth == code, proba[:, code]) for code in codes]


def _cumulated(truth: NDArray[np.bool_], score: Floats) -> tuple[Floats, Floats, Floats]:
    """Return thresholds, and the true and false positives at each, from the strictest on."""
    order = np.argsort(-score, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    hits = np.cumsum(truth[order])[ends].astype(float)
    return score[order][ends], hits, ends + 1 - hits


def _thinned(*curves: Floats, points: int = 500) -> list[Floats]:
    """Return the curves at no more than ``points`` positions, ends included: more cannot be seen."""
    keep = np.unique(np.linspace(0, len(curves[0]) - 1, points).astype(int))
    return [curve[keep] for curve in curves]


def _square(title: str) -> tuple[HouseFigure, Axes]:
    """Return a figure with a square axis from 0 to 1 both ways."""
    made, (axes,) = canvas(title, 4.4, width=6.4)
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal", anchor="W")
    axes.grid(visible=True)
    percent_axis(axes.xaxis)
    percent_axis(axes.yaxis)
    return made, axes


@house_style
def roc_curve(
    y_true: ArrayLike,
    y_proba: ArrayLike,
    classes: Sequence[str] = ("0", "1"),
    *,
    threshold: float | None = None,
    others: Others | None = None,
    title: str | None = None,
) -> HouseFigure:
    """Return the receiver operating characteristic, with the area under it.

    Parameters
    ----------
    y_true, y_proba
        Truth and probabilities; see the module.
    classes
        Names of the classes in the order of their codes.
    threshold
        The threshold in force; its point is marked (two classes).
    others
        Other models on the same rows, drawn with broken lines; of several classes the mean of their areas is named.
    """
    made, axes = _square(title or "")
    axes.plot([0, 1], [0, 1], color=LIGHT, linewidth=1.4)
    several = []
    for color, (name, truth, score) in zip(SERIES, _by_class(y_true, y_proba, classes), strict=False):
        if not truth.any() or truth.all():
            continue
        thresholds, hits, alarms = _cumulated(truth, score)
        x, y = np.append(0, alarms / (~truth).sum()), np.append(0, hits / truth.sum())
        axes.plot(*_thinned(x, y), color=color)
        several.append((name, color, _area(x, y)))
        if threshold is not None:
            _mark(axes, x[1:], y[1:], thresholds, threshold)
    retitle(made, title or headlines.ranking(several))
    _name_curves(axes, several + _draw_others(axes, y_true, others, classes, _roc), "AUC")
    axes.set(xlabel="false positive rate", ylabel="true positive rate")
    return made


@house_style
def pr_curve(
    y_true: ArrayLike,
    y_proba: ArrayLike,
    classes: Sequence[str] = ("0", "1"),
    *,
    threshold: float | None = None,
    others: Others | None = None,
    title: str | None = None,
) -> HouseFigure:
    """Return precision against recall, with the average precision; parameters as for :func:`roc_curve`."""
    made, axes = _square(title or "")
    several, rates = [], []
    for color, (name, truth, score) in zip(SERIES, _by_class(y_true, y_proba, classes), strict=False):
        if not truth.any():
            continue
        thresholds, hits, alarms = _cumulated(truth, score)
        recall, precision = hits / truth.sum(), hits / (hits + alarms)
        axes.plot(*_thinned(np.append(0, recall), np.append(precision[0], precision)), color=color)
        axes.axhline(float(truth.mean()), color=color, alpha=0.35, linewidth=1.2, linestyle=(0, (4, 3)))
        several.append((name, color, float(np.sum(np.diff(np.append(0, recall)) * precision))))
        rates.append(float(truth.mean()))
        if threshold is not None:
            _mark(axes, recall, precision, thresholds, threshold)
    retitle(made, title or headlines.finding(several, rates))
    _name_curves(axes, several + _draw_others(axes, y_true, others, classes, _precision_recall), "average precision")
    axes.set(xlabel="recall (share of the class that is found)", ylabel="precision (share of the found that is right)")
    return made


def _area(x: Floats, y: Floats) -> float:
    """Return the area under a curve of straight lines."""
    return float(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2))


def _roc(truth: NDArray[np.bool_], score: Floats) -> Curve:
    """Return false and true positive rates, and the area under them."""
    _, hits, alarms = _cumulated(truth, score)
    x, y = np.append(0, alarms / max(1, (~truth).sum())), np.append(0, hits / truth.sum())
    return x, y, _area(x, y)


def _precision_recall(truth: NDArray[np.bool_], score: Floats) -> Curve:
    """Return recall and precision, and the average precision."""
    _, hits, alarms = _cumulated(truth, score)
    recall, precision = hits / truth.sum(), hits / (hits + alarms)
    area = float(np.sum(np.diff(np.append(0, recall)) * precision))
    return np.append(0, recall), np.append(precision[0], precision), area


def _draw_others(
    axes: Axes,
    y_true: ArrayLike,
    others: Others | None,
    classes: Sequence[str],
    curve: Callable[[NDArray[np.bool_], Floats], Curve],
) -> list[tuple[str, str, float]]:
    """Draw the curves of other models, and return name, colour and area of those that are named."""
    named = []
    for (line, dashes), (model, y_proba) in zip(OTHER_LINES.items(), (others or {}).items(), strict=False):
        by_class = [one for one in _by_class(y_true, y_proba, classes) if one[1].any() and not one[1].all()]
        areas = []
        for color, (_, truth, score) in zip(SERIES, by_class, strict=False):
            x, y, area = curve(truth, score)
            areas.append(area)
            axes.plot(*_thinned(x, y), color=GREY if len(by_class) == 1 else color, linewidth=1.4, linestyle=(0, dashes))
        if areas:
            named.append((f"{model} ({line}){', mean' if len(areas) > 1 else ''}", GREY, float(np.mean(areas))))
    return named


def _mark(axes: Axes, x: Floats, y: Floats, thresholds: Floats, threshold: float) -> None:
    """Mark the point of a curve where the threshold in force lies."""
    reached = np.flatnonzero(thresholds >= threshold)
    if len(reached) == 0:
        return
    point = (float(x[reached[-1]]), float(y[reached[-1]]))
    axes.scatter(*point, s=56, color=ORANGE, edgecolor="white", zorder=5)
    axes.annotate(
        f"threshold {figure(threshold)}",
        point,
        xytext=(9, -10),
        textcoords="offset points",
        color=ORANGE,
        fontweight="bold",
        path_effects=HALO,
    )


def _name_curves(axes: Axes, several: list[tuple[str, str, float]], measure: str) -> None:
    """Write the name and the area of each curve beside the square."""
    for row, (name, color, area) in enumerate(several):
        axes.annotate(
            f"{shorten(name, 26)}\n{measure} {figure(area)}",
            (1, 1),
            xycoords="axes fraction",
            xytext=(14, -8 - 34 * row),
            textcoords="offset points",
            va="top",
            color=color,
            linespacing=1.35,
        )


@house_style
def confusion_matrix(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    classes: Sequence[str] = ("0", "1"),
    *,
    model: str | None = None,
    title: str | None = None,
) -> HouseFigure:
    """Return how often each class was taken for which, in rows and as a share of the true class.

    Parameters
    ----------
    y_true, y_pred
        Class codes, shape ``(n_rows,)``.
    classes
        Names of the classes in the order of their codes.
    model
        Name of the model, such as champion, for the title.
    """
    size = len(classes)
    table = np.zeros((size, size))
    np.add.at(table, (np.asarray(y_true).astype(int), np.asarray(y_pred).astype(int)), 1)
    shares = table / np.maximum(1, table.sum(axis=1, keepdims=True))
    right = share(np.trace(table) / max(1.0, table.sum()), 1)
    made, (axes,) = canvas(
        title or f"Confusion{f', {model}' if model else ''}: {right} of {count(table.sum())} rows are classified correctly",
        min(8.5, 1.7 + 0.62 * size),
    )
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1.15, aspect="auto")
    names = [shorten(name, 20) for name in classes]
    axes.set_xticks(range(size), names, rotation=0 if size <= 5 else 45, ha="center" if size <= 5 else "right")
    axes.set_yticks(range(size), names)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set(xlabel="predicted class", ylabel="true class")
    if size <= 12:
        _write_counts(axes, table, shares)
    return made


def _write_counts(axes: Axes, table: Any, shares: Any) -> None:
    """Write rows and share into each cell, light on dark."""
    for row, column in np.ndindex(table.shape):
        color = "white" if shares[row, column] > 0.62 else INK
        text = f"{count(table[row, column])}\n{share(shares[row, column])}" if len(table) <= 8 else count(table[row, column])
        axes.text(column, row, text, ha="center", va="center", color=color, linespacing=1.4)


@house_style
def gains(
    y_true: ArrayLike,
    y_proba: ArrayLike,
    classes: Sequence[str] = ("0", "1"),
    *,
    at: float = 0.2,
    others: Others | None = None,
    title: str | None = None,
) -> HouseFigure:
    """Return the share of a class that is reached by acting on the rows the model ranks highest.

    Parameters
    ----------
    y_true, y_proba
        Truth and probabilities; see the module.
    at
        Share of the rows at which the gain is written out.
    others
        Other models on the same rows, drawn with broken lines.
    """
    name, truth, score = _by_class(y_true, y_proba, classes)[-1]
    if not truth.any():
        return empty(title or "Gains", f"No row is {name!r}.")
    found = np.append(0, np.cumsum(truth[np.argsort(-score, kind="stable")])) / truth.sum()
    acted = np.linspace(0, 1, len(found))
    reached = float(np.interp(at, acted, found))
    made, axes = _square(title or f"Gains: the top {share(at)} of rows hold {share(reached)} of {shorten(name)}")
    axes.plot([0, 1], [0, 1], color=LIGHT, linewidth=1.4)
    axes.plot([0, truth.mean(), 1], [0, 1, 1], color=LIGHT, linewidth=1.4, linestyle=(0, (4, 3)))
    axes.plot(*_thinned(acted, found), color=BLUE)
    axes.scatter(at, reached, s=56, color=ORANGE, edgecolor="white", zorder=4)
    axes.annotate(
        f"{share(reached)} found",
        (at, reached),
        xytext=(10, -10),
        textcoords="offset points",
        color=ORANGE,
        fontweight="bold",
        path_effects=HALO,
    )
    beside = []
    for (line, dashes), (model, values) in zip(OTHER_LINES.items(), (others or {}).items(), strict=False):
        ranked = _by_class(y_true, values, classes)[-1][2]
        hits = np.append(0, np.cumsum(truth[np.argsort(-ranked, kind="stable")])) / truth.sum()
        axes.plot(*_thinned(acted, hits), color=GREY, linewidth=1.4, linestyle=(0, dashes))
        beside.append((f"{model} ({line})", GREY))
    legend = [("model", BLUE), ("perfect ranking (pale)", GREY), ("chance (diagonal)", GREY), *beside]
    for row, (text, color) in enumerate(legend):
        axes.annotate(
            text,
            (1, 0.97 - 0.065 * row),
            xycoords="axes fraction",
            xytext=(14, 0),
            textcoords="offset points",
            va="top",
            color=color,
        )
    axes.set(xlabel="share of rows acted on, highest probability first", ylabel=f"share of {shorten(name)} found")
    return made
