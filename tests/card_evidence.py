"""Hand-made evidence of a build for each task, with every key that the stages write, to be spoilt in one place at a time."""

import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gristmill.data.products import read_json, write_json
from gristmill.evaluation.card.evidence import Evidence, Judged
from gristmill.evaluation.fairness.audits import Audit, audit_model
from gristmill.evaluation.measure import baseline_scored, measure
from gristmill.metrics.intervals import Bootstrap
from tests.models import TARGETS, case_of

WHEN = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
FEW = Bootstrap(resamples=100)
BASELINES = {"binary": "prior", "multiclass": "prior", "regression": "mean"}
MORE = {
    "binary": "evaluation: {success_criteria: {roc_auc: 0.7}, business_metric: Profit of the campaign}\n"
    "fairness: {min_disparate_impact: 0.8}\n",
    "multiclass": "evaluation: {success_criteria: {log_loss: 1.2}}\nfairness: {min_disparate_impact: 0.8}\n",
    "regression": "evaluation: {success_criteria: {rmse: 20}}\nfairness: {max_error_ratio: 1.5}\n",
}
COMPLIANCE = (
    "compliance: {owner: Retention, intended_use: Choosing whom to call., out_of_scope: Prices., personal_data: true, "
    "notes: [Reviewed monthly.], ethical_notes: [Nobody is refused service by it.], license: apache-2.0}\n"
)


def stored(product: dict[str, Any]) -> dict[str, Any]:
    """Return a product as it is read again after it was written."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "product.json"
        write_json(path, product)
        return read_json(path)


def full_case(task: str, more: str = "") -> Any:
    """Return a case with sensitive features and all of the compliance section."""
    return case_of(task, more=f"sensitive_features: [plan, band]\n{COMPLIANCE}{MORE[task]}{more}")


def segment(name: str, feature: str, metric: dict[str, Any], *, worse: bool, loss: float = 0.9) -> dict[str, Any]:
    return {
        "feature": feature,
        "segment": name,
        "n": 50,
        "share": 0.25,
        "loss": loss,
        "rest_loss": 0.4,
        "expected_loss": 0.5,
        "p_adjusted": 0.01,
        "worse": worse,
        **metric,
    }


def outcome(name: str, passed: bool | None, **changes: Any) -> dict[str, Any]:
    made = {
        "name": name,
        "claim": f"{name} as expected",
        "source": "case file",
        "hard": True,
        "tried": 80,
        "broke": 0,
        "tolerance": 0.0,
        "passed": passed,
        "worst": None,
        "note": "",
    }
    return {**made, **changes}


def gate(name: str, passed: bool | None, message: str = "Share: 0.5, limit >= 0.1.", group: str = "training") -> dict[str, Any]:
    found = {"value": None, "limit": None} if passed is None else {"value": 0.5, "limit": 0.1}
    return {"name": name, "group": group, "passed": passed, **found, "message": message}


def treated(**changes: Any) -> dict[str, Any]:
    plain = {
        "column": "charge",
        "kind": "numeric",
        "missing_values": "native",
        "outliers": "keep",
        "lower": None,
        "upper": None,
        "missing": 7,
        "filled": 7,
        "filled_by": ["linear"],
        "clipped": 0,
        "set_missing": 0,
        "unseen_levels": 0,
    }
    return {"treatment": {"rows": 100, "columns": [{**plain, **changes}], "totals": {}}}


def evaluation_of(found: Any, task: str) -> dict[str, Any]:
    """Return ``evaluation.json`` of a small evaluated model."""
    scores = measure(found.model, found.scored, FEW)
    guess = baseline_scored(BASELINES[task], found.scored.y_true, found.scored, len(found.model.classes))
    naive = measure(found.model, guess, FEW)
    metric = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}[task]
    reached = {"value": 0.6, "low": 0.5, "high": 0.7}
    level = {"coverage": 0.91, "low": 0.86, "high": 0.95, "n": 200, "width" if task == "regression" else "size": 1.4}
    earned = {"name": "profit per 1,000 rows", "value": 9176.0, "low": 7955.0, "high": 10312.0, "everyone": -8295.0}
    curves = {"residuals": {"mean": 0.0}}
    if task != "regression":
        size = len(found.model.classes)
        counts = [[60 if row == column else 20 for column in range(size)] for row in range(size)]
        curves = {"confusion": {"classes": list(found.model.classes), "counts": counts}}
    return {
        "primary_metric": metric,
        "test": scores,
        "validation": scores,
        "train": scores,
        "baseline": {"name": BASELINES[task], "test": naive, "business": {**earned, "value": 2.0, "low": 2.0, "high": 2.0}},
        "business": earned if task == "binary" else None,
        "intervals": {},
        "row_ms_p95": 12.5,
        "test_set_uses": 3,
        "confidence": 0.95,
        "candidate_digest": "f" * 64,
        "gap": None,
        "rows": dict.fromkeys(("test", "validation", "train", "baseline"), 200),
        "segments": [
            segment("plan = 01", "plan", reached, worse=True),
            segment("plan = 02 and tenure \u2264 9", "plan, tenure", reached, worse=False),
        ],
        "segments_tested": 9,
        "segments_worse": 1,
        "segments_looked_at": {"rows": 200, "of": 200, "from_tree": 1, "level": 0.04},
        "critical_segments": [
            {
                "name": "first year",
                "segment": "tenure \u2264 12",
                "n": 44,
                "share": 0.2,
                "metric": metric,
                "wanted": 0.7,
                **reached,
                "met": False,
            }
        ],
        "behaviour": [
            outcome("longer with us", False, broke=8),
            outcome("row order", True, source="built in"),
            outcome("near-duplicates", False, source="built in", hard=False, broke=4),
            outcome("no rows", None, tried=0),
        ],
        "label_noise": {"rows": 260, "suspects": 26, "estimated_noise": 0.1, "surest": []},
        "most_wrong": [],
        "learning": [{"n_rows": 20, "train": 0.9, "validation": 0.6}, {"n_rows": 60, "train": 0.8, "validation": 0.7}],
        "curves": curves,
        "conformal": {"levels": {"0.9": level}},
        **treated(unseen_levels=2),
    }


EXPLANATION: dict[str, Any] = {
    "shap": [
        {"feature": "tenure", "mean_abs": 0.3, "direction": "higher values lower"},
        {"feature": "plan", "mean_abs": 0.1, "direction": "01 raises, 02 lowers"},
    ],
    "permutation": [
        {"feature": "plan", "mean": 0.02, "low": 0.01, "high": 0.03},
        {"feature": "tenure", "mean": 0.1, "low": 0.05, "high": 0.2},
    ],
    "metric": "roc_auc",
    "rounds": 24,
    "rows": {"explained": 50, "test": 200, "background": 60},
    "lime": [{"row_key": "row 1", "stability": 0.2, "reasons": []}, {"row_key": "row 2", "stability": 0.9, "reasons": []}],
    "agreement": [
        {"methods": ["SHAP", "permutation"], "rank_correlation": 0.9, "shared_top": 1, "top": 1},
        {"methods": ["permutation", "LIME"], "rank_correlation": 0.5, "shared_top": 1, "top": 1},
    ],
    "disagreements": [{"feature": "plan", "ranks": {"SHAP": 1.0, "LIME": 5.0}, "because": "tenure tells much the same"}],
    "interactions": [{"features": ["tenure", "plan"], "strength": 0.05, "mean": 0.01}],
    "exact": {"how": "Exact values by linear terms agree.", "importance": None},
    "curves": [],
}


def selection_of(task: str) -> dict[str, Any]:
    """Return ``selection.json``."""
    points = [
        {"name": "none", "model": "linear", "score": 0.8, "keeps": False, "chosen": True},
        {"name": "reweigh", "model": "linear", "score": 0.79, "keeps": True, "chosen": False},
    ]
    why = "Out of fold a limit between groups is exceeded."
    return {
        "chosen": "ensemble",
        "weights": {"linear": 0.25, "boosting": 0.75},
        "reason": "it leads",
        "digest": "f" * 64,
        "calibration": None if task == "regression" else {"method": "sigmoid", "log_loss_before": 0.5, "log_loss_after": 0.4},
        "threshold": {"value": 0.4, "rule": "f1", "reason": "by the rule"} if task == "binary" else None,
        "mitigation": {"asked": "none", "points": points, "left_out": [], "reason": why},
        "searches": {"linear": {"enabled": True, "trials": [{"seconds": 1.5}, {"seconds": None}]}},
        **treated(),
    }


def full_evidence(found: Any, task: str) -> Evidence:
    """Return evidence that lacks nothing, of the small model of a task.

    Parameters
    ----------
    found
        What the fixture ``evaluated`` builds.
    task
        Its task.
    """
    rows = found.test.assign(band=["young" if tenure < 30 else "old" for tenure in found.test["tenure"]])
    threshold = 0.4 if task == "binary" else None
    audit = audit_model(found.scored, rows, ["plan", "band"], Audit(threshold, tuple(found.model.classes or ()), 30, FEW))
    case = full_case(task)
    message = {"passed": False, "message": "2 rows <b>are</b> copies."}
    return Evidence(
        case,
        "f" * 64,
        WHEN,
        selection_of(task),
        snapshot={
            "uri": "customers.csv",
            "digest": "a" * 64,
            "rows": 7043,
            "columns": {"a": "int64"},
            "source_version": "v1",
            "ingested_at": "2026-11-21T14:40:58+00:00",
        },
        quality={
            "completeness": 0.98,
            "schema_compliance": 1.0,
            "duplicates": 2,
            "missing_target": 0,
            "leakage": [],
            "checks": [message, {"passed": True, "message": "fine"}],
        },
        split={"line": "8503f62631f0", "rows": {"train": 480, "test": 200, "gap": 0}, "drifted": False},
        catalogue={"features": [{"source_columns": ["tenure"]}, {"source_columns": ["plan", "tenure"]}]},
        evaluation=stored(evaluation_of(found, task)),
        explanation=EXPLANATION,
        fairness=stored(audit),
        searches={"linear": {"enabled": True, "trials": [{"seconds": 1.0}]}, "neural": {"enabled": False, "trials": []}},
        lineage={"code_version": "abc", "code_dirty": "false", "lock_digest": "c" * 64},
        costs={
            "01_ingest": {"seconds": 3.0, "cpu_seconds": 2.0, "joules": None},
            "05_train_linear": {"seconds": 20.0, "cpu_seconds": 16.0},
        },
        judged=Judged([gate("improvement_over_baseline", True), gate("throughput", None, "Measured later.", "deployment")]),
    )


def target_of(task: str) -> str:
    """Return the target of the small case of a task."""
    return TARGETS[task]


def with_differences(evidence: Evidence, *measures: str, value: float | None) -> Evidence:
    """Return evidence in which each sensitive feature has one value of some measures of disparity, or none."""
    found = {"value": value, "low": value, "high": value, "groups": [] if value is None else ["01", "02"]}
    parts = [
        {**part, "differences": {**part["differences"], **dict.fromkeys(measures, found)}} for part in evidence.fairness["features"]
    ]
    return replace(evidence, fairness={**evidence.fairness, "features": parts})


def all_measured(evidence: Evidence) -> Evidence:
    """Return evidence in which each limit between groups of two classes could be held against each sensitive feature."""
    return with_differences(evidence, "disparate_impact", "equal_opportunity_difference", value=0.9)
