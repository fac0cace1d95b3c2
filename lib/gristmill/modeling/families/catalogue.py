"""The model families: how each is built, which configurations are known to be good, and where a search may look.

A configuration is a flat, JSON-able mapping. :func:`portfolio` gives the strong defaults that are always tried first,
:func:`suggest` asks a search for another one, and :func:`build` makes the unfitted pipeline of either. Each family is a module
with functions of these names.
"""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from sklearn.pipeline import Pipeline

from gristmill.features.preparation import preprocessor
from gristmill.modeling.families import boosting, forest, linear, neural
from gristmill.modeling.families.augmented import Augmented
from gristmill.modeling.families.known_classes import KnownClasses
from gristmill.modeling.families.problem import Params, Problem
from gristmill.modeling.families.scaled_target import ScaledTarget

_FAMILIES: Mapping[str, ModuleType] = {"linear": linear, "forest": forest, "boosting": boosting, "neural": neural}


def _target_scales(problem: Problem) -> tuple[str, ...]:
    """Return the scales on which a regression may learn its target, the likelier first."""
    return ("log", "linear") if problem.skewed else ("linear",)


def portfolio(family: str, problem: Problem) -> list[Params]:
    """Return the configurations that are tried before any search, the safest first."""
    scales = _target_scales(problem)
    known: list[Params] = _FAMILIES[family].portfolio(problem)
    if problem.n_classes:
        return known
    return [{**params, "target": scale} for params in known for scale in scales]


def suggest(family: str, trial: Any, problem: Problem) -> Params:
    """Return the configuration that an Optuna ``trial`` proposes."""
    params: Params = _FAMILIES[family].suggest(trial, problem)
    if problem.n_classes:
        return params
    return {**params, "target": trial.suggest_categorical("target", list(_target_scales(problem)))}


def estimator(family: str, params: Params, problem: Problem) -> Any:
    """Return the unfitted estimator of a configuration, for the matrix that the family's preprocessor makes."""
    model = _FAMILIES[family].estimator(params, problem)
    asked = problem.plan["settings"].get("augmentation")
    if asked is not None:
        model = Augmented(model, asked["method"], asked["share"], problem.random_state)
    return KnownClasses(model, problem.n_classes) if problem.n_classes else ScaledTarget(model, params["target"])


def build(family: str, params: Params, problem: Problem) -> Pipeline:
    """Return the unfitted pipeline of a configuration, for row-wise features."""
    prepare = preprocessor(problem.plan, family, params.get("numeric", "standard"))
    return Pipeline([("prepare", prepare), ("model", estimator(family, params, problem))])
