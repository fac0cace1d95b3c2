"""Small training rows for the tests of modeling."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gristmill.config.case import Case
from gristmill.data.contract.schema import infer
from gristmill.data.splits.assignment import cross_validation
from gristmill.features.builder import make_plan
from gristmill.features.rows import RowFeatures
from gristmill.modeling.training_rows import TrainingRows, training_rows

RowsBuilder = Callable[..., TrainingRows]


def make_case(task: str = "binary", **changes: Any) -> Case:
    positive = {"positive_class": "yes"} if task == "binary" else {}
    return Case.model_validate({"name": "small", "task": task, "source": "rows.csv", "target": "y", **positive, **changes})


def make_frame(task: str = "binary", n_rows: int = 120, seed: int = 0) -> pd.DataFrame:
    """Return rows whose target can be learnt from ``x`` and ``c``, indexed by row key; ``noise`` is for nothing."""
    random = np.random.default_rng(seed)
    x, c = random.normal(size=n_rows), random.choice(["a", "b", "c"], n_rows)
    signal = 2 * x + (c == "a") + random.normal(size=n_rows) * 0.5
    targets = {
        "binary": np.where(signal > 0.3, "yes", "no"),
        "multiclass": np.select([signal < -1, signal > 1], ["low", "high"], "middle"),
        "regression": np.exp(signal),
    }
    gaps = np.where(random.random(n_rows) < 0.1, np.nan, x)
    frame = pd.DataFrame({"x": gaps, "c": c.astype(object), "noise": random.normal(size=n_rows), "y": targets[task]})
    frame.index = pd.Index([f"r{row}" for row in range(n_rows)], name="row_key")
    return frame


def make_rows(task: str = "binary", n_rows: int = 120, n_folds: int = 4, frame: pd.DataFrame | None = None) -> TrainingRows:
    frame = make_frame(task, n_rows) if frame is None else frame
    case = make_case(task)
    contract = infer(frame, case)
    plan = make_plan(frame, case, contract)
    fold = pd.Series(np.arange(len(frame)) % n_folds, index=frame.index)
    features = RowFeatures(plan).fit_transform(frame)
    folds = cross_validation(fold, "random")
    return training_rows(features, frame["y"], fold, folds, plan, classes=contract["classes"], random_state=42)


@pytest.fixture(scope="session")
def binary_rows() -> TrainingRows:
    return make_rows("binary")


@pytest.fixture(scope="session")
def multiclass_rows() -> TrainingRows:
    return make_rows("multiclass")


@pytest.fixture(scope="session")
def regression_rows() -> TrainingRows:
    return make_rows("regression")
