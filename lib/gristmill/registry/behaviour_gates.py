"""Gates on how a candidate behaves: its tests, and the segments that the case file calls critical (R28)."""

from collections.abc import Iterator, Mapping
from typing import Any

from gristmill.config.behaviour import gate_name
from gristmill.config.case import Case
from gristmill.config.metric_names import greater_is_better
from gristmill.evaluation.errors.critical import reached_by
from gristmill.registry.gates import Gate, at_least, at_most
from gristmill.reporting.wording import count, metric_label

NAME = "behaviour"


def behaviour_gates(case: Case, evaluation: Mapping[str, Any]) -> Iterator[Gate]:
    """Give the gate on all tests that count, and one for each criterion of each critical segment.

    A test counts when the case file states it, or when it is a built-in one that no model may fail. A criterion that could not be
    measured, because no test row lies in its segment or the metric is undefined there, fails.

    Parameters
    ----------
    case
        The case; ``behaviour`` is read.
    evaluation
        Product of ``07_evaluate``.
    """
    yield _tests(case, evaluation.get("behaviour"))
    found = {(one["name"], one["metric"]): one for one in evaluation.get("critical_segments") or ()}
    for name, segment in case.behaviour.critical_segments.items():
        for metric, wanted in segment.success_criteria.items():
            yield _criterion(name, metric, wanted, found.get((name, metric)))


def _tests(case: Case, outcomes: Any) -> Gate:
    """Judge whether the tests that count have been made, and whether all of them passed."""
    hard = [one for one in outcomes or () if one["hard"]]
    missing = set(case.behaviour.tests) - {one["name"] for one in hard}
    if not hard or missing:
        return at_most(NAME, "training", None, 0.0, "Tests of behaviour that failed")
    failed = [one for one in hard if one["passed"] is False]
    named = "; ".join(f"{one['name']!r}: {count(one['broke'])} of {count(one['tried'])} rows" for one in failed)
    text = f"Tests of behaviour that failed, of {len(hard)} that count{f' ({named})' if named else ''}"
    return at_most(NAME, "training", float(len(failed)), 0.0, text)


def _criterion(name: str, metric: str, wanted: float, found: Mapping[str, Any] | None) -> Gate:
    """Judge one criterion of one critical segment."""
    value = found["value"] if found is not None and found["n"] else None
    rows = f"{count(found['n'])} test rows" if found is not None else "no evidence"
    champion = reached_by({**found, "metric": metric, "wanted": wanted}) if found is not None else ""
    text = f"Critical segment {name!r}, {metric_label(metric)} on {rows}{f' ({champion})' if champion else ''}"
    return (at_least if greater_is_better(metric) else at_most)(
        f"segment_{gate_name(name)}_{metric}", "training", value, wanted, text
    )
