"""Builders of references and windows."""

import numpy as np
import pandas as pd

from gristmill.modeling.artifact.drift_reference import drift_reference
from gristmill.monitoring.drift.reference import Reference

CONTRACT = {
    "classes": ["no", "yes"],
    "columns": [
        {"name": "amount", "kind": "numeric"},
        {"name": "age", "kind": "numeric"},
        {"name": "plan", "kind": "categorical"},
        {"name": "member", "kind": "boolean"},
        {"name": "since", "kind": "date"},
        {"name": "note", "kind": "text"},
    ],
}
COLUMNS = [column["name"] for column in CONTRACT["columns"]]


def customers(n_rows: int = 4000, seed: int = 0) -> pd.DataFrame:
    """Return rows of every kind: a skewed number, whole numbers, levels, truth values, dates, texts."""
    rng = np.random.default_rng(seed)
    words = np.array(["fine", "not at all happy", "ok then"])
    frame = pd.DataFrame(
        {
            "amount": rng.lognormal(3, 1, n_rows),
            "age": rng.integers(18, 90, n_rows).astype(float),
            "plan": rng.choice(["basic", "plus", "gold"], n_rows, p=[0.6, 0.3, 0.1]),
            "member": rng.random(n_rows) < 0.3,
            "since": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 700, n_rows), unit="D"),
            "note": rng.choice(words, n_rows),
        }
    )
    frame.loc[rng.random(n_rows) < 0.05, "amount"] = np.nan
    return frame


def answers(n_rows: int = 4000, seed: int = 0, shift: float = 0.0) -> np.ndarray:
    """Return probabilities of two classes."""
    yes = 1 / (1 + np.exp(-np.random.default_rng(seed + 99).normal(-1 + shift, 1, n_rows)))
    return np.column_stack([1 - yes, yes])


def record(n_rows: int = 4000) -> dict:
    """Return what is stored of the training rows."""
    return drift_reference(customers(n_rows), CONTRACT, COLUMNS, answers(n_rows), 10)


def reference(n_rows: int = 4000) -> Reference:
    """Return the reference of the training rows."""
    return Reference.from_record(record(n_rows), CONTRACT)
