import numpy as np
import pandas as pd
import pytest
from tests.unit.evaluation.conftest import scored_classes

from gristmill.config.sections.evidence import Fairness
from gristmill.evaluation.fairness.audits import Audit, audit_model
from gristmill.evaluation.fairness.beside import beside_table, difference_table, worst_table
from gristmill.evaluation.fairness.verdicts import (
    against_limits,
    conclusion,
    group_table,
    in_words,
    limits,
    shown_metrics,
    tabled_metrics,
    unknown_fairness,
    unknown_in_words,
    warnings,
)
from gristmill.metrics.intervals import Bootstrap

SETTINGS = Fairness(min_disparate_impact=0.8, max_equal_opportunity_difference=None, max_error_ratio=1.5)


@pytest.fixture
def audit():
    frame = pd.DataFrame({"sex": ["f"] * 100 + ["m"] * 100})
    chosen = np.r_[np.repeat([1, 0], [20, 80]), np.repeat([1, 0], [60, 40])]
    return audit_model(scored_classes(chosen, chosen), frame, ["sex"], Audit(0.5, ("No", "Yes"), 30, Bootstrap(resamples=100)))


def test_only_limits_that_the_case_sets_are_judged(audit):
    assert limits(SETTINGS, "binary") == {"disparate_impact": ("at least", 0.8)}
    assert limits(SETTINGS, "regression") == {"error_ratio": ("at most", 1.5)}
    line = against_limits(audit, limits(SETTINGS, "binary")).loc["Equal opportunity difference"]
    assert (line["limit"], line["kept"]) == ("", None)


def test_a_broken_limit_is_named_with_its_groups_and_how_sure_it_is(audit):
    judged = against_limits(audit, limits(SETTINGS, "binary"))
    line = judged.loc["Disparate impact"]
    assert (line["kept"], line["certain"], line["groups"], line["limit"]) == (False, True, "f against m", "at least 0.8")
    assert line["value"].startswith("0.333 (")
    assert "**Disparate impact** is 0.333" in conclusion(audit, judged)
    assert "sex = f against m" in conclusion(audit, judged)


def test_an_interval_across_the_limit_is_not_certain(audit):
    judged = against_limits(audit, {"disparate_impact": ("at least", 0.34)})
    assert not judged.loc["Disparate impact", "certain"]
    assert "reaches the other side" in conclusion(audit, judged)


def test_limits_that_are_kept_are_said_to_be(audit):
    judged = against_limits(audit, {"disparate_impact": ("at least", 0.1)})
    assert judged.loc["Disparate impact", "kept"]
    assert conclusion(audit, judged).startswith("Every measure that could be judged keeps its limit")


def test_a_measure_without_enough_rows_is_neither_kept_nor_broken(audit):
    unknown = {"value": None, "low": None, "high": None, "groups": []}
    measures = {"disparate_impact": {**audit["measures"]["disparate_impact"], **unknown}}
    judged = against_limits({**audit, "measures": measures}, limits(SETTINGS, "binary"))
    assert judged["kept"].tolist() == [None]
    assert "No measure could be judged" in conclusion(audit, judged)


def test_verdicts_are_shown_in_words(audit):
    shown = in_words(against_limits(audit, limits(SETTINGS, "binary")))
    assert shown.loc["Disparate impact", ["kept", "certain"]].tolist() == ["no", "yes"]
    assert shown.loc["Equal opportunity difference", ["limit", "kept", "certain"]].tolist() == ["none set"] + ["not judged"] * 2


def test_an_audit_of_nothing_says_what_to_do():
    empty = {"features": [], "measures": {}, "intersections": {}, "rows": 10, "min_group_size": 30}
    assert "name them and build again" in conclusion(empty, against_limits(empty, limits(SETTINGS, "binary")))
    assert group_table(empty, ("n",)).empty
    nothing = {"candidate": empty, "baseline": empty}
    assert difference_table(nothing).empty
    assert beside_table(nothing, ["selection_rate"]).empty
    assert worst_table(nothing, ["disparate_impact"]).empty
    assert unknown_fairness(empty, limits(SETTINGS, "binary")) == {}
    assert in_words(against_limits(empty, limits(SETTINGS, "binary"))).empty


def test_groups_are_tabled_as_a_reader_would_write_them(audit):
    table = group_table(audit, ("n", "small", "selection_rate"))
    assert table.loc[("sex", "f"), "N"] == 100
    assert table.loc[("sex", "m"), "Selection rate"].startswith("0.600 (")


def test_each_task_shows_metrics_that_it_has():
    assert shown_metrics("regression", ()) == ["mae", "mean_residual"]
    assert shown_metrics("binary", ("a", "b"))[0] == "selection_rate"
    assert shown_metrics("multiclass", ("a", "b", "c")) == ["accuracy"]
    assert tabled_metrics("binary", ("a", "b"))[:2] == ["n", "base_rate"]
    assert "true_positive_rate (c)" in tabled_metrics("multiclass", ("a", "b", "c"))


def test_small_groups_are_warned_of_by_name(audit):
    assert warnings({**audit, "warnings": []}) == "Every group has enough rows to be judged."
    assert warnings(audit) == (
        "- sex: 1 of 2 groups have fewer than 30 test rows of the class 'Yes', and are, where rates among these rows are compared, "
        "not judged: f (20)."
    )
    frame = pd.DataFrame({"sex": ["f"] * 10 + ["m"] * 190})
    chosen = np.repeat([1, 0], 100)
    found = audit_model(scored_classes(chosen, chosen), frame, ["sex"], Audit(0.5, ("No", "Yes"), 30, Bootstrap(resamples=100)))
    text = "sex: 1 of 2 groups have fewer than 30 test rows, and are shown but not judged: f (10)."
    assert warnings(found) == f"- {text}"


@pytest.mark.parametrize("value", [float("inf"), None])  # None: as it is read from JSON
def test_an_infinite_ratio_breaks_its_limit_and_is_named(value):
    found = {"value": value, "low": value, "high": value, "feature": "sex", "groups": ["f", "m"]}
    audit = {"features": [{"feature": "sex"}], "measures": {"error_ratio": found}, "rows": 100}
    judged = against_limits(audit, limits(SETTINGS, "regression"))
    assert judged.loc["Error ratio", ["value", "kept", "certain"]].tolist() == ["infinite", False, True]
    assert "**Error ratio** is infinite between sex = f against m, the limit is at most 1.5." in conclusion(audit, judged)


@pytest.mark.parametrize(("low", "kept", "certain"), [(0.05, True, False), (0.15, False, True)])
def test_intersections_break_a_limit_with_their_whole_interval_alone(audit, low, kept, certain):
    across = {"equal_opportunity_difference": {"value": 0.3, "low": low, "high": 0.5, "feature": "sex & age", "groups": ["a", "b"]}}
    stated = {"equal_opportunity_difference": ("at most", 0.1)}
    judged = against_limits({**audit, "intersections": across}, stated)
    line = judged.loc["Equal opportunity difference of intersections"]
    assert (line["kept"], line["certain"], line["feature"]) == (kept, certain, "sex & age")


def test_a_feature_of_which_nothing_could_be_judged_is_unknown():
    frame = pd.DataFrame({"sex": ["f", "m"] * 100, "plan": [f"p{row % 8}" for row in range(200)], "one": ["x"] * 200})
    scored = scored_classes(np.resize([0, 1, 1], 200), np.resize([0, 1], 200))
    found = audit_model(scored, frame, ["sex", "plan", "one"], Audit(0.5, ("No", "Yes"), 30, Bootstrap(resamples=100)))
    stated = limits(Fairness(), "binary")
    assert unknown_fairness(found, stated) == {"plan": ["disparate_impact", "equal_opportunity_difference"]}
    assert unknown_in_words(unknown_fairness(found, stated)).startswith(
        "The fairness of `plan` (Disparate impact, Equal opportunity difference) is **unknown**"
    )
    assert unknown_in_words({}) == ""


def test_equalised_odds_is_unknown_where_one_of_its_rates_is():
    frame = pd.DataFrame({"sex": ["f", "m"] * 100})
    truth = np.r_[np.repeat(1, 40), np.repeat(0, 160)]  # 20 positives a group: only their false-positive rates are known
    found = audit_model(scored_classes(truth, truth), frame, ["sex"], Audit(0.5, ("No", "Yes"), 30, Bootstrap(resamples=100)))
    assert found["measures"]["equalized_odds_difference"]["value"] == 0.0
    stated = limits(Fairness(max_equalized_odds_difference=0.1, max_equal_opportunity_difference=None), "binary")
    assert unknown_fairness(found, stated) == {"sex": ["equalized_odds_difference"]}
