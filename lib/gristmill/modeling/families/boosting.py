"""Gradient-boosted trees over histograms, which split categories and missing values natively."""

from typing import Any

from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from gristmill.features.preparation import native_categories
from gristmill.modeling.families.problem import Params, Problem


def portfolio(problem: Problem) -> list[Params]:
    """Return the known-good configurations, the safest first."""
    leaf = max(2, min(20, problem.n_rows // 25))
    plain = {"learning_rate": 0.1, "rounds": 100, "leaves": 31, "min_samples_leaf": leaf, "l2": 0.0, "max_features": 1.0}
    slow = {"learning_rate": 0.05, "rounds": 120, "leaves": 8, "min_samples_leaf": leaf, "l2": 1.0, "max_features": 0.5}
    rich = {"learning_rate": 0.06, "rounds": 250, "leaves": 24, "min_samples_leaf": leaf, "l2": 5.0, "max_features": 0.4}
    return [slow, plain, rich] if problem.n_rows < 20_000 else [plain, rich, slow]


def suggest(trial: Any, problem: Problem) -> Params:
    """Return the configuration that an Optuna ``trial`` proposes."""
    return {
        "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.2, log=True),
        "rounds": trial.suggest_int("rounds", 50, 400, log=True),
        "leaves": trial.suggest_int("leaves", 3, 63, log=True),
        "min_samples_leaf": trial.suggest_int("min_samples_leaf", 2, max(3, min(80, problem.n_rows // 10)), log=True),
        "l2": trial.suggest_float("l2", 1e-3, 30.0, log=True),
        "max_features": trial.suggest_float("max_features", 0.2, 1.0),
    }


def estimator(params: Params, problem: Problem) -> Any:
    """Return the unfitted estimator of a configuration."""
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
