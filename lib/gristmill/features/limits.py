"""Numbers far from the others: limits learnt on the training rows, and what is done beyond them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from gristmill.data.contract.treatment import limits_of

Floats = NDArray[np.float64]


class OutlierLimits(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Clip the numbers beyond the limits of each column, or make them missing.

    Limits are quantiles, or quartiles and a number of interquartile ranges (Tukey 1977), of the rows it is fitted on. A column
    whose limits would coincide, or that has no number, is left as it is. Transforming twice is transforming once.

    Parameters
    ----------
    action
        ``clip`` or ``missing``.
    method
        ``iqr`` or ``quantile``.
    factor
        Interquartile ranges outside the quartiles, for ``iqr``.
    lower, upper
        The two quantiles, for ``quantile``.

    Examples
    --------
    >>> X = np.array([[1.0], [2.0], [3.0], [4.0], [100.0]])
    >>> OutlierLimits(factor=1.5).fit_transform(X).ravel()
    array([1., 2., 3., 4., 7.])
    """

    def __init__(
        self, action: str = "clip", method: str = "iqr", factor: float = 3.0, lower: float = 0.01, upper: float = 0.99
    ) -> None:
        self.action = action
        self.method = method
        self.factor = factor
        self.lower = lower
        self.upper = upper

    def fit(self, X: Any, y: object = None) -> "OutlierLimits":  # noqa: ARG002 - scikit-learn's signature
        """Learn the limits of every column; shape of ``X``: ``(n_rows, n_columns)``."""
        table = validate_data(self, X, dtype=np.float64, ensure_all_finite=False)
        found = [limits_of(column, self.method, self.factor, self.lower, self.upper) for column in table.T]
        self.lower_ = np.array([low for low, _ in found])
        self.upper_ = np.array([high for _, high in found])
        return self

    def transform(self, X: Any) -> Floats:
        """Return the numbers within the limits, shape ``(n_rows, n_columns)``; missing ones stay missing."""
        check_is_fitted(self)
        table = validate_data(self, X, dtype=np.float64, ensure_all_finite=False, reset=False)
        if self.action == "clip":
            return np.asarray(np.clip(table, self.lower_, self.upper_))
        return np.where((table < self.lower_) | (table > self.upper_), np.nan, table)

    def __sklearn_tags__(self) -> Any:
        """Say that it takes missing values."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
