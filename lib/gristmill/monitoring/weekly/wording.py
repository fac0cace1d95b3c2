"""The looks and the weekly report in sentences, for notebooks and for the command line."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gristmill.reporting.wording import figure, interval, metric_label, share

Record = Mapping[str, Any]


def asked(traffic: Record) -> str:
    """Return how long nothing was asked, and what is unusual."""
    if traffic["hours_since_last"] is None:
        return "Nothing was asked in this time."
    last, gap = (f"{float(traffic[name] or 0):.0f}" for name in ("hours_since_last", "longest_gap_hours"))
    told = f"The last prediction is {last} hours older than the end of the window; at most {gap} hours in a row nothing was asked."
    return " ".join([told, *traffic["remarks"]])


def repeated(repeats: Record) -> str:
    """Return how many rows are like an earlier one."""
    part, before = share(float(repeats["share"]), 1), repeats["share_before"]
    told = f"{repeats['repeated']:,} of {repeats['rows']:,} rows ({part}) are like an earlier row of this window in every column."
    return told + ("" if before is None else f" Among the training rows it is {share(float(before), 1)}.")


def apart(drift: Record, separable: float) -> str:
    """Return whether a classifier can tell served rows from training rows."""
    whole = drift["multivariate"]
    if whole is None:
        return "It was not asked: there are too few rows, or the training rows are gone."
    told, auc = ", ".join(list(whole["columns"])[:3]), f"**{whole['auc']:.3f}** ({whole['low']:.3f} to {whole['high']:.3f})"
    return f"A classifier tells them apart with ROC-AUC {auc}, most of all by {told}; it is drift from {separable:g} on."


def concept(drift: Record) -> str:
    """Return whether losses on late labels rose for good."""
    found = drift["concept"]
    if found is None:
        return "There are too few mature labels to tell."
    return f"{found['sentence'][:1].upper()}{found['sentence'][1:]}."


def estimated(performance: Record) -> str:
    """Return the primary metric of rows too young for labels, and how near such estimates were."""
    metric, found = performance["metric"], performance["estimate"]
    young = found.get("young")
    if young is None or metric not in young["metrics"]:
        return "There is no estimate: there are too few young rows, or the reference rows of this version are gone."
    one = young["metrics"][metric]
    ends = interval(float(one["low"]), float(one["high"]))
    told = f"Of {young['rows']:,} young rows {metric_label(metric)} is estimated as **{figure(float(one['value']))}** ({ends})."
    off = found.get("off", {}).get(metric)
    return f"{told} On mature rows the same estimate was off by {off:+.3f}." if off is not None else told


def segments_title(performance: Record) -> str:
    """Return in which segment the primary metric is lowest or its error largest, as the title of a figure."""
    from gristmill.config.metric_names import greater_is_better  # noqa: PLC0415

    metric = performance["metric"]
    known = [one for one in performance["segments"] if one["value"] is not None and one["value"] == one["value"]]
    if not known:
        return f"{metric_label(metric)} by segment"
    worst = min(known, key=lambda one: one["value"] if greater_is_better(metric) else -one["value"])
    return f"{metric_label(metric)} is weakest where {worst['segment']}"


def reasons(report: Record) -> str:
    """Return the reasons of the recommendation as a list in Markdown."""
    return "\n".join(f"- {reason}" for reason in report["recommendation"]["reasons"])


def headline_metrics(performance: Record, most: int = 3) -> dict[str, Any]:
    """Return the primary metric and the next ones, for a small figure."""
    metric = performance["metric"]
    order = sorted(performance["metrics"], key=lambda name: name != metric)
    return {name: performance["metrics"][name] for name in order[:most]}


def what_to_do(report: Record, root: Path) -> str:
    """Return what the runbook of the project says of each alert that is beyond its limit, in Markdown.

    A runbook that is elsewhere is linked to.
    """
    parts = []
    for alert in report["alerts"]:
        if not alert["said"]:
            continue
        page, _, anchor = alert["runbook"].partition("#")
        section = _section(root / page, anchor) if "://" not in page else ""
        parts.append(f"**{alert['name']}** ({alert['runbook']})\n\n{section or 'The page says what to do.'}")
    return "\n\n".join(parts) or "No alert is beyond its limit."


def _section(page: Path, anchor: str) -> str:
    """Return how to look and what to do, of a section of the runbook; empty where there is none."""
    if not page.is_file():
        return ""
    head = f"\n## {anchor}\n"
    text = page.read_text(encoding="utf-8").partition(head)[2].partition("\n## ")[0]
    wanted = [part.strip() for part in text.split("\n\n") if part.strip().startswith(("**What it means", "**What to do"))]
    return "\n\n".join(wanted)


def two_lines(report: Record) -> list[str]:
    """Return the recommendation with its first reason, and what was looked at and is to be run next."""
    advice = report["recommendation"]
    then = f" Next: {'; '.join(advice['commands'])}" if advice["commands"] else ""
    first = f"{advice['headline']} {advice['reasons'][0] if advice['reasons'] else ''}".rstrip()
    return [first, f"{report['window']}{then}"]
