"""Probabilities moved by the threshold of a row's group, for rows as they stand in JSON."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from gristmill.data.contract.schema import coerce
from gristmill.modeling.mitigation.group_thresholds import GroupThresholds, moved_to
from gristmill.modeling.mitigation.grouping import JOINED, ColumnGroups
from gristmill.serving.compiled.cells import Floats
from gristmill.serving.compiled.row_reading import REMEMBERED
from gristmill.serving.compiled.sources import Row


class GroupDecisions:
    """Moves probabilities as :meth:`GroupThresholds.moved` does, and remembers which group a value belongs to.

    Parameters
    ----------
    thresholds
        The thresholds of the model.
    contract
        Its data contract.
    """

    def __init__(self, thresholds: GroupThresholds, contract: Mapping[str, Any]) -> None:
        self._thresholds = thresholds
        columns = {column["name"]: column for column in contract["columns"]}
        self._groups = [(one.column, _remembering(one, columns[one.column])) for one in thresholds.grouping.columns]

    def moved(self, rows: Sequence[Row], y_proba: Floats) -> Floats:
        """Return probabilities, shape ``(n_rows, 2)``, moved by each row's own threshold."""
        known, others = self._thresholds.by_group, self._thresholds.others
        names = [JOINED.join(group(row[column]) for column, group in self._groups) for row in rows]
        own = np.array([known.get(name, others) for name in names], dtype=np.float64)
        return moved_to(self._thresholds.common, own, y_proba)


def _remembering(groups: ColumnGroups, column: Mapping[str, Any]) -> Any:
    """Return what finds the group of one value; 1, 1.0 and true are told apart."""

    @lru_cache(maxsize=REMEMBERED, typed=True)
    def group(value: Any) -> str:
        frame = coerce(pd.DataFrame({groups.column: [value]}), {"columns": [column]})
        return str(groups.of(frame[groups.column]).iloc[0])

    return group
