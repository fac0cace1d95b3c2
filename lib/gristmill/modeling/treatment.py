"""What a fitted model, whatever it is wrapped in, does to missing values, outliers and levels never seen."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from gristmill.features.rows import RowFeatures
from gristmill.features.treated import Treated, count
from gristmill.modeling.choice.calibration import Calibrated
from gristmill.modeling.search.trial import Search
from gristmill.modeling.training_rows import TrainingRows

ONE_FAMILY = "model"
"""What the only member of a model is called where nobody says which family it is."""


def preparations(model: Any, families: Sequence[str] = ()) -> dict[str, ColumnTransformer | Pipeline]:
    """Return the fitted preparation of every member of a fitted model, by family; none for a model that is not of ours.

    Parameters
    ----------
    model
        A family's pipeline, an ensemble of them, either of them calibrated; or the pipeline that takes raw columns.
    families
        Names of the members; a model of one member does not know what it is called.
    """
    if isinstance(model, Calibrated):
        return preparations(model.estimator_, families)
    if isinstance(model, Pipeline) and isinstance(model[0], RowFeatures):
        return preparations(model[-1], families)
    if isinstance(model, Pipeline) and isinstance(model[0], ColumnTransformer | Pipeline):
        return {families[0] if len(families) == 1 else ONE_FAMILY: model[0]}
    members = zip(getattr(model, "estimators", ()), getattr(model, "estimators_", ()), strict=False)
    return {name: member[0] for (name, _), member in members}


def applied(pipeline: Any, frame: pd.DataFrame, families: Sequence[str] = ()) -> Treated | None:
    """Return what a fitted pipeline does to raw contracted rows; None for a pipeline without a plan.

    Parameters
    ----------
    pipeline
        Fitted; takes raw contracted columns.
    frame
        The rows, in the types of the contract.
    families
        Names of its members.
    """
    if not (isinstance(pipeline, Pipeline) and isinstance(pipeline[0], RowFeatures)):
        return None
    return count(pipeline[0].transform(frame), pipeline[0].plan or {}, preparations(pipeline, families))


def of_search(result: Search, rows: TrainingRows) -> Treated:
    """Return what a family's best pipeline, that of the last fold, does to all training rows.

    A family without a model fills in and clips nothing; what is missing is counted all the same.

    Parameters
    ----------
    result
        What the search for the family found.
    rows
        The training rows.
    """
    fitted = {} if result.fitted is None else {result.family: result.fitted[0]}
    return count(rows.X, rows.problem.plan, fitted)
