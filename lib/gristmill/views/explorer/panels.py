"""The explorer's panels: sliders and entries, and what is computed and shown when they move.

Each function returns a widget for one cell of the notebook; which one suits depends on the task of the case.
"""

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
import numpy as np
import pandas as pd

from gristmill.config.fairness_limits import fairness_limits
from gristmill.evaluation.fairness import mitigation
from gristmill.reporting.plots import acting as acting_plots
from gristmill.reporting.wording import metric_label
from gristmill.views.explorer import certainty, slices
from gristmill.views.explorer.decisions import Stakes, decide, stakes_of, sweep, threshold_for
from gristmill.views.explorer.evaluated import Evaluated
from gristmill.views.explorer.markup import announced, picture, table, told
from gristmill.views.group_thresholds import thresholds_words

_WIDE = {"description_width": "14em"}


def _slider(name: str, value: float, low: float, high: float, step: float, shown: str) -> Any:
    """Return a slider with its name beside it, which tells of its value when it is let go."""
    return widgets.FloatSlider(
        value=value, min=low, max=high, step=step, description=name, readout_format=shown, style=_WIDE, continuous_update=False,
        layout=widgets.Layout(width="100%", max_width="42em"),
    )  # fmt: skip


def _entry(name: str, value: float) -> Any:
    """Return a field for an amount, with its name beside it."""
    return widgets.BoundedFloatText(
        value=value, min=0, max=1e12, description=name, style=_WIDE, layout=widgets.Layout(width="100%", max_width="24em")
    )


def _together(parts: list[Any], shown: Any, update: Callable[[], str]) -> Any:
    """Return widgets above what they show, brought up to date whenever one of them changes."""

    def changed(_: object = None) -> None:
        shown.value = update()

    for part in parts:
        part.observe(changed, names="value")
    changed()
    return widgets.VBox([*parts, shown], layout=widgets.Layout(width="100%"))


def acting(model: Evaluated) -> Any:
    """Return the panel of what acting on predictions comes to: by threshold and capacity, by sureness, or by tolerated error."""
    if model.case.task == "binary":
        return _by_threshold(model)
    if model.case.task == "multiclass":
        sure = _slider("Answers count from", 0.5, 0.0, 1.0, 0.01, ".2f")
        return _together([sure], widgets.HTML(), lambda: announced(certainty.answered(model, sure.value)))
    most = float(np.quantile(np.abs(model.misses), 0.99)) or 1.0
    tolerated = _slider("An error is tolerated up to", float(np.median(np.abs(model.misses))), 0.0, most, most / 100, ",.4g")
    return _together([tolerated], widgets.HTML(), lambda: announced(certainty.within(model, tolerated.value)))


def _by_threshold(model: Evaluated) -> Any:
    """Return sliders of threshold and capacity, which move each other, and entries of what decisions are worth."""
    stakes = stakes_of(model.case.threshold)
    threshold = _slider("Act from a probability of", round(model.threshold, 2), 0.0, 1.0, 0.01, ".2f")
    capacity = _slider("Act on at most (% of rows)", 100.0, 0.0, 100.0, 1.0, ".0f")
    first, second = (_entry(name, amount) for name, amount in zip(stakes.labels, (stakes.first, stakes.second), strict=True))
    back = widgets.Button(description="Back to the model's own threshold", layout=widgets.Layout(width="auto"))
    capacity.observe(lambda _: threshold.set_trait("value", threshold_for(model.scores, capacity.value / 100)), names="value")
    back.on_click(lambda _: threshold.set_trait("value", round(model.threshold, 2)))
    own = widgets.HBox([back])
    shown = widgets.HTML()

    def update() -> str:
        given = Stakes(stakes.rule, first.value, second.value)
        return _decision(model, threshold.value, given)

    panel = _together([threshold, first, second], shown, update)
    panel.children = (threshold, capacity, first, second, own, shown)
    return panel


def _decision(model: Evaluated, threshold: float, stakes: Stakes) -> str:
    """Return what acting from a threshold on comes to: in a sentence, in four counts and in a figure."""
    made = decide(model.scores, model.positives, threshold, stakes)
    positive = str(model.case.positive_class)
    counts = pd.DataFrame(
        {"acted on": [f"{made.hits:,}", f"{made.in_vain:,}"], "left alone": [f"{made.missed:,}", f"{made.left:,}"]},
        index=pd.Index([f"{model.case.target} is {positive}", "it is not"], name="truth"),
    )
    curve = sweep(model.scores, model.positives, stakes)
    figure = acting_plots.amounts(curve, threshold, what=stakes.what, own=model.threshold)
    said = announced(made.in_words(stakes, positive))
    return said + _differing(model) + table(counts, "What becomes of the test rows") + picture(figure)


def slicing(model: Evaluated) -> Any:
    """Return the panel of groups of rows: a column to choose, a threshold for two classes, and the figures of each group."""
    if not model.sliced_by:
        return widgets.HTML(told("There is no column by which the rows could be divided."))
    column = widgets.Dropdown(
        options=model.sliced_by,
        description="Divide the rows by",
        style=_WIDE,
        layout=widgets.Layout(width="100%", max_width="32em"),
    )
    threshold = _slider("Act from a probability of", round(model.threshold, 2), 0.0, 1.0, 0.01, ".2f")
    stakes = stakes_of(model.case.threshold)
    parts = [column, threshold] if model.case.task == "binary" else [column]

    def update() -> str:
        found = slices.by_column(model, column.value, threshold.value, stakes)
        return table(found, f"Test rows by {column.value}") + _differing(model)

    return _together(parts, widgets.HTML(), update)


def _differing(model: Evaluated) -> str:
    """Return that thresholds differ by group, and what a slider moves then; nothing where there is one for all."""
    words = thresholds_words(model.group_thresholds)
    return told(f"{words} The slider moves that one, and the thresholds of all groups with it.") if words else ""


def hard_segments(model: Evaluated) -> Any:
    """Return the segments in which the evaluation found the model worst."""
    return widgets.HTML(table(slices.hard(model), "Segments that the evaluation looked at, the worst first"))


def alike(model: Evaluated) -> Any:
    """Return the panel of the points between quality and equal treatment, by the measure that is chosen."""
    found = model.selection.get("mitigation") or {"points": []}
    if not found["points"]:
        return widgets.HTML(told(found.get("reason") or "The case names no sensitive feature, so that nothing was looked at."))
    measures = fairness_limits(model.case.fairness, model.case.task)
    chosen = widgets.Dropdown(
        options=[(metric_label(name), name) for name in measures], value=mitigation.judged_measure(model.case),
        description="Judge groups by", style=_WIDE, layout=widgets.Layout(width="100%", max_width="32em"),
    )  # fmt: skip
    points = table(mitigation.point_table(found, model.case).rename_axis("point"), "Points that were looked at, out of fold")
    return _together(
        [chosen], widgets.HTML(), lambda: picture(mitigation.frontier_figure(found, model.case, chosen.value)) + points
    )


def certain(model: Evaluated) -> Any:
    """Return how often sets or intervals hold the truth, and how large they are."""
    words = "intervals" if model.case.task == "regression" else "sets of classes"
    return widgets.HTML(table(certainty.levels(model), f"How often {words} held the truth of test rows"))
