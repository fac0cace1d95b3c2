"""How much more often a row like each reference row is served than it was seen: the weights of covariate shift.

A classifier learns to tell served rows from reference rows; the odds of its answer, out of fold, are the ratio of the two densities
(Bickel, Bruckner & Scheffer 2009, "Discriminative learning under covariate shift"). Where it cannot tell them apart beyond chance
the rows are taken to be alike, because weights would then be noise.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gristmill.metrics.scores import Floats
from gristmill.modeling.threads import one_core

FOLDS = 5
LARGEST_SHARE = 0.01
"""Share of all weight that one reference row may have; beyond it a few rows would decide alone."""

CLEARLY = 3.0
"""Standard errors by which the area under the ROC curve has to exceed one half before weights are used."""

FEWEST_EFFECTIVE = 300
"""Effective reference rows below which an estimate is not to be relied on."""

BEYOND = 0.05
"""Probability of being a reference row below which a served row lies where hardly any reference row does."""


@dataclass(frozen=True)
class Shift:
    """How far served rows are from the reference rows.

    Attributes
    ----------
    weights
        Of the reference rows, shape ``(n_rows,)``, with mean 1.
    separation
        Area under the ROC curve of telling the two apart; one half where they are alike.
    error
        Its standard error if they were alike.
    effective_rows
        As many equally weighted rows would say as much (Kish 1965).
    beyond
        Share of the served rows that lie where hardly any reference row does.
    """

    weights: Floats
    separation: float
    error: float
    effective_rows: float
    beyond: float

    @property
    def found(self) -> bool:
        """Whether the rows differ beyond chance."""
        return self.separation > 0.5 + CLEARLY * self.error


def shift(reference: Floats, served: Floats, is_level: NDArray[np.bool_], random_state: int = 0) -> Shift:
    """Return how served rows differ from reference rows.

    Parameters
    ----------
    reference, served
        Arrays of the same columns, shape ``(n_rows, n_columns)``; missing values are not a number.
    is_level
        Which columns hold codes of levels.
    random_state
        Seed of folds and classifier.
    """
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415

    X = np.vstack([reference, served])
    y = np.repeat([0, 1], [len(reference), len(served)])
    with one_core():
        proba = _out_of_fold(X, y, is_level, random_state)
    separation = float(roc_auc_score(y, proba))
    n_reference, n_served = len(reference), len(served)
    error = float(np.sqrt((n_reference + n_served + 1) / (12 * n_reference * n_served)))
    beyond = float(np.mean(1 - proba[y == 1] < BEYOND * n_reference / (n_reference + n_served)))
    if separation <= 0.5 + CLEARLY * error:
        return Shift(np.ones(n_reference), separation, error, float(n_reference), 0.0)
    odds = proba[y == 0] / (1 - proba[y == 0]) * n_reference / n_served
    weights = np.minimum(odds, LARGEST_SHARE * odds.sum())
    weights *= n_reference / weights.sum()
    return Shift(weights, separation, error, float(weights.sum() ** 2 / (weights**2).sum()), beyond)


def _out_of_fold(X: Floats, y: NDArray[np.int64], is_level: NDArray[np.bool_], random_state: int) -> Floats:
    """Return the probability that each row is a served one, by a classifier that has not seen it.

    Boosted trees and a linear model are averaged on the scale of log-odds: trees see interactions and levels, and the line goes on
    where rows become few.
    """
    from scipy.special import expit, logit  # noqa: PLC0415
    from sklearn.compose import ColumnTransformer  # noqa: PLC0415
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415
    from sklearn.impute import SimpleImputer  # noqa: PLC0415
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
    from sklearn.model_selection import StratifiedKFold, cross_val_predict  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import OneHotEncoder, QuantileTransformer  # noqa: PLC0415

    telling = np.isfinite(X).any(axis=0) & np.array([len(np.unique(column)) > 1 for column in X.T], dtype=bool)
    X, is_level = X[:, telling], is_level[telling]
    if not X.shape[1]:
        return np.full(len(y), y.mean())
    trees = HistGradientBoostingClassifier(
        max_iter=60, learning_rate=0.08, max_leaf_nodes=8, min_samples_leaf=50, l2_regularization=5.0, random_state=random_state
    )
    numeric = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True), QuantileTransformer(output_distribution="normal", n_quantiles=50)
    )
    prepared = ColumnTransformer(
        [
            ("levels", OneHotEncoder(handle_unknown="ignore", min_frequency=10), np.flatnonzero(is_level)),
            ("numbers", numeric, np.flatnonzero(~is_level)),
        ]
    )
    line = make_pipeline(prepared, LogisticRegression(C=0.1, max_iter=1000))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=random_state)
    both = [cross_val_predict(model, X, y, cv=folds, method="predict_proba")[:, 1] for model in (trees, line)]
    return np.asarray(expit(np.mean([logit(np.clip(one, 1e-4, 1 - 1e-4)) for one in both], axis=0)), dtype=np.float64)
