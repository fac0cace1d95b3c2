"""Compiling of a fitted pipeline: from the estimators of :mod:`gristmill.modeling` to the parts that answer in service."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from gristmill.errors import NoCompiledForm
from gristmill.features.rows import DATE_PARTS, RowFeatures
from gristmill.modeling.choice.calibration import Calibrated
from gristmill.modeling.choice.ensembling import WeightedClassifier, WeightedRegressor
from gristmill.modeling.choice.stacking import StackedClassifier, StackedRegressor
from gristmill.modeling.families.known_classes import KnownClasses
from gristmill.modeling.families.scaled_target import ScaledTarget
from gristmill.serving.compiled.answers import CalibratedShares, KnownShares, Mean, Prepared, Rescaled, Stack
from gristmill.serving.compiled.compiling.estimators import compile_estimator
from gristmill.serving.compiled.compiling.matrices import compile_matrix
from gristmill.serving.compiled.compiling.vocabularies import Features, features_of
from gristmill.serving.compiled.intake import Intake
from gristmill.serving.compiled.plan import Plan
from gristmill.serving.compiled.sources import DateSource, LevelSource, NumberSource, Source, UnusedSource

Contract = Mapping[str, Any]

UNFORESEEN = (TypeError, ValueError, KeyError, IndexError, AttributeError, ArithmeticError)
"""What reading another library's fitted estimators may raise where they are not as this code knows them."""


@contextmanager
def plain_if_unforeseen() -> Iterator[None]:
    """Make of an error in compiling a model without a compiled form: it serves as the pipeline, and nobody's build is lost.

    Raises
    ------
    NoCompiledForm
        In place of the error, which the message quotes.
    """
    try:
        yield
    except UNFORESEEN as error:
        raise NoCompiledForm(
            f"compiling it failed ({type(error).__name__}: {error}), which is a defect of Gristmill: please report it"
        ) from error


def compile_pipeline(pipeline: Any, contract: Contract, feature_columns: Sequence[str], n_classes: int) -> Plan:
    """Return the compiled form of a fitted pipeline.

    Parameters
    ----------
    pipeline
        Fitted; takes raw columns in the types of the contract.
    contract
        The data contract.
    feature_columns
        The columns that rows must have.
    n_classes
        Number of classes; 0 for a regression.

    Raises
    ------
    NoCompiledForm
        A part of it has none; the message says which.
    """
    if not (isinstance(pipeline, Pipeline) and isinstance(pipeline[0], RowFeatures) and len(pipeline) == 2):
        raise NoCompiledForm("it is not one of the models that Gristmill builds")
    plan = require_compilable(pipeline[0].plan or {})
    with plain_if_unforeseen():
        features = features_of(plan, pipeline[-1])
        return Plan(compile_intake(plan, features, contract, feature_columns), compile_answer(pipeline[-1], features), n_classes)


def require_compilable(plan: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a plan of features, unless one of them cannot be compiled, whatever learns from it.

    Raises
    ------
    NoCompiledForm
        The message names the feature.
    """
    if plan.get("custom") is not None:
        raise NoCompiledForm(
            f"its custom features come from {plan['custom'].get('function', 'a module')!r}, which only Python can run"
        )
    texts = [feature["name"] for feature in plan["features"] if feature["step"] == "text"]
    if texts:
        raise NoCompiledForm(f"the free text of {texts[0]!r} is turned into topics, which has no compiled form")
    return plan


def compile_intake(plan: Mapping[str, Any], features: Features, contract: Contract, columns: Sequence[str]) -> Intake:
    """Return what is read of a row."""
    known = {column["name"]: column for column in contract["columns"]}
    made: dict[str, list[Mapping[str, Any]]] = {name: [] for name in columns}
    for feature in plan["features"]:
        made[feature["source"]].append(feature)
    sources: list[Source] = []
    for name, several in made.items():
        sources += _sources(name, several, features, known[name])
    return Intake(tuple(sources), len(features.numbers), len(features.levels))


def _sources(name: str, several: Sequence[Mapping[str, Any]], features: Features, column: Mapping[str, Any]) -> list[Source]:
    """Return what is read of one column."""
    if not several:
        return [UnusedSource(name)]
    dated = [feature for feature in several if feature["step"] in DATE_PARTS]
    found: list[Source] = []
    if dated:
        places = tuple(features.numbers[feature["name"]] for feature in dated)
        found.append(DateSource(name, tuple(feature["step"] for feature in dated), places, column.get("format") == "ISO8601"))
    for feature in several:
        if feature["step"] == "level":
            place = features.levels[feature["name"]]
            written = column["kind"] in ("categorical", "text")
            found.append(LevelSource(name, place, tuple(features.vocabularies[place]), written))
        elif feature["step"] in ("number", "flag"):
            found.append(NumberSource(name, features.numbers[feature["name"]], column["kind"] == "boolean"))
    if any(isinstance(one, NumberSource) for one in found) and column["kind"] not in ("numeric", "boolean"):
        raise NoCompiledForm(f"the column {name!r} is a number to the model and {column['kind']} to the contract")
    return found


def compile_answer(model: Any, features: Features) -> Any:
    """Return the part that answers as a fitted model for row-wise features does."""
    if isinstance(model, Calibrated):
        calibrator = model.calibrator
        inputs, outputs = (
            tuple(np.asarray(one, dtype=np.float64) for one in part) for part in (calibrator.inputs_, calibrator.outputs_)
        )
        return CalibratedShares(compile_answer(model.estimator_, features), calibrator.method == "sigmoid", inputs, outputs)
    if isinstance(model, StackedClassifier | StackedRegressor):
        meta, members = model.meta, tuple(compile_answer(member, features) for member in model.estimators_)
        weights, bias = np.asarray(meta.weights_, dtype=np.float64), np.atleast_1d(np.asarray(meta.bias_, dtype=np.float64))
        return Stack(members, weights, bias, int(meta.n_classes))
    if isinstance(model, WeightedClassifier | WeightedRegressor):
        weighted = tuple(float(weight) for weight in model.weights)
        return Mean(tuple(compile_answer(member, features) for member in model.estimators_), weighted)
    if isinstance(model, Pipeline) and len(model) == 2 and isinstance(model[0], ColumnTransformer | Pipeline):
        return Prepared(compile_matrix(model[0], features), _of_matrix(model[-1]))
    raise NoCompiledForm(f"{type(model).__name__} has no compiled form")


def _of_matrix(model: Any) -> Any:
    """Return the part that answers as a fitted estimator for a matrix does."""
    if isinstance(model, WeightedClassifier):
        return Mean(tuple(_of_matrix(member) for member in model.estimators_), tuple(float(weight) for weight in model.weights))
    if isinstance(model, KnownClasses):
        inner = None if model.estimator_ is None else compile_estimator(model.estimator_)
        if len(model.present_) == model.n_classes and inner is not None:
            return inner
        present = tuple(int(code) for code in model.present_)
        return KnownShares(int(model.n_classes), present, float(model.absent_share_), inner)
    if isinstance(model, ScaledTarget):
        ends = float(model.lowest_), float(model.highest_)
        return Rescaled(compile_estimator(model.estimator_), *ends, float(model.spread_), float(model.center_), bool(model.log_))
    return compile_estimator(model)
