"""What the model is, what it is for, whom and what it may treat differently, and what is right to do with it."""

from collections.abc import Mapping
from typing import Any

from gristmill.evaluation.card.evidence import Evidence
from gristmill.evaluation.card.text import NO_EVIDENCE, blocks, bullets, code, escape_text, listed, measured, plural, table
from gristmill.reporting.wording import called_positive, count, figure, moment, plain, share

FACT = ("fact", "value")


def model_details(evidence: Evidence) -> str:
    """Return who made which model, of which kind, and how it decides."""
    case, selection = evidence.case, evidence.selection or {}
    positive = f", positive class {code(case.positive_class)}" if case.positive_class else ""
    rows = [("Predicts", f"{code(case.target)} ({case.task}){positive}"), *_model(evidence), ("Decision", _decision(evidence))]
    calibration = selection.get("calibration")
    if calibration:
        before, after = figure(calibration["log_loss_before"]), figure(calibration["log_loss_after"])
        rows.append(("Calibration", f"{escape_text(calibration['method'])}; out-of-fold log loss {before} before, {after} after"))
    speed = (evidence.evaluation or {}).get("row_ms_p95")
    if speed is not None:
        rows.append(("Speed", f"one row takes {figure(speed)} ms of one core at the 95th percentile; {_needed(evidence)}"))
    parity = (evidence.evaluation or {}).get("compiled_parity")
    if parity is not None:
        rows.append(("Serves", _form(parity)))
    rows += [
        ("Owner", escape_text(case.compliance.owner) or "not stated in the case file (`compliance.owner`)"),
        ("Licence", escape_text(case.compliance.license) or "not stated in the case file (`compliance.license`)"),
        ("Written", moment(evidence.written_at.isoformat())),
        ("Digest", f"{code(evidence.digest)}: what was evaluated is what is registered under it"),
    ]
    return table(FACT, rows)


def _form(parity: Mapping[str, Any]) -> str:
    """Return the form in which the model serves, and how far that is from the pipeline."""
    if not parity["compiled"]:
        return f"through its pipeline: {escape_text(parity['why_not'])}"
    said = f"in its compiled form; on {count(parity['rows'])} generated rows it differs from the pipeline by "
    return f"{said}{_tiny(parity['largest'])} at most, {_tiny(parity['tolerance'])} is allowed"


def _tiny(value: object) -> str:
    """Return a number that is far below one by its power of ten."""
    return f"{value:.0e}" if isinstance(value, float) else "an unknown number"


def _model(evidence: Evidence) -> list[tuple[str, str]]:
    """Return which model was chosen, and why."""
    selection = evidence.selection
    if selection is None:
        return [("Model", f"{NO_EVIDENCE}: `06_select` left none.")]
    weights = selection.get("weights") or {}
    parts = (
        f": {', '.join(f'{escape_text(name)} ({share(weight)})' for name, weight in weights.items())}" if len(weights) > 1 else ""
    )
    return [
        ("Model", f"{escape_text(selection['chosen'])}{parts}"),
        ("Why this one", escape_text((selection.get("reason") or "").replace("`", "")) or "not told"),
    ]


def _decision(evidence: Evidence) -> str:
    """Return how an answer becomes a decision."""
    threshold = (evidence.selection or {}).get("threshold")
    if not threshold:
        return "the predicted number itself" if evidence.case.task == "regression" else "the most probable class"
    reason = f". {escape_text(threshold['reason'])}" if threshold.get("reason") else ""
    return f"{called_positive(threshold['value'])} (rule *{escape_text(threshold['rule'])}*, set out of fold){reason}"


def _needed(evidence: Evidence) -> str:
    """Return what the users of the service need."""
    serving = evidence.case.serving
    return (
        f"its users need an answer within {plain(serving.latency_ms)} ms and {plain(serving.requests_per_second)} answers a second "
        f"({serving.deployment_target}), which is measured when it is served"
    )


def intended_use(evidence: Evidence) -> str:
    """Return what the model may be used for and what not, as the case file states it, and what it is worth."""
    compliance, evaluation = evidence.case.compliance, evidence.evaluation or {}
    use = escape_text(compliance.intended_use) or (
        f"{NO_EVIDENCE}: the case file does not state `compliance.intended_use`. Do not use the model before it does."
    )
    outside = escape_text(compliance.out_of_scope) or "not stated in the case file (`compliance.out_of_scope`)."
    aim = (
        escape_text((evidence.case.evaluation.business_metric or "no business metric is stated in the case file").rstrip(". "))
        + "."
    )
    return blocks(use, f"**Out of scope:** {outside}", f"**What it is to improve:** {aim}{_worth(evaluation)}")


def _worth(evaluation: Mapping[str, Any]) -> str:
    """Return what decisions bring, beside acting on every row and the baseline."""
    business = evaluation.get("business")
    if not business:
        return ""
    simple = evaluation["baseline"].get("business")
    beside = f", the baseline gives {measured(simple)}" if simple else ""
    everyone = f"acting on every row instead would give {figure(business['everyone'])}"
    return f" Measured on the test rows: {escape_text(business['name'])} **{measured(business)}**; {everyone}{beside}."


def factors(evidence: Evidence) -> str:
    """Return the groups and segments by which the model was looked at, and the columns it reads."""
    case, evaluation = evidence.case, evidence.evaluation
    if case.sensitive_features:
        seen = "The model does not see these columns." if case.fairness.exclude_from_model else "The model may see these columns."
        changed = f" Mitigation: *{escape_text(case.fairness.mitigation)}*." if case.fairness.mitigation != "none" else ""
        people = f"Groups of people: {', '.join(code(name) for name in case.sensitive_features)}. {seen}{changed}"
    else:
        people = f"{NO_EVIDENCE} about groups of people: the case names no `sensitive_features`."
    if evaluation is None:
        segments = f"{NO_EVIDENCE} about segments: `07_evaluate` did not run."
    else:
        tested = plural(evaluation.get("segments_tested") or 0, "segment")
        segments = f"Segments: {tested}, the levels and quartiles of the columns and what a tree found in other rows."
    critical = list(dict.fromkeys(one["name"] for one in (evaluation or {}).get("critical_segments") or ()))
    named = f"Critical segments of the case file: {listed(critical)}." if critical else ""
    features = (evidence.catalogue or {}).get("features", [])
    columns = list(dict.fromkeys(column for entry in features for column in entry["source_columns"]))
    read = f"It reads {plural(len(columns), 'column')}: {listed(columns, 40)}." if columns else ""
    return bullets(part for part in (people, segments, named, read) if part)


def ethics(evidence: Evidence) -> str:
    """Return what the case file says of people and of risks, and what was done about them."""
    case = evidence.case
    if not case.compliance.personal_data:
        people = "The case file says that rows are not about people (`compliance.personal_data`)."
    elif case.sensitive_features:
        people = "Rows are about people. Their groups were audited; see *Quantitative analyses*."
    else:
        people = "Rows are about people. **No group was audited**: name `sensitive_features` in the case file."
    changed = (evidence.selection or {}).get("mitigation") or {}
    chosen = changed.get("asked", "none") != "none"
    done = f"Groups are treated more alike by *{escape_text(changed['asked'])}*, which the case file asks for." if chosen else ""
    notes = [escape_text(note) for note in (*case.compliance.ethical_notes, *case.compliance.notes)]
    said = bullets(notes) or (
        f"{NO_EVIDENCE} beyond this: the case file gives no `compliance.ethical_notes` and no `compliance.notes`."
    )
    return blocks(people, done, said)


def training_size(evidence: Evidence) -> str:
    """Return how many features the model reads from how many columns."""
    features = (evidence.catalogue or {}).get("features", [])
    columns = {column for entry in features for column in entry["source_columns"]}
    return f"{count(len(features))} from {plural(len(columns), 'column')}; see the feature catalogue"
