"""Parts of dates that come round again, as points on a circle."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

Floats = NDArray[np.float64]

PERIODS = {"month": 12.0, "weekday": 7.0, "hour": 24.0}
"""Part of a date -> how many of it make a round."""


class Cycles(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Replace each number by the sine and cosine of its place in a round, so that the last is next to the first.

    A missing number becomes the middle of the circle, which is as far from every point on it.

    Parameters
    ----------
    periods
        How many make a round, a number for each column or one for all.

    Examples
    --------
    >>> Cycles(12.0).fit_transform([[3.0], [12.0]]).round(3).tolist()
    [[1.0, 0.0], [-0.0, 1.0]]
    """

    def __init__(self, periods: float | Sequence[float] = 7.0) -> None:
        self.periods = periods

    def fit(self, X: Any, y: object = None) -> "Cycles":  # noqa: ARG002 - scikit-learn's signature
        """Learn nothing beyond the number and names of the columns; shape of ``X``: ``(n_rows, n_columns)``."""
        validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        self.periods_ = np.broadcast_to(np.asarray(self.periods, dtype=np.float64), (self.n_features_in_,)).copy()
        return self

    def transform(self, X: Any) -> Floats:
        """Return sine and cosine, column by column, shape ``(n_rows, 2 * n_columns)``."""
        check_is_fitted(self)
        table = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        angle = 2 * np.pi * (np.mod(table, self.periods_) / self.periods_)
        return np.asarray(np.nan_to_num(np.stack([np.sin(angle), np.cos(angle)], axis=2).reshape(len(table), -1), nan=0.0))

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return ``<column>: sine`` and ``<column>: cosine`` for each column."""
        check_is_fitted(self)
        known = getattr(self, "feature_names_in_", [f"x{place}" for place in range(self.n_features_in_)])
        names = known if input_features is None else input_features
        return np.asarray([f"{name}: {part}" for name in names for part in ("sine", "cosine")], dtype=object)

    def __sklearn_tags__(self) -> Any:
        """Say that it takes missing values."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
