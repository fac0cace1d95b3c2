"""A case of the customers as its build leaves it for the explorer: predictions of a real model, and what was found about it."""

from pathlib import Path

import pandas as pd

from gristmill.data.products import write_json
from tests.models import FEATURES, TARGETS, customers, fit

COSTS = "threshold: {rule: profit, value_true_positive: 120, cost_contact: 40}\nsensitive_features: [plan]\n"
N_ROWS = 400


def explorable(root: Path, task: str = "binary", more: str = COSTS, threshold: float = 0.4) -> pd.DataFrame:
    """Write case file and products of the case ``small`` into the project at ``root``; return its predictions."""
    artifacts = root / "artifacts" / "small"
    artifacts.mkdir(parents=True)
    rows = customers(N_ROWS, seed=2).assign(row_key=[f"r{number}" for number in range(N_ROWS)])
    model, target = fit(task, customers(900, seed=1)), TARGETS[task]
    said = pd.DataFrame({"row_key": rows["row_key"], "truth": rows[target]})
    if task == "regression":
        said["prediction"] = model.predict(rows[FEATURES])
    elif task == "binary":
        said["probability"] = model.predict_proba(rows[FEATURES])[:, 1]
        said["prediction"] = (said["probability"] >= threshold).map({True: "Yes", False: "No"})
    else:
        classes = ["gold", "plain tin", "silver"]
        proba = pd.DataFrame(model.predict_proba(rows[FEATURES]), columns=[f"probability_{name}" for name in classes])
        said = said.join(proba)
        said["prediction"] = proba.to_numpy().argmax(axis=1)
        said["prediction"] = said["prediction"].map(dict(enumerate(classes)))
    rows.to_parquet(artifacts / "test.parquet", index=False)
    said.to_parquet(artifacts / "predictions.parquet", index=False)
    _evidence(artifacts, task, threshold)
    (root / "configs" / "small.yaml").write_text(
        f"name: small\ntask: {task}\nsource: customers.csv\ntarget: {target}\nid_columns: [customer]\n"
        + ("positive_class: Yes\n" if task == "binary" else "")
        + (more if task == "binary" else "sensitive_features: [plan]\n")
    )
    return said


def _evidence(artifacts: Path, task: str, threshold: float) -> None:
    """Write what the stages after the prediction found, in the form they have."""
    size = {"width": 24.0} if task == "regression" else {"size": 1.3}
    levels = {"0.8": {"coverage": 0.81, "low": 0.77, "high": 0.85, "n": N_ROWS, **size}}
    segment = {
        "segment": "plan = 02 <script>",
        "n": 130,
        "share": 0.325,
        "metric": "log_loss",
        "value": 0.61,
        "low": 0.5,
        "high": 0.7,
    }
    write_json(artifacts / "evaluation.json", {"segments": [segment], "conformal": {"levels": levels}})
    alike = {"disparate_impact": 0.7, "equal_opportunity_difference": 0.2, "error_ratio": 1.4, "score": 0.8, "accuracy": 0.75}
    more_alike = {
        "disparate_impact": 0.9,
        "equal_opportunity_difference": 0.05,
        "error_ratio": 1.1,
        "score": 0.78,
        "accuracy": 0.74,
    }
    points = [
        {"name": "none", "model": "linear", "keeps": True, "chosen": True, "rule": "profit", "gain": 900.0, **alike},
        {"name": "reweighing 1", "model": "linear", "keeps": True, "chosen": False, "rule": "profit", "gain": 850.0, **more_alike},
    ]
    found = {"threshold": {"value": threshold} if task == "binary" else None, "mitigation": {"points": points, "reason": ""}}
    write_json(artifacts / "selection.json", found)
    write_json(artifacts / "fairness.json", {"features": []})
