"""The panels of the explorer: what moves when a slider is moved, without a browser."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.explored import explorable

from gristmill.paths import case_paths
from gristmill.views.explorer.decisions import Stakes, decide, threshold_for
from gristmill.views.explorer.evaluated import evaluated

pytest.importorskip("ipywidgets", reason="needs ipywidgets: `make setup` installs it")

from gristmill.views.explorer import panels


def named(panel: Any, name: str) -> Any:
    return next(part for part in panel.children if getattr(part, "description", None) == name)


def test_threshold_capacity_and_costs_move_the_figures(project: Path):
    explorable(project)
    model = evaluated(case_paths("small"))
    panel = panels.acting(model)
    threshold, shown = named(panel, "Act from a probability of"), panel.children[-1]
    assert threshold.value == 0.4
    threshold.value = 0.7
    assert (
        decide(model.scores, model.positives, 0.7, Stakes("profit", 120, 40)).in_words(Stakes("profit", 120, 40), "Yes")
        in shown.value
    )
    named(panel, "Cost of acting on one").value = 90
    assert (
        decide(model.scores, model.positives, 0.7, Stakes("profit", 120, 90)).in_words(Stakes("profit", 120, 90), "Yes")
        in shown.value
    )
    named(panel, "Act on at most (% of rows)").value = 20
    assert threshold.value == pytest.approx(threshold_for(model.scores, 0.2))
    assert (model.scores >= threshold.value).mean() <= 0.2
    panel.children[-2].children[0].click()
    assert threshold.value == 0.4


def test_groups_follow_the_column_and_points_the_measure(project: Path):
    explorable(project)
    model = evaluated(case_paths("small"))
    groups = panels.slicing(model)
    named(groups, "Divide the rows by").value = "plan"
    assert "Test rows by plan" in groups.children[-1].value
    assert '<th scope="row">02</th>' in groups.children[-1].value
    points = panels.alike(model)
    named(points, "Judge groups by").value = "disparate_impact"
    assert "Most alike: reweighing 1, 0.900 instead of 0.700, with ROC-AUC 0.780 instead of 0.800" in points.children[-1].value
    named(points, "Judge groups by").value = "equal_opportunity_difference"
    assert "Most alike: reweighing 1, 0.050 instead of 0.200" in points.children[-1].value


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_other_tasks_have_panels_of_their_own(project: Path, task: str):
    explorable(project, task)
    model = evaluated(case_paths("small"))
    panel = panels.acting(model)
    slider, shown = panel.children
    slider.value = slider.max
    if task == "regression":
        assert f"{100 * (np.abs(model.misses) <= slider.max).mean():.1f} % of 400" in shown.value
    else:
        assert "No row is answered" in shown.value
    assert "How often" in panels.certain(model).value
    assert "plan = 02" in panels.hard_segments(model).value
