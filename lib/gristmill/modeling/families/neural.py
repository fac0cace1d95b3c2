"""Neural networks: small multilayer perceptrons."""

from typing import Any

from sklearn.neural_network import MLPClassifier, MLPRegressor

from gristmill.modeling.families.problem import Params, Problem

PATIENCE = 5
MIN_DELTA = 0.001
"""Early stopping of networks: epochs without an improvement of at least this much on held-out rows."""


def portfolio(problem: Problem) -> list[Params]:  # noqa: ARG001 - one signature for all families
    """Return the known-good configurations, the safest first."""
    return [
        {"numeric": "quantile", "hidden": "32", "alpha": 1.0, "learning_rate": 1e-3, "epochs": 25},
        {"numeric": "standard", "hidden": "64-32", "alpha": 0.01, "learning_rate": 1e-3, "epochs": 50},
        {"numeric": "quantile", "hidden": "64-64", "alpha": 3.0, "learning_rate": 2e-3, "epochs": 30},
    ]


def suggest(trial: Any, problem: Problem) -> Params:  # noqa: ARG001
    """Return the configuration that an Optuna ``trial`` proposes."""
    return {
        "numeric": trial.suggest_categorical("numeric", ["standard", "quantile"]),
        "hidden": trial.suggest_categorical("hidden", ["16", "32", "64", "64-32", "128-64"]),
        "alpha": trial.suggest_float("alpha", 1e-3, 10.0, log=True),
        "learning_rate": trial.suggest_float("learning_rate", 3e-4, 5e-3, log=True),
        "epochs": trial.suggest_int("epochs", 10, 50),
    }


def estimator(params: Params, problem: Problem) -> Any:
    """Return the unfitted estimator of a configuration."""
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
