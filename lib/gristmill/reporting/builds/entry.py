"""What is remembered of one completed build: enough to tell it from any other, and to say what became of it.

It is made of the products and of what the pipeline knows of its tasks. No row of the data is in it, and no text that the case
file does not hold itself: a case file holds no secrets.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from gristmill.reporting.bars import ends
from gristmill.reporting.record import BuildRecord
from gristmill.reporting.summary import gates, model_facts, next_steps, primary_metric, scores, task_of

PARTS = ("train", "validation", "test", "baseline")
"""Rows on which metrics are remembered, and the baseline's on the test rows."""

MOST_NAMES = 1000
"""Columns, parameters or parts of the code that are remembered by name."""

MOST_LETTERS = 500
"""Length to which a text is cut."""

_DIGITS = 6


@dataclass(frozen=True)
class BuildRun:
    """What the pipeline knows of a build.

    Attributes
    ----------
    build_id
        The build, as the registered version names it too.
    finished
        When it ended, in ISO 8601.
    ran
        The stages that ran; all others were up to date.
    seconds
        Stage -> how long its last run took.
    code
        Notebook, module or file -> a digest of what it was.
    test_rows
        Digest of the test rows.
    """

    build_id: str
    finished: str
    ran: tuple[str, ...]
    seconds: Mapping[str, float]
    code: Mapping[str, str]
    test_rows: str = ""


def entry_of(record: BuildRecord, run: BuildRun) -> dict[str, Any]:
    """Return what is remembered of a build, as JSON.

    Parameters
    ----------
    record
        The case and the products that the build left.
    run
        What the pipeline knows of it.
    """
    return {
        "build": run.build_id,
        "finished": run.finished,
        "gristmill": version("gristmill"),
        "ran": list(run.ran),
        "seconds": {stage: round(seconds, 2) for stage, seconds in run.seconds.items()},
        "data": _data(record, run.test_rows),
        "code": _code(record, run.code),
        "parameters": _first(parameters(record)),
        "model": _model(record),
        "primary_metric": primary_metric(record),
        "task": task_of(record),
        "confidence": _confidence(record),
        "metrics": {part: _metrics(scores(record, part)) for part in PARTS},
        "gates": [_gate(gate) for gate in gates(record)],
        "next_steps": [_cut(step) for step in next_steps(record)],
    }


def parameters(record: BuildRecord) -> dict[str, Any]:
    """Return the case file as it was understood, defaults included: dotted key -> value."""
    return dict(_leaves(record.case.model_dump(mode="json"))) if record.case is not None else {}


def _leaves(value: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Give the values of nested mappings by their dotted keys."""
    for key, item in value.items():
        name = f"{path}.{key}" if path else str(key)
        if isinstance(item, Mapping) and item:
            yield from _leaves(item, name)
        else:
            yield name, _cut(item)


def _cut(value: Any) -> Any:
    """Return a value whose texts are not too long to be kept."""
    if isinstance(value, list):
        return [_cut(item) for item in value[:MOST_NAMES]]
    return f"{value[: MOST_LETTERS - 1]}…" if isinstance(value, str) and len(value) > MOST_LETTERS else value


def _first(named: Mapping[str, Any]) -> dict[str, Any]:
    """Return as many of the names as are kept."""
    return dict(list(named.items())[:MOST_NAMES])


def _data(record: BuildRecord, test_rows: str) -> dict[str, Any]:
    """Return which rows the build was made from."""
    snapshot = record.product("snapshot")
    columns = snapshot.get("columns")
    named = columns if isinstance(columns, Mapping) else {}
    return {
        "source": _cut(str(snapshot.get("uri") or "")),
        "digest": str(snapshot.get("digest") or ""),
        "rows": snapshot.get("rows"),
        "columns": len(named),
        "types": _first({str(name): str(kind) for name, kind in named.items()}),
        "test_rows": test_rows,
        "test_set_uses": record.product("evaluation").get("test_set_uses"),
    }


def _code(record: BuildRecord, parts: Mapping[str, str]) -> dict[str, Any]:
    """Return which code made it."""
    lineage = record.product("registration").get("lineage") or {}
    return {
        "version": str(lineage.get("code_version") or ""),
        "changed": lineage.get("code_dirty") == "true",
        "lock": str(lineage.get("lock_digest") or ""),
        "parts": _first(dict(sorted(parts.items()))),
    }


def _model(record: BuildRecord) -> dict[str, Any]:
    """Return what was chosen, and what became of it."""
    facts, registration = model_facts(record), record.product("registration")
    return {
        "name": str(registration.get("name") or record.name),
        "version": registration.get("version"),
        "promoted": registration.get("promoted") is True,
        "dry_run": registration.get("dry_run") is True,
        "chosen": _cut(facts["chosen"]),
        "reason": _cut(facts["reason"]),
        "weights": {item["name"]: round(item["weight"], 4) for item in facts["weights"]},
        "notes": [_cut(str(note)) for note in [*facts["notes"], *(registration.get("notes") or ())]],
        "threshold": _rounded(record.product("metrics").get("threshold")),
    }


def _confidence(record: BuildRecord) -> float:
    """Return the share of intervals that hold the truth."""
    found = record.product("evaluation").get("confidence")
    if isinstance(found, float):
        return found
    return record.case.evaluation.confidence if record.case is not None else 0.95


def _metrics(found: Mapping[str, Any]) -> dict[str, list[float | None]]:
    """Return metric -> value, low and high, of those that have a value."""
    known = {str(name): ends(score) for name, score in found.items()}
    return {name: [_rounded(end) for end in score] for name, score in known.items() if score[0] is not None}


def _rounded(value: Any) -> float | None:
    """Return a number with as many digits as anybody reads, and None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(f"{value:.{_DIGITS}g}")


def _gate(gate: Mapping[str, Any]) -> dict[str, Any]:
    """Return the verdict of one gate in the words of the pages."""
    kept = {"key": gate["key"], "group": gate["group"], "passed": gate["passed"]}
    return kept | {name: _cut(gate[name]) for name in ("name", "value", "limit", "note")}
