"""From stored predictions to arrays: the truth in codes or numbers, and what was predicted for each row."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.data.targets import class_text, encode_classes, encode_numbers
from gristmill.errors import ArtifactError
from gristmill.metrics.scores import Codes, Floats


@dataclass(frozen=True)
class Scored:
    """Rows with their truth and what a model said about them.

    Attributes
    ----------
    task
        ``binary``, ``multiclass`` or ``regression``.
    row_keys
        Names of the rows, shape ``(n_rows,)``.
    y_true
        Class codes, or numbers, shape ``(n_rows,)``.
    predicted
        Probabilities ``(n_rows, n_classes)``, or numbers ``(n_rows,)``.
    """

    task: str
    row_keys: pd.Index
    y_true: Codes | Floats
    predicted: Floats

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.y_true)

    def take(self, positions: NDArray[np.intp]) -> "Scored":
        """Return the rows at some positions."""
        return Scored(self.task, self.row_keys[positions], self.y_true[positions], self.predicted[positions])


def encode_truth(task: str, target: pd.Series, classes: Sequence[str] | None) -> Codes | Floats:
    """Return the truth as class codes, or as numbers for a regression, shape ``(n_rows,)``."""
    return encode_numbers(target) if task == "regression" else encode_classes(target, list(classes or ()))


def predicted_values(task: str, frame: pd.DataFrame, classes: Sequence[str] | None) -> Floats:
    """Return the predictions of a table: ``(n_rows, n_classes)`` probabilities, or ``(n_rows,)`` numbers.

    Parameters
    ----------
    task
        ``binary``, ``multiclass`` or ``regression``.
    frame
        Holds ``prediction`` for a regression; for classes ``probability_<class>`` for each, or ``probability`` of the second
        of two.
    classes
        Classes in the order of their codes; None for a regression.

    Raises
    ------
    ArtifactError
        A column is missing.
    """
    if task == "regression":
        return np.asarray(_column(frame, "prediction"), dtype=np.float64)
    names = list(classes or ())
    if len(names) == 2 and "probability" in frame.columns:
        positive = np.asarray(frame["probability"], dtype=np.float64)
        return np.column_stack([1 - positive, positive])
    return np.column_stack([np.asarray(_column(frame, f"probability_{name}"), dtype=np.float64) for name in names])


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    """Return a column, or say that the product lacks it."""
    if name not in frame.columns:
        raise ArtifactError(f"Expected the column {name!r} among predictions, got {list(frame.columns)!r}. Build the case again.")
    return frame[name]


def scored_rows(task: str, frame: pd.DataFrame, target: pd.Series, classes: Sequence[str] | None) -> Scored:
    """Return predictions joined with their truth, by row key.

    Parameters
    ----------
    task, frame, classes
        As in :func:`predicted_values`; the index of ``frame`` holds the row keys.
    target
        Truth by row key; may hold more rows than ``frame``.

    Raises
    ------
    ArtifactError
        A predicted row has no truth.
    """
    unknown = frame.index.difference(target.index)
    if len(unknown):
        raise ArtifactError(f"Expected a truth for every predicted row, got none for {unknown[0]!r}. Build the case again.")
    truth = encode_truth(task, target.loc[frame.index], classes)
    return Scored(task, frame.index, truth, predicted_values(task, frame, classes))


def with_truth(task: str, predictions: pd.DataFrame, target: pd.Series) -> pd.DataFrame:
    """Return predictions with the truth as the text (or number) it has in the table, in a column before ``prediction``."""
    truth = target if task == "regression" else class_text(target)
    stored = predictions.copy()
    stored.insert(list(stored.columns).index("prediction"), "truth", truth.to_numpy())
    return stored
