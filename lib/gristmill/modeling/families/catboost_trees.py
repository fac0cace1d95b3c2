"""Gradient-boosted symmetric trees by CatBoost (Prokhorenkova et al. 2018), with ordered target statistics for categories."""

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gristmill.modeling.families.grown_trees import Floats, GrownClassifier, GrownRegressor, GrownTrees, Watched, patience_of
from gristmill.modeling.threads import threads_for

MOST_CODES = 256
"""Codes of categories that are told apart; the features of a case have fewer."""

MISSING = "missing"
"""What a missing category, or one never seen, is called: to CatBoost a category like another."""

LARGEST = float(np.finfo(np.float32).max)
"""Largest number that CatBoost reads: it holds numbers in single precision."""

_NAMES: NDArray[np.object_] = np.array([MISSING.encode(), *(str(code).encode() for code in range(MOST_CODES))], dtype=object)


class CatBoostTrees(GrownTrees):
    """What the classifier and the regressor around CatBoost share.

    The model is kept in CatBoost's own binary format without what it notes of the time and the process, under a checksum; it
    trains on one thread, writes no file and repeats itself to the bit.

    Parameters
    ----------
    rounds
        Trees.
    learning_rate
        What each tree counts for.
    depth
        Splits of each tree, the same at every node of a level.
    l2
        Penalty on the values of leaves.
    columns, rows
        Share of the columns that each level of a tree sees, and of the rows that each tree sees.
    random_strength
        How much chance there is in the choice of splits.
    leaf_steps
        Newton's steps towards the values of the leaves of a tree.
    one_hot
        Most levels of a category that are split one by one; statistics of the target take the place of more.
    together
        Most categories whose levels are combined for such a statistic.
    max_bins
        Borders that the values of a column are divided by.
    categories
        How many columns, counted from the first, hold codes of categories.
    random_state
        Seed.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what the library offers, given by name
        self,
        rounds: int = 200,
        learning_rate: float = 0.1,
        depth: int = 6,
        l2: float = 3.0,
        columns: float = 1.0,
        rows: float = 0.8,
        random_strength: float = 1.0,
        leaf_steps: int = 1,
        one_hot: int = 10,
        together: int = 1,
        max_bins: int = 254,
        categories: int = 0,
        random_state: int = 0,
    ) -> None:
        self.rounds = rounds
        self.learning_rate = learning_rate
        self.depth = depth
        self.l2 = l2
        self.columns = columns
        self.rows = rows
        self.random_strength = random_strength
        self.leaf_steps = leaf_steps
        self.one_hot = one_hot
        self.together = together
        self.max_bins = max_bins
        self.categories = categories
        self.random_state = random_state

    def _settings(self) -> dict[str, Any]:
        """Return the parameters in CatBoost's names."""
        return {
            "loss_function": {0: "RMSE", 2: "Logloss"}.get(self._n_classes, "MultiClass"),
            "iterations": self.rounds,
            "learning_rate": self.learning_rate,
            "depth": self.depth,
            "l2_leaf_reg": self.l2,
            "rsm": self.columns,
            "bootstrap_type": "Bernoulli" if self.rows < 1 else "No",
            **({"subsample": self.rows} if self.rows < 1 else {}),
            "random_strength": self.random_strength,
            "leaf_estimation_iterations": self.leaf_steps,  # CatBoost would choose by the number of rounds
            "one_hot_max_size": self.one_hot,
            "max_ctr_complexity": self.together,
            "border_count": self.max_bins,
            "boosting_type": "Plain",
            "random_seed": self.random_state,
            "thread_count": 1,
            "allow_writing_files": False,
            "logging_level": "Silent",
        }

    def _grow(self, X: Floats, y: NDArray[Any], watched: Watched | None) -> tuple[bytes, Floats]:
        """Return the grown trees in CatBoost's format, and the validation loss after each round."""
        import catboost  # noqa: PLC0415 - for those who train or load one

        more: dict[str, Any] = {}
        model = catboost.CatBoost(self._settings())
        try:
            if watched is not None:
                patience = patience_of(self.learning_rate)
                more = {"eval_set": self._pool(*watched), "early_stopping_rounds": patience, "use_best_model": False}
            model.fit(self._pool(X, y), **more)
        except catboost.CatBoostError as error:
            raise ValueError(f"CatBoost cannot learn from these rows: {error}") from error
        curve = next(iter(model.get_evals_result()["validation"].values())) if watched is not None else []
        return _sealed(_content(model)), np.array(curve, dtype=np.float64)

    def _shortened(self, stages: int) -> bytes:
        """Return the first ``stages`` rounds in CatBoost's format."""
        model = _load(_unsealed(np.asarray(self.model_).tobytes()))
        if stages < model.tree_count_:
            model.shrink(ntree_end=stages)
        return _sealed(_content(model))

    def _open(self, content: bytes) -> Any:
        """Return the model of a content whose checksum is right and which is made for these columns."""
        model = _load(_unsealed(content))
        n_codes = min(self.categories, self.n_features_in_)
        used = [*model.get_cat_feature_indices(), *model._get_float_feature_indices()]
        outputs = model._get_leaf_values().size if not model.tree_count_ else len(self.prior_)
        wrong = [place for place in model.get_cat_feature_indices() if place < self.n_features_in_ - n_codes]
        if wrong or any(place >= self.n_features_in_ for place in used) or outputs != len(self.prior_):
            raise ValueError("The stored trees of CatBoost are made for other columns than the model's. Build the case again.")
        return model

    def _raw(self, X: Floats) -> Floats:
        """Return the raw answers."""
        settings = {"prediction_type": "RawFormulaVal", "thread_count": threads_for(len(X))}
        return np.asarray(self._opened.predict(self._pool(X), **settings), dtype=np.float64)

    def _pool(self, X: Floats, y: NDArray[Any] | None = None) -> Any:
        """Return rows as CatBoost reads them: numbers in single precision, then the names of categories."""
        from catboost import FeaturesData, Pool  # noqa: PLC0415

        n_codes = min(self.categories, X.shape[1])
        numbers = np.clip(X[:, n_codes:], -LARGEST, LARGEST).astype(np.float32)
        known = (X[:, :n_codes] >= 0) & (X[:, :n_codes] < MOST_CODES)
        places = np.where(known, X[:, :n_codes], -1.0).astype(np.intp) + 1
        data = FeaturesData(
            num_feature_data=numbers if numbers.shape[1] else None, cat_feature_data=_NAMES[places] if n_codes else None
        )
        return Pool(data, label=y, thread_count=1)


class CatBoostTreesClassifier(CatBoostTrees, GrownClassifier):
    """CatBoost's trees for classes; parameters as in :class:`CatBoostTrees`.

    Examples
    --------
    >>> model = CatBoostTreesClassifier(rounds=20).fit([[0.0], [0.1], [0.9], [1.0]] * 10, [0, 0, 1, 1] * 10)
    >>> model.predict([[0.2], [0.8]]).tolist()
    [0, 1]
    """


class CatBoostTreesRegressor(CatBoostTrees, GrownRegressor):
    """CatBoost's trees for numbers; parameters as in :class:`CatBoostTrees`."""


def _content(model: Any) -> bytes:
    """Return a model in CatBoost's binary format, the same for the same trees: without time, guid and settings of its training."""
    notes = model.get_metadata()
    for key in list(notes.keys()):
        del notes[key]
    return bytes(model._serialize_model())


def _sealed(content: bytes) -> bytes:
    """Return a content behind its SHA-256: CatBoost may end the process over a content that was cut or has a wrong byte."""
    return hashlib.sha256(content).digest() + content


def _unsealed(content: bytes) -> bytes:
    """Return what :func:`_sealed` was given; raises ValueError where it is not what it was."""
    digest, inner = content[:32], content[32:]
    if hashlib.sha256(inner).digest() != digest:
        raise ValueError("The stored trees of CatBoost were cut or altered: their checksum differs. Build the case again.")
    return inner


def _load(content: bytes) -> Any:
    """Return the model of a content; raises ValueError where CatBoost refuses it."""
    import catboost  # noqa: PLC0415

    try:
        return catboost.CatBoost().load_model(blob=content)
    except (catboost.CatBoostError, UnicodeDecodeError, RuntimeError) as error:
        raise ValueError(f"The stored content is no model of CatBoost: {error}") from error
