"""What a model loses on each row, the same way for reference and window."""

import numpy as np
import pandas as pd

from gristmill.data.targets import class_text, encode_numbers
from gristmill.errors import DataError
from gristmill.modeling.artifact.column_counts import Floats
from gristmill.modeling.artifact.fitted import FittedModel

LEAST = 1e-3
"""Smallest probability that is taken at its word, so that one row does not outweigh a thousand."""


def labelled(model: FittedModel, rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the rows of a table whose label is known.

    Raises
    ------
    DataError
        The table has no column of labels, no label, or one that is no class of the model.
    """
    if model.target not in rows.columns:
        raise DataError(f"The {name} lacks the column {model.target!r}. Add the labels, as far as they are known.")
    known = rows[rows[model.target].notna()].reset_index(drop=True)
    if not len(known):
        raise DataError(f"No row of the {name} has a label in {model.target!r}. Diagnosis needs some hundreds of labelled rows.")
    if model.classes:
        strange = sorted(set(class_text(known[model.target]).unique()) - set(model.classes))
        if strange:
            raise DataError(f"The {name} has the label {strange[0]!r}; the model knows {', '.join(map(repr, model.classes))}.")
    return known


def truth_of(model: FittedModel, rows: pd.DataFrame) -> Floats:
    """Return the codes of the classes, or the numbers, that were to be predicted, shape ``(n_rows,)``."""
    if not model.classes:
        return encode_numbers(rows[model.target])
    codes = {name: code for code, name in enumerate(model.classes)}
    return np.asarray(class_text(rows[model.target]).map(codes), dtype=np.float64)


def row_losses(model: FittedModel, rows: pd.DataFrame, truth: Floats) -> Floats:
    """Return the loss of each row, shape ``(n_rows,)``: minus the log of the true class's probability, or the squared error."""
    values = model.predict_values(rows)
    if not model.classes:
        return np.asarray((values - truth) ** 2, dtype=np.float64)
    said = values[np.arange(len(rows)), truth.astype(np.int64)]
    return np.asarray(-np.log(np.clip(said, LEAST, 1.0)), dtype=np.float64)
