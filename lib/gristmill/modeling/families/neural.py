"""Neural networks: TabM trained by PyTorch where it is installed, a plain perceptron trained by scikit-learn where it is not.

Numbers come as the deviates of their ranks or standardised, levels one-hot, and columns of many levels as means of the target:
an embedding of levels is the one-hot columns times the first matrix, so that nothing but rare levels could gain from more.
"""

import importlib.metadata
import importlib.util
from typing import Any

from gristmill.errors import CaseFileError
from gristmill.modeling.families.networks import NetworkClassifier, NetworkRegressor
from gristmill.modeling.families.problem import Params, Problem

TORCH, SKLEARN = "torch", "scikit-learn"
"""Who can train a network; the params of a trial say who did."""

EPOCHS = 50
"""Most epochs of a trial; how many are best is found by cross-validation."""


def trainer() -> str:
    """Return who trains networks in this environment; PyTorch is looked for, not imported."""
    return TORCH if importlib.util.find_spec("torch") is not None else SKLEARN


def portfolio(problem: Problem) -> list[Params]:  # noqa: ARG001 - one signature for all families
    """Return the known-good configurations, those that take least time first, whoever trains."""
    plain = {"trainer": SKLEARN, "learning_rate": 1e-3, "epochs": EPOCHS}
    known = [
        {**plain, "numeric": "quantile", "hidden": "32", "decay": 1.0},
        {**plain, "numeric": "standard", "hidden": "64-32", "decay": 0.01},
    ]
    if trainer() == SKLEARN:
        return [*known, {**plain, "numeric": "standard", "hidden": "64-64", "decay": 0.3}]
    tabm = {"trainer": TORCH, "members": 8, "bins": 0, "embedding": 1, "dropout": 0.2}
    return [*known, {**plain, **tabm, "numeric": "quantile", "hidden": "64-64", "decay": 1e-3}]


def suggest(trial: Any, problem: Problem) -> Params:  # noqa: ARG001
    """Return the configuration that an Optuna ``trial`` proposes."""
    params = {
        "trainer": trainer(),
        "numeric": trial.suggest_categorical("numeric", ["standard", "quantile"]),
        "learning_rate": trial.suggest_float("learning_rate", 3e-4, 5e-3, log=True),
        "epochs": EPOCHS,
    }
    if params["trainer"] == SKLEARN:
        hidden = trial.suggest_categorical("hidden", ["16", "32", "64", "64-32", "128-64"])
        return {**params, "hidden": hidden, "decay": trial.suggest_float("decay", 1e-3, 10.0, log=True)}
    return {
        **params,
        "hidden": trial.suggest_categorical("hidden", ["32", "64", "64-64", "128-64"]),
        "decay": trial.suggest_float("decay", 1e-4, 0.3, log=True),
        "members": trial.suggest_categorical("members", [4, 8, 16]),
        "bins": trial.suggest_categorical("bins", [0, 8, 16]),
        "embedding": trial.suggest_int("embedding", 1, 8, log=True),
        "dropout": trial.suggest_float("dropout", 0.0, 0.4),
    }


def estimator(params: Params, problem: Problem) -> Any:
    """Return the unfitted estimator of a configuration.

    Raises
    ------
    CaseFileError
        PyTorch found the configuration, and is not installed here.
    """
    if params["trainer"] == TORCH and trainer() != TORCH:
        raise CaseFileError(
            "Expected PyTorch, which trained this network, to be installed, but it is not; another trainer would make another "
            "model. Run `make setup-torch` (or `pip install 'gristmill[torch]'`), or search again without it: `ploomber build "
            "--force`."
        )
    hidden = tuple(int(width) for width in params["hidden"].split("-"))
    settings = {name: value for name, value in params.items() if name not in ("numeric", "target", "hidden")}
    kind = NetworkClassifier if problem.n_classes else NetworkRegressor
    return kind(hidden=hidden, random_state=problem.random_state, **settings)


def trained_by(params: Params) -> str:
    """Return in a sentence who trained a configuration, for a report; nothing for params that do not say."""
    if params.get("trainer") == TORCH:
        return f"Trained by PyTorch {importlib.metadata.version('torch').partition('+')[0]}; it answers without."
    if params.get("trainer") == SKLEARN and trainer() == TORCH:
        return "Trained by scikit-learn's perceptron; no configuration that PyTorch trained did better."
    if params.get("trainer") == SKLEARN:
        return (
            "Trained by scikit-learn's perceptron. With PyTorch (`make setup-torch`) this family also tries TabM, an ensemble of "
            "perceptrons."
        )
    return ""
