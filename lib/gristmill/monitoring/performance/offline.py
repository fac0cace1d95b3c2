"""What the build of a version said of it, and the rows on which it said so."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gristmill.config.case import Case
from gristmill.data.products import ROW_KEY
from gristmill.errors import ArtifactError
from gristmill.evaluation.predictions import predicted_values, scored_rows
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.monitoring.performance.estimate.reference import Reference
from gristmill.paths import CasePaths

METRICS = "metrics.json"


@dataclass(frozen=True)
class Offline:
    """A version as its build left it.

    Attributes
    ----------
    model
        The fitted model.
    version
        Its number in the registry, as text; empty where it was not registered.
    metrics
        What ``metrics.json`` says.
    """

    model: FittedModel
    version: str
    metrics: dict[str, Any]

    @property
    def kinds(self) -> dict[str, str]:
        """Column -> its kind in the data contract."""
        return {column["name"]: column["kind"] for column in self.model.contract["columns"]}


def offline(paths: CasePaths) -> Offline:
    """Return the last build's version of a case.

    Raises
    ------
    ArtifactError
        There is no build, or its model is not what its manifest says.
    """
    if not paths.metrics.is_file():
        raise ArtifactError(f"Expected a build of {paths.name!r}, found none. Run: ploomber build --env--case {paths.name}")
    metrics = json.loads(paths.metrics.read_text(encoding="utf-8"))
    version = (metrics.get("model") or {}).get("version")
    return Offline(FittedModel.load(paths.model), "" if version is None else str(version), metrics)


def offline_of(paths: CasePaths, version: str) -> Offline:
    """Return a registered version of a case.

    Raises
    ------
    RegistryError, ArtifactError
        There is no such version, or it is not what was registered.
    """
    from gristmill.registry.references import resolve  # noqa: PLC0415 - the registry takes a second to open

    found = resolve(f"{paths.name}/{version}", paths.project)
    model, path = FittedModel.load(found.directory, found.digest), Path(found.directory) / METRICS
    if not path.is_file():
        raise ArtifactError(
            f"Version {version} of {paths.name!r} was registered without {METRICS}: there is nothing to hold it against."
        )
    return Offline(model, version, json.loads(path.read_text(encoding="utf-8")))


def reference_rows(paths: CasePaths, case: Case, found: Offline) -> Reference:
    """Return the rows an estimate learns from: predicted out of fold, and the test rows, with their truth.

    Raises
    ------
    ArtifactError
        A product is missing or lacks a column.
    """
    parts = []
    for rows, predictions in (("train.parquet", "oof.parquet"), ("test.parquet", "predictions.parquet")):
        table, said = (_table(paths, name) for name in (rows, predictions))
        said = said[said.index.isin(table.index)]
        classes = found.model.classes or None
        finite = np.isfinite(predicted_values(case.task, said, classes).reshape(len(said), -1))
        said = said.iloc[np.flatnonzero(finite.all(axis=1))]
        known = table.loc[said.index]
        parts.append((scored_rows(case.task, said, known[case.target], classes), found.model.features(known)))
    (first, first_rows), (second, second_rows) = parts
    return Reference(
        case.task,
        np.concatenate([first.y_true, second.y_true]),
        np.concatenate([first.predicted, second.predicted]),
        pd.concat([first_rows, second_rows], ignore_index=True),
    )


def _table(paths: CasePaths, name: str) -> pd.DataFrame:
    """Return a product, by row key."""
    path = paths.artifacts / name
    if not path.is_file():
        raise ArtifactError(f"Expected {name} among the products of {paths.name!r}, found none. Build the case again.")
    frame = pd.read_parquet(path)
    return frame.set_index(ROW_KEY) if ROW_KEY in frame.columns else frame
