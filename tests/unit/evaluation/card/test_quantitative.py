"""Segments and groups on the card, one by one and together."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.card_evidence import full_case, segment
from tests.models import case_of

from gristmill.evaluation.card.evidence import Evidence
from gristmill.evaluation.card.quantitative import quantitative

REACHED = {"value": 0.6, "low": 0.5, "high": 0.7}
UNITARY, GROUPS, TOGETHER = "### Segments, by one column", "### Groups of people, one feature at a time", "### Intersections"


def parts(evidence: Evidence) -> dict[str, str]:
    """Return the text under each of the three headings."""
    text, found = quantitative(evidence), {}
    for heading, after in ((UNITARY, GROUPS), (GROUPS, TOGETHER), (TOGETHER, None)):
        found[heading] = text.split(heading)[1].split(after)[0] if after else text.split(heading)[1]
    return found


def test_segments_of_one_column_and_of_several_stand_apart(evidence: Evidence) -> None:
    found = parts(evidence)
    assert "1 of 9 segments (of one column or several) are worse than chance explains" in found[UNITARY]
    assert "| plan = 01 | 50 | 0.600 (0.500\u20130.700) | 0.900 | 0.400 | **yes** |" in found[UNITARY]
    assert "tenure \u2264 9" not in found[UNITARY]
    assert "| plan = 02 and tenure \u2264 9 | 50 | 0.600 (0.500\u20130.700) | 0.900 | 0.400 | cannot tell |" in found[TOGETHER]


def test_segments_that_are_not_there_are_told(evidence: Evidence) -> None:
    none = {**evidence.evaluation, "segments": [], "segments_tested": 0, "segments_worse": 0}
    assert "No evidence: no segment has enough rows" in parts(replace(evidence, evaluation=none))[UNITARY]
    one = {**evidence.evaluation, "segments": [segment("plan = 01", "plan", REACHED, worse=False)]}
    assert "none is made by several columns" in parts(replace(evidence, evaluation=one))[TOGETHER]


def test_critical_segments_are_told_against_what_they_must_reach(evidence: Evidence) -> None:
    line = "| **first year**: tenure \u2264 12 | 44 | ROC-AUC | 0.600 (0.500\u20130.700) | at least 0.7 | **no** |"
    assert line in parts(evidence)[UNITARY]


def test_baseline_and_champion_stand_beside_segments_and_critical_segments(evidence: Evidence) -> None:
    others = {"baseline": 0.5, "champion": 0.65}
    both = {name: [{**one, "others": others} for one in evidence.evaluation[name]] for name in ("segments", "critical_segments")}
    found = parts(replace(evidence, evaluation={**evidence.evaluation, **both, "champion": {"version": 3}}))
    assert "| segment | rows | ROC-AUC | baseline | champion, version 3 | mean loss |" in found[UNITARY]
    assert "| plan = 01 | 50 | 0.600 (0.500\u20130.700) | 0.500 | 0.650 | 0.900 |" in found[UNITARY]
    assert "0.600 (0.500\u20130.700) | 0.500 (missed) | 0.650 (missed) | at least 0.7 | **no** |" in found[UNITARY]
    assert "| 0.500 | 0.650 | 0.900 | 0.400 | cannot tell |" in found[TOGETHER]


def test_an_undefined_value_of_another_model_is_a_dash(evidence: Evidence) -> None:
    lines = [{**one, "others": {"champion": None}} for one in evidence.evaluation["critical_segments"]]
    found = parts(replace(evidence, evaluation={**evidence.evaluation, "critical_segments": lines, "champion": None}))
    assert "| reached | champion | wanted |" in found[UNITARY]
    assert "0.600 (0.500\u20130.700) | \u2013 | at least 0.7 |" in found[UNITARY]


@pytest.mark.parametrize(
    ("task", "measure", "column"),
    [
        ("binary", "Disparate impact", "Selection rate"),
        ("multiclass", "Disparate impact", "Selection rate (gold)"),
        ("regression", "Error ratio", "MAE"),
    ],
)
def test_groups_are_told_with_limits_meanings_and_rates(
    full: Callable[[str], Evidence], task: str, measure: str, column: str
) -> None:
    said = parts(full(task))[GROUPS]
    assert f"| {measure} | " in said
    assert said.count(f"| {measure} | ") >= 2  # once with its value, once with how it is read
    assert f" {column} |" in said
    assert "| plan | rows |" in said
    assert "| band | rows |" in said


def test_groups_of_several_features_are_told_by_the_measures_that_have_a_limit(evidence: Evidence) -> None:
    said = parts(evidence)[TOGETHER]
    assert "| plan & band | Disparate impact | " in said
    assert "3 of 6 |" in said
    assert "Selection rate difference" not in said


def test_groups_of_several_features_are_told_by_all_measures_where_no_limit_is_set(evidence: Evidence) -> None:
    free = full_case("binary").fairness.model_copy(update={"min_disparate_impact": None, "max_equal_opportunity_difference": None})
    case = full_case("binary").model_copy(update={"fairness": free})
    assert "Selection rate difference" in parts(replace(evidence, case=case))[TOGETHER]


def test_one_sensitive_feature_has_no_intersection(evidence: Evidence) -> None:
    alone = {**evidence.fairness, "features": [part for part in evidence.fairness["features"] if not part["intersection"]]}
    assert "No evidence about groups of several features together" in parts(replace(evidence, fairness=alone))[TOGETHER]


def test_why_nothing_was_audited_is_told(evidence: Evidence) -> None:
    assert "because `09_audit_fairness` did not run." in parts(replace(evidence, fairness=None))[GROUPS]
    assert "because the case names none." in parts(replace(evidence, fairness=None, case=case_of()))[GROUPS]


def test_many_groups_are_cut_the_largest_kept(evidence: Evidence) -> None:
    part = evidence.fairness["features"][0]
    many = [{**part["groups"][0], "group": f"g{size}", "n": size, "small": size < 30} for size in range(1, 16)]
    audit = {**evidence.fairness, "features": [{**part, "groups": many}]}
    said = parts(replace(evidence, fairness=audit))[GROUPS]
    assert "| g15, small | 15 |" in said
    assert "| g3, small |" not in said
    assert "3 smaller groups in the report of `09_audit_fairness`." in said


def mitigation(evidence: Evidence, **found: Any) -> str:
    return parts(replace(evidence, selection={**evidence.selection, "mitigation": found}))[GROUPS]


def test_the_frontier_of_mitigation_is_told_with_the_chosen_point(evidence: Evidence) -> None:
    said = parts(evidence)[GROUPS]
    assert "2 points were looked at. Within all limits: `reweigh`. All figures are out of fold." in said
    assert "| none | linear | 0.800 |" in said
    assert "| no | chosen |" in said


def test_why_no_mitigation_was_looked_at_is_told(evidence: Evidence) -> None:
    said = mitigation(evidence, asked="none", points=[], left_out=[], reason="Out of fold no limit between groups is exceeded.")
    assert "**Mitigation.** Out of fold no limit between groups is exceeded." in said
