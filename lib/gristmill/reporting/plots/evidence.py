"""Figures of the evidence on a finished model: scores, importances, reasons, groups, segments, gates."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from gristmill.reporting.gate_words import gate_words
from gristmill.reporting.plots import headlines
from gristmill.reporting.plots.style import (
    AMBER,
    BLUE,
    GREEN,
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
    rows_height,
)
from gristmill.reporting.wording import UNIT_METRICS, UNKNOWN, count, figure, interval, metric_label, shorten

SHOWN_ROWS = 20

_GATE_COLUMNS = {"gate": 0.045, "group": 0.55, "value": 0.72, "limit": 0.86}
"""Column of the figure of gates -> where it begins."""

MARKS = {"baseline": ("grey", GREY), "champion": ("orange", ORANGE)}
"""Another model -> the colour of its marks, by name and by code."""


def _ends(score: Any) -> tuple[float, float, float]:
    """Return value, low and high of a score; a plain number has no interval."""
    if isinstance(score, Mapping):
        value = _number(score.get("value"))
        return value, _number(score.get("low"), value), _number(score.get("high"), value)
    return _number(score), _number(score), _number(score)


def _number(value: Any, otherwise: float = float("nan")) -> float:
    """Return a number as a float, or ``otherwise`` for what is none."""
    return float(value) if isinstance(value, int | float | np.number) and np.isfinite(value) else otherwise


def _dot(
    axes: Axes, row: float, value: float, low: float, high: float, color: str = BLUE, *, beyond: float = float("-inf")
) -> None:
    """Draw a value with its interval, and write both to the right of it and of ``beyond``."""
    axes.plot([low, high], [row, row], color=color, linewidth=5, alpha=0.3, solid_capstyle="butt", zorder=2)
    axes.scatter(value, row, s=34, color=color, zorder=3)
    if np.isfinite(value):
        text = figure(value) + (f"  ({interval(low, high)})" if high > low else "")
        axes.annotate(
            text, (max(high, value, beyond), row), xytext=(8, 0), textcoords="offset points", va="center", fontsize=8.5, color=GREY
        )


def _rows_axis(axes: Axes, names: Sequence[str]) -> None:
    """Name the rows of an axis, the first at the top."""
    axes.set_yticks(range(len(names)), list(names))
    axes.set_ylim(len(names) - 0.4, -0.6)
    grid_lines(axes)


def _draw_marks(
    axes: Axes, row: int, values: Mapping[str, float], low: float = float("-inf"), high: float = float("inf")
) -> dict[str, float]:
    """Draw what other models reach as upright marks in their colours, beyond ``low`` and ``high`` as arrows there; return where."""
    placed = {name: float(np.clip(value, low, high)) for name, value in values.items() if np.isfinite(value)}
    for name, place in placed.items():
        if place == values[name]:
            axes.plot([place] * 2, [row - 0.28, row + 0.28], color=MARKS[name][1], linewidth=2)
        else:
            axes.scatter(place, row, marker=">" if place < values[name] else "<", s=30, color=MARKS[name][1], zorder=2)
    return placed


def _marks_in_words(names: Collection[str]) -> str:
    """Return which colour marks which of the other models."""
    return "; ".join(f"{color}: {name}" for name, (color, _) in MARKS.items() if name in names)


@house_style
def score_bars(
    scores: Mapping[str, Any],
    *,
    baseline: Mapping[str, Any] | None = None,
    champion: Mapping[str, Any] | None = None,
    confidence: float = 0.95,
    title: str | None = None,
) -> HouseFigure:
    """Return every metric with its interval, beside the baseline's and the champion's.

    Parameters
    ----------
    scores
        Metric -> ``{"value", "low", "high"}`` or a plain number.
    baseline
        The same for the baseline, drawn in grey.
    champion
        The same for the model in production, drawn in orange.
    confidence
        Level of the intervals, named under the axis.
    """
    known = [metric for metric in scores if np.isfinite(_ends(scores[metric])[0])]
    if not known:
        return empty(title or "Scores", "No metric was measured.")
    others = {name: found for name, found in (("baseline", baseline), ("champion", champion)) if found}
    unit = [metric for metric in known if metric in UNIT_METRICS]
    panels = ([unit] if unit else []) + [[metric] for metric in known if metric not in UNIT_METRICS]
    height = sum(0.55 + 0.3 * len(panel) for panel in panels) + 0.5
    heights = [0.6 + 0.3 * len(panel) for panel in panels]
    first = f"Scores on the test rows: {metric_label(known[0])} {figure(_ends(scores[known[0]])[0])}"
    made, all_axes = canvas(title or first, height, rows=len(panels), height_ratios=heights)
    for axes, metrics in zip(all_axes, panels, strict=True):
        _score_panel(axes, metrics, scores, others)
        axes.set_xlabel("score" if len(metrics) > 1 or metrics == unit else metric_label(metrics[0]))
    basis = "; ".join(part for part in (_marks_in_words(others), f"band: {100 * confidence:.0f} % interval") if part)
    all_axes[-1].set_xlabel(f"{all_axes[-1].get_xlabel()} ({basis})")
    return made


def _score_panel(axes: Axes, metrics: list[str], scores: Mapping[str, Any], others: Mapping[str, Mapping[str, Any]]) -> None:
    """Draw the metrics that share an axis, and marks of those of other models."""
    reach = [0.0]
    for row, metric in enumerate(metrics):
        marked = _draw_marks(axes, row, {name: _ends(found.get(metric))[0] for name, found in others.items()})
        _dot(axes, row, *_ends(scores[metric]), beyond=max(marked.values(), default=float("-inf")))
        reach += [end for end in _ends(scores[metric]) if np.isfinite(end)] + list(marked.values())
    _rows_axis(axes, [metric_label(metric) for metric in metrics])
    top = 1.0 if metrics[0] in UNIT_METRICS else max(reach) * 1.08
    axes.set_xlim(min(0.0, min(reach) * 1.1), top * 1.3)
    if metrics[0] not in UNIT_METRICS:
        number_axis(axes.xaxis)
    else:
        axes.set_xticks([tick for tick in (-0.5, 0, 0.25, 0.5, 0.75, 1) if tick >= min(reach)])


@house_style
def importance_bars(
    names: Sequence[str],
    values: Sequence[float],
    low: Sequence[float] | None = None,
    high: Sequence[float] | None = None,
    *,
    label: str = "importance",
    title: str | None = None,
) -> HouseFigure:
    """Return the most important features, longest bar first, with intervals where they are known.

    Parameters
    ----------
    names, values
        Features and how much each matters, in any order.
    low, high
        Ends of the intervals, in the same order.
    label
        What the values are and their unit, written under the axis.
    """
    if len(values) == 0:
        return empty(title or "Importance", "No feature was measured.")
    numbers = np.asarray(values, dtype=float)
    order = np.argsort(-numbers, kind="stable")[:SHOWN_ROWS]
    more = f" (first {len(order)} of {len(numbers)})" if len(numbers) > len(order) else ""
    first = f"{shorten(names[order[0]], 28)} comes first by {label}{more}"
    made, (axes,) = canvas(title or first, rows_height(len(order)))
    positions = np.arange(len(order))
    axes.barh(positions, numbers[order], height=0.66, color=BLUE)
    if low is not None and high is not None:
        axes.hlines(positions, np.asarray(low, dtype=float)[order], np.asarray(high, dtype=float)[order], color=INK, linewidth=1.6)
    _rows_axis(axes, [shorten(names[index]) for index in order])
    axes.axvline(0, color=LIGHT, linewidth=1)
    axes.set_xlabel(label)
    return made


@house_style
def reasons(reasons: Sequence[Mapping[str, Any]], *, prediction: str | None = None, title: str | None = None) -> HouseFigure:
    """Return what spoke for and against one prediction.

    Parameters
    ----------
    reasons
        Mappings with ``reason`` (in words) and ``weight`` (positive: for the prediction).
    prediction
        What was predicted, in words; part of the title.
    """
    if not reasons:
        return empty(title or "Reasons", "No reason was found.")
    ranked = sorted(reasons, key=lambda item: -abs(item["weight"]))[:SHOWN_ROWS]
    weights = np.array([item["weight"] for item in ranked], dtype=float)
    made, (axes,) = canvas(title or f"Reasons for {prediction or 'this prediction'}", rows_height(len(ranked), each=0.32))
    axes.barh(np.arange(len(ranked)), weights, height=0.62, color=np.where(weights >= 0, BLUE, ORANGE).tolist())
    _rows_axis(axes, [shorten(item["reason"], 44) for item in ranked])
    axes.axvline(0, color=INK, linewidth=1)
    reach = float(np.abs(weights).max()) * 1.1 or 1.0
    axes.set_xlim(-reach, reach)
    axes.set_xlabel("← speaks against · weight · speaks for →")
    return made


@house_style
def group_bars(
    groups: Sequence[Mapping[str, Any]],
    metric: str,
    *,
    overall: float | None = None,
    feature: str | None = None,
    title: str | None = None,
) -> HouseFigure:
    """Return one metric for each group of people, with how many rows each group has.

    Parameters
    ----------
    groups
        Mappings with ``group``, ``n`` and ``metrics`` (metric -> number or ``{"value", "low", "high"}``) or, in its place,
        ``value`` with optional ``low`` and ``high``; ``small`` marks a group that is too small to judge, ``others`` holds by name
        the value of other models (:data:`MARKS`), which is an arrow where it would squeeze the groups together.
    metric
        Which metric.
    overall
        Its value over all rows, drawn as a line.
    feature
        Column that makes the groups.
    """
    shown = [(group, _ends(group["metrics"].get(metric) if "metrics" in group else group)) for group in groups][:SHOWN_ROWS]
    judged = [(str(group.get("group", "")), ends[0]) for group, ends in shown if not group.get("small")]
    title = title or headlines.extremes(judged, metric, feature or "")
    if not any(np.isfinite(ends[0]) for _, ends in shown):
        return empty(title, "No group has enough rows for this metric.")
    made, (axes,) = canvas(title, rows_height(len(shown), each=0.36))
    if overall is not None:
        axes.axvline(overall, color=LIGHT, linewidth=1.4)
        axes.annotate(
            f"all rows {figure(overall)}",
            (overall, 1),
            xycoords=("data", "axes fraction"),
            xytext=(4, 3),
            textcoords="offset points",
            fontsize=8.5,
            color=GREY,
        )
    reach = [end for _, ends in shown for end in ends if np.isfinite(end)]
    low, high = min(0.0, *reach), 1.0 if metric in UNIT_METRICS else max(reach)
    for row, (group, ends) in enumerate(shown):
        others = {name: _ends(value)[0] for name, value in (group.get("others") or {}).items() if name in MARKS}
        marked = _draw_marks(axes, row, others, 2 * low - high if low < 0 else low, 2 * high - low)  # one span beyond at most
        _dot(axes, row, *ends, color=GREY if group.get("small") else BLUE, beyond=max(marked.values(), default=float("-inf")))
        reach += marked.values()
    _rows_axis(axes, [_group_name(group) for group, _ in shown])
    axes.set_xlim(min(0.0, *reach), max(1.0, *reach) * 1.25 if metric in UNIT_METRICS else max(reach) * 1.25)
    if metric in UNIT_METRICS:
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
    beside = _marks_in_words({name for group, _ in shown for name in group.get("others") or ()})
    axes.set_xlabel(f"{metric_label(metric)}{f' ({beside})' if beside else ''}")
    return made


def _group_name(group: Mapping[str, Any]) -> str:
    """Return the name of a group with its size, and whether it is too small to judge."""
    size = f"  n = {count(group['n'])}" if group.get("n") is not None else ""
    return shorten(group.get("group", group.get("segment", ""))) + size + (" (few)" if group.get("small") else "")


@house_style
def segments(
    segments: Sequence[Mapping[str, Any]], metric: str, *, overall: float | None = None, title: str | None = None
) -> HouseFigure:
    """Return one metric for each segment of the rows, weakest first as given.

    Parameters
    ----------
    segments
        Mappings with ``segment`` (in words), ``n``, ``value`` and optional ``low``, ``high`` and ``others``.
    metric, overall
        As for :func:`group_bars`.
    """
    named = [{**part, "group": part.get("segment", part.get("group", ""))} for part in segments]
    values = [(str(part["group"]), _ends(part)[0]) for part in named]
    made: HouseFigure = group_bars(named, metric, overall=overall, title=title or headlines.weakest(values, metric, overall))
    return made


@house_style
def gates(gates: Sequence[Mapping[str, Any]], *, title: str | None = None) -> HouseFigure:
    """Return the gates with value and limit, passed or not told by colour, sign and word.

    Parameters
    ----------
    gates
        Mappings with ``name``, ``group``, ``passed``, ``value`` and ``limit``; ``passed`` empty: not measured. With a ``message``,
        limits are shown with their direction.
    """
    if not gates:
        return empty(title or "Gates", "No gate was evaluated.")
    passed = sum(bool(gate.get("passed")) for gate in gates)
    made, (axes,) = canvas(title or f"Gates: {passed} of {len(gates)} passed", rows_height(len(gates), each=0.26, around=0.8))
    axes.set_axis_off()
    axes.set(xlim=(0, 1), ylim=(len(gates) - 0.3, -1.0))
    for text, x in _GATE_COLUMNS.items():
        axes.text(x, -0.8, text, color=GREY, fontsize=8.5)
    for row, gate in enumerate(gates):
        sign, color = {True: ("✓", GREEN), False: ("✗", ORANGE)}.get(gate.get("passed"), (UNKNOWN, AMBER))  # type: ignore[arg-type]
        axes.text(0.0, row, sign, color=color, fontweight="bold", va="center", family="DejaVu Sans")
        words = gate_words(gate)
        texts = (words["name"], str(gate.get("group", "")), words["value"], words["limit"])
        for x, text in zip(_GATE_COLUMNS.values(), texts, strict=True):
            axes.text(x, row, shorten(text, 46), va="center", color=color if gate.get("passed") is False else INK)
        axes.axhline(row + 0.5, color=LIGHT, linewidth=0.6)
    return made
