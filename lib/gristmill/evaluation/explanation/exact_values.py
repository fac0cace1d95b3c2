"""Exact SHAP values for the models whose form allows them: linear terms and paths through trees, no order being drawn.

A linear model's values are its terms less their mean over the background (interventional, Lundberg and Lee 2017). Those of trees
are the path-dependent ones of Lundberg et al. (2020, "From local explanations to global understanding with explainable AI for
trees"), by LightGBM's and CatBoost's own contributions and by shap's TreeExplainer for forests and histogram boosting. Both add up
on the scale on which the model does: log-odds for boosting and logistic models, probabilities for forests, the target (or its
logarithm) for a regression. What keeps that scale passes values on: a sigmoid calibration and a stack on log-odds, weighted means
of probabilities or numbers. Anything else has no exact values, and the reason is said.

Values belong to the columns of the matrix that an estimator reads, and are summed to the raw columns that feed them; a matrix
column that two raw columns feed leaves no exact values.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, softmax
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import ElasticNet, LogisticRegression, Ridge
from sklearn.pipeline import Pipeline

from gristmill.evaluation.explanation.column_origins import MixedOriginError, Traced
from gristmill.evaluation.explanation.hybrids import Predict, as_columns
from gristmill.evaluation.explanation.shapley import ShapleyValues
from gristmill.features.rows import RowFeatures
from gristmill.metrics.scores import Floats
from gristmill.modeling.choice.calibration import Calibrated
from gristmill.modeling.choice.ensembling import WeightedClassifier, WeightedRegressor
from gristmill.modeling.choice.stacking import StackedClassifier, StackedRegressor
from gristmill.modeling.families.augmented import Augmented
from gristmill.modeling.families.catboost_trees import CatBoostTrees
from gristmill.modeling.families.histogram_trees import HistogramTrees
from gristmill.modeling.families.known_classes import KnownClasses
from gristmill.modeling.families.lightgbm_trees import LightGBMTrees
from gristmill.modeling.families.scaled_target import ScaledTarget

PROBABILITY, LOG_ODDS, TARGET, LOG_TARGET = "probability", "log-odds", "target", "logarithm of the target"

MOST_COLUMNS = 300
"""Raw columns above which it is not asked which of them feeds which column of a matrix."""

MOST_STEPS = 4e8
"""Steps along paths of a forest after which rows are left out: leaves times squared depth, times rows."""

FEWEST_ROWS = 10
ROUNDING = 1e-4
"""How far values may miss the prediction, relative to its spread: CatBoost reads numbers in single precision."""

TERMS, PATHS = "linear terms", "paths through the trees"


class NoExactValues(Exception):  # noqa: N818 - an answer rather than an error
    """The model's form has no exact values; the message is why."""


@dataclass(frozen=True)
class _Part:
    """Values of one step of a model: ``(n_rows, n_raw_columns, n_outputs)``, what they start from, their scale and method."""

    added: Floats
    base: Floats
    scale: str
    methods: tuple[str, ...]

    def moved(self, factor: float | Floats, shift: float | Floats = 0.0, scale: str | None = None) -> "_Part":
        """Return the values of an affine function of the answer."""
        return _Part(self.added * factor, self.base * factor + shift, scale or self.scale, self.methods)


@dataclass(frozen=True)
class ExactValues:
    """Exact values, on the scale on which the model adds up.

    Attributes
    ----------
    shap
        One value a row, column and output; ``base`` plus their sum is the prediction on ``scale``.
    scale
        ``probability``, ``log-odds``, ``target`` or ``logarithm of the target``.
    method
        The path to exactness, in words.
    """

    shap: ShapleyValues
    scale: str
    method: str


def exact_values(pipeline: Any, predict: Predict, rows: pd.DataFrame, background: pd.DataFrame) -> ExactValues:
    """Return exact values of the first of ``rows``; of all unless the model is a forest of many leaves.

    Parameters
    ----------
    pipeline
        A fitted model of ours: row-wise features, then what answers.
    predict
        Its answer for raw rows, against which the sums are checked.
    rows, background
        Raw rows in their contracted types; linear terms start from the mean of ``background``.

    Raises
    ------
    NoExactValues
        The message says why not.
    """
    started = perf_counter()
    if not isinstance(pipeline, Pipeline) or not isinstance(pipeline[0], RowFeatures):
        raise NoExactValues("the model is not one of this library's pipelines")
    if rows.shape[1] > MOST_COLUMNS:
        raise NoExactValues(f"{rows.shape[1]:,} columns are too many to trace through the encodings")
    kept = rows.iloc[: _affordable(pipeline[-1], len(rows))]
    try:
        part = _part(pipeline[-1], Traced(pipeline[0], kept, background))
    except MixedOriginError as error:
        raise NoExactValues(str(error)) from error
    predicted, reached = as_columns(predict(kept)), part.base + part.added.sum(axis=1)
    answered = _answer(reached, part.scale)
    slack = ROUNDING * max(float(np.ptp(predicted)), float(np.abs(predicted).max()) if part.scale in (TARGET, LOG_TARGET) else 1.0)
    if not np.allclose(answered, predicted, rtol=0, atol=slack):
        raise NoExactValues("the values do not add up to the prediction, which is held within limits for some rows")
    base = np.tile(part.base, (len(kept), 1))
    values = ShapleyValues(list(rows.columns), part.added, base, reached, 0, len(kept), perf_counter() - started)
    return ExactValues(values, part.scale, " and ".join(dict.fromkeys(part.methods)))


def exact_or_why_not(
    pipeline: Any, predict: Predict, rows: pd.DataFrame, background: pd.DataFrame
) -> tuple[ExactValues | None, str]:
    """Return what :func:`exact_values` does with a sentence on how it was found, or None with why there is none."""
    try:
        found = exact_values(pipeline, predict, rows, background)
    except NoExactValues as reason:
        return None, f"No exact values: {reason}. The sampled ones stand alone."
    n_rows, seconds = len(found.shap.predicted), found.shap.seconds
    return found, f"Exact for {n_rows:,} rows by {found.method}, on the scale of the {found.scale}, in {seconds:.1f} s."


def _answer(reached: Floats, scale: str) -> Floats:
    """Return sums of values as the prediction they stand for, in the outputs of ``as_columns``."""
    if scale == LOG_ODDS:
        return np.asarray(expit(reached) if reached.shape[1] == 1 else softmax(reached, axis=1), dtype=np.float64)
    return np.exp(reached) if scale == LOG_TARGET else reached


def _part(model: Any, traced: Traced) -> _Part:
    """Return the values of a fitted model of ours."""
    if isinstance(model, Calibrated):
        return _calibrated(model, traced)
    if isinstance(model, StackedClassifier | StackedRegressor):
        return _stacked(model, traced)
    if isinstance(model, WeightedClassifier | WeightedRegressor):
        wanted = PROBABILITY if isinstance(model, WeightedClassifier) else TARGET
        weights = np.asarray(model.weights, dtype=np.float64)
        return _weighed(_members(model.estimators_, traced, wanted), weights / weights.sum())
    if isinstance(model, Pipeline):
        return _member(model[-1], model[0], traced)
    raise NoExactValues(f"a {type(model).__name__} does not add up column by column")


def _members(estimators: Sequence[Any], traced: Traced, wanted: str) -> list[_Part]:
    """Return the values of all members, which have to be on one scale."""
    parts = [_part(member, traced) for member in estimators]
    if any(part.scale != wanted for part in parts):
        other = next(part.scale for part in parts if part.scale != wanted)
        raise NoExactValues(f"the members are combined by {wanted}, and one of them adds up in {other}")
    return parts


def _weighed(parts: Sequence[_Part], weights: Floats, shift: float | Floats = 0.0) -> _Part:
    """Return the weighted sum of the members' values."""
    values = np.asarray(np.tensordot(weights, np.stack([part.added for part in parts]), axes=1), dtype=np.float64)
    base = np.asarray(np.tensordot(weights, np.stack([part.base for part in parts]), axes=1) + shift, dtype=np.float64)
    return _Part(values, base, parts[0].scale, tuple(method for part in parts for method in part.methods))


def _calibrated(model: Calibrated, traced: Traced) -> _Part:
    """Return the values of a calibrated classifier: a sigmoid moves log-odds along a line, the other curves bend."""
    curve = model.calibrator
    if curve.method != "sigmoid" or curve.n_classes_ != 2:
        raise NoExactValues("its calibration is a curve along which values do not add up")
    (inner,) = _members([model.estimator_], traced, LOG_ODDS)
    return inner.moved(float(curve.inputs_[0][0]), float(curve.outputs_[0][0]))


def _stacked(model: Any, traced: Traced) -> _Part:
    """Return the values of a stack: weighted log-odds of classes, weighted numbers of a regression."""
    weights, bias = np.asarray(model.meta.weights_), np.asarray(model.meta.bias_, dtype=np.float64)
    if isinstance(model, StackedRegressor):
        return _weighed(_members(model.estimators_, traced, TARGET), weights, bias)
    parts = _members(model.estimators_, traced, LOG_ODDS)
    if model.meta.n_classes == 2:
        return _weighed(parts, weights, bias[1] - bias[0])
    centred = [
        _Part(part.added - part.added.mean(axis=2, keepdims=True), part.base - part.base.mean(), part.scale, part.methods)
        for part in parts
    ]
    return _weighed(centred, weights, bias)


def _member(model: Any, prepare: Any, traced: Traced) -> _Part:
    """Return the values of a family's estimator behind its preparation, whatever it is wrapped in."""
    if isinstance(model, KnownClasses):
        if len(model.present_) < model.n_classes:
            raise NoExactValues("a class was absent from training, and its fixed share bends the others' probabilities")
        return _member(model.estimator_, prepare, traced)
    if isinstance(model, Augmented):
        return _member(model.estimator_, prepare, traced)
    if isinstance(model, ScaledTarget):
        inner = _member(model.estimator_, prepare, traced)
        return inner.moved(model.spread_, model.center_, LOG_TARGET if model.log_ else TARGET)
    matrix = np.asarray(prepare.transform(traced.rows), dtype=np.float64)
    if isinstance(model, LogisticRegression | Ridge | ElasticNet):
        centre = np.asarray(prepare.transform(traced.background), dtype=np.float64).mean(axis=0)
        values, base = _terms(model, matrix, centre)
        scale, method = (LOG_ODDS if hasattr(model, "classes_") else TARGET), TERMS
    else:
        values, base = _paths(model, matrix)
        classes = hasattr(model, "classes_")
        forest = isinstance(model, RandomForestClassifier | ExtraTreesClassifier)
        scale, method = (PROBABILITY if forest else LOG_ODDS if classes else TARGET), PATHS
    return _Part(traced.to_raw(prepare, values), base, scale, (method,))


def _terms(model: Any, matrix: Floats, centre: Floats) -> tuple[Floats, Floats]:
    """Return the terms of a linear model less their mean, and its answer at the mean."""
    weights = np.atleast_2d(model.coef_)
    values = (matrix - centre)[:, :, None] * weights.T[None]
    return values, np.asarray(weights @ centre + np.ravel(model.intercept_), dtype=np.float64)


def _paths(model: Any, matrix: Floats) -> tuple[Floats, Floats]:
    """Return the path-dependent values of trees, ``(n_rows, n_matrix_columns, n_outputs)``, and what they start from."""
    if isinstance(model, LightGBMTrees | CatBoostTrees) and model._opened is None:
        return np.zeros((*matrix.shape, len(model.prior_))), np.asarray(model.prior_, dtype=np.float64)
    if isinstance(model, LightGBMTrees):
        found = np.asarray(model._opened.predict(matrix, pred_contrib=True, num_threads=1), dtype=np.float64)
        return _split(found.reshape(len(matrix), -1, matrix.shape[1] + 1).transpose(0, 2, 1))
    if isinstance(model, CatBoostTrees):
        return _split(_catboost(model, matrix))
    if isinstance(model, HistogramTrees):
        if model.trees_.is_categorical_ is not None and np.any(model.trees_.is_categorical_):
            raise NoExactValues("histogram boosting splits categories as sets, which shap's tree explainer does not read")
        return _explained(model.trees_, model._matrix(matrix))
    if isinstance(model, RandomForestClassifier | ExtraTreesClassifier | RandomForestRegressor | ExtraTreesRegressor):
        return _explained(model, matrix)
    raise NoExactValues(f"a {type(model).__name__} does not add up column by column")


def _catboost(model: CatBoostTrees, matrix: Floats) -> Floats:
    """Return CatBoost's own contributions with the expected value last, ``(n_rows, n_matrix_columns + 1, n_outputs)``.

    CatBoost names numbers first and categories after them; our matrix has them the other way round.
    """
    found = np.asarray(model._opened.get_feature_importance(model._pool(matrix), type="ShapValues", thread_count=1))
    found = found[:, None] if found.ndim == 2 else found
    n_codes = min(model.categories, matrix.shape[1])
    n_numbers = matrix.shape[1] - n_codes
    order = [*range(n_numbers, n_numbers + n_codes), *range(n_numbers), matrix.shape[1]]
    return np.asarray(found[:, :, order].transpose(0, 2, 1), dtype=np.float64)


def _split(found: Floats) -> tuple[Floats, Floats]:
    """Return contributions, and the expected value that stands last among them."""
    return found[:, :-1], found[0, -1]


def _explained(model: Any, matrix: Floats) -> tuple[Floats, Floats]:
    """Return the values by shap's tree explainer; of two classes, those of the positive one."""
    import shap  # noqa: PLC0415 - seconds that only models with such trees pay

    explainer = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")
    values = np.asarray(explainer.shap_values(matrix, check_additivity=False), dtype=np.float64)
    base = np.atleast_1d(np.asarray(explainer.expected_value, dtype=np.float64))
    values = values[:, :, None] if values.ndim == 2 else values
    return (values[:, :, 1:], base[1:]) if values.shape[2] == 2 else (values, base)


def _affordable(model: Any, n_rows: int) -> int:
    """Return how many rows are explained, so that the paths of a model's forests stay within :data:`MOST_STEPS`."""
    steps = sum(tree.tree_.n_leaves * max(1, tree.tree_.max_depth) ** 2 for forest in _forests(model) for tree in forest)
    return n_rows if not steps else int(np.clip(MOST_STEPS // steps, min(FEWEST_ROWS, n_rows), n_rows))


def _forests(model: Any) -> list[Any]:
    """Return the lists of trees of all forests inside a model."""
    if isinstance(model, RandomForestClassifier | ExtraTreesClassifier | RandomForestRegressor | ExtraTreesRegressor):
        return [model.estimators_]
    if isinstance(model, Pipeline):
        return _forests(model[-1])
    inner = getattr(model, "estimators_", None)
    if isinstance(inner, list):
        return [forest for member in inner for forest in _forests(member)]
    inner = getattr(model, "estimator_", None)
    return [] if inner is None else _forests(inner)
