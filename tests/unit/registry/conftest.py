"""Evidence of a small, good build, to be spoilt in one place at a time."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.models import TARGETS, customers, save_model

from gristmill.data.products import write_json, write_rows
from gristmill.evaluation.predictions import with_truth
from gristmill.modeling.artifact.model_directory import Manifest
from gristmill.registry.evidence import Evidence, Upstream
from gristmill.serving.predictor import Predictor

CARD = b"---\ngristmill:\n  written_at: '2026-01-02T03:04:00+00:00'\n---\n\n# Model card: small\n\n> **Not judged yet.**\n"
TRIALS = {"trials": [{"number": 0}, {"number": 1}], "mlflow_run_id": "run", "enabled": True}


def scores(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.05, "high": value + 0.05}


@pytest.fixture
def good() -> dict[str, Any]:
    """Return the fields of evidence that passes every gate of a binary case."""
    groups = {"feature": "gender", "groups": ["f", "m"]}
    return {
        "snapshot": {"digest": "sha256:data", "uri": "customers.csv"},
        "quality": {"schema_compliance": 1.0, "completeness": 0.98, "leakage": []},
        "catalogue": {"features": [{"name": "tenure", "meaning": "months", "source_columns": ["tenure"]}]},
        "searches": {"linear": TRIALS, "neural": {"trials": [], "mlflow_run_id": None, "enabled": False}},
        "tracked": {"linear": 2},
        "selection": {
            "chosen": "linear",
            "leaderboard": [{"name": "linear", "score": 0.8, "std": 0.01, "fold_scores": [0.79, 0.81]}],
            "threshold": {"value": 0.4},
        },
        "evaluation": {
            "test": {"roc_auc": scores(0.8), "accuracy": scores(0.75), "ece": scores(0.06)},
            "validation": {"roc_auc": scores(0.81)},
            "baseline": {"name": "majority", "test": {"roc_auc": {"value": 0.5}}},
            "behaviour": [
                {"name": "row order", "hard": True, "tried": 80, "broke": 0, "passed": True},
                {"name": "near-duplicates", "hard": False, "tried": 8, "broke": 8, "passed": False},
            ],
            "critical_segments": [],
            "rows": {"test": 80},
            "row_ms_p95": 12.0,
            "candidate_digest": "d1",
        },
        "explanation": {"shap": [1], "permutation": [1], "lime": [1]},
        "fairness": {
            "features": [{"feature": "gender"}],
            "measures": {
                "disparate_impact": {"value": 0.9, **groups},
                "equal_opportunity_difference": {"value": 0.05, **groups},
                "error_ratio": {"value": 1.2, **groups},
            },
        },
        "candidate": Manifest("small", "d1", {"drift_reference.json": "0"}),
        "card": CARD,
    }


Build = Callable[..., Upstream]


@pytest.fixture
def build(tmp_path: Path, good: dict[str, Any]) -> Build:
    """Return a function that writes the products of a small build and returns their paths, as a notebook gets them."""

    def write(
        name: str = "build", task: str = "binary", rows: pd.DataFrame | None = None, n_test: int = 80, **changes: Any
    ) -> Upstream:
        folder = tmp_path / name
        digest = save_model(folder / "candidate", task, frame=rows)
        test = customers(n_test, seed=9).set_axis([f"r{i}" for i in range(n_test)]).rename_axis("row_key")
        answers = Predictor.load(folder / "candidate").predict(test)
        write_rows(folder / "test.parquet", test)
        write_rows(folder / "predictions.parquet", with_truth(task, answers, test[TARGETS[task]]))
        evaluation = {**good["evaluation"], "candidate_digest": digest, **changes.pop("evaluation", {})}
        products = {**good, "evaluation": evaluation, **changes}
        products["selection"] = {"digest": digest, **products["selection"]}
        for key in ("snapshot", "quality", "catalogue", "selection", "evaluation", "explanation", "fairness"):
            write_json(folder / f"{key}.json", products[key])
        write_json(folder / "trials.json", {"trials": [], "mlflow_run_id": "earlier", "enabled": True})
        (folder / "card.md").write_bytes(CARD)
        return {stage: {key: str(folder / file) for key, file in files.items()} for stage, files in FILES.items()}

    return write


FILES = {
    "01_ingest": {"snapshot": "snapshot.json"},
    "02_validate": {"quality": "quality.json", "test": "test.parquet"},
    "04_build_features": {"catalogue": "catalogue.json"},
    "05_train_linear": {"trials": "trials.json"},
    "06_select": {"selection": "selection.json", "candidate": "candidate/manifest.json"},
    "07_evaluate": {"evaluation": "evaluation.json", "predictions": "predictions.parquet"},
    "08_explain": {"explanation": "explanation.json"},
    "09_audit_fairness": {"fairness": "fairness.json"},
    "10_write_model_card": {"card": "card.md"},
}


@pytest.fixture
def evidence(good: dict[str, Any]) -> Callable[..., Evidence]:
    """Return a function that gives good evidence with some products changed."""
    return lambda **changes: Evidence(**{**good, **changes})
