"""Each gate, with evidence that passes it and evidence that does not (R32)."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.models import case_of

from gristmill.metrics.noninferiority import judge
from gristmill.modeling.artifact.model_directory import Manifest
from gristmill.registry.comparison import Beside, Comparison, Incomparable
from gristmill.registry.evidence import Evidence
from gristmill.registry.gates import GROUPS, Gate, measured
from gristmill.registry.rules import evaluate

Make = Callable[..., Evidence]


def gate(name: str, evidence: Evidence, more: str = "", task: str = "binary", comparison: Beside = None) -> Gate:
    found = [one for one in evaluate(case_of(task, more), evidence, comparison) if one.name == name]
    assert len(found) == 1, name
    return found[0]


def test_good_evidence_passes_every_gate_that_is_measured(evidence: Make) -> None:
    gates = evaluate(case_of(), evidence(), None)
    assert [one.name for one in gates if one.failed] == []
    assert {one.group for one in measured(gates)} == set(GROUPS)
    assert len(measured(gates)) == 15


def test_names_of_gates_are_unique(evidence: Make) -> None:
    names = [one.name for one in evaluate(case_of(), evidence(), None)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("name", "changes", "value"),
    [
        ("schema_compliance", {"quality": {"schema_compliance": 0.99, "completeness": 1, "leakage": []}}, 0.99),
        ("completeness", {"quality": {"schema_compliance": 1, "completeness": 0.94, "leakage": []}}, 0.94),
        ("features_documented", {"catalogue": {"features": [{"meaning": "", "source_columns": ["a"]}]}}, 0.0),
        ("explanations_exist", {"explanation": {"shap": [1], "permutation": [], "lime": [1]}}, 2.0),
        ("trials_tracked", {"tracked": {"linear": 1}}, 0.5),
        ("trials_tracked", {"tracked": {}}, 0.0),
        ("candidate_unchanged", {"candidate": Manifest("small", "other", {})}, 0.0),
        ("drift_reference", {"candidate": Manifest("small", "d1", {})}, 0.0),
    ],
)
def test_evidence_that_misses_its_limit_fails(evidence: Make, name: str, changes: dict[str, Any], value: float) -> None:
    verdict = gate(name, evidence(**changes))
    assert verdict.failed
    assert verdict.value == value


def test_a_sign_of_leakage_is_named(evidence: Make) -> None:
    check = {"rule": "no proxy", "column": "refund", "passed": False, "severity": "stop"}
    quality = {"schema_compliance": 1.0, "completeness": 1.0, "leakage": [check, {**check, "column": "odd", "severity": "warn"}]}
    verdict = gate("no_leakage", evidence(quality=quality))
    assert verdict.failed
    assert verdict.value == 1
    assert "refund" in verdict.message
    assert "odd" not in verdict.message


def with_score(evidence: Make, value: float, metric: str = "roc_auc", baseline: float = 0.5) -> Evidence:
    evaluation = {"test": {metric: {"value": value}}, "validation": {}, "baseline": {"test": {metric: baseline}}}
    return evidence(evaluation={**evaluation, "row_ms_p95": 1.0, "candidate_digest": "d1"})


@pytest.mark.parametrize(
    ("value", "improvement", "passed"), [(0.8, 0.6, True), (0.56, 0.12, True), (0.54, 0.08, False), (0.4, -0.2, False)]
)
def test_improvement_is_the_share_of_the_distance_to_perfect(
    evidence: Make, value: float, improvement: float, passed: bool
) -> None:
    verdict = gate("improvement_over_baseline", with_score(evidence, value))
    assert verdict.value == pytest.approx(improvement)
    assert verdict.passed is passed


def test_improvement_of_an_error_is_its_relative_reduction(evidence: Make) -> None:
    verdict = gate("improvement_over_baseline", with_score(evidence, 8.0, "rmse", 10.0), task="regression")
    assert verdict.value == pytest.approx(0.2)
    assert verdict.passed


def test_probabilities_that_surely_mean_something_else_are_refused(evidence: Make) -> None:
    def calibration(low: float, more: str = "", n_rows: int = 80) -> Gate:
        good = evidence().evaluation
        test = {**good["test"], "ece": {"value": 0.2, "low": low, "high": 0.3}}
        return gate("calibration", evidence(evaluation={**good, "test": test, "rows": {"test": n_rows}}), more)

    assert calibration(0.1).passed
    assert calibration(0.11).failed
    assert "measured 0.200" in calibration(0.11).message
    assert calibration(0.11, "gates: {max_calibration_error: 0.15}").passed
    assert calibration(0.11, "gates: {max_calibration_error: null}").passed is None
    assert calibration(0.11, n_rows=49).passed is None
    assert calibration(float("nan")).failed


def test_a_number_has_no_calibration(evidence: Make) -> None:
    assert "calibration" not in [one.name for one in evaluate(case_of("regression"), evidence(), None)]


def test_a_gate_that_the_case_requires_fails_where_it_was_not_measured(evidence: Make) -> None:
    asked = "gates: {required: [throughput, not_worse_than_champion, completeness]}"
    for name in ("throughput", "not_worse_than_champion"):
        assert gate(name, evidence()).passed is None
        assert gate(name, evidence(), asked).failed
        assert "`gates.required` asks for it, and it was not measured." in gate(name, evidence(), asked).message
    assert gate("completeness", evidence(), asked).passed


def test_a_required_name_that_no_gate_has_is_refused_with_those_there_are(evidence: Make) -> None:
    found = gate("througput", evidence(), "gates: {required: [througput]}")
    assert found.failed
    assert "throughput" in found.message


def test_an_undefined_score_fails_instead_of_passing(evidence: Make) -> None:
    spoilt = with_score(evidence, None)  # type: ignore[arg-type]
    assert gate("improvement_over_baseline", spoilt).failed


def test_each_success_criterion_is_a_gate_in_its_own_direction(evidence: Make) -> None:
    more = "evaluation: {success_criteria: {roc_auc: 0.81, accuracy: 0.7}}"
    assert gate("success_roc_auc", evidence(), more).failed
    assert gate("success_accuracy", evidence(), more).passed
    errors = with_score(evidence, 8.0, "rmse", 10.0)
    assert gate("success_rmse", errors, "evaluation: {success_criteria: {rmse: 9}}", "regression").passed
    assert gate("success_rmse", errors, "evaluation: {success_criteria: {rmse: 7}}", "regression").failed


def selection(score: float, std: float, folds: int = 5) -> dict[str, Any]:
    entry = {"name": "linear", "score": score, "std": std, "fold_scores": [score] * folds}
    return {"chosen": "linear", "leaderboard": [{**entry, "name": "other", "std": 9.0}, entry], "threshold": None}


def test_the_spread_of_a_score_is_judged_as_it_is(evidence: Make) -> None:
    assert gate("fold_consistency", evidence(selection=selection(0.8, 0.049))).passed
    assert gate("fold_consistency", evidence(selection=selection(0.8, 0.051))).failed


def test_the_spread_of_an_error_is_judged_relative_to_its_mean(evidence: Make) -> None:
    errors = with_score(evidence, 8.0, "rmse", 10.0)
    made = {**errors.__dict__, "selection": selection(1000.0, 40.0)}
    verdict = gate("fold_consistency", Evidence(**made), task="regression")
    assert verdict.passed
    assert verdict.value == pytest.approx(0.04)


def test_one_validation_set_has_no_spread(evidence: Make) -> None:
    assert gate("fold_consistency", evidence(selection=selection(0.8, 0.0, folds=1))).passed is None


def test_slow_rows_fail(evidence: Make) -> None:
    assert gate("row_latency_p95", evidence(), "gates: {max_row_ms: 11.9}").failed
    assert gate("row_latency_p95", evidence(), "gates: {max_row_ms: 12.0}").passed


def test_a_champion_is_compared_with_and_may_win(evidence: Make) -> None:
    def beside(low: float) -> Gate:
        gain = {"value": 0.0, "low": -0.02, "high": 0.02}
        judged = judge({"value": max(0.0, low), "low": low, "high": 0.1}, 0.05, 0.1, 200, 0.95)
        return gate(
            "not_worse_than_champion", evidence(), comparison=Comparison(3, "roc_auc", 0.8, 0.8, gain, judged, "on the rows")
        )

    assert gate("not_worse_than_champion", evidence()).passed is None
    assert beside(-0.09).passed
    assert beside(-0.11).failed
    assert beside(-0.11).message.endswith("as a share of its loss, on the rows: \u22120.11, needs >= \u22120.1.")
    assert beside(0.01).message.startswith("Better than the champion.")


def test_an_improvement_that_is_not_defined_replaces_nobody(evidence: Make) -> None:
    unknown = dict.fromkeys(("value", "low", "high"), float("nan"))
    beside = Comparison(3, "roc_auc", 0.9, 1.0, unknown, judge(unknown, float("nan"), 0.1, 200, 0.95), "on the rows")
    verdict = gate("not_worse_than_champion", evidence(), comparison=beside)
    assert (verdict.failed, verdict.value, verdict.incomparable) == (True, -1000.0, False)


@pytest.mark.parametrize("low", [-5000.0, float("-inf")])
def test_a_loss_beside_a_champion_that_loses_nothing_is_measured_with_a_number(evidence: Make, low: float) -> None:
    worst, gain = dict.fromkeys(("value", "low", "high"), low), {"value": -0.1, "low": -0.2, "high": -0.05}
    judged = judge(worst, float("nan"), 0.1, 200, 0.95, gain)
    beside = Comparison(3, "roc_auc", 0.9, 1.0, gain, judged, "on the rows")
    verdict = gate("not_worse_than_champion", evidence(), comparison=beside)
    assert (verdict.failed, verdict.value, verdict.limit, verdict.incomparable) == (True, -1000.0, -0.1, False)
    assert verdict.message.startswith("Worse than the champion.")
    assert "incomparable" not in verdict.as_metric()


def test_a_champion_that_cannot_be_compared_with_is_not_replaced(evidence: Make) -> None:
    verdict = gate("not_worse_than_champion", evidence(), comparison=Incomparable(3, "Champion version 3 cannot be compared."))
    assert verdict.failed
    assert verdict.message == "Champion version 3 cannot be compared."
    assert verdict.as_metric()["incomparable"] is True


def test_messages_name_metrics_as_the_pages_do(evidence: Make) -> None:
    messages = [one.message for one in evaluate(case_of(more="evaluation: {success_criteria: {roc_auc: 0.7}}"), evidence(), None)]
    assert "Success criterion, ROC-AUC on the test rows: 0.8, limit >= 0.7." in messages
    assert "Share of columns that keep every stop rule: 1, limit >= 1." in messages
    assert not [message for message in messages if "roc_auc" in message]


def with_parity(evidence: Make, **parity: object) -> Evidence:
    found = {"compiled": True, "why_not": "", "rows": 100_000, "alone": 5_000, "largest": 2e-16, "tolerance": 1e-9, **parity}
    return Evidence(**{**evidence().__dict__, "evaluation": {**evidence().evaluation, "compiled_parity": found}})


def test_a_compiled_form_that_answers_otherwise_fails(evidence: Make) -> None:
    assert gate("compiled_parity", with_parity(evidence)).passed
    failed = gate("compiled_parity", with_parity(evidence, largest=2e-9))
    assert failed.failed
    assert "on 100,000 generated rows: 2.0e-09, needs <= 1.0e-09" in failed.message
    assert gate("compiled_parity", with_parity(evidence, largest=None)).failed  # one of the two said something that is no number


def test_a_model_without_compiled_form_has_nothing_to_compare(evidence: Make) -> None:
    served = gate("compiled_parity", with_parity(evidence, compiled=False, why_not="it has free text", largest=None, rows=0))
    assert served.passed is None
    assert "the pipeline itself serves: it has free text" in served.message
