"""What a reader wants to know of a build first: how it stands, how good the model is, what the gates say, what to do next."""

from collections.abc import Mapping, Sequence
from typing import Any

from gristmill.reporting.bars import ends, interval_bar
from gristmill.reporting.disparities import extent, one_figure
from gristmill.reporting.gate_words import gate_words
from gristmill.reporting.record import BuildRecord
from gristmill.reporting.wording import UNKNOWN, called_positive, figure, interval, metric_label, opening, share

GATE_GROUPS = ("data", "training", "deployment", "monitoring")

_HEADLINE = {
    "binary": ("roc_auc", "pr_auc", "f1", "brier"),
    "multiclass": ("log_loss", "accuracy", "f1", "roc_auc"),
    "regression": ("rmse", "mae", "r2", "mape"),
}


def verdict(record: BuildRecord) -> dict[str, str]:
    """Return how the build stands, as ``tone`` (good, warn, bad, plain) and ``text``."""
    failed = [stage for stage in record.stages if stage.state == "failed"]
    if failed:
        return {"tone": "bad", "text": f"Stopped at {failed[0].label}"}
    if record.problem:
        return {"tone": "bad", "text": "The case file is wrong"}
    if not record.was_built:
        return {"tone": "plain", "text": "Not built yet"}
    missing = [stage for stage in record.stages if stage.state == "missing"]
    if missing:
        return {"tone": "warn", "text": f"Incomplete: {len(missing)} of {len(record.stages)} stages missing"}
    return _release(record)


def _release(record: BuildRecord) -> dict[str, str]:
    """Return how the release of a complete build stands."""
    broken = [gate for gate in gates(record) if gate["passed"] is False]
    registration = record.product("registration")
    if broken:
        return {"tone": "bad", "text": f"{len(broken)} gate{'s' if len(broken) > 1 else ''} failed"}
    if registration.get("dry_run"):
        return {"tone": "warn", "text": "Dry run: not registered"}
    if registration.get("promoted"):
        return {"tone": "good", "text": f"In production: version {registration.get('version', UNKNOWN)}"}
    return {"tone": "good", "text": "All gates passed"} if gates(record) else {"tone": "warn", "text": "Gates were not evaluated"}


def task_of(record: BuildRecord) -> str:
    """Return the task, from the case file or else from the metrics."""
    return record.case.task if record.case is not None else str(record.product("metrics").get("task", ""))


def primary_metric(record: BuildRecord) -> str:
    """Return the metric that selects models."""
    named = record.product("metrics").get("primary_metric") or record.product("evaluation").get("primary_metric")
    return str(named or (record.case.primary_metric if record.case is not None else ""))


def scores(record: BuildRecord, part: str) -> Mapping[str, Any]:
    """Return the metrics on ``test``, ``validation``, ``train`` or of the ``baseline``."""
    metrics, evaluation = record.product("metrics"), record.product("evaluation")
    found = metrics.get(part) or evaluation.get(part) or {}
    if part == "baseline" and isinstance(found, Mapping) and isinstance(found.get("test"), Mapping):
        found = found["test"]
    return found if isinstance(found, Mapping) else {}


def headline(record: BuildRecord, most: int = 4) -> list[dict[str, Any]]:
    """Return the primary metric and the next best known ones, each with interval, baseline and bar."""
    test, baseline = scores(record, "test"), scores(record, "baseline")
    names = dict.fromkeys([primary_metric(record), *_HEADLINE.get(task_of(record), ())])
    return [_headline(name, test[name], baseline.get(name)) for name in names if ends(test.get(name))[0] is not None][:most]


def _headline(metric: str, score: Any, baseline: Any) -> dict[str, Any]:
    """Return one metric as the page shows it."""
    value, low, high = ends(score)
    return {
        "label": metric_label(metric),
        "value": figure(value),
        "interval": interval(low, high),
        "baseline": figure(ends(baseline)[0]) if ends(baseline)[0] is not None else "",
        "bar": interval_bar(metric, score, baseline),
    }


def score_rows(record: BuildRecord) -> list[dict[str, Any]]:
    """Return every metric with its value on train, validation and test rows and the baseline's."""
    parts = {part: scores(record, part) for part in ("train", "validation", "test", "baseline")}
    names = dict.fromkeys([primary_metric(record), *parts["test"], *parts["validation"]])
    rows = []
    for name in names:
        cells = {part: ends(found.get(name)) for part, found in parts.items()}
        if cells["test"][0] is not None or cells["validation"][0] is not None:
            shown = {part: {"value": figure(cell[0]), "interval": interval(*cell[1:])} for part, cell in cells.items()}
            bar = interval_bar(name, parts["test"].get(name), parts["baseline"].get(name))
            rows.append({"label": metric_label(name), "bar": bar, **shown})
    return rows


def gates(record: BuildRecord) -> list[dict[str, Any]]:
    """Return the gates, and after them those that were not measured, with ``passed`` None."""
    found = record.product("registration").get("gates") or record.product("metrics").get("gates") or []
    listed = [_gate(gate) for gate in found if isinstance(gate, Mapping)]
    known = {gate["key"] for gate in listed}
    for gate in record.product("registration").get("gates_not_measured") or []:
        named = gate if isinstance(gate, Mapping) else {"name": gate}
        if str(named.get("name")) not in known:
            listed.append(_gate({**named, "passed": None}))
    return listed


def _gate(gate: Mapping[str, Any]) -> dict[str, Any]:
    """Return one gate as the page shows it."""
    passed = gate.get("passed")
    return {
        "key": str(gate.get("name", "")),
        "group": str(gate.get("group") or "other"),
        "passed": passed if isinstance(passed, bool) else None,
        **gate_words(gate),
    }


def gate_groups(record: BuildRecord) -> list[dict[str, Any]]:
    """Return the gates by group, with how many of each passed."""
    found = gates(record)
    names = dict.fromkeys([*GATE_GROUPS, *(gate["group"] for gate in found)])
    groups = []
    for name in names:
        members = [gate for gate in found if gate["group"] == name]
        if members:
            passed = sum(gate["passed"] is True for gate in members)
            measured = sum(gate["passed"] is not None for gate in members)
            groups.append({"name": name.capitalize(), "gates": members, "passed": passed, "measured": measured})
    return groups


def model_facts(record: BuildRecord) -> dict[str, Any]:
    """Return what was chosen and why: members with weights, candidates, calibration and threshold."""
    selection = record.product("selection")
    weights = selection.get("weights") or {}
    rows = [row for row in selection.get("leaderboard") or [] if isinstance(row, Mapping)]
    metric = primary_metric(record)
    return {
        "chosen": str(selection.get("chosen") or ""),
        "reason": str(selection.get("reason") or ""),
        "metric": metric_label(metric),
        "weights": [
            {"name": str(name), "weight": float(weight), "text": share(weight)}
            for name, weight in sorted(weights.items(), key=lambda item: -float(item[1] or 0))
            if isinstance(weight, int | float) and weight > 0
        ],
        "candidates": [
            {
                "name": str(row.get("name")),
                "score": figure(row.get("score")),
                "std": figure(row.get("std")),
                "row_ms": figure(row.get("row_ms"), 2),
                "chosen": row.get("name") == selection.get("chosen"),
            }
            for row in rows
        ],
        "notes": _model_notes(selection),
    }


def _model_notes(selection: Mapping[str, Any]) -> list[str]:
    """Return sentences on calibration and threshold."""
    notes = []
    calibration, threshold = selection.get("calibration") or {}, selection.get("threshold") or {}
    method = calibration.get("method")
    if method and method != "none":
        before, after = figure(calibration.get("log_loss_before")), figure(calibration.get("log_loss_after"))
        notes.append(f"Probabilities are calibrated ({method}): log loss out of fold from {before} to {after}.")
    elif calibration:
        notes.append("Probabilities are used as they come: calibration did not improve them.")
    if threshold.get("value") is not None:
        notes.append(f"{opening(called_positive(threshold['value']))} (rule: {threshold.get('rule')}).")
    return notes


def drivers(record: BuildRecord, most: int = 8) -> list[dict[str, Any]]:
    """Return the columns that move predictions most, with the length of their bars from 0 to 100."""
    found = [
        (str(item.get("feature")), float(item["mean_abs"]))
        for item in record.product("explanation").get("shap") or []
        if isinstance(item, Mapping) and isinstance(item.get("mean_abs"), int | float)
    ]
    found.sort(key=lambda item: -item[1])
    longest = found[0][1] if found and found[0][1] > 0 else 1.0
    return [{"name": name, "value": figure(value), "length": round(100 * value / longest, 1)} for name, value in found[:most]]


def fairness_rows(record: BuildRecord) -> list[dict[str, str]]:
    """Return the fairness measures with the column and groups they come from."""
    measures = record.product("fairness").get("measures") or {}
    rows = []
    for name, measure in measures.items() if isinstance(measures, Mapping) else ():
        about = measure if isinstance(measure, Mapping) else {"value": measure}
        groups = about.get("groups") or []
        named = " / ".join(map(str, groups)) if isinstance(groups, Sequence) and not isinstance(groups, str) else str(groups)
        rows.append(
            {
                "name": metric_label(str(name)),
                "value": one_figure(extent(about)),
                "feature": str(about.get("feature") or ""),
                "groups": named,
            }
        )
    return rows


def next_steps(record: BuildRecord) -> list[str]:
    """Return what to do now, most urgent first."""
    steps = [
        f"Mend {stage.label}: {stage.facts.get('error', '').rstrip('.') or 'see its report'}. Then build again: done stages stay."
        for stage in record.stages
        if stage.state == "failed"
    ]
    steps += [
        gate["note"]
        if gate["value"] == UNKNOWN and gate["note"]
        else f"{gate['name']} is {gate['value']} where the limit is {gate['limit']}: read the evidence before changing either."
        for gate in gates(record)
        if gate["passed"] is False
    ]
    if not steps and any(stage.state == "missing" for stage in record.stages):
        steps.append("Build the stages that are missing.")
    if not steps:
        steps.append("Read the model card, then score new rows with the command beside.")
    return steps
