"""Figures of the training rows: the target against each column and over time, gaps that come together, numbers far out."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap

from gristmill.reporting.plots.style import (
    AMBER,
    BLUE,
    GREY,
    INK,
    LIGHT,
    ORANGE,
    PALE,
    SERIES,
    HouseFigure,
    canvas,
    empty,
    grid_lines,
    house_style,
    number_axis,
    percent_axis,
    rows_height,
)
from gristmill.reporting.wording import count, share, shorten

MOST_PANELS = 12
SHOWN_ROWS = 20
_MOST_TICKS = 12
_FEWEST_CELLS = 8
"""Cells that a row of gaps has room for, so that few do not become bars."""


@house_style
def target_against(tables: Mapping[str, pd.DataFrame], *, label: str, overall: Mapping[str, float], title: str) -> HouseFigure:
    """Return what the target is like in the groups that each column makes, with intervals, a panel a column.

    Parameters
    ----------
    tables
        Column -> table with ``group``, ``series``, ``n``, ``value``, ``low`` and ``high``.
    label
        What is averaged; a name that begins with ``share`` is written as a percentage.
    overall
        Series -> its value over all rows, drawn as a level line.
    title
        Title of the figure.
    """
    shown = list(tables.items())[:MOST_PANELS]
    if not shown:
        return empty(title, "There is no column to look at.")
    rows = -(-len(shown) // 3)
    made, panels = canvas(title, 0.9 + 2.05 * rows, rows=rows, columns=3, sharey=True)
    for place, (axes, (name, table)) in enumerate(zip(panels, shown, strict=False)):
        axes.set_title(shorten(name, 30), color=INK)
        _groups(axes, table, overall)
        _value_axis(axes, label, named=place % 3 == 0)
    for axes in panels[len(shown) :]:
        axes.set_axis_off()
    if len(overall) > 1:
        made.legend(*panels[0].get_legend_handles_labels(), loc="outside lower left", ncols=len(overall))
    return made


def _groups(axes: Axes, table: pd.DataFrame, overall: Mapping[str, float]) -> None:
    """Draw the groups of one column as points with their intervals."""
    names = list(dict.fromkeys(table["group"].astype(str)))
    places = {name: place for place, name in enumerate(names)}
    for index, (series, part) in enumerate(table.groupby("series", sort=False)):
        color, beside = SERIES[index % len(SERIES)], (index - (len(overall) - 1) / 2) * 0.16
        axes.axhline(overall.get(str(series), np.nan), color=LIGHT if len(overall) == 1 else color, linewidth=1, zorder=0)
        where = part["group"].astype(str).map(places).to_numpy(dtype=float) + beside
        axes.vlines(where, part["low"], part["high"], color=color, alpha=0.4, linewidth=4)
        axes.scatter(where, part["value"], color=color, s=20, zorder=3, label=shorten(series, 20))
    axes.set_xticks(range(len(names)), [shorten(name, 14) for name in names], rotation=35, ha="right", fontsize=7)
    axes.set_xlim(-0.6, len(names) - 0.4)


def _value_axis(axes: Axes, label: str, *, named: bool = True) -> None:
    """Write an axis of shares or of numbers, named where it is the first of its row."""
    (percent_axis if label.startswith("share") else number_axis)(axes.yaxis)
    axes.tick_params(axis="y", labelsize=7.5, labelcolor=GREY)
    grid_lines(axes, "y")
    if named:
        axes.set_ylabel(shorten(label, 30), fontsize=8)


@house_style
def target_over_time(table: pd.DataFrame, *, label: str, unit: str, overall: Mapping[str, float], title: str) -> HouseFigure:
    """Return what the target is like in each period, with intervals, above the number of its rows.

    Parameters
    ----------
    table
        ``group`` (the period), ``series``, ``n``, ``value``, ``low`` and ``high``, in the order of time.
    label, overall, title
        As in :func:`target_against`.
    unit
        What a period is.
    """
    if table.empty:
        return empty(title, "No row has a time.")
    made, (axes, below) = canvas(title, 4.2, rows=2, height_ratios=[3, 1], sharex=True)
    names = list(dict.fromkeys(table["group"].astype(str)))
    for index, (series, part) in enumerate(table.groupby("series", sort=False)):
        color = SERIES[index % len(SERIES)]
        axes.axhline(overall.get(str(series), np.nan), color=LIGHT, linewidth=1)
        axes.fill_between(range(len(part)), part["low"], part["high"], color=color, alpha=0.2, linewidth=0)
        axes.plot(range(len(part)), part["value"], color=color, marker="o", markersize=4, label=shorten(series, 20))
    _value_axis(axes, label)
    first = table[table["series"] == table["series"].iloc[0]]
    below.bar(range(len(first)), first["n"], color=LIGHT, width=0.7)
    below.set(xlabel=unit, ylabel="rows")
    number_axis(below.yaxis)
    every = -(-len(names) // _MOST_TICKS)
    below.set_xticks(range(0, len(names), every), names[::every], rotation=35, ha="right", fontsize=8)
    if len(overall) > 1:
        made.legend(*axes.get_legend_handles_labels(), loc="outside upper right", ncols=len(overall))
    return made


@house_style
def gap_patterns(patterns: pd.DataFrame, *, title: str | None = None) -> HouseFigure:
    """Return which columns are missing together: a row a combination, with its number of rows, an amber cell a gap.

    Parameters
    ----------
    patterns
        Indexed by number of rows; a column a column of the table, True where it is missing.
    """
    gaps = patterns[patterns.any(axis=1)] if len(patterns.columns) else patterns
    if not len(patterns.columns) or gaps.empty:
        return empty(title or "Missing together", "No cell is missing in any of the columns.")
    most = gaps.iloc[0]
    said = ", ".join(shorten(name, 20) for name in most.index[most][:3])
    several = f"The commonest gap: {said}{' and others' if most.sum() > 3 else ''}, in {count(gaps.index[0])} rows"
    made, (axes,) = canvas(title or several, rows_height(len(patterns), each=0.3, around=1.6))
    edges = [np.arange(size + 1) - 0.5 for size in (len(most), len(patterns))]
    colors = ListedColormap([PALE, AMBER])
    axes.pcolormesh(*edges, patterns.to_numpy(dtype=float), cmap=colors, vmin=0, vmax=1, edgecolors="white", linewidth=2)
    axes.set_yticks(range(len(patterns)), [f"{count(n)} rows" for n in patterns.index])
    axes.set_xticks(range(len(most)), [shorten(name, 22) for name in most.index], rotation=35, ha="right", fontsize=8)
    axes.set(xlabel="column (amber: missing)", xlim=(-0.5, max(len(most), _FEWEST_CELLS) - 0.5), ylim=(len(patterns) - 0.5, -0.5))
    axes.spines[:].set_visible(False)
    return made


@house_style
def far_out(columns: pd.DataFrame, values: Callable[[str], pd.Series], *, title: str | None = None) -> HouseFigure:
    """Return columns of numbers in interquartile ranges from their median, with every number beyond the limits as a point.

    Parameters
    ----------
    columns
        Indexed by column: ``share`` of the numbers beyond the limits ``lower`` and ``upper``.
    values
        Returns the numbers of a column.
    """
    shown = columns.head(SHOWN_ROWS)
    if shown.empty:
        return empty(title or "Numbers far out", "No number lies far from the others of its column.")
    said = f"{shorten(shown.index[0], 24)} has most numbers far out: {share(float(shown['share'].iloc[0]), 1)}"
    made, (axes,) = canvas(title or said, rows_height(len(shown), each=0.34, around=1.2))
    for row, name in enumerate(shown.index):
        _one_row(
            axes, row, values(str(name)).dropna().astype(float), float(shown.loc[name, "lower"]), float(shown.loc[name, "upper"])
        )
    axes.set_yticks(range(len(shown)), [f"{shorten(name, 24)}  {share(float(one), 1)}" for name, one in shown["share"].items()])
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_xscale("symlog", linthresh=4)
    number_axis(axes.xaxis)
    axes.set_xlabel("interquartile ranges from the median (logarithmic beyond 4; box: middle half, points: far out)")
    grid_lines(axes)
    return made


def _one_row(axes: Axes, row: int, numbers: pd.Series, lower: float, upper: float) -> None:
    """Draw one column: its middle half, its ordinary range, and at most a few hundred points of what lies beyond."""
    low, median, high = np.quantile(numbers, [0.25, 0.5, 0.75])
    wide = high - low
    usual = numbers[(numbers >= lower) & (numbers <= upper)]
    axes.plot([(usual.min() - median) / wide, (usual.max() - median) / wide], [row, row], color=LIGHT, linewidth=2, zorder=1)
    axes.barh(row, (high - low) / wide, left=(low - median) / wide, height=0.5, color=BLUE, zorder=2)
    beyond = np.sort(numbers[(numbers < lower) | (numbers > upper)].to_numpy())
    kept = beyond[np.unique(np.linspace(0, len(beyond) - 1, 300).astype(int))] if len(beyond) else beyond
    axes.scatter((kept - median) / wide, np.full(len(kept), row), color=ORANGE, s=9, alpha=0.6, zorder=3, linewidths=0)
