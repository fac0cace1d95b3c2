"""Compiling of the estimators that answer for a matrix: linear models, trees of five kinds, networks."""

from typing import Any

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import ElasticNet, LogisticRegression, Ridge

from gristmill.errors import NoCompiledForm
from gristmill.modeling.families.augmented import Augmented
from gristmill.modeling.families.catboost_trees import CatBoostTrees
from gristmill.modeling.families.histogram_trees import HistogramTrees
from gristmill.modeling.families.lightgbm_trees import LightGBMTrees
from gristmill.modeling.families.networks import FURTHEST
from gristmill.modeling.families.networks import Network as TrainedNetwork
from gristmill.serving.compiled.answers import Odds, Shares
from gristmill.serving.compiled.compiling.forests import compile_forest
from gristmill.serving.compiled.compiling.histograms import compile_histogram_trees
from gristmill.serving.compiled.compiling.symmetric import compile_symmetric_trees
from gristmill.serving.compiled.kernels.simple import Constant, Linear, Network
from gristmill.serving.compiled.kernels.trees import TreeText

FORESTS = ExtraTreesClassifier | ExtraTreesRegressor | RandomForestClassifier | RandomForestRegressor


def compile_estimator(model: Any) -> Any:
    """Return the part that answers as a fitted estimator does: probabilities ``(n_rows, n_classes)``, or numbers.

    Raises
    ------
    NoCompiledForm
        It is of a kind that has none.
    """
    if isinstance(model, Augmented):
        return compile_estimator(model.estimator_)
    has_classes = hasattr(model, "classes_")
    if isinstance(model, LightGBMTrees | CatBoostTrees):
        kernel = _grown(model)
        return Odds(kernel) if has_classes else kernel
    if isinstance(model, HistogramTrees):
        kernel = compile_histogram_trees(model)
        return Odds(kernel) if has_classes else kernel
    if isinstance(model, FORESTS):
        kernel = compile_forest(model)
        return Shares(kernel) if has_classes else kernel
    if isinstance(model, LogisticRegression | Ridge | ElasticNet):
        return Odds(_linear(model)) if has_classes else _linear(model)
    if isinstance(model, TrainedNetwork):
        n_classes = len(model.classes_) if has_classes else 0
        return Network(dict(model.weights_), dict(model.pieces_), float(FURTHEST), n_classes)
    raise NoCompiledForm(f"{type(model).__name__} has no compiled form")


def _grown(model: LightGBMTrees | CatBoostTrees) -> Any:
    """Return the kernel of trees that a boosting library grew."""
    if not len(model.model_):
        return Constant(np.asarray(model.prior_, dtype=np.float64))
    if isinstance(model, CatBoostTrees):
        return compile_symmetric_trees(model)
    return TreeText(np.asarray(model.model_), int(model.n_features_in_), len(model.prior_), None, single=False, empty=None)


def _linear(model: Any) -> Linear:
    """Return the kernel of a linear model."""
    weights, intercept = np.asarray(model.coef_, dtype=np.float64), np.atleast_1d(np.asarray(model.intercept_, dtype=np.float64))
    if weights.ndim == 2:
        weights = weights[0] if len(weights) == 1 else weights.T.copy()
    return Linear(weights.copy(), intercept)
