"""Figures of a model at work: traffic, columns over time, drift, metrics on late labels, what decisions were worth."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from gristmill.reporting.plots.style import (
    AMBER,
    BLUE,
    GREY,
    INK,
    LIGHT,
    ORANGE,
    HouseFigure,
    canvas,
    empty,
    grid_lines,
    house_style,
    number_axis,
    percent_axis,
    rows_height,
)
from gristmill.reporting.wording import count, figure, metric_label, share, shorten

MOST_ROWS = 25
_MOST_TICKS = 10


def day(at: float) -> str:
    """Return the day of a moment as an axis names it."""
    return f"{datetime.fromtimestamp(at, UTC):%d %b}"


def _numbers(values: Sequence[float | None]) -> Any:
    """Return numbers as an array, not-a-number where there is none."""
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _days_axis(axes: Axes, moments: Sequence[float]) -> None:
    """Name the days under an axis, as many as there is room for."""
    step = max(1, -(-len(moments) // _MOST_TICKS))
    axes.set_xticks(range(0, len(moments), step), [day(at) for at in moments[::step]])


@house_style
def traffic(days: Sequence[Mapping[str, Any]], *, title: str | None = None) -> HouseFigure:
    """Return how many predictions there were on each day.

    Parameters
    ----------
    days
        ``at`` (seconds since 1970, the beginning of each) and ``predictions``.
    """
    counts = [int(one["predictions"]) for one in days]
    if not sum(counts):
        return empty(title or "Predictions by day", "Nothing was predicted in this time.")
    least = int(np.argmin(counts))
    told = f"{count(sum(counts))} predictions in {len(days)} days, the fewest on {day(days[least]['at'])}: {count(counts[least])}"
    made, (axes,) = canvas(title or told, 2.6)
    axes.bar(range(len(counts)), counts, color=BLUE, width=0.8)
    _days_axis(axes, [one["at"] for one in days])
    axes.set(ylabel="predictions", xlim=(-0.6, len(counts) - 0.4))
    number_axis(axes.yaxis)
    grid_lines(axes, "y")
    return made


@house_style
def columns_over_time(
    values: Mapping[str, Sequence[float | None]],
    moments: Sequence[float],
    *,
    floor: float,
    measure: str,
    shares: bool = False,
    title: str | None = None,
) -> HouseFigure:
    """Return a heat map of columns by days; cells from ``floor`` on are written out, and those above a column's name come first.

    Parameters
    ----------
    values
        Column -> its value on each day; None where it is not known.
    moments
        Beginning of each day, in seconds since 1970.
    floor
        Value from which it matters.
    measure
        What is shown.
    shares
        Whether values are shares.
    """
    table = {name: _numbers(row) for name, row in values.items()}
    known = {name: row for name, row in table.items() if np.isfinite(row).any()}
    if not known:
        return empty(title or f"{measure} by day", "No day has enough rows to tell.")
    order = sorted(known, key=lambda name: -float(np.nanmax(known[name])))[:MOST_ROWS]
    grid = np.vstack([known[name] for name in order])
    beyond = [name for name in order if np.nanmax(known[name]) >= floor]
    made, (axes,) = canvas(title or _over_time_title(known, beyond, moments, floor, measure), rows_height(len(order), each=0.3))
    top = max(2 * floor, float(np.nanquantile(grid, 0.98)))
    image = axes.imshow(grid, cmap="Oranges", vmin=0, vmax=top, aspect="auto")
    axes.set_facecolor("#f5f6f8")
    axes.set_yticks(range(len(order)), [shorten(name, 24) for name in order])
    _days_axis(axes, moments)
    axes.spines[:].set_visible(False)
    if len(moments) <= 14:
        _write_beyond(axes, grid, floor, top, shares=shares)
    bar = made.colorbar(image, ax=axes, fraction=0.03, pad=0.01)
    bar.outline.set_visible(False)  # type: ignore[operator]
    bar.set_label(measure)
    if shares:
        percent_axis(bar.ax.yaxis)
    return made


def _over_time_title(known: Mapping[str, Any], beyond: Sequence[str], moments: Sequence[float], floor: float, measure: str) -> str:
    """Return what a heat map shows, in words."""
    if not beyond:
        return f"No column reaches {figure(floor, 2)} on any day ({measure})"
    first = min(int(np.flatnonzero(np.nan_to_num(known[name]) >= floor)[0]) for name in beyond)
    named = (
        shorten(beyond[0], 28)
        if len(beyond) == 1
        else f"{len(beyond)} of {len(known)} columns, most of all {shorten(beyond[0], 24)}"
    )
    return f"{named}: beyond the limit from {day(moments[first])} on"


def _write_beyond(axes: Axes, grid: Any, floor: float, top: float, *, shares: bool) -> None:
    """Write the cells that matter."""
    for row, place in zip(*np.nonzero(np.nan_to_num(grid) >= floor), strict=True):
        value = float(grid[row, place])
        text = share(value) if shares else f"{value:.2g}"
        axes.text(place, row, text, ha="center", va="center", fontsize=7.5, color="white" if value > 0.6 * top else INK)


@house_style
def drift_bars(features: Sequence[Mapping[str, Any]], *, floor: float, title: str | None = None) -> HouseFigure:
    """Return how far each column is from the training rows, with the share of the model's importance beside its name.

    Parameters
    ----------
    features
        Of a drift report's record: ``name``, ``drifted``, ``importance`` and ``measures`` with ``psi_corrected``.
    floor
        PSI from which a difference is called drift.
    """
    known = [one for one in features if one["measures"].get("psi_corrected") is not None]
    if not known:
        return empty(title or "Distance from the training rows", "There are no rows to compare.")
    shown = sorted(known, key=lambda one: -float(one["measures"]["psi_corrected"]))[:MOST_ROWS]
    drifted = [one for one in features if one["drifted"]]
    told = f"{len(drifted)} of {len(features)} columns drifted" + (f", {shorten(drifted[0]['name'])} first" if drifted else "")
    made, (axes,) = canvas(title or told, rows_height(len(shown)))
    values = [float(one["measures"]["psi_corrected"]) for one in shown]
    axes.barh(range(len(shown)), values, color=[ORANGE if one["drifted"] else BLUE for one in shown], height=0.62)
    axes.axvline(floor, color=INK, linewidth=1)
    axes.set_yticks(range(len(shown)), [_with_importance(one) for one in shown])
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_xlabel(f"population stability index, less chance (line: {figure(floor, 2)}; orange: drifted)")
    grid_lines(axes)
    return made


def _with_importance(one: Mapping[str, Any]) -> str:
    """Return the name of a column with its importance."""
    known = one.get("importance")
    return shorten(one["name"], 24) + ("" if known is None else f"  {share(float(known))} of importance")


@house_style
def beside_test_rows(metrics: Mapping[str, Mapping[str, Any]], *, title: str | None = None) -> HouseFigure:
    """Return each metric on late labels with its interval, above that of the test rows.

    Parameters
    ----------
    metrics
        Metric -> ``online`` and ``offline``, each with ``value``, ``low`` and ``high``, and ``verdict``.
    """
    if not metrics:
        return empty(title or "Late labels beside test rows", "There are no labels old enough to count.")
    apart = [metric_label(name) for name, one in metrics.items() if one["verdict"] == "worse"]
    told = f"Worse than the test rows promised: {', '.join(apart[:3])}" if apart else "On no metric surely worse than the test rows"
    made, panels = canvas(title or told, 0.5 + 0.62 * len(metrics), rows=len(metrics))
    for axes, (name, one) in zip(panels, metrics.items(), strict=True):
        for row, (rows, color) in enumerate((("online", ORANGE if one["verdict"] == "worse" else BLUE), ("offline", GREY))):
            low, high, value = (float(one[rows][end]) for end in ("low", "high", "value"))
            axes.plot([low, high], [row, row], color=color, linewidth=5, alpha=0.35, solid_capstyle="butt")
            axes.scatter(value, row, s=26, color=color, zorder=3)
            axes.annotate(
                figure(value), (high, row), xytext=(7, 0), textcoords="offset points", va="center", fontsize=8, color=GREY
            )
        axes.set_yticks([0, 1], [metric_label(name), "test rows"])
        axes.get_yticklabels()[1].set_color(GREY)
        axes.set_ylim(1.6, -0.6)
        axes.margins(x=0.25)
        number_axis(axes.xaxis)
        axes.spines["left"].set_visible(False)
    return made


@house_style
def metric_by_week(
    weeks: Sequence[Mapping[str, Any]], metric: str, *, offline: Mapping[str, float] | None = None, title: str | None = None
) -> HouseFigure:
    """Return a metric week by week with its interval, and that of the test rows as a band.

    Parameters
    ----------
    weeks
        ``at`` (its Monday), ``n`` labels, ``value``, ``low``, ``high``; None of these where there were too few labels.
    metric
        Its name.
    offline
        ``value``, ``low`` and ``high`` on the test rows.
    """
    known = [one for one in weeks if one["value"] is not None]
    label = metric_label(metric)
    if not known:
        return empty(title or f"{label} by week", "No week has enough mature labels yet.")
    made, (axes,) = canvas(title or f"{label} was {figure(known[-1]['value'])} in the last week with labels", 2.8)
    if offline is not None:
        axes.axhspan(offline["low"], offline["high"], color=LIGHT, alpha=0.5, linewidth=0)
        axes.axhline(offline["value"], color=GREY, linewidth=1)
        end = (1, offline["value"])
        where = {"xycoords": ("axes fraction", "data"), "xytext": (4, 0), "textcoords": "offset points"}
        axes.annotate("test rows", end, va="center", fontsize=8.5, color=GREY, **where)  # type: ignore[arg-type]
    places = [place for place, one in enumerate(weeks) if one["value"] is not None]
    axes.vlines(places, [one["low"] for one in known], [one["high"] for one in known], color=BLUE, alpha=0.35, linewidth=5)
    axes.plot(places, [one["value"] for one in known], color=BLUE, marker="o", markersize=5)
    axes.set_xticks(range(len(weeks)), [f"{day(one['at'])}\nn = {count(one['n'])}" for one in weeks])
    axes.set(ylabel=label, xlim=(-0.5, len(weeks) - 0.5))
    grid_lines(axes, "y")
    return made


@house_style
def loss_by_day(found: Mapping[str, Any] | None, *, title: str | None = None) -> HouseFigure:
    """Return the mean loss on late labels day by day, and where it rose for good.

    Parameters
    ----------
    found
        ``days`` with ``at`` and ``loss``, ``detected`` and ``changed_at`` (seconds since 1970); None without labels.
    """
    if found is None:
        return empty(title or "Loss on late labels", "There are too few mature labels to see a change of what the rows mean.")
    moments, losses = found["days"]["at"], _numbers(found["days"]["loss"])
    told = f"The loss rose for good at about {day(found['changed_at'])}" if found["detected"] else "The loss shows no lasting rise"
    made, (axes,) = canvas(title or told, 2.6)
    axes.plot(range(len(moments)), losses, color=BLUE, marker="o", markersize=4)
    if found["detected"]:
        step = (moments[1] - moments[0]) if len(moments) > 1 else 86_400.0
        axes.axvline((found["changed_at"] - moments[0]) / step - 0.5, color=ORANGE, linewidth=1.4)
    _days_axis(axes, moments)
    axes.set(ylabel="mean loss of a row")
    axes.set_ylim(bottom=0)
    grid_lines(axes, "y")
    return made


@house_style
def value_by_week(found: Mapping[str, Any] | None, *, title: str | None = None) -> HouseFigure:
    """Return what a decision was worth, week by week, with its interval.

    Parameters
    ----------
    found
        ``name`` (what is counted) and ``weeks`` with ``week``, ``labels`` and ``value``; None where nothing is priced.
    """
    if found is None or not found["weeks"]:
        message = "The case puts no price on decisions." if found is None else "There are no mature labels yet."
        return empty(title or "What decisions were worth", message)
    weeks = found["weeks"]
    total = found["total"]["value"]
    told = f"{found['name']} per prediction: {figure(total['value'])} ({figure(total['low'])} to {figure(total['high'])})"
    made, (axes,) = canvas(title or told, 2.6)
    places = range(len(weeks))
    values, lows, highs = (_numbers([one["value"][end] for one in weeks]) for end in ("value", "low", "high"))
    axes.axhline(0, color=LIGHT, linewidth=1.2)
    axes.vlines(places, lows, highs, color=AMBER, alpha=0.45, linewidth=5)
    axes.plot(places, values, color=AMBER, marker="o", markersize=5)
    axes.set_xticks(places, [f"{one['week']}\nn = {count(one['labels'])}" for one in weeks])
    axes.set(ylabel=f"{found['name'].lower()} per prediction", xlim=(-0.5, len(weeks) - 0.5))
    grid_lines(axes, "y")
    return made
