"""Gradient-boosted trees by LightGBM (Ke et al. 2017): leaf-wise trees over histograms, categories split as sets of levels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gristmill.modeling.families.grown_trees import Floats, GrownClassifier, GrownRegressor, GrownTrees, Watched, patience_of
from gristmill.modeling.families.lightgbm_text import END, verify
from gristmill.modeling.threads import threads_for

HISTOGRAM_MEGABYTES = 512
"""Most memory that the histograms of one tree may take; those beyond it are counted again instead of kept."""


class LightGBMTrees(GrownTrees):
    """What the classifier and the regressor around LightGBM share.

    The model is kept as LightGBM's own text without its parameters; it trains on one thread and repeats itself to the bit.

    Parameters
    ----------
    rounds
        Trees, or trees of each class.
    learning_rate
        What each tree counts for.
    leaves, min_samples_leaf
        Most leaves of a tree, and fewest rows of a leaf.
    l1, l2
        Penalties on the values of leaves.
    columns, rows
        Share of the columns that each tree sees, and of the rows.
    extra_trees
        Whether only one random threshold of a column is tried at a split (Geurts et al. 2006).
    cat_smooth
        By how much rare levels are drawn together.
    max_bins
        Bins that the values of a column are put into.
    categories
        How many columns, counted from the first, hold codes of categories.
    random_state
        Seed.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what the library offers, given by name
        self,
        rounds: int = 100,
        learning_rate: float = 0.1,
        leaves: int = 31,
        min_samples_leaf: int = 20,
        l1: float = 0.0,
        l2: float = 0.0,
        columns: float = 1.0,
        rows: float = 1.0,
        extra_trees: bool = False,  # noqa: FBT001, FBT002
        cat_smooth: float = 10.0,
        max_bins: int = 255,
        categories: int = 0,
        random_state: int = 0,
    ) -> None:
        self.rounds = rounds
        self.learning_rate = learning_rate
        self.leaves = leaves
        self.min_samples_leaf = min_samples_leaf
        self.l1 = l1
        self.l2 = l2
        self.columns = columns
        self.rows = rows
        self.extra_trees = extra_trees
        self.cat_smooth = cat_smooth
        self.max_bins = max_bins
        self.categories = categories
        self.random_state = random_state

    def _objective(self) -> dict[str, Any]:
        """Return what is learnt, in LightGBM's names."""
        if self._n_classes == 0:
            return {"objective": "regression", "metric": "rmse"}
        if self._n_classes == 2:
            return {"objective": "binary", "metric": "binary_logloss"}
        return {"objective": "multiclass", "metric": "multi_logloss", "num_class": self._n_classes}

    def _settings(self) -> dict[str, Any]:
        """Return the parameters in LightGBM's names."""
        return {
            **self._objective(),
            "learning_rate": self.learning_rate,
            "num_leaves": self.leaves,
            "min_data_in_leaf": self.min_samples_leaf,
            "lambda_l1": self.l1,
            "lambda_l2": self.l2,
            "feature_fraction": self.columns,
            "bagging_fraction": self.rows,
            "bagging_freq": 1 if self.rows < 1 else 0,
            "extra_trees": self.extra_trees,
            "cat_smooth": self.cat_smooth,
            "min_data_per_group": min(100, max(5, self.min_samples_leaf)),
            "max_bin": self.max_bins,
            "histogram_pool_size": HISTOGRAM_MEGABYTES,
            "seed": self.random_state,
            "deterministic": True,
            "force_row_wise": True,  # so that no timing of both ways decides which one is taken
            "num_threads": 1,
            "verbosity": -1,
        }

    def _grow(self, X: Floats, y: NDArray[Any], watched: Watched | None) -> tuple[bytes, Floats]:
        """Return the text of the grown trees, and the validation loss after each round."""
        import lightgbm  # noqa: PLC0415 - for those who train or load one

        settings = self._settings()
        losses: dict[str, dict[str, list[float]]] = {}
        more: dict[str, Any] = {}
        categories = list(range(min(self.categories, X.shape[1])))
        try:
            rows = lightgbm.Dataset(X, y, categorical_feature=categories, params=settings)
            if watched is not None:
                more = {
                    "valid_sets": [rows.create_valid(*watched)],
                    "callbacks": [
                        lightgbm.record_evaluation(losses),
                        lightgbm.early_stopping(patience_of(self.learning_rate), verbose=False),
                    ],
                }
            booster = lightgbm.train(settings, rows, self.rounds, keep_training_booster=True, **more)
            text = booster.model_to_string(num_iteration=-1)
        except lightgbm.basic.LightGBMError as error:
            raise ValueError(f"LightGBM cannot learn from these rows: {error}") from error
        curve = next(iter(losses["valid_0"].values())) if losses else []
        return _without_parameters(text), np.array(curve, dtype=np.float64)

    def _shortened(self, stages: int) -> bytes:
        """Return the text of the first ``stages`` rounds."""
        return _without_parameters(self._opened.model_to_string(num_iteration=stages))

    def _open(self, content: bytes) -> Any:
        """Return the booster of a text that was looked through first: LightGBM itself believes whatever it reads."""
        import lightgbm  # noqa: PLC0415

        text = content.decode("utf-8", errors="strict")
        verify(text, self.n_features_in_, self._n_classes)
        try:
            return lightgbm.Booster(model_str=text)
        except lightgbm.basic.LightGBMError as error:
            raise ValueError(f"The text is no model of LightGBM: {error}") from error

    def _raw(self, X: Floats) -> Floats:
        """Return the raw answers."""
        return np.asarray(self._opened.predict(X, raw_score=True, num_threads=threads_for(len(X))), dtype=np.float64)


class LightGBMTreesClassifier(LightGBMTrees, GrownClassifier):
    """LightGBM's trees for classes; parameters as in :class:`LightGBMTrees`.

    Examples
    --------
    >>> model = LightGBMTreesClassifier(rounds=20, min_samples_leaf=1).fit([[0.0], [0.1], [0.9], [1.0]] * 10, [0, 0, 1, 1] * 10)
    >>> model.predict([[0.2], [0.8]]).tolist()
    [0, 1]
    """


class LightGBMTreesRegressor(LightGBMTrees, GrownRegressor):
    """LightGBM's trees for numbers; parameters as in :class:`LightGBMTrees`."""


def _without_parameters(text: str) -> bytes:
    """Return a model's text up to its trees: what follows is not needed to answer, and names files and machines."""
    return (text.partition(END)[0] + END).encode()
