"""Forests: random forests and extremely randomised trees."""

from typing import Any

from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor

from gristmill.modeling.families.problem import Params, Problem

MOST_LEAVES = 5_000
"""Leaves that one tree of a forest may grow, so that a forest of any table fits in memory and on disk."""

MOST_SAMPLED = 50_000
"""Rows that one tree of a random forest draws at most."""


def portfolio(problem: Problem) -> list[Params]:
    """Return the known-good configurations, the safest first."""
    features = "sqrt" if problem.n_classes else 0.4
    textbook = {"kind": "random", "trees": 100, "max_depth": 10, "min_samples_split": 5, "min_samples_leaf": 1}
    deep = {"trees": 100, "max_depth": None, "min_samples_split": 2}
    return [
        {**textbook, "max_features": features},
        {"kind": "extra", **deep, "min_samples_leaf": 3, "max_features": 0.6},
        {"kind": "random", **deep, "min_samples_leaf": 5, "max_features": 0.4},
    ]


def suggest(trial: Any, problem: Problem) -> Params:  # noqa: ARG001 - one signature for all families
    """Return the configuration that an Optuna ``trial`` proposes."""
    return {
        "kind": trial.suggest_categorical("kind", ["random", "extra"]),
        "trees": trial.suggest_int("trees", 60, 120, step=20),
        "max_depth": trial.suggest_categorical("max_depth", [6, 10, 16, None]),
        "min_samples_split": trial.suggest_int("min_samples_split", 2, 10),
        "min_samples_leaf": trial.suggest_int("min_samples_leaf", 1, 20, log=True),
        "max_features": trial.suggest_float("max_features", 0.15, 1.0),
    }


def estimator(params: Params, problem: Problem) -> Any:
    """Return the unfitted estimator of a configuration."""
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
