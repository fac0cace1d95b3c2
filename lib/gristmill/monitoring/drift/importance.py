"""How much each column matters to a model: what drift is weighed by."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gristmill.evaluation.explanation.row_reasons import background_rows
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.modeling.artifact.model_directory import DRIFT_REFERENCE, read_verified, require_files

ROWS = 500
"""Rows that a model is asked about, for each column again."""


def explained_importances(explanation: Mapping[str, Any], columns: Sequence[str]) -> dict[str, float] | None:
    """Return the share of the model's importance of each column by its mean absolute SHAP value.

    Parameters
    ----------
    explanation
        What ``08_explain`` wrote to ``explanation.json``.
    columns
        The columns the model reads; those it does not explain get none.

    Returns
    -------
    dict or None
        Shares that sum to one; None where no column of the model has a value.
    """
    values = {one["feature"]: abs(float(one["mean_abs"])) for one in explanation.get("shap", ())}
    return _shares({name: values.get(name, 0.0) for name in columns})


def own_importances(model: FittedModel, directory: Path | str) -> dict[str, float] | None:
    """Return the share of each column by how far predictions move when its values are shuffled; no labels are needed.

    The rows are drawn from the distributions stored with the model, column by column, so that nothing but its directory is needed.

    Parameters
    ----------
    model
        The model.
    directory
        Where it lies.

    Returns
    -------
    dict or None
        Shares that sum to one; None where nothing moves the predictions.

    Raises
    ------
    ArtifactError
        The directory is not what its manifest says, or holds no reference.
    """
    manifest, content = read_verified(directory, model.manifest.digest)
    require_files(manifest, (DRIFT_REFERENCE,), directory)
    rows = background_rows(json.loads(content[DRIFT_REFERENCE]), model.contract, model.feature_columns, ROWS)
    before, order = model.predict_values(rows), np.random.default_rng(0).permutation(len(rows))
    moved = {}
    for name in model.feature_columns:
        shuffled = rows.assign(**{name: rows[name].iloc[order].array})
        moved[name] = float(np.abs(model.predict_values(shuffled) - before).mean())
    return _shares(moved)


def _shares(values: Mapping[str, float]) -> dict[str, float] | None:
    """Return values as shares of their sum."""
    total = sum(values.values())
    return {name: value / total for name, value in values.items()} if total > 0 else None
