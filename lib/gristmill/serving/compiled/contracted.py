"""Values of columns in the types of the data contract, as the pipeline has them read."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from gristmill.data.contract.schema import coerce
from gristmill.serving.compiled.sources import Column


class Contracted:
    """Reads values under one data contract.

    Parameters
    ----------
    contract
        The data contract of the model.

    Attributes
    ----------
    columns
        What it says of each column.
    """

    def __init__(self, contract: Mapping[str, Any]) -> None:
        self.columns: dict[str, Column] = {column["name"]: column for column in contract["columns"]}

    def column(self, values: pd.Series) -> pd.Series:
        """Return the values of a column in their contracted type.

        Raises
        ------
        DataError
            One does not fit it.
        """
        return coerce(values.to_frame(), {"columns": [self.columns[str(values.name)]]})[values.name]

    def value(self, column: str, value: object) -> pd.Series:
        """Return one value of a column in its contracted type; raises as :meth:`column`."""
        return self.column(pd.Series([value], name=column))
