"""Served predictions, with the labels that are known of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.data.targets import encode_classes, encode_numbers
from gristmill.errors import DataError
from gristmill.evaluation.predictions import Scored
from gristmill.metrics.scores import Floats

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Served:
    """Predictions of one model, each as it was answered.

    Attributes
    ----------
    task
        ``binary``, ``multiclass`` or ``regression``.
    classes
        Classes in the order of ``predicted``; none for numbers.
    rows
        One line a prediction: ``prediction_id``, ``row`` (the same for two versions that answered the same row), ``at`` (seconds
        since 1970), ``version`` and ``role`` as text, ``label`` (as text, or a number; missing where none is known) and
        ``label_at`` (seconds since 1970).
    predicted
        Probabilities ``(n_rows, n_classes)``, or numbers ``(n_rows,)``.
    features
        The columns that were sent, a line a prediction.
    """

    task: str
    classes: tuple[str, ...]
    rows: pd.DataFrame
    predicted: Floats
    features: pd.DataFrame

    def __len__(self) -> int:
        """Return the number of predictions."""
        return len(self.rows)

    @property
    def labelled(self) -> Mask:
        """Which predictions have a label, shape ``(n_rows,)``."""
        return np.asarray(self.rows["label"].notna(), dtype=bool)

    def take(self, which: Mask | NDArray[np.intp]) -> "Served":
        """Return some of the predictions, by a mask or by their places."""
        places = np.flatnonzero(which) if which.dtype == bool else which.astype(np.intp)
        return replace(
            self,
            rows=self.rows.iloc[places].reset_index(drop=True),
            predicted=self.predicted[places],
            features=self.features.iloc[places].reset_index(drop=True),
        )

    def of(self, version: str) -> "Served":
        """Return the predictions of one version."""
        return self.take(np.asarray(self.rows["version"] == str(version), dtype=bool))

    def known_by(self, moment: float) -> "Served":
        """Return the predictions with the labels that had come by a moment, in seconds since 1970; labels without a time stay."""
        late = np.asarray(self.rows["label_at"], dtype=np.float64) > moment
        if not late.any():
            return self
        rows = self.rows.assign(
            label=self.rows["label"].where(~late, None), label_at=np.where(late, np.nan, self.rows["label_at"].astype(float))
        )
        return replace(self, rows=rows)

    def scored(self) -> Scored:
        """Return the labelled predictions as truth in codes (or numbers) beside what was predicted.

        Raises
        ------
        DataError
            A label is none of the model's classes, or no number.
        """
        some = self.take(self.labelled)
        labels = some.rows["label"].rename("label")
        truth = encode_numbers(labels) if self.task == "regression" else encode_classes(labels, self.classes)
        return Scored(self.task, pd.Index(some.rows["prediction_id"]), truth, some.predicted)


def served_from(  # noqa: PLR0913 - the parts of a table, most with a default
    task: str,
    classes: Sequence[str],
    predicted: Floats,
    features: pd.DataFrame,
    *,
    labels: Sequence[object] | None = None,
    at: Floats | float = 0.0,
    label_at: Floats | None = None,
    version: str = "1",
    role: str = "champion",
    ids: Sequence[str] | None = None,
) -> Served:
    """Return predictions that are there as arrays: of a batch, a replay or a simulation.

    Parameters
    ----------
    task, classes, predicted, features
        As in :class:`Served`.
    labels
        Label of each row, missing where none is known; none of all rows when omitted.
    at, label_at
        Seconds since 1970.
    version, role
        Of all rows.
    ids
        Ids of the predictions, by default their places.

    Raises
    ------
    DataError
        Predictions and rows are not as many.
    """
    n_rows = len(features)
    if len(predicted) != n_rows:
        raise DataError(f"Expected as many predictions as rows, got {len(predicted):,} for {n_rows:,} rows.")
    names = list(ids) if ids is not None else [str(place) for place in range(n_rows)]
    known: Any = pd.array([None] * n_rows, dtype=object) if labels is None else list(labels)
    rows = pd.DataFrame(
        {
            "prediction_id": names,
            "row": names,
            "at": np.broadcast_to(np.asarray(at, dtype=np.float64), n_rows),
            "version": version,
            "role": role,
            "label": pd.Series(known, dtype=object),
            "label_at": np.full(n_rows, np.nan) if label_at is None else label_at,
        }
    )
    return Served(task, tuple(classes), rows, np.asarray(predicted, dtype=np.float64), features.reset_index(drop=True))
