"""Values as the reference would have had them: taken from reference rows that are alike in all columns not in doubt."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.features.rows import levels
from gristmill.modeling.artifact.column_counts import Floats
from gristmill.modeling.artifact.drift_reference import as_numbers

NEIGHBOURS = 10
"""Reference rows among which the giver of a value is drawn."""


class Donors:
    """Reference rows that give their values to rows like them.

    Parameters
    ----------
    reference
        Reference rows.
    kinds
        Column -> contracted kind, of the columns by which rows are alike. Without any, every reference row is as good.
    """

    def __init__(self, reference: pd.DataFrame, kinds: dict[str, str]) -> None:
        from sklearn.neighbors import NearestNeighbors  # noqa: PLC0415

        self._reference, self._kinds = reference, kinds
        self._scales = {name: _Scale(reference[name], kind) for name, kind in kinds.items()}
        self._nearest = NearestNeighbors(n_neighbors=min(NEIGHBOURS + 1, len(reference)))
        if kinds:
            self._nearest.fit(self._places(reference))

    def _places(self, rows: pd.DataFrame) -> Floats:
        """Return where rows lie: each number by its rank in the reference, each level apart from the others."""
        return np.hstack([scale.places(rows[name]) for name, scale in self._scales.items()])

    def draws(self, rows: pd.DataFrame, n_draws: int, rng: np.random.Generator, *, own: bool) -> NDArray[np.intp]:
        """Return the place of a giver for each row and draw, shape ``(n_draws, n_rows)``.

        Parameters
        ----------
        rows
            Rows that are to be given values.
        n_draws
            Givers of each row.
        rng
            Where chance comes from.
        own
            Whether ``rows`` are the reference rows, none of which gives to itself.
        """
        if not self._kinds:
            return rng.integers(0, len(self._reference), (n_draws, len(rows)))
        near = self._nearest.kneighbors(self._places(rows), return_distance=False)
        if own:  # the row itself, wherever ties have put it, gives way to the furthest
            itself = near == np.arange(len(rows))[:, None]
            near = np.where(itself, near[:, -1:], near)
        chosen = rng.integers(0, near.shape[1] - 1, (n_draws, len(rows)))
        return np.asarray(near[np.arange(len(rows))[None, :], chosen], dtype=np.intp)

    def substituted(self, rows: pd.DataFrame, columns: Sequence[str], givers: NDArray[np.intp]) -> pd.DataFrame:
        """Return the rows with the columns' values taken from their givers, shape ``(n_rows,)``."""
        return rows.assign(**{name: self._reference[name].iloc[givers].array for name in columns})


class _Scale:
    """How the values of one column become places."""

    def __init__(self, values: pd.Series, kind: str) -> None:
        self._kind = kind
        if kind == "categorical":
            self._levels = pd.Series(levels(values)).value_counts().index[:20].tolist()
        else:
            numbers = as_numbers(values, kind)
            self._ordered = np.sort(numbers[~np.isnan(numbers)])

    def places(self, values: pd.Series) -> Floats:
        """Return the places of values, shape ``(n_rows, n_dimensions)``."""
        if self._kind == "categorical":
            found = levels(values)
            return np.column_stack([(found == level) * 0.5 for level in self._levels])
        numbers = as_numbers(values, self._kind)
        missing = np.isnan(numbers)
        n_known = max(len(self._ordered), 1)
        low, high = (np.searchsorted(self._ordered, numbers, side=side) for side in ("left", "right"))
        return np.column_stack([np.where(missing, 0.5, (low + high) / (2 * n_known)), missing * 0.5])
