"""The panels of the explorer: what moves when a slider is moved, without a browser."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.explored import explorable
from tests.models import customers

from gristmill.data.products import write_json
from gristmill.errors import ArtifactError
from gristmill.modeling.mitigation.group_thresholds import GroupThresholds
from gristmill.modeling.mitigation.grouping import learn_grouping
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


def test_thresholds_that_differ_by_group_are_said_wherever_one_is_moved(project: Path):
    explorable(project)
    assert "Thresholds differ" not in panels.acting(evaluated(case_paths("small"))).children[-1].value
    by_group = {"01": 0.31, "02": 1.5}
    record = GroupThresholds(learn_grouping(customers(), ["plan"]), by_group, others=0.35, common=0.4).as_record()
    write_json(project / "artifacts/small/candidate/model.json", {"group_thresholds": record})
    model = evaluated(case_paths("small"))
    for panel in (panels.acting(model), panels.slicing(model)):
        said = panel.children[-1].value
        assert "Thresholds differ by group (plan): 0.310 for 01, none for 02, 0.350 for all others." in said
        assert "one threshold, 0.400, decides for all" in said


def test_predictions_and_rows_of_two_builds_are_not_put_beside_each_other(project: Path):
    explorable(project)
    file = project / "artifacts/small/test.parquet"
    rows = pd.read_parquet(file)
    rows.assign(row_key=[f"new {key}" for key in rows["row_key"]]).to_parquet(file, index=False)
    with pytest.raises(ArtifactError, match="a build is going on, or was stopped"):
        evaluated(case_paths("small"))


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
