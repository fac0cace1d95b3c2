"""What the baseline and the champion say of the test rows, kept by ``07_evaluate`` so that no later stage asks them again.

Scoring a champion means to ask the registry, to load a model and to predict; a stage that only shows what it said reads rows.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from gristmill.errors import ArtifactError
from gristmill.metrics.paired import Answers
from gristmill.metrics.scores import Floats

SEPARATOR = "/"
"""Between the name of a model and the place of a class; names of models have none."""


def as_rows(others: Mapping[str, Answers], row_keys: pd.Index) -> pd.DataFrame:
    """Return what other models say of some rows: one column for each model and class, or for each model that predicts numbers.

    Parameters
    ----------
    others
        Name of a model -> what it says, of ``n_rows`` rows.
    row_keys
        Keys of these rows, shape ``(n_rows,)``.
    """
    columns: dict[str, Floats] = {}
    for name, answers in others.items():
        table = answers.predicted.reshape(len(row_keys), -1)
        columns |= {f"{name}{SEPARATOR}{place}": table[:, place] for place in range(table.shape[1])}
    return pd.DataFrame(columns, index=row_keys)


def thresholds_of(others: Mapping[str, Answers]) -> dict[str, float | None]:
    """Return the threshold at which each model decides; None for the most probable class."""
    return {name: answers.threshold for name, answers in others.items()}


def from_rows(frame: pd.DataFrame, thresholds: Mapping[str, Any], row_keys: pd.Index, n_classes: int) -> dict[str, Answers]:
    """Return what :func:`as_rows` kept, in the order of ``row_keys``.

    Parameters
    ----------
    frame
        What :func:`as_rows` returned.
    thresholds
        What :func:`thresholds_of` returned; its models are those that are returned.
    row_keys
        The rows that are wanted, shape ``(n_rows,)``.
    n_classes
        Number of classes; 0 for numbers.

    Raises
    ------
    ArtifactError
        A model or a row is not in ``frame``.
    """
    missing = row_keys.difference(frame.index)
    wanted = {name: [f"{name}{SEPARATOR}{place}" for place in range(max(n_classes, 1))] for name in thresholds}
    absent = [column for columns in wanted.values() for column in columns if column not in frame.columns]
    if len(missing) or absent:
        what = f"the row {missing[0]!r}" if len(missing) else f"the column {absent[0]!r}"
        raise ArtifactError(
            f"Expected what the baseline and the champion say of every test row, but {what} is missing. Build again."
        )
    rows = frame.loc[row_keys]
    found = {}
    for name, columns in wanted.items():
        table = rows[columns].to_numpy(dtype=np.float64)
        found[name] = Answers(table if n_classes else table[:, 0], thresholds[name])
    return found
