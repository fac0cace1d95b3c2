"""Which rows hold a value that the model's contract cannot hold."""

import pandas as pd

from gristmill.data.contract.schema import coerce
from gristmill.errors import UnfitValueError
from gristmill.modeling.artifact.fitted import FittedModel


def unfit_values(frame: pd.DataFrame, model: FittedModel) -> dict[int, tuple[str, str]]:
    """Return the rows with such a value: place from 0 -> column and reason; of several in a row the first.

    Parameters
    ----------
    frame
        Rows with the columns the model was built on.
    model
        The model.
    """
    found: dict[int, tuple[str, str]] = {}
    for column in model.contract["columns"]:
        name = column["name"]
        if name not in model.feature_columns:
            continue
        try:
            coerce(frame[[name]], {**model.contract, "columns": [column]})
        except UnfitValueError as error:
            for place in error.places:
                found.setdefault(place, (name, f"expected {error.wanted} in the column {name!r}, got {frame[name].iloc[place]!r}"))
    return found
