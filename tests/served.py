"""Builders of served predictions: in memory, and in a real prediction log beside a real build of the customers."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gristmill.data.products import write_json
from gristmill.metrics.intervals import intervals
from gristmill.monitoring.performance.served import Served, served_from
from gristmill.serving.prediction_log.log import PredictionLog
from gristmill.serving.prediction_log.records import Feedback, PredictionRecord
from tests.models import FEATURES, TARGETS, customers, fit, save_model

DAY = 86_400.0
NOW = 1_790_000_000.0


def simulated(
    n_rows: int = 2_000, seed: int = 0, *, labelled: float = 1.0, turned: float = 0.0, days: float = 30.0, version: str = "1"
) -> Served:
    """Return calibrated predictions of two classes over some days before ``NOW``; a share of the labels known, a share wrong."""
    rng = np.random.default_rng(seed)
    positive = rng.beta(1.2, 2.4, n_rows)
    truth = rng.random(n_rows) < positive
    truth ^= rng.random(n_rows) < turned
    labels = np.where(truth, "Yes", "No").astype(object)
    labels[rng.random(n_rows) >= labelled] = None
    at = NOW - rng.uniform(8, days, n_rows) * DAY
    features = pd.DataFrame({"risk": positive, "plan": rng.choice(["a", "b"], n_rows), "sex": rng.choice(["f", "m"], n_rows)})
    proba = np.column_stack([1 - positive, positive])
    return served_from("binary", ("No", "Yes"), proba, features, labels=list(labels), at=at, label_at=at + 2 * DAY, version=version)


def built(root: Path, task: str = "binary", more: str = "", name: str = "small") -> None:
    """Write the products of a build of the customers into the project at ``root``: model, predictions, metrics, case file."""
    artifacts = root / "artifacts" / name
    rows = {"train": customers(900, seed=1), "test": customers(600, seed=2)}
    model = fit(task, rows["train"])
    save_model(artifacts / "model", task, 0.5 if task == "binary" else None, rows["train"])
    for (part, frame), said in zip(rows.items(), ("oof", "predictions"), strict=True):
        keyed = frame.assign(row_key=[f"{part}-{number}" for number in range(len(frame))])
        keyed.to_parquet(artifacts / f"{part}.parquet", index=False)
        answers = pd.DataFrame({"row_key": keyed["row_key"]})
        if task == "regression":
            answers["prediction"] = model.predict(frame[FEATURES])
        else:
            proba = model.predict_proba(frame[FEATURES])
            answers[["probability_No", "probability_Yes"]] = proba
        answers.to_parquet(artifacts / f"{said}.parquet", index=False)
    test = rows["test"]
    if task == "regression":
        found = intervals(task, test["spend"].to_numpy(), model.predict(test[FEATURES]))
    else:
        found = intervals(task, (test["churn"] == "Yes").to_numpy().astype(int), proba, threshold=0.5)
    write_json(artifacts / "metrics.json", {"case": name, "task": task, "test": found, "model": {"name": name, "version": 1}})
    (root / "configs").mkdir(exist_ok=True)
    others = ", ".join(target for target in TARGETS.values() if target != TARGETS[task])
    positive = "positive_class: Yes\n" if task == "binary" else ""
    (root / "configs" / f"{name}.yaml").write_text(
        f"name: {name}\ntask: {task}\nsource: customers.csv\ntarget: {TARGETS[task]}\nid_columns: [customer]\n{positive}"
        f"features: {{exclude: [{others}]}}\n{more}"
    )


def logged(root: Path, records: Sequence[PredictionRecord], labels: Mapping[str, Any]) -> None:
    """Write predictions, and labels by the id of their prediction, into the project's log."""

    async def write() -> None:
        async with PredictionLog(root) as log:
            await log.append(list(records))
            if labels:
                outcome = await log.record_feedback([Feedback(name, label, NOW - DAY) for name, label in labels.items()])
                assert not outcome.refused

    asyncio.run(write())


def records_of(
    frame: pd.DataFrame,
    values: np.ndarray[Any, Any],
    at: float = NOW - 10 * DAY,
    version: str = "1",
    role: str = "champion",
    prefix: str = "p",
    model: str = "small",
) -> list[PredictionRecord]:
    """Return what a service would log of some customers; those of a shadow stand beside the predictions called ``p``."""
    found = []
    for number, (row, value) in enumerate(zip(frame.to_dict("records"), values, strict=True)):
        features = {name: None if pd.isna(row[name]) else row[name] for name in FEATURES}
        proba = None if np.ndim(value) == 0 else tuple(float(one) for one in value)
        answer: str | float = float(value) if proba is None else ("Yes" if proba[1] >= 0.5 else "No")
        found.append(
            PredictionRecord(
                f"{prefix}{number}", f"r{number}", at, model, version, role, "key", {"customer": str(row["customer"])}, features,  # type: ignore[arg-type]
                answer, proba, None if proba is None else max(proba), 1.0, (), f"p{number}" if role == "shadow" else "",
            )
        )  # fmt: skip
    return found
