"""Filling in of missing levels and texts, which stand as a value of their own in row-wise features."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from gristmill.features.rows import MISSING_LEVEL


class FillText(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Replace the text that stands for a missing value by the most frequent one of its column, or by a constant.

    A column that is missing in every row it is fitted on has no most frequent text, and stays as it is. A frame comes back as a
    frame, a column as a column, an array as an array.

    Parameters
    ----------
    strategy
        ``most_frequent`` (of several, the first by alphabet) or ``constant``.
    fill_value
        The constant.
    missing
        The text that stands for a missing value.

    Examples
    --------
    >>> FillText().fit_transform(pd.DataFrame({"c": ["a", "(missing)", "b", "b"]}))["c"].tolist()
    ['a', 'b', 'b', 'b']
    """

    def __init__(self, strategy: str = "most_frequent", fill_value: str = "", missing: str = MISSING_LEVEL) -> None:
        self.strategy = strategy
        self.fill_value = fill_value
        self.missing = missing

    def fit(self, X: Any, y: object = None) -> "FillText":  # noqa: ARG002 - scikit-learn's signature
        """Learn what each column is filled in with."""
        if hasattr(X, "columns"):
            self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        table = _as_table(X)
        self.n_features_in_ = table.shape[1]
        self.statistics_ = [self._statistic(column) for column in table.T]
        return self

    def transform(self, X: Any) -> Any:
        """Return the texts with those that are missing filled in, in the form they came."""
        check_is_fitted(self)
        table = _as_table(X)
        filled = np.where(table == self.missing, np.array(self.statistics_, dtype=object), table)
        if isinstance(X, pd.DataFrame):
            return pd.DataFrame(filled, columns=X.columns, index=X.index, dtype=object)
        if isinstance(X, pd.Series):
            return pd.Series(filled[:, 0], index=X.index, name=X.name, dtype=object)
        return filled.reshape(np.shape(X))

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the columns, which stay the same."""
        check_is_fitted(self)
        names = getattr(self, "feature_names_in_", None) if input_features is None else input_features
        return np.asarray([f"x{place}" for place in range(self.n_features_in_)] if names is None else names, dtype=object)

    def _statistic(self, column: NDArray[np.object_]) -> str:
        """Return what one column is filled in with."""
        if self.strategy == "constant":
            return self.fill_value
        names, counts = np.unique(column[column != self.missing].astype(str), return_counts=True)
        return str(names[counts.argmax()]) if len(names) else self.missing

    def __sklearn_tags__(self) -> Any:
        """Say that it takes text, in one column or several."""
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags


def _as_table(X: Any) -> NDArray[np.object_]:
    """Return texts as an array, shape ``(n_rows, n_columns)``."""
    table = np.asarray(X, dtype=object)
    return table.reshape(-1, 1) if table.ndim == 1 else table
