"""The model families: how each is built, which configurations are known to be good, and where a search may look.

A configuration is a flat, JSON-able mapping. :func:`portfolio` gives the strong defaults that are always tried first,
:func:`suggest` asks a search for another one, and :func:`build` makes the unfitted pipeline of either.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import ElasticNet, LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline

from gristmill.features.preparation import native_categories, preprocessor
from gristmill.modeling.known_classes import KnownClasses
from gristmill.modeling.scaled_target import ScaledTarget

Params = dict[str, Any]

MOST_LEAVES = 5_000
"""Leaves that one tree of a forest may grow, so that a forest of any table fits in memory and on disk."""

MOST_SAMPLED = 50_000
"""Rows that one tree of a random forest draws at most."""

PATIENCE = 5
MIN_DELTA = 0.001
"""Early stopping of networks: epochs without an improvement of at least this much on held-out rows."""


@dataclass(frozen=True)
class Problem:
    """What a family has to know to build an estimator.

    Parameters
    ----------
    plan
        The plan of features.
    n_rows
        Number of training rows.
    rarest
        Rows of the rarest class; the number of rows for a regression.
    skewed
        Whether the target of a regression is worth learning on a logarithmic scale.
    random_state
        Seed of every estimator.
    """

    plan: dict[str, Any]
    n_rows: int
    rarest: int
    skewed: bool = False
    random_state: int = 42

    @property
    def n_classes(self) -> int:
        """Number of classes; 0 for a regression."""
        return int(self.plan["n_classes"])


def _target_scales(problem: Problem) -> tuple[str, ...]:
    """Return the scales on which a regression may learn its target, the likelier first."""
    return ("log", "linear") if problem.skewed else ("linear",)


# --- linear -----------------------------------------------------------------------------------------------------------


def _linear_portfolio(problem: Problem) -> list[Params]:
    strengths = (1e-3, 1e-2) if problem.n_classes == 0 else (1.0, 0.1)
    return [
        {"numeric": "standard", "penalty": strengths[0], "l1_ratio": 0.0},
        {"numeric": "spline", "penalty": strengths[1], "l1_ratio": 0.0},
        {"numeric": "quantile", "penalty": strengths[0], "l1_ratio": 0.0},
    ]


def _suggest_linear(trial: Any, problem: Problem) -> Params:
    lowest, highest = (1e-5, 1.0) if problem.n_classes == 0 else (1e-3, 30.0)
    return {
        "numeric": trial.suggest_categorical("numeric", ["standard", "spline", "quantile"]),
        "penalty": trial.suggest_float("penalty", lowest, highest, log=True),
        "l1_ratio": trial.suggest_categorical("l1_ratio", [0.0, 0.5, 1.0]) if problem.n_rows <= 20_000 else 0.0,
    }


def _linear(params: Params, problem: Problem) -> Any:
    penalty, l1_ratio, seed = params["penalty"], params["l1_ratio"], problem.random_state
    if problem.n_classes:
        solver: Params = {"solver": "saga", "max_iter": 200, "tol": 1e-3} if l1_ratio else {"solver": "lbfgs", "max_iter": 300}
        return LogisticRegression(C=penalty, l1_ratio=l1_ratio, random_state=seed, **solver)
    if l1_ratio:
        return ElasticNet(alpha=penalty, l1_ratio=l1_ratio, random_state=seed, max_iter=2_000, selection="random", tol=1e-3)
    return Ridge(alpha=penalty * problem.n_rows, random_state=seed)


# --- forest -----------------------------------------------------------------------------------------------------------


def _forest_portfolio(problem: Problem) -> list[Params]:
    features = "sqrt" if problem.n_classes else 0.4
    textbook = {"kind": "random", "trees": 100, "max_depth": 10, "min_samples_split": 5, "min_samples_leaf": 1}
    deep = {"trees": 100, "max_depth": None, "min_samples_split": 2}
    return [
        {**textbook, "max_features": features},
        {"kind": "extra", **deep, "min_samples_leaf": 3, "max_features": 0.6},
        {"kind": "random", **deep, "min_samples_leaf": 5, "max_features": 0.4},
    ]


def _suggest_forest(trial: Any, problem: Problem) -> Params:  # noqa: ARG001 - one signature for all families
    return {
        "kind": trial.suggest_categorical("kind", ["random", "extra"]),
        "trees": trial.suggest_int("trees", 60, 120, step=20),
        "max_depth": trial.suggest_categorical("max_depth", [6, 10, 16, None]),
        "min_samples_split": trial.suggest_int("min_samples_split", 2, 10),
        "min_samples_leaf": trial.suggest_int("min_samples_leaf", 1, 20, log=True),
        "max_features": trial.suggest_float("max_features", 0.15, 1.0),
    }


def _forest(params: Params, problem: Problem) -> Any:
    settings = {
        "n_estimators": params["trees"],
        "max_depth": params["max_depth"],
        "min_samples_split": params["min_samples_split"],
        "min_samples_leaf": max(params["min_samples_leaf"], problem.n_rows // MOST_LEAVES),
        "max_features": params["max_features"],
        "random_state": problem.random_state,
        "n_jobs": 1,
    }
    if params["kind"] == "extra":
        return ExtraTreesClassifier(**settings) if problem.n_classes else ExtraTreesRegressor(**settings)
    share = min(1.0, MOST_SAMPLED / problem.n_rows)
    settings["max_samples"] = share if share < 1 else None
    return RandomForestClassifier(**settings) if problem.n_classes else RandomForestRegressor(**settings)


# --- boosting ---------------------------------------------------------------------------------------------------------


def _boosting_portfolio(problem: Problem) -> list[Params]:
    leaf = max(2, min(20, problem.n_rows // 25))
    plain = {"learning_rate": 0.1, "rounds": 100, "leaves": 31, "min_samples_leaf": leaf, "l2": 0.0, "max_features": 1.0}
    slow = {"learning_rate": 0.05, "rounds": 120, "leaves": 8, "min_samples_leaf": leaf, "l2": 1.0, "max_features": 0.5}
    rich = {"learning_rate": 0.06, "rounds": 250, "leaves": 24, "min_samples_leaf": leaf, "l2": 5.0, "max_features": 0.4}
    return [slow, plain, rich] if problem.n_rows < 20_000 else [plain, rich, slow]


def _suggest_boosting(trial: Any, problem: Problem) -> Params:
    return {
        "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.2, log=True),
        "rounds": trial.suggest_int("rounds", 50, 400, log=True),
        "leaves": trial.suggest_int("leaves", 3, 63, log=True),
        "min_samples_leaf": trial.suggest_int("min_samples_leaf", 2, max(3, min(80, problem.n_rows // 10)), log=True),
        "l2": trial.suggest_float("l2", 1e-3, 30.0, log=True),
        "max_features": trial.suggest_float("max_features", 0.2, 1.0),
    }


def _boosting(params: Params, problem: Problem) -> Any:
    settings = {
        "learning_rate": params["learning_rate"],
        "max_iter": params["rounds"],
        "max_leaf_nodes": params["leaves"],
        "min_samples_leaf": params["min_samples_leaf"],
        "l2_regularization": params["l2"],
        "max_features": params["max_features"],
        "categorical_features": list(range(native_categories(problem.plan))) or None,
        "early_stopping": False,
        "random_state": problem.random_state,
    }
    return HistGradientBoostingClassifier(**settings) if problem.n_classes else HistGradientBoostingRegressor(**settings)


# --- neural -----------------------------------------------------------------------------------------------------------


def _neural_portfolio(problem: Problem) -> list[Params]:  # noqa: ARG001 - one signature for all families
    return [
        {"numeric": "quantile", "hidden": "32", "alpha": 1.0, "learning_rate": 1e-3, "epochs": 25},
        {"numeric": "standard", "hidden": "64-32", "alpha": 0.01, "learning_rate": 1e-3, "epochs": 50},
        {"numeric": "quantile", "hidden": "64-64", "alpha": 3.0, "learning_rate": 2e-3, "epochs": 30},
    ]


def _suggest_neural(trial: Any, problem: Problem) -> Params:  # noqa: ARG001
    return {
        "numeric": trial.suggest_categorical("numeric", ["standard", "quantile"]),
        "hidden": trial.suggest_categorical("hidden", ["16", "32", "64", "64-32", "128-64"]),
        "alpha": trial.suggest_float("alpha", 1e-3, 10.0, log=True),
        "learning_rate": trial.suggest_float("learning_rate", 3e-4, 5e-3, log=True),
        "epochs": trial.suggest_int("epochs", 10, 50),
    }


def _neural(params: Params, problem: Problem) -> Any:
    stops_early = problem.rarest >= 100
    settings: Params = {
        "hidden_layer_sizes": tuple(int(width) for width in params["hidden"].split("-")),
        "alpha": params["alpha"],
        "learning_rate_init": params["learning_rate"],
        "batch_size": max(min(32, problem.n_rows // 4), min(1024, problem.n_rows // 150), 1),
        "max_iter": params["epochs"],
        "early_stopping": stops_early,
        "n_iter_no_change": PATIENCE if stops_early else params["epochs"],
        "tol": MIN_DELTA if stops_early else 0.0,
        "random_state": problem.random_state,
    }
    return MLPClassifier(**settings) if problem.n_classes else MLPRegressor(**settings)


# --- all --------------------------------------------------------------------------------------------------------------

_PORTFOLIO: Mapping[str, Callable[[Problem], list[Params]]] = {
    "linear": _linear_portfolio,
    "forest": _forest_portfolio,
    "boosting": _boosting_portfolio,
    "neural": _neural_portfolio,
}
_SUGGEST: Mapping[str, Callable[[Any, Problem], Params]] = {
    "linear": _suggest_linear,
    "forest": _suggest_forest,
    "boosting": _suggest_boosting,
    "neural": _suggest_neural,
}
_ESTIMATOR: Mapping[str, Callable[[Params, Problem], Any]] = {
    "linear": _linear,
    "forest": _forest,
    "boosting": _boosting,
    "neural": _neural,
}


def portfolio(family: str, problem: Problem) -> list[Params]:
    """Return the configurations that are tried before any search, the safest first."""
    scales = _target_scales(problem)
    known = _PORTFOLIO[family](problem)
    if problem.n_classes:
        return known
    return [{**params, "target": scale} for params in known for scale in scales]


def suggest(family: str, trial: Any, problem: Problem) -> Params:
    """Return the configuration that an Optuna ``trial`` proposes."""
    params = _SUGGEST[family](trial, problem)
    if problem.n_classes:
        return params
    return {**params, "target": trial.suggest_categorical("target", list(_target_scales(problem)))}


def estimator(family: str, params: Params, problem: Problem) -> Any:
    """Return the unfitted estimator of a configuration, for the matrix that the family's preprocessor makes."""
    model = _ESTIMATOR[family](params, problem)
    return KnownClasses(model, problem.n_classes) if problem.n_classes else ScaledTarget(model, params["target"])


def build(family: str, params: Params, problem: Problem) -> Pipeline:
    """Return the unfitted pipeline of a configuration, for row-wise features."""
    prepare = preprocessor(problem.plan, family, params.get("numeric", "standard"))
    return Pipeline([("prepare", prepare), ("model", estimator(family, params, problem))])
