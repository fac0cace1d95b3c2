"""The one predictor: service, batch scoring, app and notebooks all answer through it.

MLflow's ``MLmodel`` names this module as the loader of a registered version, so that ``mlflow.pyfunc.load_model`` gives a
:class:`Predictor` as well, and no pickle is involved.
"""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from gristmill.errors import DataError
from gristmill.features.treated import Treated
from gristmill.metrics.scores import Floats, decide
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.modeling.artifact.model_directory import Manifest
from gristmill.paths import ProjectPaths, project_paths

PREDICTION = "prediction"
PROBABILITY = "probability"


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
        return cls(FittedModel.load(directory, digest))

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

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that :meth:`answer` gives."""
        if self.model.task == "regression":
            return (PREDICTION,)
        if self.model.task == "binary":
            return (PREDICTION, PROBABILITY)
        return (PREDICTION, *(f"{PROBABILITY}_{name}" for name in self.model.classes))

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return one row a row of ``frame``, in its order and with its index: identifiers, prediction, probabilities.

        Parameters
        ----------
        frame
            Rows with the columns the model was built on, in any order; more columns do no harm, and the target is not needed.

        Returns
        -------
        DataFrame
            The id columns that ``frame`` has, as they are; ``prediction``, the class as it is written in the table, or a
            number; for classes ``probability`` (of the positive one of two) or ``probability_<class>`` for each.

        Raises
        ------
        DataError
            A column is missing, or holds a value its type cannot hold.
        """
        clash = [name for name in self.model.id_columns if name in self.columns and name in frame.columns]
        if clash:
            raise DataError(f"The id column {clash[0]!r} has the name of a column of predictions. Rename it.")
        ids = frame[[name for name in self.model.id_columns if name in frame.columns]]
        return pd.concat([ids, self.answer(frame)], axis=1) if ids.shape[1] else self.answer(frame)

    def predict_proba(self, frame: pd.DataFrame) -> Floats:
        """Return the probability of each class, shape ``(n_rows, n_classes)``, in the order of ``model.classes``.

        Raises
        ------
        DataError
            As :meth:`predict`; or the model predicts numbers.
        """
        if not self.model.classes:
            raise DataError("Expected a model of classes, got one of numbers, which has no probabilities. Call `predict` instead.")
        return self.model.predict_values(frame)

    def answer(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return prediction and probabilities alone; see :meth:`predict`."""
        return self._said(self.model.predict_values(frame), frame.index)

    def answer_counted(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, Treated | None]:
        """Return what :meth:`answer` does, and what was missing, far out or unseen in the rows; None for a model without a plan."""
        values, counts = self.model.predict_counted(frame)
        return self._said(values, frame.index), counts

    def _said(self, values: Floats, index: pd.Index) -> pd.DataFrame:
        """Return probabilities or numbers in the words of the table."""
        if not self.model.classes:
            return pd.DataFrame({PREDICTION: values}, index=index)
        classes = pd.array(self.model.classes, dtype=object)
        prediction = pd.DataFrame({PREDICTION: classes[decide(values, self.model.threshold)]}, index=index, dtype=object)
        shown = values[:, 1:] if self.model.task == "binary" else values
        return pd.concat([prediction, pd.DataFrame(shown, columns=list(self.columns[1:]), index=index)], axis=1)


def _load_pyfunc(path: str) -> Predictor:
    """Return the predictor of the model directory ``path``; MLflow calls this."""
    return Predictor.load(path)
