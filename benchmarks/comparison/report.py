"""From runs to figures, and from figures to Markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from comparison import scores
from comparison.systems import OURS, Run, Store
from comparison.tables import METRICS, Divided
from gristmill.metrics.scores import Floats

Runs = Mapping[str, Sequence[Run]]
"""System -> its run for each seed."""

LABELS = {
    OURS: "Gristmill",
    "hist_gradient_boosting": "HistGradientBoosting",
    "flaml": "FLAML",
    "autogluon_medium": "AutoGluon medium",
    "autogluon_best": "AutoGluon best",
    "autogluon_best_serial": "AutoGluon best, serial",
}
METRIC_LABELS = {"roc_auc": "ROC-AUC", "log_loss": "log loss", "accuracy": "accuracy", "rmse": "RMSE"}


def answered(divided: Sequence[Divided], runs: Runs, store: Store) -> tuple[dict[str, list[Floats]], dict[str, str]]:
    """Return each system's answers by seed, and why those that have none for some seed failed.

    Parameters
    ----------
    divided
        One table, divided by each seed.
    runs
        The runs on it.
    store
        Where the answers are.
    """
    found: dict[str, list[Floats]] = {}
    failed: dict[str, str] = {}
    for system, its in runs.items():
        errors = [run.error for run in its if run.error is not None]
        try:
            if not errors:
                pairs = zip(its, divided, strict=True)
                found[system] = [scores.predicted(pd.read_parquet(store.answers(run, one)), one) for run, one in pairs]
        except ValueError as error:
            errors = [str(error)]
        if errors:
            failed[system] = errors[0]
    return found, failed


def of_table(divided: Sequence[Divided], runs: Runs, store: Store) -> dict[str, Any]:
    """Return the figures of one table: of each system, and of Gristmill beside each other one; see :func:`answered`."""
    table = divided[0].table
    found, failed = answered(divided, runs, store)
    by_system = {
        system: {
            "scores": _mean([scores.scores(one, values) for one, values in zip(divided, found[system], strict=True)])
            if system in found
            else None,
            "error": failed.get(system),
            **_mean([_costs(run) for run in its]),
            "versions": its[0].facts.get("versions"),
        }
        for system, its in runs.items()
    }
    values = {name: one["scores"][table.metric] if one["scores"] else None for name, one in by_system.items()}
    others = [name for name in runs if name != OURS] if OURS in runs else []
    return {
        "task": table.task,
        "metric": table.metric,
        "rows": {"train": len(divided[0].train), "test": len(divided[0].test)},
        "systems": by_system,
        "ranks": scores.ranks(table.metric, values),
        "against": {name: _against(divided, found, name) for name in others},
    }


def _costs(run: Run) -> dict[str, float]:
    """Return what a run took."""
    facts = {name: run.facts[name] for name in ("train_seconds", "search_seconds", "row_seconds") if name in run.facts}
    return {**facts, "call_seconds": run.call_seconds, "peak_mb": run.peak_mb}


def _mean(parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the mean of each figure over the seeds, of those that have it."""
    return {str(name): float(value) for name, value in pd.DataFrame(list(parts)).mean().items()}


def _against(divided: Sequence[Divided], found: Mapping[str, Sequence[Floats]], other: str) -> dict[str, Any]:
    """Return how much better Gristmill is than another system on a table; a system without answers is the worse one."""
    if OURS not in found or other not in found:
        verdict = "even" if OURS not in found and other not in found else "worse" if OURS not in found else "better"
        return {"value": None, "low": None, "high": None, "verdict": verdict}
    difference = scores.difference(divided, found[OURS], found[other])
    return {**asdict(difference), "verdict": difference.verdict}


def summary(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what holds over all tables: mean ranks, how often Gristmill is better, even or worse, and every failure."""
    against: dict[str, dict[str, list[str]]] = {}
    for name, figures in tables.items():
        for other, one in figures["against"].items():
            against.setdefault(other, {"better": [], "even": [], "worse": []})[one["verdict"]].append(name)
    failures = [
        {"table": name, "system": system, "error": one["error"]}
        for name, figures in tables.items()
        for system, one in figures["systems"].items()
        if one["error"]
    ]
    mean_ranks = scores.mean_ranks({name: figures["ranks"] for name, figures in tables.items()})
    return {"mean_ranks": mean_ranks, "against": against, "failures": failures}


def markdown(figures: Mapping[str, Any]) -> str:
    """Return the figures of a comparison as Markdown: scores, ranks, verdicts, costs, failures."""
    seeds = ", ".join(map(str, figures["seeds"]))
    opening = f"{figures['seconds']:g} s of training on {figures['cores']} cores, division(s) {seeds}."
    parts = [opening, _scores(figures), _others(figures), _verdicts(figures), _costs_table(figures), _failures(figures)]
    return "\n\n".join(part for part in parts if part)


def _rows(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _number(value: float | None) -> str:
    if value is None:
        return "failed"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4f}" if abs(value) < 10 else f"{value:.2f}"


def _scores(figures: Mapping[str, Any]) -> str:
    """Return the metric that ranks, by table and system, the best in bold, with the mean ranks below."""
    systems = figures["systems"]
    rows = []
    for name, one in figures["tables"].items():
        cells = [_number((one["systems"][system]["scores"] or {}).get(one["metric"])) for system in systems]
        best = min(one["ranks"].values())
        cells = [f"**{cell}**" if one["ranks"][system] == best else cell for system, cell in zip(systems, cells, strict=True)]
        rows.append([name, METRIC_LABELS[one["metric"]], f"{one['rows']['test']:,}", *cells])
    ranks = figures["summary"]["mean_ranks"]
    rows.append(["mean rank", "", "", *(f"{ranks[system]:.2f}" for system in systems)])
    return _rows(["table", "metric", "test rows", *(LABELS[system] for system in systems)], rows)


def _others(figures: Mapping[str, Any]) -> str:
    """Return the metrics that are reported beside those that rank."""
    rows = []
    for name, one in figures["tables"].items():
        for metric in METRICS[one["task"]][1:]:
            cells = [_number((one["systems"][system]["scores"] or {}).get(metric)) for system in figures["systems"]]
            rows.append([name, METRIC_LABELS[metric], *cells])
    return _rows(["table", "beside it", *(LABELS[system] for system in figures["systems"])], rows) if rows else ""


def _verdicts(figures: Mapping[str, Any]) -> str:
    """Return Gristmill beside each other system, by table and counted."""
    others = list(figures["summary"]["against"])
    if not others:
        return ""
    rows = [[name, *(_verdict(one["against"][other]) for other in others)] for name, one in figures["tables"].items()]
    counts = [{verdict: len(named) for verdict, named in figures["summary"]["against"][other].items()} for other in others]
    rows.append(["better, even, worse", *(f"{one['better']}, {one['even']}, {one['worse']}" for one in counts)])
    return _rows(["gain of Gristmill over", *(LABELS[other] for other in others)], rows)


def _verdict(one: Mapping[str, Any]) -> str:
    if one["value"] is None:
        return one["verdict"] + " (failed)"
    low, high = (f"{one[end]:+.3g}" for end in ("low", "high"))
    return f"{one['verdict']}: {one['value']:+.3g} ({low} to {high})"


def _costs_table(figures: Mapping[str, Any]) -> str:
    """Return what the systems take: the middle of each figure over the tables they answered for, and the largest memory."""
    kinds = {
        "train_seconds": "training, s",
        "search_seconds": "of it searching, s",
        "call_seconds": "whole call, s",
        "row_seconds": "a row, ms",
    }
    rows = []
    for system in figures["systems"]:
        its = pd.DataFrame([one["systems"][system] for one in figures["tables"].values()]).reindex(columns=[*kinds, "peak_mb"])
        middle = its.median() * [1, 1, 1, 1000, 1]
        unknown = "failed" if pd.isna(middle["train_seconds"]) else "not told"
        cells = [unknown if pd.isna(middle[kind]) else f"{middle[kind]:.3g}" for kind in kinds]
        rows.append([LABELS[system], *cells, f"{its['peak_mb'].max() / 1024:.1f}"])
    return _rows(["middle over the tables", *kinds.values(), "most memory, GB"], rows)


def _failures(figures: Mapping[str, Any]) -> str:
    failures = figures["summary"]["failures"]
    if not failures:
        return "No run failed."
    return "\n".join(["Failed:", *(f"- {one['table']}, {LABELS[one['system']]}: {one['error']}" for one in failures)])
