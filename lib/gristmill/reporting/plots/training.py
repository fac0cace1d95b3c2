"""Figures of the search for a model: folds, trials, learning curves, and the leaderboard."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from gristmill.config.metric_names import CLASSIFICATION_METRICS, REGRESSION_METRICS
from gristmill.reporting.plots import headlines
from gristmill.reporting.plots.style import (
    AMBER,
    BLUE,
    GREY,
    HALO,
    INK,
    LIGHT,
    ORANGE,
    SERIES,
    SKY,
    HouseFigure,
    canvas,
    empty,
    grid_lines,
    house_style,
    rows_height,
    whole_numbers_axis,
)
from gristmill.reporting.wording import count, figure, metric_label, shorten


def _direction(metric: str) -> str:
    """Return which way ``metric`` improves, for an axis label."""
    greater = {**CLASSIFICATION_METRICS, **REGRESSION_METRICS}.get(metric)
    return "" if greater is None else ", higher is better" if greater else ", lower is better"


def _axis_label(metric: str) -> str:
    """Return the label of an axis that shows ``metric``."""
    return f"{metric_label(metric)} (out of fold{_direction(metric)})"


@house_style
def fold_scores(scores: Mapping[str, Sequence[float]], metric: str, *, title: str | None = None) -> HouseFigure:
    """Return each model's score in every fold, with its mean.

    Parameters
    ----------
    scores
        Model -> its score in each fold.
    metric
        What the scores are.
    """
    if not scores:
        return empty(title or "Scores by fold", "No model was validated.")
    made, (axes,) = canvas(title or headlines.over_folds(scores, metric), rows_height(len(scores), each=0.36))
    for row, values in enumerate(scores.values()):
        _fold_row(axes, row, np.asarray(values, dtype=float))
    axes.set_yticks(range(len(scores)), [shorten(name) for name in scores])
    axes.set_ylim(len(scores) - 0.4, -0.6)
    axes.margins(x=0.12)
    axes.set_xlabel(_axis_label(metric))
    grid_lines(axes)
    return made


def _fold_row(axes: Axes, row: int, values: Any) -> None:
    """Draw one model's folds as dots on their range, and the mean as a bar with its number."""
    axes.plot([np.nanmin(values), np.nanmax(values)], [row, row], color=LIGHT, linewidth=6, zorder=1)
    axes.scatter(values, np.full(len(values), row), s=26, color=SKY, edgecolor="white", linewidth=0.6, zorder=2)
    mean = float(np.nanmean(values))
    axes.plot([mean, mean], [row - 0.26, row + 0.26], color=INK, linewidth=2.2, zorder=3)
    place = (float(np.nanmax(values)), row)
    axes.annotate(
        f"{figure(mean)} ± {figure(float(np.nanstd(values)))}",
        place,
        xytext=(10, 0),
        textcoords="offset points",
        va="center",
        color=GREY,
        fontsize=8.5,
    )


@house_style
def trials_scatter(trials: Sequence[Mapping[str, Any]], metric: str, *, title: str | None = None) -> HouseFigure:
    """Return the score of every trial in the order they ran, and the best so far.

    Parameters
    ----------
    trials
        Mappings with ``number``, ``score`` and, where known, ``std``; a trial without a score is left out.
    metric
        What the scores are.
    """
    scored = [trial for trial in trials if isinstance(trial.get("score"), int | float) and np.isfinite(trial["score"])]
    if not scored:
        return empty(title or "Trials", "No trial was completed.")
    numbers = np.array([trial.get("number", index) for index, trial in enumerate(scored)], dtype=float)
    scores = np.array([trial["score"] for trial in scored], dtype=float)
    spread = np.array([trial.get("std") or 0.0 for trial in scored], dtype=float)
    greater = {**CLASSIFICATION_METRICS, **REGRESSION_METRICS}.get(metric, True)
    best_so_far = np.maximum.accumulate(scores) if greater else np.minimum.accumulate(scores)
    best = int(np.argmax(scores) if greater else np.argmin(scores))
    made, (axes,) = canvas(title or f"{metric_label(metric)} of {len(scored)} trials, best {figure(float(scores[best]))}", 3.1)
    axes.errorbar(numbers, scores, yerr=spread, fmt="none", ecolor=LIGHT, elinewidth=1.4, zorder=1)
    axes.scatter(numbers, scores, s=30, color=SKY, edgecolor="white", linewidth=0.6, zorder=3)
    axes.step(numbers, best_so_far, where="post", color=BLUE, linewidth=1.6, zorder=2)
    axes.scatter(numbers[best], scores[best], s=64, color=ORANGE, edgecolor="white", zorder=4)
    axes.annotate("best", (numbers[best], scores[best]), xytext=(7, 5), textcoords="offset points", color=ORANGE, fontweight="bold")
    axes.set(xlabel="trial (line: best so far; bars: ± one standard deviation over folds)", ylabel=_axis_label(metric))
    whole_numbers_axis(axes.xaxis)
    grid_lines(axes, "y")
    return made


@house_style
def leaderboard(
    rows: Sequence[Mapping[str, Any]],
    metric: str,
    *,
    chosen: str | None = None,
    baseline: float | None = None,
    title: str | None = None,
) -> HouseFigure:
    """Return the candidates, best first, with the spread of their score over folds.

    Parameters
    ----------
    rows
        Mappings with ``name``, ``score`` and ``std``, in any order.
    metric
        What the scores are.
    chosen
        Name of the candidate that was chosen; it is highlighted.
    baseline
        Score of the baseline, drawn as a line.
    """
    greater = {**CLASSIFICATION_METRICS, **REGRESSION_METRICS}.get(metric, True)
    ranked = sorted((row for row in rows if row.get("score") is not None), key=lambda row: row["score"], reverse=greater)
    if not ranked:
        return empty(title or "Candidates", "No candidate has a score.")
    made, (axes,) = canvas(
        title or f"{metric_label(metric)} of {len(ranked)} candidates, best first", rows_height(len(ranked), each=0.38)
    )
    for position, row in enumerate(ranked):
        color = BLUE if row["name"] == chosen or (chosen is None and position == 0) else GREY
        axes.errorbar(
            row["score"],
            position,
            xerr=row.get("std") or 0,
            fmt="o",
            markersize=7,
            color=color,
            ecolor=color,
            elinewidth=2.2,
            alpha=1,
        )
        edge = (row["score"] + (row.get("std") or 0), position)
        spread = f" ± {figure(row['std'])}" if row.get("std") is not None else ""
        axes.annotate(
            f"{figure(row['score'])}{spread}",
            edge,
            xytext=(9, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
            color=color,
        )
    if baseline is not None:
        _baseline(axes, baseline, ranked)
    axes.set_yticks(range(len(ranked)), [shorten(row["name"]) + ("  ✓" if row["name"] == chosen else "") for row in ranked])
    axes.set_ylim(len(ranked) - 0.35, -0.65)
    axes.margins(x=0.3)
    axes.set_xlabel(f"{_axis_label(metric)}; line: ± one standard deviation over folds")
    grid_lines(axes)
    return made


def _baseline(axes: Axes, baseline: float, ranked: Sequence[Mapping[str, Any]]) -> None:
    """Draw the baseline as a line where it is near the candidates, else say at the edge where it lies."""
    scores = [row["score"] for row in ranked]
    spread = max(max(scores) - min(scores), *(row.get("std") or 0 for row in ranked), 1e-9)
    near = min(scores) - 4 * spread <= baseline <= max(scores) + 4 * spread
    left = baseline < min(scores)
    if near:
        axes.axvline(baseline, color=AMBER, linewidth=1.4, linestyle=(0, (4, 3)))
    text = (
        f"baseline {figure(baseline)}"
        if near
        else f"\u2190 baseline {figure(baseline)}"
        if left
        else f"baseline {figure(baseline)} \u2192"
    )
    place: tuple[float, float] = (baseline, 0) if near else (0.0 if left else 1.0, 0)
    coordinates: Any = ("data", "axes fraction") if near else "axes fraction"
    side = "left" if near or left else "right"
    offset = (5 if side == "left" else -5, 4)
    axes.annotate(
        text,
        place,
        xycoords=coordinates,
        xytext=offset,
        textcoords="offset points",
        ha=side,
        color=GREY,
        fontsize=8.5,
        path_effects=HALO,
    )


@house_style
def learning_curve(
    sizes: ArrayLike,
    train_scores: ArrayLike,
    valid_scores: ArrayLike,
    metric: str,
    *,
    others: Mapping[str, float] | None = None,
    title: str | None = None,
) -> HouseFigure:
    """Return the score on training and on validation rows as the training set grows.

    Parameters
    ----------
    sizes
        Rows trained on, shape ``(n_sizes,)``.
    train_scores, valid_scores
        Scores, shape ``(n_sizes,)`` or ``(n_sizes, n_folds)``; with folds, mean and standard deviation are drawn.
    metric
        What the scores are.
    others
        Name of another model, which does not learn here -> its score on the validation rows, drawn as a level line; one far from
        the curves is named with its score alone, so that they keep their height.
    """
    rows = np.asarray(sizes, dtype=float)
    valid = np.asarray(valid_scores, dtype=float).reshape(len(rows), -1).mean(axis=1)
    made, (axes,) = canvas(title or headlines.more_rows(rows, valid, metric), 3.3)
    for name, scores, color in (("training rows", train_scores, GREY), ("validation rows", valid_scores, BLUE)):
        table = np.asarray(scores, dtype=float).reshape(len(rows), -1)
        mean, spread = table.mean(axis=1), table.std(axis=1)
        axes.fill_between(rows, mean - spread, mean + spread, color=color, alpha=0.15, linewidth=0)
        axes.plot(rows, mean, color=color, marker="o", markersize=4)
        axes.annotate(name, (rows[-1], mean[-1]), xytext=(7, 0), textcoords="offset points", va="center", color=color)
    _level_lines(axes, others or {}, np.concatenate([np.ravel(train_scores), np.ravel(valid_scores)]).astype(float))
    axes.set(xlabel="training rows", ylabel=f"{metric_label(metric)}{_direction(metric)}", xlim=(0, rows.max() * 1.2))
    axes.xaxis.set_major_formatter(lambda value, _: count(value))
    grid_lines(axes, "y")
    return made


def _level_lines(axes: Axes, others: Mapping[str, float], curves: Any) -> None:
    """Draw the scores of models that do not learn as level lines, and name them in a legend below the curves."""
    low, high = float(np.nanmin(curves)), float(np.nanmax(curves))
    reach = 1.5 * max(high - low, 1e-9)
    drawn = {name: value for name, value in others.items() if np.isfinite(value)}
    for color, dashes, (name, value) in zip((AMBER, ORANGE), ((5, 2), (1.5, 1.5)), drawn.items(), strict=False):
        line: dict[str, Any] = {"color": color, "linestyle": (0, dashes), "linewidth": 1.6}
        label = f"{name}, validation rows: {figure(value)}"
        if low - reach <= value <= high + reach:
            axes.axhline(value, label=label, **line)
        else:
            axes.plot([], [], label=f"{label}, {'below' if value < low else 'above'} the figure", **line)
    if drawn:
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=2)


@house_style
def epochs(
    losses: Mapping[str, Sequence[float]], metric: str = "log_loss", *, kept: int | None = None, title: str | None = None
) -> HouseFigure:
    """Return how a loss fell from epoch to epoch.

    Parameters
    ----------
    losses
        Name of a curve (``training``, ``validation``) -> its value after each epoch.
    metric
        What the values are.
    kept
        Epoch, counted from 1, whose weights were kept.
    """
    drawn = {name: values for name, values in losses.items() if len(values)}
    if not drawn:
        return empty(title or "Training curve", "No epoch was recorded.")
    made, (axes,) = canvas(title or f"{metric_label(metric)} after each epoch", 3.0)
    last = sorted(values[-1] for values in drawn.values())
    for color, (name, values) in zip(SERIES, drawn.items(), strict=False):
        axes.plot(np.arange(1, len(values) + 1), values, color=color)
        lift = 9 * (last.index(values[-1]) - (len(last) - 1) / 2)
        axes.annotate(
            shorten(name), (len(values), values[-1]), xytext=(6, lift), textcoords="offset points", va="center", color=color
        )
    if kept is not None:
        axes.axvline(kept, color=LIGHT, linewidth=1.4)
        axes.annotate(
            f"kept: epoch {kept}",
            (kept, 1),
            xycoords=("data", "axes fraction"),
            xytext=(5, -10),
            textcoords="offset points",
            color=GREY,
        )
    axes.set(xlabel="epoch", ylabel=f"{metric_label(metric)}{_direction(metric)}")
    axes.set_xlim(0.5, max(len(values) for values in drawn.values()) * 1.18 + 0.5)
    whole_numbers_axis(axes.xaxis)
    grid_lines(axes, "y")
    return made
