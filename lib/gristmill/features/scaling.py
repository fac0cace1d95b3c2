"""Scaling that does not make a rare flag loud."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data


class EvenScaler(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Centre every column and divide it by its standard deviation; one of two values by half their distance.

    A flag that is set in one row of 400 has a standard deviation of 0.05. Divided by that, the row would stand 20 deviations out,
    and a model with a penalty on its weights would believe it nearly as it stands; a flag divided by one half counts as much as
    one that is set in every second row (Gelman 2008, "Scaling regression inputs by dividing by two standard deviations").

    Attributes
    ----------
    mean_, scale_
        Of each column, shape ``(n_columns,)``; 1 is the scale of a column that never varies.

    Examples
    --------
    >>> EvenScaler().fit_transform([[0.0], [0.0], [0.0], [1.0]]).ravel().tolist()
    [-0.5, -0.5, -0.5, 1.5]
    """

    def fit(self, X: Any, y: object = None) -> "EvenScaler":  # noqa: ARG002 - scikit-learn's signature
        """Learn the means and scales of numbers, shape ``(n_rows, n_columns)``."""
        matrix = validate_data(self, X, dtype=np.float64)
        low, high = matrix.min(axis=0), matrix.max(axis=0)
        deviation = matrix.std(axis=0)
        flag = ((matrix == low) | (matrix == high)).all(axis=0)
        scale = np.where(flag, (high - low) / 2, deviation)
        steady = deviation <= 10 * np.finfo(np.float64).eps * np.maximum(np.abs(low), np.abs(high))
        self.mean_, self.scale_ = matrix.mean(axis=0), np.where(steady | (scale == 0), 1.0, scale)
        return self

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Return the columns centred and scaled."""
        check_is_fitted(self)
        matrix = validate_data(self, X, dtype=np.float64, reset=False)
        return np.asarray((matrix - self.mean_) / self.scale_, dtype=np.float64)
