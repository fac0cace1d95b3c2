"""Versions beside each other: their figures with intervals, their gates, and what each was made from."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from gristmill.config.metric_names import greater_is_better
from gristmill.reporting.bars import ends
from gristmill.reporting.gate_words import gate_words
from gristmill.reporting.wording import UNKNOWN, figure, interval, metric_label
from gristmill.views.models.listing import Version

PARTS = {"test": "Test rows", "validation": "Out of fold (validation)", "baseline": "Baseline on the test rows"}
LINEAGE = {
    "gristmill.source": "Source",
    "gristmill.data_digest": "Data version",
    "gristmill.code_version": "Code version",
    "gristmill.lock_digest": "Locked environment",
    "gristmill.candidate_digest": "Candidate",
    "gristmill.model_digest": "Model",
    "gristmill.champion_before": "Compared with champion",
}


def overview(versions: Sequence[Version]) -> pd.DataFrame:
    """Return a line a version: what it is, when it was made, its primary metric, and how its gates stand."""
    rows = []
    for one in versions:
        metric = str(one.metrics.get("primary_metric") or "")
        value, low, high = ends((one.metrics.get("test") or {}).get(metric))
        shown = f"{metric_label(metric)} {figure(value)} ({interval(low, high)})" if value is not None else UNKNOWN
        rows.append((one.number, ", ".join(one.aliases) or UNKNOWN, one.created or UNKNOWN, shown, gates_words(one)))
    return pd.DataFrame(rows, columns=["version", "is", "registered", "test rows", "gates"])


def gates_words(version: Version) -> str:
    """Return how the gates of a version stand, in a few words."""
    if version.problem:
        return "its files are not what was registered"
    if not version.gates:
        return "none recorded"
    failed = [metric_label(str(gate["name"])) for gate in version.failed]
    if not failed:
        return f"all {len(version.gates)} passed"
    return f"{len(failed)} of {len(version.gates)} failed: {', '.join(failed)}"


def scores(versions: Sequence[Version], part: str = "test") -> pd.DataFrame:
    """Return every metric of one part of the rows, a column a version: value and interval as text, the primary metric first.

    The index is the metric; the best value of a row is marked with a star where the versions differ.
    """
    primary = next((str(one.metrics["primary_metric"]) for one in versions if one.metrics.get("primary_metric")), "")
    found = [_scores(one, part) for one in versions]
    names = list(dict.fromkeys([primary, *(name for scored in found for name in scored)]))
    names = [name for name in names if any(ends(scored.get(name))[0] is not None for scored in found)]
    table = {metric_label(name): _row(name, [scored.get(name) for scored in found]) for name in names}
    return pd.DataFrame.from_dict(table, orient="index", columns=[f"version {one.number}" for one in versions])


def _scores(version: Version, part: str) -> dict[str, Any]:
    """Return the figures of a version on some rows."""
    found = version.metrics.get(part) or {}
    return dict(found.get("test") or {}) if part == "baseline" else dict(found)


def _row(metric: str, cells: Sequence[Any]) -> list[str]:
    """Return one metric of each version, the best marked."""
    values = [ends(cell)[0] for cell in cells]
    known = [value for value in values if value is not None]
    best = (max if _greater(metric) else min)(known) if len(set(known)) > 1 else None
    return [_cell(cell, best=best is not None and ends(cell)[0] == best) for cell in cells]


def _greater(metric: str) -> bool:
    """Return whether more of a metric is better; a name that is not ours counts as such."""
    try:
        return greater_is_better(metric)
    except (KeyError, ValueError):
        return True


def _cell(score: Any, *, best: bool) -> str:
    """Return a figure with its interval."""
    value, low, high = ends(score)
    if value is None:
        return UNKNOWN
    between = interval(low, high)
    return f"{figure(value)}{f' ({between})' if between else ''}{' ★' if best else ''}"


def primary_figure(versions: Sequence[Version]) -> pd.DataFrame:
    """Return the primary metric on the test rows as a figure shows it: ``version``, ``value``, ``low``, ``high``."""
    rows = []
    for one in versions:
        value, low, high = ends((one.metrics.get("test") or {}).get(str(one.metrics.get("primary_metric"))))
        if value is not None:
            rows.append((one.title.lower(), value, value if low is None else low, value if high is None else high))
    return pd.DataFrame(rows, columns=["version", "value", "low", "high"])


def gate_table(version: Version) -> pd.DataFrame:
    """Return the gates of a version, the failed ones first: ``gate``, ``group``, ``verdict``, ``value``, ``limit``, ``note``."""
    rows = []
    for gate in sorted(version.gates, key=lambda gate: gate.get("passed") is True):
        words = gate_words(gate)
        verdict = "passed" if gate.get("passed") is True else "FAILED"
        rows.append((words["name"], str(gate.get("group") or ""), verdict, words["value"], words["limit"], words["note"]))
    frame = pd.DataFrame(rows, columns=["gate", "group", "verdict", "value", "limit", "note"])
    return frame if frame["note"].any() else frame.drop(columns="note")


def lineage(version: Version) -> pd.DataFrame:
    """Return what a version was made from: ``what``, ``which``."""
    rows = [(label, version.tags[tag]) for tag, label in LINEAGE.items() if version.tags.get(tag)]
    if version.tags.get("gristmill.code_dirty") == "true":
        rows.append(("Code", "had changes that were not committed"))
    if version.run_id:
        rows.append(("MLflow run", version.run_id))
    return pd.DataFrame(rows, columns=["what", "which"])
