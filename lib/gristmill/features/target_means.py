"""Encoding of columns with many levels by what the target was for each level."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.model_selection import KFold
from sklearn.utils.validation import check_is_fitted

Floats = NDArray[np.float64]

FEW_ROWS = 500
"""Rows up to which a search in the sorted levels is the faster way to find them."""


class TargetMeans(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Replace each level by the shrunken mean of the target over its rows, and by how often it occurs.

    The training rows themselves are encoded by :meth:`fit_transform` from other inner folds only, so that no row's feature
    holds its own target (Micci-Barreca 2001; Prokhorenkova et al. 2018 on the leak that this avoids). A level never seen gets
    the overall mean and the count 0.

    Parameters
    ----------
    n_classes
        Number of classes the codes ``y`` may hold; 0 for a numeric target. Two classes give one mean a column, more give one
        mean a class, whether or not all of them occur among the rows.
    smoothing
        Number of rows of the overall mean that are mixed into each level's.
    n_splits
        Inner folds.
    random_state
        Seed of the inner folds.
    """

    def __init__(self, n_classes: int = 0, smoothing: float = 10.0, n_splits: int = 5, random_state: int = 42) -> None:
        self.n_classes = n_classes
        self.smoothing = smoothing
        self.n_splits = n_splits
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: Any) -> "TargetMeans":
        """Learn the means of every level from all rows."""
        self._learn(X, y)
        return self

    def transform(self, X: pd.DataFrame) -> Floats:
        """Return the encoded columns, shape ``(n_rows, n_columns * (n_means + 1))``."""
        check_is_fitted(self)
        blocks = []
        for column, names, means, counts in zip(_columns(X), self.levels_, self.means_, self.counts_, strict=True):
            place = places(names, column)
            known = place >= 0
            blocks.append(np.where(known[:, None], means[place], self.prior_))
            blocks.append(np.log1p(np.where(known, counts[place], 0.0))[:, None])
        return np.hstack(blocks)

    def fit_transform(self, X: pd.DataFrame, y: Any = None, **fit_params: Any) -> Floats:  # noqa: ARG002 - scikit-learn's signature
        """Fit on all rows, and return each row encoded by a fit on the rows outside its inner fold."""
        coded, outcome = self._learn(X, y), self._outcomes(y)
        blocks = []
        for codes, counts in zip(coded, self.counts_, strict=True):
            encoded = np.tile(self.prior_, (len(codes), 1))
            for train, rest in self._inner_folds(len(codes)):
                prior = outcome[train].mean(axis=0)
                means, _ = _shrunken_means(codes[train], outcome[train], len(counts), prior, self.smoothing)
                encoded[rest] = means[codes[rest]]
            blocks += [encoded, np.log1p(counts[codes])[:, None]]
        return np.hstack(blocks)

    def _learn(self, X: pd.DataFrame, y: Any) -> list[NDArray[np.int64]]:
        """Fit on all rows, and return the code of every row's level, column by column."""
        columns, outcome = _columns(X), self._outcomes(y)
        self.feature_names_in_ = np.asarray(getattr(X, "columns", range(len(columns))), dtype=str)
        self.n_features_in_ = len(columns)
        self.prior_ = outcome.mean(axis=0)
        self.levels_, self.means_, self.counts_, coded = [], [], [], []
        for column in columns:
            codes, names = pd.factorize(column, sort=True)
            means, counts = _shrunken_means(codes, outcome, len(names), self.prior_, self.smoothing)
            self.levels_.append(names.astype(str))
            self.means_.append(means)
            self.counts_.append(counts)
            coded.append(codes)
        return coded

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:  # noqa: ARG002
        """Return the names of the encoded columns."""
        check_is_fitted(self)
        means = ["mean target"] if len(self.prior_) == 1 else [f"share of class {code}" for code in range(len(self.prior_))]
        return np.asarray([f"{name}: {part}" for name in self.feature_names_in_ for part in (*means, "log count")], dtype=object)

    def _outcomes(self, y: Any) -> Floats:
        """Return what is averaged: the numbers, the positive class's indicator, or one indicator a class."""
        if self.n_classes > 2:
            return np.asarray(np.eye(self.n_classes)[np.asarray(y, dtype=np.int64)])
        return np.asarray(y, dtype=np.float64).reshape(-1, 1)

    def _inner_folds(self, n_rows: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Yield the inner folds; none for fewer than two rows."""
        if n_rows >= 2:
            yield from KFold(min(self.n_splits, n_rows), shuffle=True, random_state=self.random_state).split(np.arange(n_rows))

    def __sklearn_tags__(self) -> Any:
        """Say that it takes text and needs the target."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags


def _columns(X: Any) -> list[NDArray[np.object_]]:
    """Return the columns as arrays of text."""
    table = np.asarray(X, dtype=object)
    return [table[:, place] for place in range(table.shape[1])]


def places(names: NDArray[np.str_], column: NDArray[np.object_]) -> NDArray[np.int64]:
    """Return where each text stands among the sorted ``names``; -1 for one that is not among them."""
    if len(column) > FEW_ROWS:  # hashing the names pays
        return np.asarray(pd.Index(names, dtype=object).get_indexer(pd.Index(column, dtype=object)), dtype=np.int64)
    text = column.astype(str)
    place = np.minimum(np.searchsorted(names, text), len(names) - 1)
    return np.where(names[place] == text, place, -1)


def _shrunken_means(
    codes: NDArray[np.int64], outcome: Floats, n_levels: int, prior: Floats, smoothing: float
) -> tuple[Floats, Floats]:
    """Return for each level the mean outcome, drawn towards ``prior`` by ``smoothing`` rows, and the number of rows."""
    counts = np.bincount(codes, minlength=n_levels).astype(np.float64)
    smoothing = max(smoothing, 1e-9)  # a level without rows has the overall mean, not a division by nothing
    sums = np.column_stack([np.bincount(codes, weights=part, minlength=n_levels) for part in outcome.T])
    return (sums + smoothing * prior) / (counts[:, None] + smoothing), counts
