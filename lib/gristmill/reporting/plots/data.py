"""Figures of the raw table: its target, its columns, what is missing, what goes with what, how it was split."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from gristmill.reporting.plots.style import (
    AMBER,
    BLUE,
    GREY,
    INK,
    LIGHT,
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
from gristmill.reporting.wording import count, figure, share, shorten

SHOWN_LEVELS = 8
SHOWN_ROWS = 25


@house_style
def class_balance(target: pd.Series, *, title: str | None = None) -> HouseFigure:
    """Return how many rows each class of ``target`` has, most frequent first.

    Parameters
    ----------
    target
        Class of each row, shape ``(n_rows,)``; missing values are a class of their own.
    """
    counts = target.astype("string").fillna("(missing)").value_counts().head(SHOWN_ROWS)
    total = max(1, len(target))
    first = f": {shorten(counts.index[0], 24)} is {share(counts.iloc[0] / total, 1)}" if len(counts) else ""
    made, (axes,) = canvas(title or f"Rows in each class of {shorten(target.name)}{first}", rows_height(len(counts), each=0.36))
    _bars(axes, counts.index, counts.to_numpy(dtype=float), [f"{count(n)}  ({share(n / total, 1)})" for n in counts])
    axes.set_xlabel("rows")
    return made


@house_style
def histogram(values: pd.Series, *, name: str | None = None, title: str | None = None) -> HouseFigure:
    """Return the distribution of one numeric column, with its median marked."""
    name = shorten(name or values.name or "value")
    numbers = pd.to_numeric(values, errors="coerce").astype(float)
    numbers = numbers[np.isfinite(numbers)]
    if numbers.empty:
        return empty(title or f"Distribution of {name}", "No number in this column.")
    made, (axes,) = canvas(title or f"Distribution of {name} over {count(len(numbers))} rows", 3.0)
    axes.hist(numbers, bins=min(40, max(5, int(np.sqrt(len(numbers))))), color=BLUE, edgecolor="white", linewidth=0.6)
    median = float(numbers.median())
    axes.axvline(median, color=INK, linewidth=1.2)
    axes.annotate(
        f"median {figure(median)}", (median, 1), xycoords=("data", "axes fraction"), xytext=(5, -9), textcoords="offset points"
    )
    axes.set(xlabel=name, ylabel="rows")
    number_axis(axes.xaxis)
    grid_lines(axes, "y")
    return made


@house_style
def distributions(
    frame: pd.DataFrame, target: pd.Series | None = None, *, columns: Sequence[str] | None = None, max_columns: int = 12
) -> HouseFigure:
    """Return a grid with the distribution of each column.

    Parameters
    ----------
    frame
        Rows with the columns to draw.
    target
        Class of each row. With two to six classes, every column is drawn by class, each class scaled to its own size.
    columns
        Which columns, in this order; all when omitted.
    max_columns
        Most columns drawn.
    """
    names = list(columns if columns is not None else frame.columns)[:max_columns]
    if not names or frame.empty:
        return empty("Distribution of the columns", "There is no column to draw.")
    groups = _groups(target)
    by = f" by {shorten(target.name)}" if target is not None and len(groups) > 1 else ""
    rows = -(-len(names) // 3)
    made, panels = canvas(f"Distribution of {len(names)} columns{by}", 0.75 + 1.65 * rows, rows=rows, columns=3)
    for axes, name in zip(panels, names, strict=False):
        _distribution(axes, frame[name], groups)
    for axes in panels[len(names) :]:
        axes.set_axis_off()
    if len(groups) > 1:
        handles = [_swatch(SERIES[i]) for i in range(len(groups))]
        made.legend(handles, [shorten(label) for label in groups], loc="outside upper right", ncols=len(groups))
    return made


def _groups(target: pd.Series | None) -> dict[str, Any]:
    """Return a mask for each class, or one for all rows when there is no target or it has too many classes."""
    if target is None or not 2 <= target.nunique() <= 6:
        return {"all": slice(None)}
    return {
        str(label): (target == label).to_numpy(dtype=bool, na_value=False) for label in sorted(target.dropna().unique(), key=str)
    }


def _swatch(color: str) -> Any:
    """Return a patch for a legend."""
    return Patch(color=color)


def _distribution(axes: Axes, column: pd.Series, groups: dict[str, Any]) -> None:
    """Draw one column: bins of numbers and dates, or its most frequent levels."""
    axes.set_title(shorten(column.name, 30), color=INK)
    axes.set_ylabel("share of rows")
    axes.yaxis.label.set_fontsize(8)
    percent_axis(axes.yaxis)
    axes.tick_params(axis="y", labelsize=7.5, labelcolor=GREY)
    axes.tick_params(axis="x", labelsize=7.5)
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column) and column.nunique() > 2:
        _numeric_panel(axes, column.astype(float), groups)
    elif pd.api.types.is_datetime64_any_dtype(column):
        _numeric_panel(axes, column.dt.year + (column.dt.dayofyear - 1) / 366, groups)
    else:
        _level_panel(axes, column.astype("string"), groups)
    grid_lines(axes, "y")


def _numeric_panel(axes: Axes, column: pd.Series, groups: dict[str, Any]) -> None:
    """Draw a numeric column as filled steps, one for each group."""
    finite = column[np.isfinite(column)]
    if finite.empty:
        _say_all_missing(axes)
        return
    low, high = float(finite.min()), float(finite.max())
    edges = np.linspace(low, high if high > low else low + 1, 21)
    for index, mask in enumerate(groups.values()):
        values = column[mask]
        values = values[np.isfinite(values)]
        heights = np.histogram(values, bins=edges)[0] / max(1, len(values))
        axes.stairs(heights, edges, color=SERIES[index], fill=True, alpha=0.25)
        axes.stairs(heights, edges, color=SERIES[index], linewidth=1.3)
    if high > 9999:
        number_axis(axes.xaxis)


def _say_all_missing(axes: Axes) -> None:
    """Say that a column has no value to draw."""
    axes.text(0.5, 0.5, "all missing", color=GREY, ha="center", transform=axes.transAxes)
    axes.set_xticks([])
    axes.set_yticks([])


def _level_panel(axes: Axes, column: pd.Series, groups: dict[str, Any]) -> None:
    """Draw the most frequent levels of a column, the groups side by side."""
    levels = column.value_counts().index[:SHOWN_LEVELS]
    if levels.empty:
        _say_all_missing(axes)
        return
    width = 0.8 / len(groups)
    for index, mask in enumerate(groups.values()):
        shares = column[mask].value_counts(normalize=True).reindex(levels).fillna(0)
        axes.bar(np.arange(len(levels)) + (index + 0.5) * width - 0.4, shares, width * 0.92, color=SERIES[index])
    long = max(len(str(level)) for level in levels) * len(levels) > 26
    labels = [shorten(level, 12 if long else 16) for level in levels]
    axes.set_xticks(np.arange(len(levels)), labels, rotation=40 if long else 0, ha="right" if long else "center")


@house_style
def missing_bars(missing: pd.Series, *, title: str | None = None) -> HouseFigure:
    """Return the share of missing cells of each column that misses any.

    Parameters
    ----------
    missing
        Share of missing cells by column name.
    """
    found = missing[missing > 0].sort_values(ascending=False)
    title = title or f"Missing cells: {len(found)} of {len(missing)} columns miss some"
    if found.empty:
        return empty("Missing cells", f"No cell is missing in any of the {len(missing)} columns.")
    shown = found.head(SHOWN_ROWS)
    made, (axes,) = canvas(title, rows_height(len(shown)))
    _bars(axes, shown.index, shown.to_numpy(dtype=float), [share(value, 1) for value in shown], color=AMBER)
    axes.set_xlim(0, min(1.0, float(shown.max()) * 1.25))
    percent_axis(axes.xaxis)
    axes.set_xlabel("share of cells missing")
    return made


@house_style
def association_heatmap(
    associations: pd.DataFrame, *, title: str | None = None, of: str = "column", measure: str = "association"
) -> HouseFigure:
    """Return a square of associations between columns.

    Parameters
    ----------
    associations
        Square frame, columns by columns; from 0 to 1, or from -1 to 1 for signed correlations.
    of, measure
        What goes together, and how that is measured: the names of the axes.
    """
    values = associations.to_numpy(dtype=float)
    if values.size == 0:
        return empty(title or "How strongly columns go together", "There are no columns to compare.")
    size = len(associations)
    title = title or _closest(associations)
    signed = bool(np.nanmin(values) < 0)
    made, (axes,) = canvas(title, min(9.0, 1.5 + 0.27 * size))
    image = axes.imshow(values, cmap="RdBu_r" if signed else "Blues", vmin=-1 if signed else 0, vmax=1, aspect="auto")
    names = [shorten(name, 18) for name in associations.columns]
    axes.set_xticks(range(size), names, rotation=45, ha="right", fontsize=8)
    axes.set_yticks(range(size), names, fontsize=8)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set(xlabel=of, ylabel=of)
    if size <= 16:
        _write_cells(axes, values)
    bar = made.colorbar(image, ax=axes, fraction=0.03, pad=0.01)
    bar.outline.set_visible(False)  # type: ignore[operator]
    bar.set_label(measure)
    return made


def _closest(associations: pd.DataFrame) -> str:
    """Return which pair goes together most closely, as a title."""
    values = np.abs(np.tril(np.nan_to_num(associations.to_numpy(dtype=float)), -1))
    if not values.any():
        return "No two columns go together"
    row, column = np.unravel_index(int(values.argmax()), values.shape)
    one, other = (shorten(associations.columns[int(place)], 24) for place in (column, row))
    return f"{one} and {other} go together most closely: {values.max():.2f}"


def _write_cells(axes: Axes, values: np.ndarray[Any, Any]) -> None:
    """Write each association into its cell, light on dark."""
    for row, column in np.ndindex(values.shape):
        value = values[row, column]
        if row != column and np.isfinite(value) and abs(value) >= 0.05:
            color = "white" if abs(value) > 0.6 else INK
            axes.text(column, row, f"{value:.2f}".replace("0.", ".", 1), ha="center", va="center", fontsize=7, color=color)


_NO_PART = ("gap", "unused")
"""Rows that no stage uses."""


@house_style
def split_overview(
    split: pd.DataFrame, target: pd.Series | None = None, *, positive_class: str | None = None, title: str | None = None
) -> HouseFigure:
    """Return the rows of each part of the split, and what the target is like in each.

    Parameters
    ----------
    split
        Columns ``split`` (``train``, ``test``, or ``gap`` and ``unused``, which no stage uses) and ``fold`` (validation fold; -1:
        never validated; missing for all but training rows).
    target
        Target of the same rows. Its mean is drawn, or the share of ``positive_class`` where that is given.
    """
    fold = ("fold " + split["fold"].astype("string").fillna("?")).replace("fold -1", "training only")
    part = fold.mask(split["split"] != "train", split["split"])
    counts = part.value_counts().sort_index()
    counts = counts.loc[sorted(counts.index, key=lambda name: (name in _NO_PART, name))]
    rate, label = _rate(target, positive_class)
    made, panels = canvas(
        title or f"How {count(len(split))} rows were divided", rows_height(len(counts)), columns=1 + (rate is not None), sharey=True
    )
    colors = [{"test": INK, **dict.fromkeys(_NO_PART, LIGHT)}.get(str(name), BLUE) for name in counts.index]
    _bars(
        panels[0],
        counts.index,
        counts.to_numpy(dtype=float),
        [f"{count(n)}  ({share(n / len(split))})" for n in counts],
        color=colors,
    )
    panels[0].set_xlabel("rows")
    if rate is not None:
        means = rate.groupby(part).mean().reindex(counts.index)
        positions = np.arange(len(counts))
        panels[1].axvline(float(rate.mean()), color=LIGHT, linewidth=1.2)
        panels[1].scatter(means, positions, color=colors, s=38, zorder=3)
        panels[1].set_xlabel(label)
        spread = max(float((means - rate.mean()).abs().max()) * 3, abs(float(rate.mean())) * 0.15, 1e-9)
        panels[1].set_xlim(float(rate.mean()) - spread, float(rate.mean()) + spread)
        grid_lines(panels[1])
        if positive_class is not None:
            percent_axis(panels[1].xaxis)
    return made


def _rate(target: pd.Series | None, positive_class: str | None) -> tuple[pd.Series | None, str]:
    """Return what of the target is compared between the parts, and its axis label."""
    if target is None:
        return None, ""
    if positive_class is not None:
        return (target.astype("string") == positive_class).astype(
            float
        ), f"share of {shorten(target.name)} = {shorten(positive_class)}"
    if pd.api.types.is_numeric_dtype(target):
        return target.astype(float), f"mean of {shorten(target.name)}"
    commonest = str(target.astype("string").mode().iloc[0])
    return (target.astype("string") == commonest).astype(float), f"share of {shorten(target.name)} = {shorten(commonest)}"


def _bars(axes: Axes, names: Any, values: Any, labels: Sequence[str], *, color: Any = BLUE) -> None:
    """Draw labelled horizontal bars, the first at the top."""
    positions = range(len(values))
    axes.barh(positions, values, height=0.68, color=color)
    axes.set_yticks(positions, [shorten(name) for name in names])
    axes.invert_yaxis()
    axes.set_xlim(0, max(1e-9, float(max(values))) * 1.28)
    for position, value, label in zip(positions, values, labels, strict=True):
        axes.annotate(label, (value, position), xytext=(5, 0), textcoords="offset points", va="center", fontsize=8.5, color=GREY)
    grid_lines(axes)
