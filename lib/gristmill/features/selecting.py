"""Which features a model may use, chosen by what they tell about the target on the rows it is fitted on.

A feature that is left out takes one value for every row, so that no model can use it, and every step after it stays as it is.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from gristmill.features import selection_methods
from gristmill.features.proposals import bins, explained, outcomes_of
from gristmill.features.rows import MISSING_LEVEL
from gristmill.features.target_means import TargetMeans

Floats = NDArray[np.float64]


class FeatureSelection(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Leave features out that tell nothing, or nothing more, about the target.

    Levels are judged by the mean of the target within each, taken from other inner folds; free text is never left out.

    Parameters
    ----------
    method
        ``correlation``: of two numbers that say the same the one that tells less; ``importance``: what a forest needs no more than
        shuffled copies (after Kursa and Rudnicki 2010); ``recursive``: the least important fifth goes, again and again, and the
        smallest set that is as good as the best on held-out rows stays (Guyon et al. 2002); ``l1``: what a lasso gives no weight,
        the penalty chosen by cross-validation and the rule of one standard error.
    n_classes
        Number of classes the codes ``y`` may hold; 0 for a numeric target.
    max_features
        How many may stay; None for as many as the method keeps.
    max_correlation
        Size of a correlation from which two numbers say the same, for ``correlation``.
    texts
        Columns of free text.
    max_rows
        Rows that are looked at.
    random_state
        Seed of the sample and of the forests.
    """

    def __init__(
        self,
        method: str = "importance",
        n_classes: int = 0,
        max_features: int | None = None,
        max_correlation: float = 0.95,
        texts: Sequence[str] = (),
        max_rows: int = 5000,
        random_state: int = 42,
    ) -> None:
        self.method = method
        self.n_classes = n_classes
        self.max_features = max_features
        self.max_correlation = max_correlation
        self.texts = texts
        self.max_rows = max_rows
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: Any) -> "FeatureSelection":
        """Choose among row-wise features ``X``, shape ``(n_rows, n_features)``."""
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.n_features_in_ = X.shape[1]
        judged = [str(name) for name in X.columns if name not in self.texts]
        rows = np.sort(np.random.default_rng(self.random_state).permutation(len(X))[: self.max_rows])
        sample, target = X.iloc[rows][judged], np.asarray(y)[rows]
        reasons = self._reasons(sample, target) if len(judged) > 1 and len(rows) > 1 else {}
        self.dropped_ = [{"name": name, "reason": reasons[name]} for name in judged if name in reasons]
        self.blank_ = {name: 0.0 if X[name].dtype.kind == "f" else MISSING_LEVEL for name in judged if name in reasons}
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the features, those that are left out with one value throughout."""
        check_is_fitted(self)
        return X.assign(**self.blank_) if self.blank_ else X

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the features, which stay the same."""
        check_is_fitted(self)
        return np.asarray(self.feature_names_in_ if input_features is None else input_features, dtype=object)

    def _reasons(self, sample: pd.DataFrame, target: NDArray[Any]) -> dict[str, str]:
        """Return the features to leave out, with the reason; at least the one that tells most stays."""
        outcomes = outcomes_of(target, self.n_classes)
        table = as_numbers(sample, target)
        telling = {name: explained(bins(table[name].to_numpy()), outcomes) for name in table.columns}
        numbers = [name for name in sample.columns if sample[name].dtype.kind == "f"]
        most = len(telling) if self.max_features is None else self.max_features
        if self.method == "correlation":
            found = selection_methods.correlated(table[numbers], telling, self.max_correlation)
        elif self.method == "importance":
            found, telling = selection_methods.unimportant(table, outcomes, self.random_state)
        elif self.method == "recursive":
            found = selection_methods.eliminated(table, outcomes, most, self.random_state)
        else:
            found, telling = selection_methods.weightless(table, outcomes, self.random_state)
        return _at_most(found, telling, most)


def as_numbers(X: pd.DataFrame, y: NDArray[Any]) -> pd.DataFrame:
    """Return one standardised number a feature: gaps filled with the median, levels by the target's mean in other inner folds."""
    columns: dict[str, Floats] = {}
    for name in X.columns:
        if X[name].dtype.kind == "f":
            values = X[name].to_numpy(dtype=np.float64)
            present = values[~np.isnan(values)]
            filled = np.where(np.isnan(values), np.median(present) if len(present) else 0.0, values)
        else:
            filled = TargetMeans(0).fit_transform(X[[name]], np.asarray(y, dtype=np.float64))[:, 0]
        columns[str(name)] = (filled - filled.mean()) / (float(filled.std()) or 1.0)
    return pd.DataFrame(columns, index=X.index)


def _at_most(found: Mapping[str, str], telling: Mapping[str, float], most: int) -> dict[str, str]:
    """Return the features to leave out so that at most ``most`` stay, and at least one."""
    order = sorted(telling, key=lambda name: -telling[name])
    dropped = dict(found)
    stay = [name for name in order if name not in dropped]
    for name in stay[most:]:
        dropped[name] = f"it is not among the {most} that tell most about the target"
    if len(dropped) == len(order):
        del dropped[order[0]]
    return dropped
