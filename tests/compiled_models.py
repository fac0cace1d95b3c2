"""Small models of every family, fitted as a build fits them, with the rows they learnt from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from gristmill.config.loading import parse_case
from gristmill.data.contract.schema import coerce, infer
from gristmill.data.targets import encode_classes
from gristmill.features.builder import make_plan, source_columns
from gristmill.features.rows import RowFeatures
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.modeling.artifact.model_directory import Manifest
from gristmill.modeling.families.catalogue import build
from gristmill.modeling.families.problem import Problem
from gristmill.serving.predictor import Predictor

TARGETS = {"binary": "left", "multiclass": "tier", "regression": "spend"}

TREES = {"learning_rate": 0.2, "rounds": 12, "columns": 0.8}
LEAVES = {"leaves": 7, "min_samples_leaf": 4, "l2": 1.0}
CATBOOST = {"depth": 4, "l2": 3.0, "rows": 0.8, "random_strength": 1.0, "one_hot": 3}
LIGHTGBM = {"l1": 0.1, "rows": 0.9, "extra_trees": False, "cat_smooth": 5.0}
FOREST = {"trees": 8, "max_depth": 6, "min_samples_split": 4, "min_samples_leaf": 2, "max_features": 0.6}
NETWORK = {"trainer": "scikit-learn", "learning_rate": 0.005, "epochs": 3, "hidden": "8-4", "decay": 0.1}

FAMILIES: Mapping[str, tuple[str, dict[str, Any]]] = {
    "linear": ("linear", {"numeric": "standard", "penalty": 0.01, "l1_ratio": 0.0}),
    "linear on splines": ("linear", {"numeric": "spline", "penalty": 0.01, "l1_ratio": 0.0}),
    "elastic net on ranks": ("linear", {"numeric": "quantile", "penalty": 0.01, "l1_ratio": 0.5}),
    "random forest": ("forest", {"kind": "random", **FOREST}),
    "extra trees": ("forest", {"kind": "extra", **FOREST}),
    "histogram trees": ("boosting", {"library": "histogram", **TREES, **LEAVES}),
    "lightgbm": ("boosting", {"library": "lightgbm", **TREES, **LEAVES, **LIGHTGBM}),
    "catboost": ("boosting", {"library": "catboost", **TREES, **CATBOOST, "together": 1}),
    "catboost of two columns": ("boosting", {"library": "catboost", **TREES, **CATBOOST, "together": 2}),
    "network": ("neural", {"numeric": "standard", **NETWORK}),
    "network on ranks": ("neural", {"numeric": "quantile", **NETWORK}),
}
"""Name -> family and configuration of a small model."""


def visits(n_rows: int = 260, seed: int = 0) -> pd.DataFrame:
    """Return rows with every kind of column but free text, with gaps, and a target for each task."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "amount": rng.normal(50, 20, n_rows).round(1),
            "months": rng.integers(0, 70, n_rows),
            "plan": rng.choice(["basic", "plus", "pro", "odd"], n_rows, p=[0.5, 0.3, 0.18, 0.02]),
            "paperless": rng.choice([True, False], n_rows),
            "town": [f"town {number}" for number in rng.zipf(1.4, n_rows) % 60],
            "since": (pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, n_rows), unit="D")).strftime("%Y-%m-%d"),
            "calls": rng.poisson(1.0, n_rows),
        }
    )
    frame.loc[::7, "amount"], frame.loc[::11, "plan"], frame.loc[::13, "since"] = np.nan, None, None
    signal = frame["months"] / 70 + (frame["plan"] == "basic") * 0.5 + frame["amount"].fillna(50) / 100 + rng.normal(0, 0.3, n_rows)
    frame["left"] = np.where(signal > 1.2, "gone", "there")
    frame["tier"] = np.select([signal > 1.5, signal > 1], ["high", "middle"], "low")
    frame["spend"] = np.exp(signal)
    return frame


@dataclass(frozen=True)
class Setting:
    """The rows that models of a task learn from."""

    task: str
    frame: pd.DataFrame
    contract: dict[str, Any]
    plan: dict[str, Any]
    target: NDArray[Any]

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes in the order of their codes."""
        return tuple(self.contract["classes"] or ())

    @property
    def columns(self) -> list[str]:
        """Raw columns that rows need."""
        return source_columns(self.plan)

    @property
    def problem(self) -> Problem:
        """What families have to know."""
        rarest = int(np.bincount(self.target).min()) if self.classes else len(self.target)
        return Problem(self.plan, len(self.target), rarest)

    def member(self, name: str) -> Any:
        """Return the unfitted pipeline of a family, for row-wise features."""
        family, params = FAMILIES[name]
        return build(family, params if self.classes else {**params, "target": "linear"}, self.problem)

    def fitted(self, model: Any) -> Pipeline:
        """Return the pipeline of raw columns around a model, fitted."""
        return Pipeline([("rows", RowFeatures(self.plan)), ("model", model)]).fit(self.frame, self.target)

    def predictor(self, pipeline: Any, **more: Any) -> Predictor:
        """Return the predictor of a fitted pipeline, as if it had been loaded from a directory of an earlier build."""
        facts: dict[str, Any] = {"threshold": 0.5 if len(self.classes) == 2 else None, "target": TARGETS[self.task]}
        facts |= {"feature_columns": tuple(self.columns), "id_columns": (), **more}
        model = FittedModel(
            open_pipeline=lambda: pipeline, task=self.task, classes=self.classes, contract=self.contract,
            manifest=Manifest("small", "0" * 64, {}), **facts,
        )  # fmt: skip
        return Predictor(model)


def setting(task: str, features: str = "", more: str = "", frame: pd.DataFrame | None = None, drop: Sequence[str] = ()) -> Setting:
    """Return the training rows of a task.

    Parameters
    ----------
    task
        The task.
    features
        More of the case's ``features``, as YAML inside braces.
    more
        More sections of the case file.
    frame
        The rows, if not those of :func:`visits`.
    drop
        Columns that the model may not see.
    """
    rows = visits() if frame is None else frame
    positive = "positive_class: gone\n" if task == "binary" else ""
    others = ", ".join([*(target for target in TARGETS.values() if target != TARGETS[task]), *drop])
    case = parse_case(
        f"name: small\ntask: {task}\nsource: visits.csv\ntarget: {TARGETS[task]}\n{positive}"
        f"features: {{exclude: [{others}], max_levels: 20{', ' if features else ''}{features}}}\n{more}",
        "test",
    )
    contract = infer(rows, case)
    train = coerce(rows, contract)
    classes = contract["classes"]
    target = encode_classes(train[TARGETS[task]], tuple(classes)) if classes else train[TARGETS[task]].to_numpy(dtype=np.float64)
    return Setting(task, train, contract, make_plan(train, case, contract), np.asarray(target))
