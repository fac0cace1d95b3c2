import numpy as np
import pandas as pd
import pytest
from tests.unit.evaluation.conftest import scored_classes

from gristmill.evaluation import figures
from gristmill.evaluation.fairness.audits import Audit, audit_model
from gristmill.evaluation.fairness.beside import audits_of, beside_table, difference_table, worst_table
from gristmill.metrics.intervals import Bootstrap
from gristmill.metrics.paired import Answers


@pytest.fixture(scope="module")
def compared():
    """A candidate that selects both sexes alike, a champion that does not, and a baseline that selects nobody."""
    frame = pd.DataFrame({"sex": ["f"] * 100 + ["m"] * 100, "old": ["y", "n"] * 100})
    chosen = np.tile(np.repeat([1, 0], [60, 40]), 2)
    biased = np.r_[np.repeat([0.4, 0.2], [20, 80]), np.repeat([0.4, 0.2], [60, 40])]
    scored, audit = scored_classes(chosen, chosen), Audit(0.5, ("No", "Yes"), 30, Bootstrap(resamples=100))
    others = {
        "baseline": Answers(np.full((200, 2), [0.6, 0.4]), 0.5),
        "champion": Answers(np.column_stack([1 - biased, biased]), 0.3),
    }
    found = audits_of(scored, frame, ["sex", "old"], audit, others)
    return {"candidate": audit_model(scored, frame, ["sex", "old"], audit), **found}


def test_each_model_is_audited_at_its_own_threshold(compared):
    table = difference_table(compared)
    assert list(table.columns) == ["candidate", "baseline", "champion"]
    line = table.loc[("sex", "Disparate impact")]
    assert [cell.partition(" ")[0] for cell in line] == ["1.000", "1.000", "0.333"]


def test_rates_of_groups_stand_beside_each_other(compared):
    table = beside_table(compared, ["selection_rate", "true_positive_rate"])
    assert table.loc[("sex", "f"), "Selection rate"].tolist() == ["0.600", "0.000", "0.200"]
    assert table.loc[("sex", "m"), ("Selection rate", "champion")] == "0.600"
    assert ("sex & old", "f & y") in table.index


def test_the_worst_of_each_limited_measure_is_told_of_each_model(compared):
    table = worst_table(compared, ["disparate_impact"])
    assert list(table.index) == ["Disparate impact", "Disparate impact of intersections"]
    assert table.loc["Disparate impact", "champion"].startswith("0.333 (")


def test_the_figures_mark_what_the_others_reach(compared):
    others = {name: audit for name, audit in compared.items() if name != "candidate"}
    drawn = figures.group_figures(compared["candidate"], ["selection_rate"], others)
    axes = drawn["selection_rate_by_sex"].axes[0]
    assert axes.get_xlabel() == "Selection rate (grey: baseline; orange: champion)"
    marks = {round(float(line.get_xdata()[0]), 3) for line in axes.lines if len(set(line.get_xdata())) == 1}
    assert {0.0, 0.2, 0.6} <= marks
    alone = figures.group_figures(compared["candidate"], ["selection_rate"])["selection_rate_by_sex"].axes[0]
    assert alone.get_xlabel() == "Selection rate"


def test_a_feature_that_is_not_there_for_a_model_has_no_cell(compared):
    without = {**compared, "champion": {"features": [], "measures": {}, "intersections": {}}}
    assert beside_table(without, ["selection_rate"]).loc[("sex", "f"), ("Selection rate", "champion")] == ""
