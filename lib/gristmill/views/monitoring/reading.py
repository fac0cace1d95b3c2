"""The served rows that live drift and live quality are judged on: a sample of the log, so that a page opens at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gristmill.metrics.scores import Floats
from gristmill.monitoring.drift.importance import explained_importances
from gristmill.monitoring.drift.measuring import measure
from gristmill.monitoring.drift.reference import Reference
from gristmill.monitoring.drift.report import DriftReport
from gristmill.monitoring.drift.window import Window
from gristmill.monitoring.quality.columns import ColumnQuality, columns
from gristmill.serving.prediction_log.records import PredictionRecord
from gristmill.serving.prediction_log.totals import Cut, LogTotals

MOST_ROWS = 5_000
"""Rows that a page looks at; of more, every n-th."""


@dataclass(frozen=True)
class LiveRows:
    """Rows of one version, as they were sent, with what it answered.

    Attributes
    ----------
    version
        Of the model.
    features
        A line a prediction.
    predicted
        Probabilities, a column a class, or numbers; None where rows have none in common.
    warnings
        Sentence about a row -> how many rows of the sample it was said of.
    """

    version: str
    features: pd.DataFrame
    predicted: Floats | None
    warnings: Mapping[str, int]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.features)


def live_rows(totals: LogTotals, cut: Cut, version: str, most: int = MOST_ROWS) -> LiveRows:
    """Return about as many rows of a version as asked for, spread over the time.

    Raises
    ------
    LogUnavailable
        There is no log, or it cannot be read.
    """
    records = totals.sample(cut, version, most)
    features = pd.DataFrame.from_records([{**one.subject, **one.features} for one in records])
    said: dict[str, int] = {}
    for one in records:
        for sentence in one.warnings:
            said[sentence] = said.get(sentence, 0) + 1
    return LiveRows(version, features, _predicted(records), dict(sorted(said.items(), key=lambda item: -item[1])))


def _predicted(records: Sequence[PredictionRecord]) -> Floats | None:
    """Return what was answered as an array; None where rows differ in shape, as after a change of the classes."""
    values: list[Any] = [one.prediction if one.probabilities is None else one.probabilities for one in records]
    if not values or len({0 if isinstance(one, int | float) else len(one) for one in values}) > 1:
        return None
    return np.asarray(values, dtype=np.float64)


@dataclass(frozen=True)
class Held:
    """Live rows beside the training rows.

    Attributes
    ----------
    rows
        The live rows.
    drift
        How they are distributed otherwise.
    columns
        What is wrong in their values, the columns with the most wrong first.
    """

    rows: LiveRows
    drift: DriftReport
    columns: Sequence[ColumnQuality]


def held_against(
    rows: LiveRows, directory: Path, limits: Any, explanation: Mapping[str, Any] | None = None, digest: str | None = None
) -> Held:
    """Return how rows differ from those that the model was trained on.

    Parameters
    ----------
    rows
        The rows.
    directory
        The version's model directory, which holds the distribution of its training rows.
    limits
        The case's ``monitoring.drift``.
    explanation
        What ``08_explain`` found, for the columns' importances; None where it is of another version.
    digest
        That the directory has to have.

    Raises
    ------
    ArtifactError
        The directory is not what was registered, or holds no distribution.
    DataError
        A column that the model reads is not among the rows.
    """
    reference = Reference.load(directory, digest)
    classes = len(reference.predictions)
    fits = rows.predicted is not None and rows.predicted.size == classes * len(rows)
    window = Window.of(rows.features, reference, rows.predicted if fits else None)
    importances = None if explanation is None else explained_importances(explanation, list(reference.columns))
    return Held(rows, measure(reference, window, limits, importances), columns(reference, window, limits))
