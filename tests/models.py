"""Builders of small fitted models and of the tables they are made from."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from gristmill.config.case import Case
from gristmill.config.loading import parse_case
from gristmill.data.contract.schema import infer
from gristmill.data.targets import encode_classes, find_classes
from gristmill.modeling.artifact.model_directory import save_candidate
from gristmill.modeling.conformal.conformity import ABSOLUTE, LAC, Conformity

FEATURES = ["tenure", "charge", "plan"]
TARGETS = {"binary": "churn", "multiclass": "tier", "regression": "spend"}


def customers(n_rows: int = 60, seed: int = 0) -> pd.DataFrame:
    """Return customers with a number, a number that is sometimes missing, codes with leading zeros, and three targets."""
    rng = np.random.default_rng(seed)
    tenure = rng.integers(0, 72, n_rows)
    frame = pd.DataFrame(
        {
            "customer": [f"{number:04d}" for number in range(n_rows)],
            "tenure": tenure,
            "charge": rng.normal(70, 20, n_rows).round(2),
            "plan": rng.choice(["01", "02", "10"], n_rows),
            "churn": np.where(tenure + rng.normal(0, 20, n_rows) < 30, "Yes", "No"),
            "tier": rng.choice(["gold", "plain tin", "silver"], n_rows),
            "spend": tenure * 3.0 + rng.normal(0, 5, n_rows),
        }
    )
    frame.loc[::7, "charge"] = np.nan
    return frame


def case_of(task: str = "binary", more: str = "", name: str = "small") -> Case:
    """Return a case on the customers."""
    positive = "positive_class: Yes" if task == "binary" else ""
    others = ", ".join(target for target in TARGETS.values() if target != TARGETS[task])
    text = f"name: {name}\ntask: {task}\nsource: customers.csv\ntarget: {TARGETS[task]}\nid_columns: [customer]\n{positive}\n"
    return parse_case(f"{text}features: {{exclude: [{others}]}}\n{more}", "test")


def fit(task: str = "binary", frame: pd.DataFrame | None = None) -> Any:
    """Return a pipeline fitted on raw columns, answering in codes or numbers."""
    frame = customers() if frame is None else frame
    numbers = SimpleImputer(), ["tenure", "charge"]
    prepared = make_column_transformer(numbers, (OneHotEncoder(handle_unknown="ignore"), ["plan"]))
    target = frame[TARGETS[task]]
    if task == "regression":
        return make_pipeline(prepared, Ridge()).fit(frame[FEATURES], target)
    classes = find_classes(target, "Yes" if task == "binary" else None)
    return make_pipeline(prepared, LogisticRegression(C=0.01, max_iter=5_000)).fit(frame[FEATURES], encode_classes(target, classes))


def describe(task: str = "binary", threshold: float | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return ``model.json`` and ``contract.json`` of a model of the customers."""
    contract = infer(customers(), case_of(task))
    model = {
        "task": task,
        "classes": contract["classes"],
        "positive_class": "Yes" if task == "binary" else None,
        "threshold": threshold,
        "target": TARGETS[task],
        "id_columns": ["customer"],
        "primary_metric": case_of(task).primary_metric,
        "feature_columns": FEATURES,
    }
    return model, contract


def conformity_of(task: str = "binary", n_rows: int = 300) -> Conformity:
    """Return the conformity scores of a model of the customers, from customers that it has not seen."""
    rows = customers(n_rows, seed=9)
    if task == "regression":
        return Conformity.of(ABSOLUTE, np.abs(rows["spend"].to_numpy() - fit(task).predict(rows[FEATURES])))
    classes = find_classes(rows[TARGETS[task]], "Yes" if task == "binary" else None)
    proba = fit(task).predict_proba(rows[FEATURES])
    return Conformity.of(LAC, 1 - proba[np.arange(n_rows), encode_classes(rows[TARGETS[task]], classes)])


def save_model(
    directory: Path,
    task: str = "binary",
    threshold: float | None = None,
    frame: pd.DataFrame | None = None,
    conformity: Conformity | None = None,
) -> str:
    """Write a candidate directory and return its digest; without conformity scores, as those of earlier builds, unless given."""
    record = None if conformity is None else conformity.as_record()
    return save_candidate(directory, fit(task, frame), *describe(task, threshold), {"columns": {}}, "small", record)
