"""Gradient-boosted trees by LightGBM, CatBoost or HistGradientBoosting; a configuration names its ``library``.

All three split categories and missing values natively. How many rounds are best is for cross-validation to find: the ``rounds`` of
the configurations here are the most that are grown while validation rows are watched.

The known-good configurations follow the zero-shot portfolios that AutoGluon learnt from TabRepo (Salinas and Erickson 2024,
"TabRepo: a large scale repository of tabular model evaluations") and the tuned defaults of Holzmüller et al. (2024, "Better by
default"), with larger steps for a budget of seconds.
"""

import math
from typing import Any

from gristmill.features.preparation import native_categories
from gristmill.modeling.families.catboost_trees import CatBoostTreesClassifier, CatBoostTreesRegressor
from gristmill.modeling.families.histogram_trees import HistogramTreesClassifier, HistogramTreesRegressor
from gristmill.modeling.families.lightgbm_trees import LightGBMTreesClassifier, LightGBMTreesRegressor
from gristmill.modeling.families.problem import Params, Problem

TINY, SMALL, LARGE, HUGE = 1_000, 20_000, 200_000, 1_000_000
"""Rows up to which a table is tiny or small, and from which it is large or huge. Steps are larger for tiny ones, whose trees cost
little but their number, and for large ones, of which huge ones are put into fewer bins."""

MOST_SAMPLED = 500_000
"""Rows that a tree sees at most: more would hardly change its splits."""

FEW_CLASSES = 3
"""Classes beyond which rounds are fewer and steps larger, since each round grows a tree for every class."""

MOST_ROUNDS, MOST_ROUNDS_TINY, MOST_ROUNDS_LARGE, MOST_ROUNDS_HUGE = 1_500, 500, 400, 120

FEWEST_ROUNDS, MOST_LEARNT = 60, 0.3
"""Bounds of what that comes to: rounds, and the size of a step."""

_ESTIMATORS = {
    "lightgbm": (LightGBMTreesRegressor, LightGBMTreesClassifier),
    "catboost": (CatBoostTreesRegressor, CatBoostTreesClassifier),
    "histogram": (HistogramTreesRegressor, HistogramTreesClassifier),
}


def portfolio(problem: Problem) -> list[Params]:
    """Return the known-good configurations, the safest first."""
    leaf = max(2, min(20, problem.n_rows // 25))
    few = {"library": "lightgbm", "learning_rate": 0.05, "leaves": 8, "min_samples_leaf": leaf, "l1": 0.0, "l2": 1.0}
    few |= {"columns": 0.5, "rows": 0.8, "extra_trees": False, "cat_smooth": 10.0}
    plain = few | {"leaves": 31, "l2": 0.0, "columns": 0.8, "rows": 1.0}
    chance = few | {"leaves": 39, "min_samples_leaf": min(leaf, 3), "l1": 0.24, "l2": 0.36, "rows": 0.88, "extra_trees": True}
    broad = few | {"leaves": 84, "min_samples_leaf": min(leaf, 3), "l2": 0.84, "rows": 0.98}
    ordered = {"library": "catboost", "learning_rate": 0.07, "depth": 6, "l2": 3.0, "columns": 1.0, "rows": 0.8}
    ordered |= {"random_strength": 1.0, "one_hot": 10, "together": 1}
    shallow = ordered | {"depth": 4}
    known = {"library": "histogram", "learning_rate": 0.06, "leaves": 24, "min_samples_leaf": leaf, "l2": 5.0, "columns": 0.4}
    small = [few, shallow, chance, ordered, plain, known]
    return [
        _paced(params, problem) for params in (small if problem.n_rows < SMALL else [plain, broad, ordered, known, chance, few])
    ]


def _paced(params: Params, problem: Problem) -> Params:
    """Return a configuration with the most rounds and the size of steps that a table of this many rows and classes can afford."""
    faster, rounds = (1.0, MOST_ROUNDS) if problem.n_rows > TINY else (2.0, MOST_ROUNDS_TINY)
    if problem.n_rows > LARGE:
        faster, rounds = (3.0, MOST_ROUNDS_HUGE) if problem.n_rows > HUGE else (2.0, MOST_ROUNDS_LARGE)
    crowd = max(1.0, problem.n_classes / FEW_CLASSES)
    steps = min(MOST_LEARNT, params["learning_rate"] * faster * math.sqrt(crowd))
    return {**params, "learning_rate": steps, "rounds": max(FEWEST_ROUNDS, round(rounds / crowd))}


def suggest(trial: Any, problem: Problem) -> Params:
    """Return the configuration that an Optuna ``trial`` proposes; its names begin with the library's, which have ranges apart."""
    library = trial.suggest_categorical("library", list(_ESTIMATORS))
    params: Params = {
        "library": library,
        "learning_rate": trial.suggest_float(f"{library}_learning_rate", 0.02, 0.15, log=True),
        "columns": trial.suggest_float(f"{library}_columns", 0.3, 1.0),
    }
    if library == "catboost":
        params |= {
            "depth": trial.suggest_int("catboost_depth", 3, 8),
            "l2": trial.suggest_float("catboost_l2", 0.5, 30.0, log=True),
            "rows": trial.suggest_float("catboost_rows", 0.5, 1.0),
            "random_strength": trial.suggest_float("catboost_random_strength", 0.1, 10.0, log=True),
            "one_hot": trial.suggest_categorical("catboost_one_hot", [2, 10, 50]),
            "together": trial.suggest_int("catboost_together", 1, 2) if problem.n_rows < SMALL else 1,
        }
        return _paced(params, problem)
    params |= {
        "leaves": trial.suggest_int(f"{library}_leaves", 3, 63 if problem.n_rows < SMALL else 255, log=True),
        "min_samples_leaf": trial.suggest_int(f"{library}_min_samples_leaf", 2, max(3, min(80, problem.n_rows // 10)), log=True),
        "l2": trial.suggest_float(f"{library}_l2", 1e-3, 30.0, log=True),
    }
    if library == "lightgbm":
        params |= {
            "l1": trial.suggest_float("lightgbm_l1", 1e-3, 3.0, log=True),
            "rows": trial.suggest_float("lightgbm_rows", 0.5, 1.0),
            "extra_trees": trial.suggest_categorical("lightgbm_extra_trees", [False, True]),
            "cat_smooth": trial.suggest_float("lightgbm_cat_smooth", 1.0, 100.0, log=True),
        }
    return _paced(params, problem)


def estimator(params: Params, problem: Problem) -> Any:
    """Return the unfitted estimator of a configuration, within what memory and time allow for tables of its size."""
    settings = {name: value for name, value in params.items() if name not in ("library", "target", "numeric")}
    if "rows" in settings:
        settings["rows"] = min(settings["rows"], MOST_SAMPLED / problem.n_rows)
    if problem.n_rows > HUGE:
        settings["max_bins"] = 63
    settings |= {"categories": native_categories(problem.plan), "random_state": problem.random_state}
    return _ESTIMATORS[params["library"]][problem.n_classes > 0](**settings)
