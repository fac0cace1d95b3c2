"""Linear models: ridge, lasso and elastic net, logistic where there are classes."""

from typing import Any

from sklearn.linear_model import ElasticNet, LogisticRegression, Ridge

from gristmill.modeling.families.problem import Params, Problem


def portfolio(problem: Problem) -> list[Params]:
    """Return the known-good configurations, the safest first."""
    strengths = (1e-3, 1e-2) if problem.n_classes == 0 else (1.0, 0.1)
    return [
        {"numeric": "standard", "penalty": strengths[0], "l1_ratio": 0.0},
        {"numeric": "spline", "penalty": strengths[1], "l1_ratio": 0.0},
        {"numeric": "quantile", "penalty": strengths[0], "l1_ratio": 0.0},
    ]


def suggest(trial: Any, problem: Problem) -> Params:
    """Return the configuration that an Optuna ``trial`` proposes."""
    lowest, highest = (1e-5, 1.0) if problem.n_classes == 0 else (1e-3, 30.0)
    return {
        "numeric": trial.suggest_categorical("numeric", ["standard", "spline", "quantile"]),
        "penalty": trial.suggest_float("penalty", lowest, highest, log=True),
        "l1_ratio": trial.suggest_categorical("l1_ratio", [0.0, 0.5, 1.0]) if problem.n_rows <= 20_000 else 0.0,
    }


def estimator(params: Params, problem: Problem) -> Any:
    """Return the unfitted estimator of a configuration."""
    penalty, l1_ratio, seed = params["penalty"], params["l1_ratio"], problem.random_state
    if problem.n_classes:
        solver: Params = {"solver": "saga", "max_iter": 200, "tol": 1e-3} if l1_ratio else {"solver": "lbfgs", "max_iter": 300}
        return LogisticRegression(C=penalty, l1_ratio=l1_ratio, random_state=seed, **solver)
    if l1_ratio:
        return ElasticNet(alpha=penalty, l1_ratio=l1_ratio, random_state=seed, max_iter=2_000, selection="random", tol=1e-3)
    return Ridge(alpha=penalty * problem.n_rows, random_state=seed)
