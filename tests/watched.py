"""A built model of the customers that knows its training rows, and what it answered, for tests of what watches it."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from gristmill.modeling.artifact.drift_reference import drift_reference
from gristmill.modeling.artifact.model_directory import save_candidate
from tests.models import FEATURES, customers, describe, fit
from tests.served import NOW, built, logged, records_of

QUICK = "evaluation: {resamples: 200}\nmonitoring: {performance: {min_labels: 100, estimate_draws: 50}}\n"


def watched_project(root: Path) -> Path:
    """Make a project whose built model has the distribution of its training rows, and return its root."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "pipeline.yaml").write_text("tasks: []\n")
    built(root, more=QUICK)
    with_reference(root)
    return root


def with_reference(root: Path) -> None:
    """Put the distribution of its training rows into the model that a project has built."""
    rows, (model, contract) = customers(900, seed=1), describe("binary", threshold=0.5)
    fitted = fit("binary", rows)
    reference = drift_reference(rows, contract, FEATURES, fitted.predict_proba(rows[FEATURES]), bins=10)
    folder = root / "artifacts" / "small" / "model"
    shutil.rmtree(folder)
    save_candidate(folder, fitted, model, contract, reference, "small", None)


def asked(root: Path, frame: pd.DataFrame, n_labels: int = 0, now: float = NOW, **more: Any) -> None:
    """Log predictions of customers, an hour apart, the last one an hour before now; the first have labels."""
    proba = fit("binary", customers(900, seed=1)).predict_proba(frame[FEATURES])
    rows = [
        replace(one, at=now - (len(frame) - n) * 3_600, latency_ms=1.0 + n % 100, **more)
        for n, one in enumerate(records_of(frame, proba))
    ]
    logged(root, rows, {f"p{n}": frame["churn"].iloc[n] for n in range(n_labels)})
