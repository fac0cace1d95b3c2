"""The one predictor: service, batch scoring, app and notebooks all answer through it.

MLflow's ``MLmodel`` names this module as the loader of a registered version, so that ``mlflow.pyfunc.load_model`` gives a
:class:`Predictor` as well, and no pickle is involved.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.errors import ArtifactError, DataError
from gristmill.features.treated import Treated
from gristmill.metrics.scores import Floats, decide
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.modeling.artifact.model_directory import Manifest
from gristmill.modeling.conformal.conformity import Conformity, checked_level
from gristmill.paths import ProjectPaths, project_paths
from gristmill.serving.compiled.counting import CellCounting
from gristmill.serving.compiled.form import Form, form_of
from gristmill.serving.compiled.group_decisions import GroupDecisions
from gristmill.serving.compiled.plan import CompiledModel

PREDICTION = "prediction"
PROBABILITY = "probability"
PREDICTION_SET = "prediction_set"
LOWER, UPPER = "lower", "upper"


@dataclass(frozen=True)
class Predictor:
    """Predictions of one verified model, in the words of the table it was built on."""

    model: FittedModel

    @classmethod
    def load(cls, directory: Path | str, digest: str | None = None) -> "Predictor":
        """Return the predictor of a model directory, which is verified first.

        Parameters
        ----------
        directory
            The model directory.
        digest
            The digest it must have, where the registry knows it.

        Raises
        ------
        ArtifactError
            The directory is not what its manifest or ``digest`` says, or holds what may not be loaded; nothing was loaded.
        """
        made = cls(FittedModel.load(directory, digest))
        _ = made._form, made._decisions  # a compiled form that does not hold together is refused now, not by the first row
        return made

    @classmethod
    def named(cls, reference: str, paths: ProjectPaths | None = None) -> "Predictor":
        """Return the predictor of a registered model, which is verified first.

        Parameters
        ----------
        reference
            ``NAME@alias``, ``NAME/VERSION`` or a model directory.
        paths
            The project; found from the working directory when omitted.

        Raises
        ------
        RegistryError
            There is no such model.
        ArtifactError
            As :meth:`load`.
        """
        from gristmill.registry.references import resolve  # noqa: PLC0415 - the service has a directory, and no registry

        found = resolve(reference, paths or project_paths())
        return cls.load(found.directory, found.digest)

    @property
    def manifest(self) -> Manifest:
        """What was verified when the model was loaded."""
        return self.model.manifest

    @functools.cached_property
    def _form(self) -> Form:
        """The form in which the model answers."""
        return form_of(self.model)

    @functools.cached_property
    def _decisions(self) -> GroupDecisions | None:
        """What moves probabilities by the threshold of a row's group, where the model has such thresholds."""
        by_group = self.model.group_thresholds
        return None if by_group is None else GroupDecisions(by_group, self.model.contract)

    @functools.cached_property
    def _counting(self) -> CellCounting | None:
        """What counts in the cells of the compiled form; None where these do not tell what the pipeline counts."""
        compiled, rules = self._form.compiled, self.model.counting_rules
        return None if compiled is None or rules is None else CellCounting.of(rules, compiled.plan.intake)

    @property
    def compiled(self) -> bool:
        """Whether the model answers in its compiled form."""
        return self._form.compiled is not None

    @property
    def compiled_model(self) -> CompiledModel | None:
        """The compiled form itself; None where the model answers as a plain pipeline."""
        return self._form.compiled

    @property
    def why_not_compiled(self) -> str:
        """Why the model answers as a plain pipeline, as the end of a sentence; empty where it is compiled."""
        return self._form.why_not

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that :meth:`answer` gives without an interval."""
        if self.model.task == "regression":
            return (PREDICTION,)
        if self.model.task == "binary":
            return (PREDICTION, PROBABILITY)
        return (PREDICTION, *(f"{PROBABILITY}_{name}" for name in self.model.classes))

    def columns_with(self, interval: float | None) -> tuple[str, ...]:
        """Return the names of the columns that :meth:`answer` gives at a level; ``interval=None`` is without.

        Raises
        ------
        LevelError
            The level is none from 0.5 to 0.999, or the model learnt from too few rows to vouch for it.
        ArtifactError
            The model was built before sets and intervals were.
        """
        if interval is None:
            return self.columns
        self._vouching(interval)
        return (*self.columns, PREDICTION_SET) if self.model.classes else (*self.columns, LOWER, UPPER)

    def _vouching(self, interval: float) -> Conformity:
        """Return what makes sets and intervals, once it is sure that it can make them at this level."""
        level = checked_level(interval)
        conformity = self.model.conformity
        if conformity is None:
            raise ArtifactError(
                "Expected a model that knows how far it errs, to answer sets or intervals, got one that was built before Gristmill "
                "kept this. Build the case again, or ask without `interval`."
            )
        conformity.limit(level)
        return conformity

    def predict(self, frame: pd.DataFrame, *, interval: float | None = None) -> pd.DataFrame:
        """Return one row a row of ``frame``, in its order and with its index: identifiers, prediction, probabilities.

        Parameters
        ----------
        frame
            Rows with the columns the model was built on, in any order; more columns do no harm, and the target is not needed.
        interval
            Share of rows, from 0.5 to 0.999, whose set or interval is to hold the truth; None for neither.

        Returns
        -------
        DataFrame
            The id columns that ``frame`` has, as they are; ``prediction``, the class as it is written in the table, or a
            number; for classes ``probability`` (of the positive one of two) or ``probability_<class>`` for each. With ``interval``
            also ``prediction_set``, a tuple of classes as they are written in the table, or ``lower`` and ``upper``.

        Raises
        ------
        DataError
            A column is missing, or holds a value its type cannot hold.
        LevelError, ArtifactError
            The model cannot answer at this level, or at none; see :meth:`columns_with`.
        """
        columns = self.columns_with(interval)
        clash = [name for name in self.model.id_columns if name in columns and name in frame.columns]
        if clash:
            raise DataError(f"The id column {clash[0]!r} has the name of a column of predictions. Rename it.")
        ids = frame[[name for name in self.model.id_columns if name in frame.columns]]
        answers = self.answer(frame, interval=interval)
        return pd.concat([ids, answers], axis=1) if ids.shape[1] else answers

    def predict_proba(self, frame: pd.DataFrame) -> Floats:
        """Return the probability of each class, shape ``(n_rows, n_classes)``, in the order of ``model.classes``.

        Raises
        ------
        DataError
            As :meth:`predict`; or the model predicts numbers.
        """
        if not self.model.classes:
            raise DataError("Expected a model of classes, got one of numbers, which has no probabilities. Call `predict` instead.")
        return self.frame_values(frame)

    def frame_values(self, frame: pd.DataFrame) -> Floats:
        """Return probabilities or numbers of a frame's rows, in the form in which the model answers.

        Shapes and errors are those of :meth:`values_of`; this is what :meth:`answer` and :meth:`predict` make words of.
        """
        compiled = self._form.compiled
        if compiled is None:
            return self.model.predict_values(frame)
        read = self.model.columns_of(frame)
        return self._moved(read, compiled.frame(read))

    def _moved(self, read: pd.DataFrame, values: Floats) -> Floats:
        """Return the compiled form's values for rows, moved by the thresholds of their groups, where the model has such."""
        by_group = self.model.group_thresholds
        if by_group is None or not len(read):
            return values
        return by_group.moved(self.model.contracted(read, by_group.grouping.names), values)

    def _counted_values(self, frame: pd.DataFrame) -> tuple[Floats, Treated | None]:
        """Return what :meth:`frame_values` does, and the counts, from one reading of the rows wherever the form allows it."""
        compiled = self._form.compiled
        if compiled is None:
            return self.model.predict_counted(frame)
        if self._counting is None:
            return self.frame_values(frame), self.model.counted(frame)
        read = self.model.columns_of(frame)
        cells = compiled.cells(read)
        return self._moved(read, compiled.answer(cells)), self._counting.of_cells(cells) if len(read) else None

    def values_of(self, rows: Sequence[Mapping[str, object]]) -> Floats:
        """Return probabilities or numbers of rows as they stand in JSON; see :meth:`FittedModel.predict_values`.

        A compiled model reads each row by itself, so that no answer depends on the rows that are asked for together with it.

        Parameters
        ----------
        rows
            Column -> value: a text, a number, a truth value, or None where it is missing. Columns that the model does not read do
            no harm.

        Returns
        -------
        ndarray
            Shape ``(n_rows, n_classes)`` in the order of ``model.classes``, or ``(n_rows,)`` for a regression.

        Raises
        ------
        DataError
            A row lacks a column the model reads, or holds a value its type cannot hold.
        """
        compiled = self._form.compiled
        if compiled is not None:
            values = compiled.rows(rows)
            return values if self._decisions is None or not rows else self._decisions.moved(rows, values)
        for row in rows:
            absent = [name for name in self.model.feature_columns if name not in row]
            if absent:
                raise DataError(f"The column {absent[0]!r} is missing. Send it, or null where its value is not known.")
        return self.model.predict_values(pd.DataFrame([dict(row) for row in rows], columns=list(self.model.feature_columns)))

    def answer(self, frame: pd.DataFrame, *, interval: float | None = None) -> pd.DataFrame:
        """Return prediction, probabilities, and set or interval alone; see :meth:`predict`."""
        self.columns_with(interval)  # a level that cannot be is refused before the rows are predicted
        return self._said(self.frame_values(frame), frame.index, interval)

    def answer_counted(self, frame: pd.DataFrame, *, interval: float | None = None) -> tuple[pd.DataFrame, Treated | None]:
        """Return what :meth:`answer` does, and what was missing, far out or unseen in the rows; None for a model without a plan."""
        self.columns_with(interval)
        values, counts = self._counted_values(frame)
        return self._said(values, frame.index, interval), counts

    def _said(self, values: Floats, index: pd.Index, interval: float | None) -> pd.DataFrame:
        """Return probabilities or numbers in the words of the table, with sets or intervals of a level if one is given."""
        if not self.model.classes:
            said = pd.DataFrame({PREDICTION: values}, index=index)
            if interval is None:
                return said
            lower, upper = self._vouching(interval).interval(values, interval)
            return said.assign(**{LOWER: lower, UPPER: upper})
        classes = pd.array(self.model.classes, dtype=object)
        prediction = pd.DataFrame({PREDICTION: classes[decide(values, self.model.threshold)]}, index=index, dtype=object)
        shown = values[:, 1:] if self.model.task == "binary" else values
        said = pd.concat([prediction, pd.DataFrame(shown, columns=list(self.columns[1:]), index=index)], axis=1)
        if interval is None:
            return said
        sets = pd.Series(_named(self._vouching(interval).sets(values, interval), self.model.classes), index=index, dtype=object)
        return said.assign(**{PREDICTION_SET: sets})


def _named(inside: NDArray[np.bool_], classes: Sequence[str]) -> list[tuple[str, ...]]:
    """Return each row's set as the names of its classes, in their order."""
    names = np.array(classes, dtype=object)[np.nonzero(inside)[1]].tolist()
    ends = np.cumsum(inside.sum(axis=1)).tolist()
    return [tuple(names[first:last]) for first, last in zip([0, *ends[:-1]], ends, strict=True)] if ends else []


def _load_pyfunc(path: str) -> Predictor:
    """Return the predictor of the model directory ``path``; MLflow calls this."""
    return Predictor.load(path)
