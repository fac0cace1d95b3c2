"""A fitted model as it lies in its directory: the pipeline, what it answers, and the contract its rows must satisfy.

Evaluation, comparison with the champion and serving all predict through this one class, so that they cannot differ.
"""

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.data.contract.schema import coerce, nearest_column
from gristmill.errors import ArtifactError, DataError
from gristmill.features.rows import RowFeatures
from gristmill.features.treated import Rules, Treated, count_by
from gristmill.modeling.artifact.model_directory import (
    COMPILED,
    COMPILED_ARRAYS,
    CONFORMITY,
    CONTRACT,
    DRIFT_REFERENCE,
    MODEL,
    PIPELINE,
    REBUILD,
    Manifest,
    read_verified,
    require_files,
)
from gristmill.modeling.artifact.persistence import load_pipeline_bytes
from gristmill.modeling.conformal.conformity import LAC, Conformity
from gristmill.modeling.mitigation.group_thresholds import GroupThresholds
from gristmill.modeling.treatment import preparations

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FittedModel:
    """A verified, fitted model.

    Attributes
    ----------
    open_pipeline
        Returns :attr:`pipeline`, from bytes that were verified.
    task
        ``binary``, ``multiclass`` or ``regression``.
    classes
        Classes in the order of their codes; empty for a regression.
    threshold
        Smallest probability of the positive class that counts as positive (binary tasks), or None.
    target
        Name of the column it predicts; rows need not have it.
    id_columns
        Columns that name rows.
    feature_columns
        Raw columns that rows must have.
    contract
        The data contract.
    manifest
        What was verified.
    families
        Its members; none where the directory does not say.
    group_thresholds
        Thresholds by group, under which probabilities are moved so that ``threshold`` decides for all; None without.
    conformity
        What sets and intervals are made of; None for a model of an earlier build.
    drift_reference
        What the training rows looked like; None where the directory does not say.
    compiled
        The verified files of its compiled form, by name; empty for a model that has none.
    """

    open_pipeline: Callable[[], Any]
    task: str
    classes: tuple[str, ...]
    threshold: float | None
    target: str
    id_columns: tuple[str, ...]
    feature_columns: tuple[str, ...]
    contract: Mapping[str, Any]
    manifest: Manifest
    families: tuple[str, ...] = ()
    group_thresholds: GroupThresholds | None = None
    conformity: Conformity | None = None
    drift_reference: Mapping[str, Any] | None = None
    compiled: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    @functools.cached_property
    def pipeline(self) -> Any:
        """The fitted pipeline.

        It takes the contracted columns, and answers ``predict_proba`` on class codes, or ``predict`` for a regression.

        Raises
        ------
        ArtifactError
            What is stored may not be loaded; see :func:`gristmill.modeling.artifact.persistence.load_pipeline_bytes`.
        """
        return self.open_pipeline()

    @classmethod
    def load(cls, directory: Path | str, digest: str | None = None) -> "FittedModel":
        """Return the model of a directory, verified before anything in it is loaded.

        The pipeline of a model that has a compiled form is loaded when it is first asked for: what serves does without.

        Parameters
        ----------
        directory
            The model directory.
        digest
            The digest it must have, where the registry or a stage before says so.

        Raises
        ------
        ArtifactError
            The directory is not what its manifest says, has another digest, or holds what may not be loaded; or the model has
            custom features, and the module here is missing or another version.
        """
        manifest, content = read_verified(directory, digest)
        require_files(manifest, (PIPELINE, MODEL, CONTRACT), directory)
        try:
            model, contract = json.loads(content[MODEL]), json.loads(content[CONTRACT])
            reference = dict(json.loads(content[DRIFT_REFERENCE])) if DRIFT_REFERENCE in content else None
            facts = _facts(model)
            known = {column["name"] for column in contract["columns"]}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ArtifactError(f"{MODEL} or {CONTRACT} in {directory} does not describe a model: {error!r}. {REBUILD}") from error
        if not known.issuperset(facts["feature_columns"]):
            raise ArtifactError(f"{MODEL} in {directory} names columns that {CONTRACT} does not have. {REBUILD}")
        conformity = _conformity(content[CONFORMITY], facts["task"], directory) if CONFORMITY in content else None
        compiled = _compiled(manifest, content, directory)
        made = cls(
            open_pipeline=functools.partial(load_pipeline_bytes, content[PIPELINE]),
            contract=contract,
            manifest=manifest,
            conformity=conformity,
            drift_reference=reference,
            compiled=compiled,
            **facts,
        )
        if not compiled and isinstance(made.pipeline[0], RowFeatures):
            made.pipeline[0].require_custom()
        return made

    def features(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the columns the pipeline reads, in their contracted types, with the index of ``frame``.

        Raises
        ------
        DataError
            A column is missing, stands twice, or holds a value its type cannot hold.
        """
        return self.contracted(self.columns_of(frame), self.feature_columns)

    def contracted(self, frame: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
        """Return some of the columns of ``frame``, which has them once each, in their contracted types.

        Raises
        ------
        DataError
            A column is missing, or holds a value its type cannot hold.
        """
        read = {**self.contract, "columns": [c for c in self.contract["columns"] if c["name"] in names]}
        return coerce(frame, read)[list(names)]

    def columns_of(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the columns the model reads, as they are, with the index of ``frame``.

        Raises
        ------
        DataError
            A column is missing, or stands twice.
        """
        names = pd.Index(frame.columns.map(str))
        twice = names[names.duplicated()].intersection(self.feature_columns)
        if len(twice):
            raise DataError(f"Expected one column called {twice[0]!r}, got several. Rename or drop the others.")
        decided_by = self.group_thresholds.grouping.names if self.group_thresholds else ()
        absent = [name for name in decided_by if name not in names]
        if absent:
            raise DataError(
                f"The column {absent[0]!r} is missing; the model has a threshold for each group, so that no row can do without."
            )
        missing = [name for name in self.feature_columns if name not in names]
        if missing:
            raise DataError(
                f"The column {missing[0]!r} is missing; the model was built on it. Rows must have every column of the data "
                f"contract; of this name, {nearest_column(missing[0], list(names))}"
            )
        return frame.set_axis(names, axis=1)[list(self.feature_columns)]

    def predict_values(self, frame: pd.DataFrame) -> Floats:
        """Return probabilities ``(n_rows, n_classes)`` in the order of the codes, or numbers ``(n_rows,)`` for a regression.

        Raises
        ------
        DataError
            As :meth:`features`.
        """
        return self.predict_counted(frame, counted=False)[0]

    def counted(self, frame: pd.DataFrame) -> Treated | None:
        """Return what was missing, far out or unseen in rows, as :meth:`predict_counted` does, without predicting them.

        Raises
        ------
        DataError
            As :meth:`features`.
        """
        X, rules = self.features(frame), self.counting_rules
        if not len(X) or rules is None:
            return None
        return count_by(rules, self.pipeline[0].transform(X))

    @functools.cached_property
    def counting_rules(self) -> Rules | None:
        """By what missing, far out and unseen values are counted; None for a pipeline without a plan."""
        rows = self.pipeline[0]
        if not isinstance(rows, RowFeatures):
            return None
        return Rules.of(rows.plan or {}, preparations(self.pipeline[-1], self.families))

    def predict_counted(self, frame: pd.DataFrame, *, counted: bool = True) -> tuple[Floats, Treated | None]:
        """Return what :meth:`predict_values` does, and what was missing, far out or unseen in the rows.

        The counts are those of :func:`gristmill.features.treated.count`; None for no rows, and for a pipeline without a plan.

        Raises
        ------
        DataError
            As :meth:`features`.
        """
        X = given = self.features(frame)
        if not len(X):  # scikit-learn refuses to predict nothing
            return np.empty((0, len(self.classes)) if self.classes else (0,)), None
        model, counts = self.pipeline, None
        rules = self.counting_rules if counted else None
        if rules is not None:
            rows, model = model[0], model[1:]
            X = rows.transform(X)
            counts = count_by(rules, X)
        values = model.predict_proba(X) if self.classes else model.predict(X)
        answer = np.asarray(values, dtype=np.float64)
        return (answer if self.group_thresholds is None else self.group_thresholds.moved(given, answer)), counts


def _compiled(manifest: Manifest, content: Mapping[str, bytes], directory: Path | str) -> dict[str, bytes]:
    """Return the files of the compiled form: both, or none."""
    names = [name for name in (COMPILED, COMPILED_ARRAYS) if name in content]
    if names:
        require_files(manifest, (COMPILED, COMPILED_ARRAYS), directory)
    return {name: content[name] for name in names}


def _conformity(content: bytes, task: str, directory: Path | str) -> Conformity:
    """Return the conformity scores of a model of some task."""
    try:
        made = Conformity.from_record(json.loads(content))
    except (ValueError, RecursionError, ArtifactError) as error:
        raise ArtifactError(f"{CONFORMITY} in {directory} holds no conformity scores: {error} {REBUILD}") from error
    if (made.method == LAC) != (task != "regression"):
        raise ArtifactError(f"{CONFORMITY} in {directory} is of another task than {task!r}. {REBUILD}")
    return made


def _facts(model: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``model.json`` says, typed."""
    threshold, by_group = model.get("threshold"), model.get("group_thresholds")
    return {
        "task": str(model["task"]),
        "classes": tuple(str(name) for name in model.get("classes") or ()),
        "threshold": None if threshold is None else float(threshold),
        "target": str(model["target"]),
        "id_columns": tuple(model.get("id_columns") or ()),
        "feature_columns": tuple(model["feature_columns"]),
        "families": tuple(model.get("families") or ()),
        "group_thresholds": None if by_group is None else GroupThresholds.from_record(by_group),
    }
