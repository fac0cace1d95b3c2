"""What is recommended, from what is known."""

from typing import Any

import pytest

from gristmill.monitoring.weekly.recommending import KEEP, MEND, RETRAIN, ROLL_BACK, WATCH, Evidence, recommend

UNIT = {"kind": "unit change", "columns": ["charge"], "words": "'charge' looks multiplied by 100", "importance": 0.2, "fault": True}
MOVED = {"kind": "distribution", "columns": ["age"], "words": "'age' moved", "importance": 0.3, "fault": False}
ENDS = {"value": 0.7, "low": 0.68, "high": 0.72}
PROMISED = {"value": 0.8, "low": 0.78, "high": 0.82}
CONCEPT = {"detected": True, "sentence": "the loss on late labels rose from 0.4 to 0.7"}


def known(verdict: str = "as before", **more: Any) -> Evidence:
    """Return what is known of a model that does well, but for what is given."""
    performance: dict[str, Any] = {
        "case": "small",
        "metric": "roc_auc",
        "verdict": verdict,
        "drop": 0.1,
        "metrics": {"roc_auc": {"online": ENDS, "offline": PROMISED, "verdict": verdict}, **more.get("metrics", {})},
        "variants": more.get("variants", []),
        "maturity": {"labels": 500},
        "estimate": {"sure_drop": more.get("estimated", 0.0)},
        "groups": {"limits": more.get("limits", [])},
    }
    suspects = more.get("suspects", [])
    drift: dict[str, Any] = {
        "alarm": bool(suspects),
        "why": ["columns drifted"] if suspects else [],
        "judged": True,
        "drifted": [name for one in suspects for name in one["columns"]],
        "suspects": suspects,
        "predictions": [{"name": "Yes", "drifted": more.get("moved", False)}],
        "concept": more.get("concept"),
    }
    quality = {"rows": 900, "sentence": "", "wrong": [], "traffic": {"remarks": more.get("remarks", [])}}
    return Evidence(quality, drift, performance, more.get("firing", ()), more.get("former"))


def former(gain: float | None) -> list[dict[str, Any]]:
    """Return how version 3 did beside the present one."""
    return [{"version": "4", "role": "champion"}, {"version": "3", "role": "champion", "beside": {"gain": {"value": gain}}}]


BROKEN = {"measure": "equal_opportunity_difference", "feature": "sex", "limit": "at most 0.2", "surely_broken": True}


@pytest.mark.parametrize(
    ("evidence", "action", "said"),
    [
        (known(), KEEP, "as good as its test rows promised"),
        (known("better"), KEEP, "better than its test rows"),
        (known(suspects=[MOVED]), WATCH, "Drift: columns drifted."),
        (known("cannot tell"), WATCH, "More labels will tell"),
        (known(estimated=0.08), WATCH, "estimated 8.0 % worse"),
        (known(limits=[BROKEN]), WATCH, "surely beyond at most 0.2"),
        (known(remarks=["For 30 hours in a row nothing was asked."]), WATCH, "30 hours"),
        (known(firing=["few_labels (ticket). Share of labels"]), WATCH, "Alert: few_labels"),
        (known("worse"), RETRAIN, "ROC-AUC is 0.700, on the test rows it was 0.800"),
        (known(concept=CONCEPT), RETRAIN, "The loss on late labels rose"),
        (known("worse", suspects=[MOVED]), RETRAIN, "the intervals lie apart"),
        (known("worse", former=3), ROLL_BACK, "version 3 was in production before"),
        (known("worse", former=3, variants=former(0.1)), ROLL_BACK, "version 3 was in production before"),
        (known("worse", former=3, variants=former(None)), ROLL_BACK, "version 3 was in production before"),
        (known("worse", former=3, variants=former(-0.1)), RETRAIN, "Going back to version 3 would not help"),
        (known(metrics={"log_loss": {"verdict": "worse"}}), WATCH, "but this is: Log loss."),
        (known("too few labels", metrics={"accuracy": {"verdict": "as before"}}), WATCH, "all are of one class"),
        (known("too few labels"), KEEP, "too few to tell performance by"),
        (known(concept=CONCEPT, former=3), RETRAIN, "rose from 0.4"),
        (known(suspects=[UNIT]), MEND, "'charge' looks multiplied by 100."),
        (known("worse", suspects=[UNIT, MOVED], former=3), MEND, "the intervals lie apart"),
        (known(suspects=[{**UNIT, "importance": 0.01}]), WATCH, "hardly reads it"),
        (known(suspects=[{**UNIT, "importance": 0.01}], moved=True), MEND, "multiplied"),
        (known("worse", suspects=[{**UNIT, "importance": 0.01}]), MEND, "the intervals lie apart"),
        (known(suspects=[{**UNIT, "importance": None}]), MEND, "multiplied"),
    ],
)
def test_the_recommendation_follows_from_what_is_known(evidence: Evidence, action: str, said: str):
    found = recommend(evidence)
    assert found.action == action
    assert any(said in reason for reason in found.reasons), found.reasons
    assert found.headline.endswith(".")


def test_faulty_columns_are_named_and_their_drift_is_not_told_twice():
    found = recommend(known(suspects=[UNIT]))
    assert found.columns == ("charge",)
    assert not any(reason.startswith("Drift:") for reason in found.reasons)
    both = recommend(known(suspects=[UNIT, MOVED]))
    assert any(reason.startswith("Drift:") for reason in both.reasons)


def test_going_back_names_the_commands_of_the_runbook():
    assert recommend(known("worse", former=3)).commands[1].startswith("gristmill rollback small --reason ")
