"""The box at the head of the card: verdict and deciding facts, in computed sentences."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.card_evidence import all_measured, full_case, gate, outcome, segment, with_differences
from tests.models import case_of

from gristmill.evaluation.card import opening
from gristmill.evaluation.card.evidence import Evidence, Judged


def changed(evidence: Evidence, **changes: Any) -> Evidence:
    return replace(evidence, evaluation={**evidence.evaluation, **changes})


def judged(evidence: Evidence, *gates: dict[str, Any], **more: Any) -> Evidence:
    return replace(evidence, judged=Judged(gates, **more))


def test_the_box_is_a_quotation_with_five_facts(evidence: Evidence) -> None:
    lines = opening.box(evidence).splitlines()
    assert all(line.startswith(">") for line in lines)
    assert lines[0] == "> **Predicts** the probability that `churn` is `Yes`. **For:** Choosing whom to call."
    named = [line.removeprefix("> - **").partition(":**")[0] for line in lines if line.startswith("> - ")]
    assert named == ["How good", "Errs most", "Groups of people", "Behaviour", "Not for"]


@pytest.mark.parametrize(
    ("task", "said"), [("multiclass", "which class of `tier` a row has"), ("regression", "the number `spend`")]
)
def test_it_says_what_each_task_predicts(full: Callable[[str], Evidence], task: str, said: str) -> None:
    assert said in opening.purpose(full(task))


def test_gates_that_all_passed_allow_the_stated_use(evidence: Evidence) -> None:
    tone, said = opening.verdict(judged(all_measured(evidence), gate("a", True), gate("b", True), gate("c", None)))
    assert tone == "good"
    assert said == (
        "**May be used for that purpose: all 2 measured gates passed.** 1 gate was not measured or without a limit; see *Gates*."
    )


def test_a_feature_whose_fairness_is_unknown_is_named_although_all_gates_passed(evidence: Evidence) -> None:
    found = with_differences(all_measured(evidence), "equal_opportunity_difference", value=None)
    tone, said = opening.verdict(judged(found, gate("a", True)))
    assert tone == "warn"
    assert said.startswith("**The one measured gate passed, but fairness of `plan`, `band` is unknown.** Have a person look")
    assert "Unknown in part for `plan`, `band`." in opening.groups(found)
    assert "Unknown" not in opening.groups(all_measured(evidence))


def test_failed_gates_forbid_it_and_say_why(evidence: Evidence) -> None:
    tone, said = opening.verdict(judged(evidence, gate("a", True), *(gate(f"slow_{n}", False, f"Too slow {n}.") for n in range(4))))
    assert tone == "bad"
    assert "**Do not use it in production: 4 of 5 measured gates failed.** *Slow 0*: Too slow 0." in said
    assert "Too slow 3." not in said
    assert said.endswith("1 more stand under *Gates*.")


def test_a_use_that_nobody_has_stated_is_not_allowed(evidence: Evidence) -> None:
    tone, said = opening.verdict(replace(judged(evidence, gate("a", True)), case=case_of()))
    assert tone == "warn"
    assert "The one measured gate passed, but nobody has said what the model is for." in said


@pytest.mark.parametrize(
    ("changes", "tone", "said"),
    [
        ({"judged": None}, "warn", "Not judged yet: do not use it in production."),
        ({"judged": Judged([gate("c", None)])}, "warn", "no gate could be measured"),
        ({"evaluation": None}, "bad", "Not evaluated: do not use this model."),
    ],
)
def test_what_was_not_judged_or_not_evaluated_is_not_to_be_used(evidence: Evidence, changes: Any, tone: str, said: str) -> None:
    assert opening.verdict(replace(evidence, **changes))[0] == tone
    assert said in opening.verdict(replace(evidence, **changes))[1]


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.6, 0.8, "beyond chance"),
        (0.45, 0.8, "cannot be told"),
        (0.3, 0.4, "worse than the baseline"),
        (None, None, "could not be"),
    ],
)
def test_the_headline_judges_the_whole_interval(evidence: Evidence, low: Any, high: Any, said: str) -> None:
    baseline = {"name": "prior", "test": {"roc_auc": {"value": 0.5}}}
    found = changed(evidence, test={"roc_auc": {"value": 0.5, "low": low, "high": high}}, baseline=baseline)
    assert said in opening.headline(found)


def test_a_smaller_error_is_a_better_one() -> None:
    assert "beats the baseline" in opening.against_baseline("rmse", {"value": 2.0, "low": 1.0, "high": 3.0}, {"value": 4.0})
    assert "worse than the baseline" in opening.against_baseline("rmse", {"value": 6.0, "low": 5.0, "high": 7.0}, {"value": 4.0})


def test_the_champion_is_told_or_that_there_is_none(evidence: Evidence) -> None:
    assert opening.headline(evidence).endswith("There is no other model in production to compare it with.")
    assert opening.headline(replace(evidence, judged=None)).endswith("beyond chance.")
    beside = judged(evidence, gate("a", True), champion_version=3, champion="Worse than the champion (version 3).")
    assert opening.headline(beside).endswith("Worse than the champion (version 3).")


def test_the_segment_that_loses_most_is_told_not_the_first(evidence: Evidence) -> None:
    reached = {"value": 0.6, "low": 0.5, "high": 0.7}
    found = [segment("a", "a", reached, worse=True, loss=0.8), segment("b", "b", reached, worse=True, loss=1.2),
             segment("c", "c", reached, worse=False, loss=9.0)]  # fmt: skip
    said = opening.weakest({**evidence.evaluation, "segments": found, "critical_segments": []})
    assert (
        said == "**Errs most:** where b (50 test rows): mean loss 1.200 against 0.400 elsewhere, ROC-AUC 0.600 (0.500\u20130.700)."
    )


@pytest.mark.parametrize(("tested", "said"), [(9, "nowhere beyond chance, of 9 segments"), (0, "no segment had enough rows")])
def test_no_worse_segment_is_told_as_well(evidence: Evidence, tested: int, said: str) -> None:
    assert said in opening.weakest({**evidence.evaluation, "segments": [], "segments_tested": tested})


def test_a_critical_segment_that_misses_its_criterion_is_named(evidence: Evidence) -> None:
    assert "Critical segments that miss what they must reach: first year." in opening.weakest(evidence.evaluation)


def disparity(value: float, low: float, high: float) -> dict[str, Any]:
    return {"value": value, "low": low, "high": high, "feature": "plan", "groups": ["01", "02"]}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (disparity(0.5, 0.4, 0.6), "is 0.500 (0.400\u20130.600) between plan = 01 against 02, limit at least 0.8, **broken**."),
        (disparity(0.7, 0.6, 0.9), "**broken** (its interval crosses the limit)."),
        (disparity(0.9, 0.85, 0.95), "limit at least 0.8, kept."),
        ({**disparity(0, 0, 0), "value": None, "low": None, "high": None, "groups": []}, "no limit between them could be judged"),
    ],
)  # fmt: skip
def test_groups_are_told_against_their_limit(evidence: Evidence, value: Any, said: str) -> None:
    known = all_measured(evidence).fairness
    found = replace(evidence, fairness={**known, "measures": {"disparate_impact": value}, "intersections": {}})
    assert said in opening.groups(found)


def test_that_no_group_was_audited_is_told_and_that_rows_are_about_people(evidence: Evidence) -> None:
    assert opening.groups(replace(evidence, fairness=None, case=case_of())) == "**Groups of people:** none was audited."
    assert opening.groups(replace(evidence, fairness=None)).endswith("although rows are about people.")


def test_behaviour_names_what_failed_and_counts_the_rest() -> None:
    passed = outcome("fine", True)
    assert opening.behaviour([passed, outcome("empty", None)]) == "**Behaviour:** the one test tried passed."
    said = opening.behaviour([passed, outcome("soft", False, hard=False, broke=4), outcome("hard", False, broke=8)])
    assert said == "**Behaviour:** 2 of 3 tests failed: hard (8 of 80 rows, 10 %), soft (4 of 80 rows, 5 %; reported only)."
    assert "no test was made" in opening.behaviour(None)
    assert "untried (0 of 0 rows)" in opening.behaviour([outcome("untried", False, tried=0)])


def test_what_it_is_not_for_is_the_last_fact(evidence: Evidence) -> None:
    assert opening.facts(evidence)[-1] == "**Not for:** Prices."
    case = full_case("binary").model_copy(update={"compliance": case_of().compliance})
    assert "the case file does not say" in opening.facts(replace(evidence, case=case))[-1]
