"""A build as named facts, section by section, so that two builds differ where a name has another text.

The page's script compares the very texts that are made here, so that what it shows is what a page without it shows.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from gristmill.reporting.builds.history import Entry
from gristmill.reporting.wording import figure, moment, share

SECTIONS = {
    "data": "Data",
    "code": "Code",
    "parameters": "Parameters of the case file",
    "model": "Model",
    "gates": "Gates",
    "time": "Seconds by stage",
}
"""Section -> its heading; metrics, which have intervals, stand beside them."""

_DIGEST_LETTERS = 12
_SIGNS = {True: "passed", False: "failed", None: "not measured"}

Facts = dict[str, dict[str, str]]


def facts_of(entry: Entry) -> Facts:
    """Return section -> name -> text of one build."""
    return {
        "data": _data(entry["data"]),
        "code": _code(entry["code"]) | {"Gristmill": str(entry["gristmill"])},
        "parameters": {name: _written(value) for name, value in entry["parameters"].items()},
        "model": _model(entry["model"]),
        "gates": {str(gate["name"]): _gate(gate) for gate in entry["gates"]},
        "time": {stage: f"{seconds:.0f}" for stage, seconds in entry["seconds"].items()},
    }


def short_digest(value: object) -> str:
    """Return the first letters of a digest or commit, enough to tell it from others."""
    return str(value or "").removeprefix("sha256:")[:_DIGEST_LETTERS]


def code_words(code: Mapping[str, Any]) -> str:
    """Return the version of the code, and whether files differed from it."""
    return short_digest(code["version"]) + (", changed since" if code["changed"] else "")


def _data(data: Mapping[str, Any]) -> dict[str, str]:
    """Return what is known of the rows."""
    facts = {
        "source": str(data["source"]),
        "digest of the rows": short_digest(data["digest"]),
        "rows": figure(data["rows"]),
        "columns": figure(data["columns"]),
        "digest of the test rows": short_digest(data["test_rows"]),
    }
    return {name: text for name, text in facts.items() if text} | {f"column {name}": kind for name, kind in data["types"].items()}


def _code(code: Mapping[str, Any]) -> dict[str, str]:
    """Return which code made a build, part by part."""
    facts = {"version": code_words(code), "locked environment": short_digest(code["lock"])}
    return {name: text for name, text in facts.items() if text} | {str(name): digest for name, digest in code["parts"].items()}


def _model(model: Mapping[str, Any]) -> dict[str, str]:
    """Return what was chosen, and what became of it."""
    weights = ", ".join(f"{name} {share(weight)}" for name, weight in model["weights"].items())
    facts = {
        "version": figure(model["version"]) if model["version"] is not None else "",
        "in production": "yes" if model["promoted"] else "no",
        "chosen": model["chosen"],
        "weights": weights,
        "threshold": figure(model["threshold"]) if model["threshold"] is not None else "",
    }
    return {name: text for name, text in facts.items() if text}


def _gate(gate: Mapping[str, Any]) -> str:
    """Return the verdict of a gate with what it rests on."""
    verdict = _SIGNS[gate["passed"]]
    return verdict if gate["passed"] is None else f"{verdict}: {gate['value']}, limit {gate['limit']}"


def _written(value: Any) -> str:
    """Return a parameter as a case file would write it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def build_label(entry: Entry) -> str:
    """Return how a build is called: its number, and when it ended."""
    return f"Build {entry['number']}, {moment(entry['finished'])}"


def metric_names(entries: Sequence[Entry], part: str) -> list[str]:
    """Return the metrics that any of the builds has on some rows, the primary one first."""
    primary = dict.fromkeys(str(entry["primary_metric"]) for entry in reversed(entries))
    named = dict.fromkeys(name for entry in entries for name in entry["metrics"].get(part, {}))
    return [*(name for name in primary if name in named), *(name for name in named if name not in primary)]


def kinds_changed(earlier: Entry, later: Entry) -> tuple[str, ...]:
    """Return which of data, code and parameters differ between two builds."""
    moved = (
        ("data", earlier["data"]["digest"] != later["data"]["digest"]),
        (
            "code",
            {**earlier["code"]["parts"], "lock": earlier["code"]["lock"]}
            != {**later["code"]["parts"], "lock": later["code"]["lock"]},
        ),
        ("parameters", earlier["parameters"] != later["parameters"]),
    )
    return tuple(kind for kind, differs in moved if differs)
