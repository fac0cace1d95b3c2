"""A model that is fitted on more rows than there are: made-up ones, in the training rows of a fold and nowhere else."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.neighbors import NearestNeighbors
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

Floats = NDArray[np.float64]

NEIGHBOURS = 5
"""Nearest rows of its class that a row is mixed with."""

MOST_OF_A_CLASS = 5_000
"""Rows of a class that neighbours are looked for among."""

NOISE = 0.1
"""Standard deviation of the noise, in standard deviations of the column."""


class Augmented(BaseEstimator):  # type: ignore[misc]
    """Wrap an estimator so that it learns from the rows and from made-up ones like them; predicting is left as it is.

    ``noise`` adds copies of rows drawn at random, with a little noise in each number. ``smote`` adds rows to the classes that
    have fewer than others: each lies between a row and one of its nearest neighbours of the same class (SMOTE, Chawla et al.
    2002). Columns of whole numbers, which codes and flags are, keep the value of one of the two rows, so that no level is made
    up.

    Parameters
    ----------
    estimator
        What is fitted; it is cloned.
    method
        ``noise`` or ``smote``.
    share
        For ``noise``: rows added, as a share of those there are. For ``smote``: how many rows each class is brought to, as a
        share of those of the most frequent.
    random_state
        Seed of what is made up.
    """

    def __init__(self, estimator: Any = None, method: str = "noise", share: float = 0.5, random_state: int = 42) -> None:
        self.estimator = estimator
        self.method = method
        self.share = share
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> "Augmented":
        """Fit the wrapped estimator on the rows and the made-up ones, shape of ``X``: ``(n_rows, n_columns)``."""
        self.estimator_ = clone(self.estimator).fit(*self._more(X, y))
        return self

    @available_if(lambda self: hasattr(self.estimator, "fit_watched"))  # type: ignore[untyped-decorator]
    def fit_watched(self, X: Any, y: Any, X_valid: Any, y_valid: Any) -> "Augmented":
        """Fit as :meth:`fit`, watched by the validation rows as they are."""
        self.estimator_ = clone(self.estimator).fit_watched(*self._more(X, y), X_valid, y_valid)
        return self

    @available_if(lambda self: hasattr(self.estimator, "truncated"))  # type: ignore[untyped-decorator]
    def truncated(self, stages: int) -> Any:
        """Return the fitted estimator as if it had stopped after so many stages."""
        check_is_fitted(self, "estimator_")
        return self.estimator_.truncated(stages)

    def predict(self, X: Any) -> Any:
        """Return what the wrapped estimator predicts."""
        check_is_fitted(self, "estimator_")
        return self.estimator_.predict(X)

    @available_if(lambda self: hasattr(self.estimator, "predict_proba"))  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Any:
        """Return the probabilities of the wrapped estimator."""
        check_is_fitted(self, "estimator_")
        return self.estimator_.predict_proba(X)

    def __getattr__(self, name: str) -> Any:
        """Return what else the wrapped estimator knows: ``coef_``, ``feature_importances_``, ``stages_param``."""
        if name == "stages_param" and "estimator" in self.__dict__:
            return getattr(self.estimator, name)
        if name.endswith("_") and not name.startswith("_") and "estimator_" in self.__dict__:
            return getattr(self.estimator_, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __sklearn_tags__(self) -> Any:
        """Say what the wrapped estimator is."""
        return self.estimator.__sklearn_tags__()

    def _more(self, X: Any, y: Any) -> tuple[Floats, NDArray[Any]]:
        """Return the rows with those made up after them."""
        table, target = np.asarray(X, dtype=np.float64), np.asarray(y)
        rng = np.random.default_rng(self.random_state)
        made = noisy(table, round(self.share * len(table)), rng) if self.method == "noise" else None
        sources, rows = made if made is not None else between(table, target, self.share, rng)
        return np.vstack([table, rows]), np.concatenate([target, target[sources]])


def noisy(X: Floats, n_rows: int, rng: np.random.Generator) -> tuple[NDArray[np.intp], Floats]:
    """Return ``n_rows`` rows drawn at random, and those rows with noise in every column that is not of whole numbers."""
    sources = rng.integers(0, len(X), n_rows)
    spread = np.where(_whole(X), 0.0, _spread(X))
    return sources, X[sources] + rng.normal(size=(n_rows, X.shape[1])) * NOISE * spread


def between(X: Floats, y: NDArray[Any], share: float, rng: np.random.Generator) -> tuple[NDArray[np.intp], Floats]:
    """Return rows between neighbours of the classes with fewer than ``share`` of the most frequent one's rows, and their sources.

    A class of one row has no neighbours, and is left as it is.
    """
    classes, counts = np.unique(y, return_counts=True)
    whole, scale = _whole(X), _spread(X)
    sources, rows = [np.empty(0, dtype=np.intp)], [np.empty((0, X.shape[1]))]
    for name, count in zip(classes, counts, strict=True):
        lacking = int(share * counts.max()) - int(count)
        if lacking <= 0 or count < 2:
            continue
        own = rng.permutation(np.flatnonzero(y == name))[:MOST_OF_A_CLASS]
        scaled = np.nan_to_num(X[own] / np.where(scale > 0, scale, 1.0))
        near = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(own) - 1)).fit(scaled).kneighbors(return_distance=False)
        first = rng.integers(0, len(own), lacking)
        second = near[first, rng.integers(0, near.shape[1], lacking)]
        mix = rng.random((lacking, 1))
        taken = np.where(rng.random((lacking, X.shape[1])) < mix, X[own[second]], X[own[first]])
        rows.append(np.where(whole, taken, X[own[first]] + mix * (X[own[second]] - X[own[first]])))
        sources.append(own[first])
    return np.concatenate(sources), np.vstack(rows)


def _whole(X: Floats) -> NDArray[np.bool_]:
    """Return which columns hold whole numbers alone."""
    return np.asarray(((np.round(X) == X) | np.isnan(X)).all(axis=0))


def _spread(X: Floats) -> Floats:
    """Return the standard deviation of each column's present values; 0 for a column without any."""
    present = ~np.isnan(X)
    counts = np.maximum(present.sum(axis=0), 1)
    mean = np.where(present, X, 0.0).sum(axis=0) / counts
    return np.asarray(np.sqrt((np.where(present, X - mean, 0.0) ** 2).sum(axis=0) / counts))
