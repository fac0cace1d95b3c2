"""Gates on behaviour and on critical segments (R28, R32)."""

from typing import Any

import pytest
from tests.models import case_of

from gristmill.registry.behaviour_gates import behaviour_gates
from gristmill.registry.gates import Gate

SEGMENTS = "behaviour: {critical_segments: {New ones: {where: {tenure: 1}, success_criteria: {recall: 0.7, log_loss: 0.5}}}}"
STATED = "behaviour: {tests: {longer: {change: {tenure: up}, expect: not up}}}"


def outcome(name: str, passed: bool | None, *, hard: bool = True) -> dict[str, Any]:
    return {"name": name, "hard": hard, "tried": 2000, "broke": 0 if passed else 120, "passed": passed}


def gates(outcomes: Any, more: str = "", criteria: Any = None) -> dict[str, Gate]:
    evaluation = {"behaviour": outcomes, "critical_segments": criteria}
    return {gate.name: gate for gate in behaviour_gates(case_of(more=more), evaluation)}


def test_a_failed_test_that_counts_fails_the_gate_and_is_named():
    gate = gates([outcome("row order", passed=True), outcome("longer", passed=False)], STATED)["behaviour"]
    assert (gate.failed, gate.value, gate.limit) == (True, 1, 0)
    assert "'longer': 120 of 2,000 rows" in gate.message


def test_a_test_that_is_only_reported_and_one_with_nothing_to_try_do_not():
    outcomes = [outcome("row order", passed=True), outcome("near-duplicates", passed=False, hard=False), outcome("x", passed=None)]
    assert gates(outcomes)["behaviour"].passed is True


@pytest.mark.parametrize("outcomes", [None, [], [outcome("row order", passed=True)]])
def test_tests_that_were_not_made_fail_the_gate(outcomes: Any):
    assert gates(outcomes, STATED)["behaviour"].failed


def found(metric: str, value: float | None, n: int = 50) -> dict[str, Any]:
    return {"name": "New ones", "metric": metric, "value": value, "n": n}


def test_each_criterion_of_a_critical_segment_is_a_gate():
    made = gates([outcome("row order", passed=True)], SEGMENTS, [found("recall", 0.6), found("log_loss", 0.4)])
    assert made["segment_new_ones_recall"].failed
    assert made["segment_new_ones_log_loss"].passed is True
    assert made["segment_new_ones_recall"].message == "Critical segment 'New ones', Recall on 50 test rows: 0.6, needs >= 0.7."


def test_the_gate_is_the_candidates_own_and_tells_when_the_champion_fails_as_well():
    def gate(value: float, champion: float) -> Gate:
        line = {**found("recall", value), "others": {"baseline": 0.0, "champion": champion}}
        return gates([outcome("row order", passed=True)], SEGMENTS, [line])["segment_new_ones_recall"]

    assert "on 50 test rows (the champion misses it too, with 0.580): 0.6, needs >= 0.7." in gate(0.6, 0.58).message
    assert (gate(0.6, 0.9).failed, gate(0.8, 0.1).passed) == (True, True)
    assert "(the champion meets it, with 0.900)" in gate(0.6, 0.9).message


@pytest.mark.parametrize("criteria", [None, [], [found("recall", None), found("log_loss", None, n=0)]])
def test_a_criterion_that_could_not_be_measured_fails(criteria: Any):
    made = gates([outcome("row order", passed=True)], SEGMENTS, criteria)
    assert made["segment_new_ones_recall"].failed
    assert made["segment_new_ones_log_loss"].failed
