"""Behaviour, uncertainty of single answers, and explanation on the card."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.card_evidence import outcome

from gristmill.evaluation.card import insight
from gristmill.evaluation.card.evidence import Evidence


def changed(evidence: Evidence, **changes: Any) -> Evidence:
    return replace(evidence, evaluation={**evidence.evaluation, **changes})


def explained(evidence: Evidence, **changes: Any) -> Evidence:
    return replace(evidence, explanation={**evidence.explanation, **changes})


def test_failed_tests_of_behaviour_stand_first_and_what_only_reports_says_so(evidence: Evidence) -> None:
    said = insight.behaviour(evidence)
    rows = [line for line in said.splitlines() if line.startswith("| ")][1:]
    assert rows[0] == "| longer with us | longer with us as expected | 80 | 8 (10.0 %) | **FAILED** |"
    assert rows[1].endswith("| 4 (5.0 %) | **FAILED** (reported) |")
    assert rows[-1].endswith("| 0 | 0 | nothing to try |")
    assert "26 of 260 labels (10.0 %) contradict" in said
    assert "states no test of its own" not in said


def test_a_case_without_tests_of_its_own_is_told(evidence: Evidence) -> None:
    assert "states no test of its own" in insight.behaviour(changed(evidence, behaviour=[outcome("a", True, source="built in")]))
    assert insight.behaviour(changed(evidence, behaviour=None)).startswith("No evidence")


PART = {"coverage": 0.91, "low": 0.86, "high": 0.95, "n": 200, "size": 1.4}


def test_coverage_is_told_by_level_with_its_interval_and_the_class_held_least(evidence: Evidence) -> None:
    by_class = {"No": {**PART, "coverage": 0.97}, "Y|s": {**PART, "coverage": 0.7, "low": 0.6, "high": 0.8}}
    said = insight.uncertainty(changed(evidence, conformal={"levels": {"0.9": {**PART, "by_class": by_class}}}))
    assert "| 90 % | 91.0 % (86.0 % to 95.0 %) | 200 | 1.400 | Y\\|s: 70.0 % (60.0 % to 80.0 %) |" in said
    assert "mean number of classes" in said


def test_intervals_of_numbers_are_told_by_their_width(full: Callable[[str], Evidence]) -> None:
    said = insight.uncertainty(full("regression"))
    assert "this interval holds the true number" in said
    assert "| asked for | held the truth | rows | mean width | held least often |" in said


@pytest.mark.parametrize("conformal", [None, {}, {"levels": {}}])
def test_without_prediction_sets_the_card_says_what_its_intervals_are_not(evidence: Evidence, conformal: Any) -> None:
    said = insight.uncertainty(changed(evidence, conformal=conformal))
    assert said.startswith("No evidence about the uncertainty of single answers")
    assert "are of scores over many rows, not of one answer" in said


def test_each_column_is_told_with_its_own_direction_and_permutation(evidence: Evidence) -> None:
    said = insight.explanation(evidence)
    assert "| 1 | tenure | 0.300 | higher values lower | 0.100 (0.050\u20130.200) |" in said
    assert "| 2 | plan | 0.100 | 01 raises, 02 lowers | 0.020 (0.010\u20130.030) |" in said


def test_interactions_agreement_disputes_and_steadiness_are_told(evidence: Evidence) -> None:
    said = insight.explanation(evidence)
    assert "Columns that act together most: tenure and plan (0.050)." in said
    assert "Permutation and LIME agree least of the ways of asking: they rank the columns with a correlation of 0.50." in said
    assert "LIME's reasons stay the same under other neighbours for 1 of 2 rows shown." in said
    assert "- plan is ranked differently (SHAP 1, LIME 5), likely because tenure tells much the same." in said


def test_columns_that_add_up_and_products_of_an_earlier_build_are_told_as_they_are(evidence: Evidence) -> None:
    flat = [{"features": ["tenure", "plan"], "strength": 0.0, "mean": 0.0}]
    assert "simply add up" in insight.explanation(explained(evidence, interactions=flat))
    old = {key: evidence.explanation[key] for key in ("permutation", "lime", "agreement", "rows")}
    old["shap"] = [{"feature": "tenure", "mean_abs": 0.3}]
    assert "| 1 | tenure | 0.300 | \u2013 |" in insight.explanation(replace(evidence, explanation=old))


def test_columns_beyond_the_first_are_counted(evidence: Evidence) -> None:
    shap = [{"feature": f"c{place}", "mean_abs": 0.1, "direction": "moves nothing"} for place in range(11)]
    said = insight.explanation(explained(evidence, shap=shap))
    assert "| 8 | c7 |" in said
    assert "c8" not in said
    assert "3 more columns move the predictions less" in said
