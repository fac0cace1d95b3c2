"""The rules behind the gates: from the evidence of a build to one verdict a rule (R32)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gristmill.config.case import Case
from gristmill.config.metric_names import greater_is_better
from gristmill.metrics.scores import relative_improvement
from gristmill.registry.behaviour_gates import behaviour_gates
from gristmill.registry.comparison import Beside, Incomparable
from gristmill.registry.comparison_words import gate_message, least_improvement
from gristmill.registry.evidence import Evidence
from gristmill.registry.fairness_gates import fairness_gates
from gristmill.registry.gates import Gate, at_least, at_most, not_measured, refused
from gristmill.reporting.wording import count, figure, metric_label

SCHEMA = "Share of columns that keep every stop rule"
EXPLANATIONS = ("shap", "permutation", "lime")
FEWEST_TO_CALIBRATE = 50
"""Test rows below which even the lower end of a calibration error is noise: of 28 rows it passed 0.1 in a sixth of good models."""

LATER = (
    ("throughput", "deployment", "Requests a second are measured against the running service, not by a build."),
    ("security_scan", "deployment", "Dependencies and code are scanned by continuous integration, not by a build."),
    ("metrics_instrumented", "monitoring", "Known once the model is served."),
    ("alerts_tested", "monitoring", "Known once the model is served."),
    ("runbook_exists", "monitoring", "Known once the model is served."),
)
"""Gates of R32 that no build can measure, with the reason."""


def evaluate(case: Case, evidence: Evidence, comparison: Beside) -> list[Gate]:
    """Return the verdict of every gate on a candidate.

    Parameters
    ----------
    case
        The case, which sets the limits.
    evidence
        What the stages have found.
    comparison
        Candidate against champion; None where there is no other champion.
    """
    gates = [
        *_data(case, evidence),
        *_training(case, evidence),
        *_deployment(case, evidence),
        _champion(comparison),
        *fairness_gates(case, evidence.fairness),
        _drift_reference(evidence),
        *(not_measured(*gate) for gate in LATER),
    ]
    return [*(_required(gate) if gate.name in case.gates.required else gate for gate in gates), *_unknown(case, gates)]


def _required(gate: Gate) -> Gate:
    """Return a gate that the case requires: one that was not measured has failed."""
    if gate.passed is not None:
        return gate
    return refused(gate.name, gate.group, None, f"`gates.required` asks for it, and it was not measured. {gate.message}")


def _unknown(case: Case, gates: Sequence[Gate]) -> Iterator[Gate]:
    """Refuse each required name that no gate has."""
    known = sorted(gate.name for gate in gates)
    for name in case.gates.required:
        if name not in known:
            yield refused(name, "deployment", None, f"`gates.required` names no gate of this case. Gates are {', '.join(known)}.")


def number(score: Any) -> float | None:
    """Return a score that is a number or ``{"value": number}``; None if it is neither."""
    found = score.get("value") if isinstance(score, Mapping) else score
    return float(found) if isinstance(found, int | float) else None


def _data(case: Case, evidence: Evidence) -> Iterator[Gate]:
    """Judge the table the model was built on."""
    quality = evidence.quality
    yield at_least("schema_compliance", "data", number(quality.get("schema_compliance")), 1.0, SCHEMA)
    filled = number(quality.get("completeness"))
    yield at_least("completeness", "data", filled, case.validation.completeness, "Share of cells that are filled")
    leaks = [check for check in quality.get("leakage", []) if not check["passed"] and check["severity"] == "stop"]
    named = f" ({', '.join(str(check['column'] or check['rule']) for check in leaks)})" if leaks else ""
    yield at_most("no_leakage", "data", float(len(leaks)), 0.0, f"Signs of leakage{named}")
    features = evidence.catalogue.get("features", [])
    told = sum(bool(feature.get("meaning") and feature.get("source_columns")) for feature in features)
    share = told / len(features) if features else None
    yield at_least("features_documented", "data", share, 1.0, "Share of features with a meaning and source columns")


def _training(case: Case, evidence: Evidence) -> Iterator[Gate]:
    """Judge how well the candidate does, and how it was found."""
    test, metric = evidence.evaluation["test"], case.primary_metric
    for name, wanted in case.evaluation.success_criteria.items():
        compare = at_least if greater_is_better(name) else at_most
        yield compare(
            f"success_{name}",
            "training",
            number(test.get(name)),
            wanted,
            f"Success criterion, {metric_label(name)} on the test rows",
        )
    yield from behaviour_gates(case, evidence.evaluation)
    yield _improvement(case, test.get(metric), evidence.evaluation["baseline"])
    yield from _calibration(case, test.get("ece"), evidence.evaluation.get("rows", {}).get("test", 0))
    yield _fold_consistency(case, evidence.selection)
    absent = [name for name in EXPLANATIONS if not evidence.explanation.get(name)]
    text = f"Explanations of the candidate{f' (without {chr(44).join(absent)})' if absent else ''}"
    yield at_least("explanations_exist", "training", float(len(EXPLANATIONS) - len(absent)), float(len(EXPLANATIONS)), text)
    yield _trials_tracked(evidence)


def _improvement(case: Case, score: Any, baseline: Mapping[str, Any]) -> Gate:
    """Judge how much of the baseline's loss the candidate removes."""
    metric = case.primary_metric
    reached, simple = number(score), number(baseline["test"].get(metric))
    value = None if reached is None or simple is None else relative_improvement(metric, reached, simple)
    shown = f" from {figure(simple)} to {figure(reached)}" if value is not None else ""
    text = f"Share of the baseline's loss removed, {metric_label(metric)}{shown}"
    return at_least("improvement_over_baseline", "training", value, case.gates.min_improvement, text)


def _calibration(case: Case, score: Any, n_rows: int) -> Iterator[Gate]:
    """Judge whether probabilities mean what they say, by the least calibration error that the test rows allow for."""
    if case.task == "regression":
        return
    limit, name = case.gates.max_calibration_error, "calibration"
    if limit is None:
        yield not_measured(name, "training", "The case file sets no limit: reported, not judged.")
        return
    if n_rows < FEWEST_TO_CALIBRATE:
        reason = f"{count(n_rows)} test rows are too few to tell; {count(FEWEST_TO_CALIBRATE)} are needed."
        yield not_measured(name, "training", reason)
        return
    least = number(score.get("low")) if isinstance(score, Mapping) else None
    text = f"Least calibration error (ECE) that the test rows allow for, measured {figure(number(score))}"
    yield at_most(name, "training", least, limit, text)


def _fold_consistency(case: Case, selection: Mapping[str, Any]) -> Gate:
    """Judge how much the chosen model's score varies between folds; for errors, relative to their mean (R20)."""
    chosen: Mapping[str, Any] = next((entry for entry in selection["leaderboard"] if entry["name"] == selection["chosen"]), {})
    if len(chosen.get("fold_scores") or ()) < 2:
        return not_measured("fold_consistency", "training", "One validation set has no spread between folds.")
    std, score = number(chosen["std"]), number(chosen["score"])
    relative = not greater_is_better(case.primary_metric)
    value = None if std is None or (relative and not score) else std / abs(score or 1.0) if relative else std
    spread = f"Spread of {metric_label(case.primary_metric)} over {len(chosen['fold_scores'])} folds"
    text = f"{spread} relative to its mean" if relative else spread
    return at_most("fold_consistency", "training", value, case.gates.max_fold_std, text)


def _trials_tracked(evidence: Evidence) -> Gate:
    """Judge whether every trial of every family is in the tracking store."""
    made = {family: len(search["trials"]) for family, search in evidence.searches.items() if search["trials"]}
    kept = sum(min(evidence.tracked.get(family, 0), count) for family, count in made.items())
    total = sum(made.values())
    return at_least("trials_tracked", "training", kept / total if total else None, 1.0, f"Share of {total} trials tracked")


def _deployment(case: Case, evidence: Evidence) -> Iterator[Gate]:
    """Judge whether the candidate is fast enough, and is the one that was evaluated."""
    slow = number(evidence.evaluation.get("row_ms_p95"))
    yield at_most(
        "row_latency_p95",
        "deployment",
        slow,
        case.gates.max_row_ms,
        "Milliseconds of processor time to predict one row, 95th percentile",
    )
    yield _compiled_parity(evidence.evaluation.get("compiled_parity"))
    same = evidence.candidate.digest == evidence.evaluation.get("candidate_digest")
    yield at_least("candidate_unchanged", "deployment", float(same), 1.0, "Whether the candidate is the one that was evaluated")


def _compiled_parity(parity: Mapping[str, Any] | None) -> Gate:
    """Judge whether the form that serves answers as the pipeline that was evaluated."""
    name = "compiled_parity"
    if parity is None:
        return not_measured(name, "deployment", "The evaluation does not say whether there is a compiled form.")
    if not parity["compiled"]:
        return not_measured(name, "deployment", f"There is no compiled form, and the pipeline itself serves: {parity['why_not']}.")
    text = f"Largest difference between the compiled form and the pipeline on {count(parity['rows'])} generated rows"
    return at_most(name, "deployment", number(parity["largest"]), float(parity["tolerance"]), text)


def _champion(comparison: Beside) -> Gate:
    """Judge the candidate against the model in production."""
    name = "not_worse_than_champion"
    if comparison is None:
        return not_measured(name, "deployment", "There is no other champion to compare with.")
    if isinstance(comparison, Incomparable):
        return refused(name, "deployment", 0.0, comparison.message)
    return at_least(name, "deployment", least_improvement(comparison), -comparison.judgement.margin, gate_message(comparison))


def _drift_reference(evidence: Evidence) -> Gate:
    """Judge whether the candidate carries what drift will be measured against."""
    present = "drift_reference.json" in evidence.candidate.files
    return at_least("drift_reference", "monitoring", float(present), 1.0, "Whether the model carries a reference to measure drift")
