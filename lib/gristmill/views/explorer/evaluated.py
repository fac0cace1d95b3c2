"""The evaluated model of a case as its build left it: what it said of the test rows, and what was found about it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.config.case import Case
from gristmill.config.loading import load_case
from gristmill.data.products import read_json, read_rows
from gristmill.data.targets import class_text
from gristmill.errors import ArtifactError
from gristmill.modeling.artifact.model_directory import MODEL
from gristmill.modeling.mitigation.group_thresholds import GroupThresholds
from gristmill.paths import CasePaths

NEEDED = ("predictions.parquet", "test.parquet", "evaluation.json", "selection.json", "fairness.json")
"""Products that the explorer reads; nothing is predicted anew."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Evaluated:
    """A model on its test rows.

    Attributes
    ----------
    case
        The case.
    predictions
        ``truth``, ``prediction`` and probabilities of each test row, indexed by ``row_key``.
    columns
        The raw columns of the same rows, in the same order.
    evaluation, selection, fairness
        The products of ``07_evaluate``, ``06_select`` and ``09_audit_fairness``.
    group_thresholds
        The thresholds by group of a model that treats groups more alike in this way; None for one with a threshold for all.
    """

    case: Case
    predictions: pd.DataFrame
    columns: pd.DataFrame
    evaluation: dict[str, Any]
    selection: dict[str, Any]
    fairness: dict[str, Any]
    group_thresholds: GroupThresholds | None = None

    @property
    def scores(self) -> Floats:
        """Probability of the positive class of each row; of two classes alone."""
        return self.predictions["probability"].to_numpy(dtype=np.float64)

    @property
    def positives(self) -> NDArray[np.bool_]:
        """Whether each row is of the positive class."""
        return np.asarray(class_text(self.predictions["truth"]) == str(self.case.positive_class), dtype=bool)

    @property
    def misses(self) -> Floats:
        """How far each prediction lies above the truth; of numbers alone."""
        return (self.predictions["prediction"] - self.predictions["truth"]).to_numpy(dtype=np.float64)

    @property
    def surest(self) -> Floats:
        """The largest probability of each row, whatever its class."""
        probabilities = self.predictions[[name for name in self.predictions.columns if str(name).startswith("probability")]]
        values = probabilities.to_numpy(dtype=np.float64)
        return np.asarray(np.maximum(values[:, 0], 1 - values[:, 0]) if values.shape[1] == 1 else values.max(axis=1))

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether each prediction is the truth; of classes."""
        return np.asarray(class_text(self.predictions["prediction"]) == class_text(self.predictions["truth"]), dtype=bool)

    @property
    def threshold(self) -> float:
        """The probability from which the model acts; 0.5 where it has none of its own."""
        found = (self.selection.get("threshold") or {}).get("value")
        return 0.5 if found is None else float(found)

    @property
    def sliced_by(self) -> list[str]:
        """Columns by which the rows can be looked at in groups: those a person knows rows by, the target and keys aside."""
        hidden = {self.case.target, *self.case.id_columns}
        levels = self.columns.nunique()
        return [str(name) for name in self.columns.columns if name not in hidden and levels[name] > 1]


def require_products(paths: CasePaths) -> None:
    """Refuse a case whose build has not come far enough to be explored.

    Raises
    ------
    ArtifactError
        Some of :data:`NEEDED` is missing; the message says how to make it.
    """
    missing = [name for name in NEEDED if not (paths.artifacts / name).is_file()]
    if missing:
        raise ArtifactError(
            f"Expected {', '.join(missing)} in {paths.artifacts}, but the case {paths.name!r} has not been built that far. Build "
            f"it: `make run CASE={paths.name}`."
        )


def evaluated(paths: CasePaths) -> Evaluated:
    """Return what the last build of a case found out about its model.

    Raises
    ------
    ArtifactError
        The case has not been built so far; the message says how.
    CaseFileError
        There is no such case.
    """
    case = load_case(paths.name, paths.root)
    require_products(paths)
    predictions = read_rows(paths.artifacts / "predictions.parquet")
    rows = read_rows(paths.artifacts / "test.parquet")
    evaluation, selection, fairness = (
        read_json(paths.artifacts / f"{name}.json") for name in ("evaluation", "selection", "fairness")
    )
    columns = _rows_of(predictions, rows, paths)
    return Evaluated(case, predictions, columns, evaluation, selection, fairness, _group_thresholds(paths))


def _rows_of(predictions: pd.DataFrame, rows: pd.DataFrame, paths: CasePaths) -> pd.DataFrame:
    """Return the test rows in the order of their predictions; while a build goes on, these may be of another build."""
    if not predictions.index.isin(rows.index).all():
        raise ArtifactError(
            f"Expected predictions of the rows in test.parquet, but those of the case {paths.name!r} are of other rows: a build is "
            f"going on, or was stopped. Wait for it, or finish it: `make run CASE={paths.name}`."
        )
    return rows.loc[predictions.index]


def _group_thresholds(paths: CasePaths) -> GroupThresholds | None:
    """Return the thresholds by group of the model that was evaluated, if it has any."""
    file = paths.artifacts / "candidate" / MODEL
    record = read_json(file).get("group_thresholds") if file.is_file() else None
    return None if record is None else GroupThresholds.from_record(record)
