"""Gradient-boosted trees by scikit-learn's HistGradientBoosting, which can be watched and shortened like the other libraries'."""

import copy
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.utils.validation import check_is_fitted

from gristmill.modeling.families.grown_trees import Floats, patience_of


class HistogramTrees(BaseEstimator):  # type: ignore[misc]
    """What the classifier and the regressor around HistGradientBoosting share.

    Parameters
    ----------
    rounds
        Trees, or trees of each class.
    learning_rate
        What each tree counts for.
    leaves, min_samples_leaf
        Most leaves of a tree, and fewest rows of a leaf.
    l2
        Penalty on the values of leaves.
    columns
        Share of the columns that each split sees.
    max_bins
        Bins that the values of a column are put into.
    categories
        How many columns, counted from the first, hold codes of categories.
    random_state
        Seed.

    Attributes
    ----------
    empty_
        Which columns had no value in training, shape ``(n_columns,)``.
    trees_
        The fitted estimator of scikit-learn.
    curve_
        After :meth:`fit_watched`: log loss or root mean squared error on the validation rows after each round.
    """

    stages_param = "rounds"

    def __init__(  # noqa: PLR0913, PLR0917 - what the library offers, given by name
        self,
        rounds: int = 100,
        learning_rate: float = 0.1,
        leaves: int = 31,
        min_samples_leaf: int = 20,
        l2: float = 0.0,
        columns: float = 1.0,
        max_bins: int = 255,
        categories: int = 0,
        random_state: int = 0,
    ) -> None:
        self.rounds = rounds
        self.learning_rate = learning_rate
        self.leaves = leaves
        self.min_samples_leaf = min_samples_leaf
        self.l2 = l2
        self.columns = columns
        self.max_bins = max_bins
        self.categories = categories
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:
        """Grow all rounds; ``X`` and ``y`` as in :meth:`gristmill.modeling.families.grown_trees.GrownTrees.fit`."""
        return self._keep(self._unfitted(early_stopping=False).fit(self._learn_columns(X), y))

    def fit_watched(self, X: Any, y: Any, X_valid: Any, y_valid: Any) -> Self:
        """Grow until the loss on validation rows has not improved for a while; see :class:`GrownTrees`."""
        watching = self._unfitted(early_stopping=True, n_iter_no_change=patience_of(self.learning_rate), tol=0.0)
        matrix = self._learn_columns(X)
        self._keep(watching.fit(matrix, y, X_val=self._matrix(X_valid), y_val=y_valid))
        losses = -np.asarray(watching.validation_score_[1:], dtype=np.float64)  # the first is that of no tree at all
        self.curve_ = losses if isinstance(self, ClassifierMixin) else np.sqrt(2 * losses)  # half the squared error is learnt
        return self

    def truncated(self, stages: int) -> Self:
        """Return a fitted estimator that answers as if it had been grown for ``stages`` rounds; this one stays as it is.

        More rounds than there are give all of them.

        Raises
        ------
        ValueError
            ``stages`` is less than one.
        """
        check_is_fitted(self, "trees_")
        if stages < 1:
            raise ValueError(f"Expected at least one round, got {stages!r}.")
        short: Self = copy.copy(self).set_params(rounds=int(stages))
        trees = copy.copy(self.trees_)
        trees._predictors = trees._predictors[:stages]
        trees.max_iter = int(stages)
        for scores in ("train_score_", "validation_score_"):
            if len(getattr(trees, scores)):
                setattr(trees, scores, getattr(trees, scores)[: stages + 1])
        if hasattr(self, "curve_"):
            short.curve_ = self.curve_[:stages]
        short.trees_ = trees
        return short

    def _learn_columns(self, X: Any) -> Floats:
        """Note which columns have no value at all, which scikit-learn cannot put into bins, and return the matrix."""
        self.empty_ = np.isnan(np.asarray(X, dtype=np.float64)).all(axis=0)
        return self._matrix(X)

    def _matrix(self, X: Any) -> Floats:
        """Return rows with zeros in the columns that had no value in training."""
        matrix = np.asarray(X, dtype=np.float64)
        return np.where(self.empty_, 0.0, matrix) if self.empty_.any() else matrix

    def _unfitted(self, **more: Any) -> Any:
        """Return scikit-learn's estimator."""
        kind = HistGradientBoostingClassifier if isinstance(self, ClassifierMixin) else HistGradientBoostingRegressor
        return kind(
            max_iter=self.rounds,
            learning_rate=self.learning_rate,
            max_leaf_nodes=self.leaves,
            min_samples_leaf=self.min_samples_leaf,
            l2_regularization=self.l2,
            max_features=self.columns,
            max_bins=self.max_bins,
            categorical_features=list(range(self.categories)) or None,
            random_state=self.random_state,
            **more,
        )

    def _keep(self, trees: Any) -> Self:
        """Keep what was fitted."""
        if hasattr(self, "curve_"):
            del self.curve_
        self.trees_ = trees
        self.n_features_in_ = trees.n_features_in_
        if isinstance(self, ClassifierMixin):
            self.classes_ = trees.classes_
        return self


class HistogramTreesClassifier(ClassifierMixin, HistogramTrees):  # type: ignore[misc]
    """HistGradientBoosting for classes; parameters as in :class:`HistogramTrees`.

    Examples
    --------
    >>> model = HistogramTreesClassifier(rounds=20, min_samples_leaf=1).fit([[0.0], [0.1], [0.9], [1.0]] * 10, [0, 0, 1, 1] * 10)
    >>> model.predict([[0.2], [0.8]]).tolist()
    [0, 1]
    """

    def predict_proba(self, X: Any) -> Floats:
        """Return the probability of every class, shape ``(n_rows, n_classes)``."""
        check_is_fitted(self, "trees_")
        return np.asarray(self.trees_.predict_proba(self._matrix(X)), dtype=np.float64)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class, shape ``(n_rows,)``."""
        check_is_fitted(self, "trees_")
        return np.asarray(self.trees_.predict(self._matrix(X)))


class HistogramTreesRegressor(RegressorMixin, HistogramTrees):  # type: ignore[misc]
    """HistGradientBoosting for numbers; parameters as in :class:`HistogramTrees`."""

    def predict(self, X: Any) -> Floats:
        """Return the prediction, shape ``(n_rows,)``."""
        check_is_fitted(self, "trees_")
        return np.asarray(self.trees_.predict(self._matrix(X)), dtype=np.float64)
