"""Predictions of rows that were asked for before: bounded, and of one version, so that no answer mixes two."""

from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from gristmill.metrics.scores import Floats


class RowCache:
    """The latest predictions of one version, by the values of a row; the one not asked for longest goes first.

    Parameters
    ----------
    columns
        Columns that the model reads; others make no difference.
    capacity
        Rows kept at most.
    """

    def __init__(self, columns: Sequence[str], capacity: int) -> None:
        self.columns, self.capacity = tuple(columns), capacity
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()

    def __len__(self) -> int:
        """Return the number of rows that are kept."""
        return len(self._kept)

    def key(self, row: Mapping[str, object]) -> Hashable:
        """Return what is the same for rows that are predicted alike; 1, 1.0 and true are three values."""
        values = [row[name] for name in self.columns]
        return tuple(values), tuple(map(type, values))

    def get(self, key: Hashable) -> Any | None:
        """Return the prediction of a row, or None if it is not kept."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def put(self, keys: Sequence[Hashable], values: Floats) -> None:
        """Keep the predictions of rows, ``values`` of shape ``(n_rows, ...)``."""
        for key, value in zip(keys, values, strict=True):
            self._kept[key] = value
            self._kept.move_to_end(key)
        while len(self._kept) > self.capacity:
            self._kept.popitem(last=False)
