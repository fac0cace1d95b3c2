"""Each gate on how differently groups of people are treated, with evidence that passes it and evidence that does not."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from tests.card_evidence import stored
from tests.models import case_of

from gristmill.evaluation.fairness.audits import Audit, audit_model
from gristmill.evaluation.predictions import Scored
from gristmill.metrics.intervals import Bootstrap
from gristmill.registry.evidence import Evidence
from gristmill.registry.fairness_gates import fairness_gates
from gristmill.registry.gates import Gate
from gristmill.reporting.gate_words import gate_words
from gristmill.reporting.wording import plain

Make = Callable[..., Evidence]


def gate(name: str, evidence: Evidence, more: str = "", task: str = "binary") -> Gate:
    (found,) = [one for one in fairness_gates(case_of(task, more), evidence.fairness) if one.name == name]
    return found


def fairness(**values: float | None) -> dict[str, Any]:
    measures = {
        name: {"value": value, "feature": "gender", "groups": [] if value is None else ["f", "m"]} for name, value in values.items()
    }
    return {"features": [{"feature": "gender"}], "measures": measures}


def test_unfair_selection_is_refused_with_group_and_number(evidence: Make) -> None:
    verdict = gate("disparate_impact", evidence(fairness=fairness(disparate_impact=0.41)))
    assert verdict.failed
    assert verdict.message == "Disparate impact of 'gender', between 'f' and 'm': 0.41, needs >= 0.8."


def test_a_biased_variant_of_a_model_is_refused_with_the_groups_and_the_number(evidence: Make) -> None:
    rng = np.random.default_rng(0)
    skill, sex = rng.normal(size=2000), rng.choice(["f", "m"], 2000)
    y_true, frame = (skill + rng.normal(size=2000) > 0).astype(int), pd.DataFrame({"sex": sex})
    biased_truth = np.where((sex == "f") & (rng.random(2000) < 0.5), 0, y_true)  # half of what women achieved was not written down
    table = np.column_stack([skill, sex == "m"])

    def audited(model: Any) -> dict[str, Any]:
        scored = Scored("binary", frame.index, y_true, model.predict_proba(table))
        return audit_model(scored, frame, ["sex"], Audit(0.5, ("No", "Yes"), 30, Bootstrap(resamples=100)))

    fair, biased = (LogisticRegression().fit(table, truth) for truth in (y_true, biased_truth))
    names = ("disparate_impact", "equal_opportunity_difference")
    assert [gate(name, evidence(fairness=audited(fair))).passed for name in names] == [True, True]
    for name in names:
        found = audited(biased)
        verdict = gate(name, evidence(fairness=found))
        assert verdict.failed
        assert "of 'sex', between 'f' and 'm'" in verdict.message
        assert plain(found["measures"][name]["value"]) in verdict.message


def test_of_several_classes_the_gate_names_the_worst(evidence: Make) -> None:
    found = fairness(disparate_impact=0.41)
    found["measures"]["disparate_impact"]["of"] = "gold"
    verdict = gate("disparate_impact", evidence(fairness=found), task="multiclass")
    assert verdict.message == "Disparate impact of 'gender', between 'f' and 'm' for the class 'gold': 0.41, needs >= 0.8."


@pytest.mark.parametrize(
    ("measure", "value", "more", "task"),
    [
        ("equalized_odds_difference", 0.3, "fairness: {max_equalized_odds_difference: 0.2}", "binary"),
        ("calibration_difference", 0.3, "fairness: {max_calibration_difference: 0.2}", "multiclass"),
        ("mean_prediction_ratio", 0.3, "fairness: {min_mean_prediction_ratio: 0.8}", "regression"),
    ],
)
def test_further_measures_are_gates_where_the_case_limits_them(
    evidence: Make, measure: str, value: float, more: str, task: str
) -> None:
    judged = evidence(fairness=fairness(**{measure: value}))
    assert gate(measure, judged, more, task).failed
    assert gate(measure, judged, "", task).passed is None


def test_unequal_opportunity_is_refused(evidence: Make) -> None:
    assert gate("equal_opportunity_difference", evidence(fairness=fairness(equal_opportunity_difference=0.11))).failed


def test_a_regression_is_judged_by_the_ratio_of_errors(evidence: Make) -> None:
    judged = evidence(fairness=fairness(error_ratio=1.6))
    assert gate("error_ratio", judged, task="regression").failed
    assert "disparate_impact" not in {one.name for one in fairness_gates(case_of("regression"), judged.fairness)}


@pytest.mark.parametrize(
    ("changes", "more", "reason"),
    [
        ({"fairness": {"features": [], "measures": {}}}, "", "no sensitive features"),
        ({}, "fairness: {min_disparate_impact: null}", "no limit"),
        ({"fairness": fairness(disparate_impact=None)}, "", "enough test rows"),
    ],
)
def test_fairness_that_cannot_be_judged_is_not_measured(evidence: Make, changes: dict, more: str, reason: str) -> None:
    verdict = gate("disparate_impact", evidence(**changes), more)
    assert verdict.passed is None
    assert reason in verdict.message


@pytest.mark.parametrize("as_json", [False, True])
def test_a_group_without_any_error_beside_one_with_some_is_beyond_every_limit(evidence: Make, as_json: bool) -> None:
    frame = pd.DataFrame({"sex": ["f"] * 50 + ["m"] * 50})
    scored = Scored("regression", frame.index, np.repeat([0.0, 4.0], 50), np.zeros(100))
    found = audit_model(scored, frame, ["sex"], Audit(None, (), 30, Bootstrap(resamples=100)))
    verdict = gate("error_ratio", evidence(fairness=stored(found) if as_json else found), task="regression")
    assert (verdict.passed, verdict.value, verdict.limit, verdict.incomparable) == (False, None, 1.5, False)
    assert verdict.message == (
        "Error ratio of 'sex', between 'f' and 'm', is infinite: group 'f' has no error at all, more than the limit of 1.5."
    )
    assert gate_words(asdict(verdict))["note"] == verdict.message


def across(value: float, low: float, high: float) -> dict[str, Any]:
    found = fairness(disparate_impact=0.9, equal_opportunity_difference=0.05)
    one = {"value": value, "low": low, "high": high, "feature": "gender & age", "groups": ["f & old", "m & young"], "of": None}
    return {**found, "intersections": {"disparate_impact": one, "equal_opportunity_difference": one}}


def test_an_intersection_whose_whole_interval_is_beyond_the_limit_is_refused(evidence: Make) -> None:
    verdict = gate("disparate_impact", evidence(fairness=across(0.5, 0.4, 0.6)))
    assert (verdict.failed, verdict.value) == (True, 0.6)
    assert verdict.message == (
        "Disparate impact of 'gender & age', between 'f & old' and 'm & young', by the end of its interval that is nearer to the "
        "limit (measured 0.500): 0.6, needs >= 0.8."
    )
    assert gate("equal_opportunity_difference", evidence(fairness=across(0.3, 0.2, 0.4))).value == 0.2


def test_an_intersection_that_may_lie_apart_by_chance_is_not_refused(evidence: Make) -> None:
    for name, value in (("disparate_impact", 0.9), ("equal_opportunity_difference", 0.05)):
        verdict = gate(name, evidence(fairness=across(0.5, 0.05, 0.85)))
        assert (verdict.passed, verdict.value) == (True, value)
        assert "'gender'" in verdict.message


def test_a_model_biased_against_one_intersection_alone_is_refused(evidence: Make) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"sex": rng.choice(["f", "m"], 4000), "old": rng.choice(["y", "n"], 4000)})
    same = (frame["sex"] == "f") == (frame["old"] == "y")
    chosen = (rng.random(4000) < np.where(same, 0.3, 0.6)).astype(int)  # neither women nor the old are selected more seldom
    scored = Scored("binary", frame.index, chosen, np.column_stack([1 - chosen, chosen]).astype(float))
    found = audit_model(scored, frame, ["sex", "old"], Audit(0.5, ("No", "Yes"), 30, Bootstrap(resamples=100)))
    assert found["measures"]["disparate_impact"]["value"] > 0.85
    verdict = gate("disparate_impact", evidence(fairness=stored(found)))
    assert verdict.failed
    assert verdict.message.startswith("Disparate impact of 'sex & old', between ")


def test_a_feature_that_could_not_be_judged_is_named_by_the_gate_that_passes(evidence: Make) -> None:
    nothing = {"disparate_impact": {"value": None, "groups": []}}
    unknown = {"feature": "plan", "n_groups": 9, "intersection": False, "differences": nothing}
    found = fairness(disparate_impact=0.9)
    verdict = gate("disparate_impact", evidence(fairness={**found, "features": [*found["features"], unknown]}))
    assert verdict.passed
    assert verdict.message == "Disparate impact of 'gender', between 'f' and 'm', unknown for 'plan': 0.9, limit >= 0.8."


def test_a_ratio_of_predictions_of_both_signs_has_no_meaning(evidence: Make) -> None:
    more = "fairness: {min_mean_prediction_ratio: 0.8}"
    verdict = gate("mean_prediction_ratio", evidence(fairness=fairness(error_ratio=1.0)), more, "regression")
    assert verdict.passed is None
    assert "Some predictions are negative, so that a ratio of mean predictions has no meaning" in verdict.message
    measured = evidence(fairness=fairness(error_ratio=1.0, mean_prediction_ratio=None))
    assert "enough test rows" in gate("mean_prediction_ratio", measured, more, "regression").message
