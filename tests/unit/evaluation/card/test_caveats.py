"""Caveats follow from what was measured, and only from that."""

from dataclasses import replace
from typing import Any

import pytest
from tests.card_evidence import all_measured, with_differences
from tests.models import case_of

from gristmill.evaluation.card.caveats import caveats
from gristmill.evaluation.card.evidence import Evidence


def told(evidence: Evidence, **evaluation: Any) -> str:
    return "\n".join(caveats(replace(evidence, evaluation={**evidence.evaluation, **evaluation})))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rows": {"test": 80}}, "Only 80 test rows"),
        ({"test_set_uses": 3}, "The test rows have judged 3 candidates"),
        ({"gap": "Suspicious gap: *a*."}, "Suspicious gap: \\*a\\*."),
        ({"gap": None, "validation": {"roc_auc": {"value": 0.999}}}, "ROC-AUC out of fold (0.999) lies outside"),
        ({}, "Predictions are less reliable where plan = 01."),
        ({}, "Answers move as they should not: longer with us; see"),
        ({}, "Rows that are nearly the same often have different targets"),
        ({}, "Test rows hold levels that training rows did not, in charge"),
    ],
)
def test_each_finding_of_the_evaluation_is_a_caveat(evidence: Evidence, changes: dict[str, Any], said: str) -> None:
    assert said in told(evidence, **changes)


def test_a_clean_evaluation_gives_no_caveat_of_its_own(evidence: Evidence) -> None:
    clean = {"test_set_uses": 1, "segments": [], "behaviour": [], "treatment": {"columns": []}}
    found = replace(evidence, evaluation={**evidence.evaluation, **clean}, fairness=None, case=case_of(), explanation={"lime": []})
    assert len(caveats(found)) == 1


def test_missing_stages_are_caveats(evidence: Evidence) -> None:
    assert any("was not evaluated" in one for one in caveats(replace(evidence, evaluation=None)))
    assert any("were not explained" in one for one in caveats(replace(evidence, explanation=None)))


def test_reasons_that_change_are_a_caveat(evidence: Evidence) -> None:
    assert any(one.startswith("LIME's reasons for 1 of 2 rows change") for one in caveats(evidence))


def test_a_broken_limit_and_one_that_could_not_be_judged_are_caveats(evidence: Evidence) -> None:
    found = "\n".join(caveats(with_differences(all_measured(evidence), "equal_opportunity_difference", value=None)))
    assert "Disparate impact is 0.230" in found
    assert "between old against young of `band`; the limit is at least 0.8." in found
    assert "The fairness of `plan`, `band` is unknown: a limit is set, but too few test rows are in the groups" in found
    unmeasured = {"value": None, "low": None, "high": None, "feature": "plan", "groups": []}
    one_group = {**all_measured(evidence).fairness, "measures": {"equal_opportunity_difference": unmeasured}}
    found = "\n".join(caveats(replace(evidence, fairness=one_group)))
    assert "Equal opportunity difference could not be judged: too few test rows in the groups." in found


def test_people_without_an_audit_are_a_caveat(evidence: Evidence) -> None:
    case = case_of(more="compliance: {personal_data: true}\n")
    assert any("no group was audited" in one for one in caveats(replace(evidence, case=case)))


def test_code_that_cannot_be_found_again_is_a_caveat(evidence: Evidence) -> None:
    assert any("not committed" in one for one in caveats(replace(evidence, lineage={"code_dirty": "true"})))
    assert not any("not committed" in one for one in caveats(evidence))


def test_the_last_caveat_is_about_time_and_when_to_rebuild(evidence: Evidence) -> None:
    assert "snapshot taken 2026-11-21 14:40 UTC" in caveats(evidence)[-1]
    assert caveats(evidence)[-1].endswith("Rebuild when ROC-AUC drops by more than 5 %.")
