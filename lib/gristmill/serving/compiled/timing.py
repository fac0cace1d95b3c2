"""How long one row takes as it comes to the service: from values as they stand in JSON to the answer."""

import functools
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gristmill.errors import NoCompiledForm
from gristmill.features.builder import source_columns
from gristmill.modeling.choice.assembling import plan_milliseconds as pipeline_plan_milliseconds
from gristmill.modeling.latency import COMPILED, N_ROWS, PIPELINE, RowTime, Timer, serving_time, typical_row_milliseconds
from gristmill.serving.compiled.compiling.compilation import (
    compile_answer,
    compile_intake,
    plain_if_unforeseen,
    require_compilable,
)
from gristmill.serving.compiled.compiling.vocabularies import features_of
from gristmill.serving.compiled.files import from_files
from gristmill.serving.compiled.form import compiled_files
from gristmill.serving.compiled.intake import Intake
from gristmill.serving.compiled.plan import CompiledModel
from gristmill.serving.compiled.records import records
from gristmill.serving.compiled.sources import LevelSource, NumberSource
from gristmill.serving.predictor import Predictor


def row_milliseconds(predictor: Predictor, frame: pd.DataFrame, n_rows: int = N_ROWS) -> NDArray[np.float64]:
    """Return the milliseconds of processor time that each of ``n_rows`` single rows took, shape ``(n_rows,)``.

    The time is measured as :func:`gristmill.modeling.latency.row_milliseconds` does.

    Parameters
    ----------
    predictor
        What answers, in the form in which it will serve.
    frame
        Rows to take one from, each in turn; columns that the model does not read do no harm.
    n_rows
        Number of rows to time; one more is predicted first and not counted.
    """
    return _timed(predictor.values_of, frame, predictor.model.feature_columns, n_rows)


def serving_row_time(
    pipeline: Any, frame: pd.DataFrame, contract: Mapping[str, Any], feature_columns: Sequence[str], n_classes: int
) -> tuple[RowTime, dict[str, bytes], str]:
    """Return the time of one row in the form that will serve, the files of that form, and why there is none.

    Parameters
    ----------
    pipeline
        Fitted; takes raw columns in the types of the contract.
    frame
        Rows to take one from, each in turn.
    contract, feature_columns, n_classes
        As :func:`gristmill.serving.compiled.form.compiled_files` takes them.
    """
    files, why_not = compiled_files(pipeline, contract, feature_columns, n_classes)
    if not files:
        return serving_time(pipeline, frame), {}, why_not
    ready = CompiledModel(from_files(files), contract)
    taken = _timed(ready.rows, frame, feature_columns, N_ROWS)
    return RowTime(float(np.median(taken)), COMPILED), files, ""


def timer_of(plan: Mapping[str, Any]) -> Timer:
    """Return what times a family's pipeline: in its compiled form, unless the plan has features that cannot be compiled."""
    try:
        features_of(require_compilable(plan), None)
    except NoCompiledForm:
        return Timer()
    return Timer(COMPILED, functools.partial(_compiled_milliseconds, dict(plan)))


def _compiled_milliseconds(plan: Mapping[str, Any], pipeline: Any, X: pd.DataFrame, n_rows: int) -> float:
    """Return the median time of one row, from its cells to the answer, in milliseconds; the pipeline's if it cannot be compiled."""
    try:
        with plain_if_unforeseen():
            features = features_of(plan, pipeline)
            answer = compile_answer(pipeline, features)
    except NoCompiledForm:
        return typical_row_milliseconds(pipeline, X, n_rows)
    contract = {"columns": [{"name": name, "kind": "numeric", "dtype": "float64"} for name in features.numbers]}
    contract["columns"] += [{"name": name, "kind": "categorical", "dtype": "object"} for name in features.levels]
    numbers = [NumberSource(name, place, truth=False) for name, place in features.numbers.items()]
    levels = [
        LevelSource(name, place, tuple(features.vocabularies[place]), written=True) for name, place in features.levels.items()
    ]
    reader = Intake((*numbers, *levels), len(numbers), len(levels)).reader(contract)
    rows = iter([reader.rows([row]) for row in records(X.iloc[[number % len(X) for number in range(n_rows + 1)]])])
    return float(np.median(_taken(lambda _: answer.answer(next(rows)), range(n_rows + 1))))


def plan_milliseconds(plan: Mapping[str, Any], train: pd.DataFrame, contract: Mapping[str, Any]) -> float:
    """Return the milliseconds that reading one row takes in the form that will serve, which come on top of every member's time.

    Parameters
    ----------
    plan
        The plan of features.
    train
        Training rows, in the types of the contract.
    contract
        The data contract.
    """
    columns = source_columns(dict(plan))
    try:
        intake = compile_intake(require_compilable(plan), features_of(plan, None), contract, columns)
    except NoCompiledForm:
        return pipeline_plan_milliseconds(dict(plan), train)
    return float(np.median(_timed(intake.reader(contract).rows, train, columns, N_ROWS)))


def form_in_words(why_not: str) -> str:
    """Return the form in which a model serves, in a sentence."""
    if not why_not:
        return f"It serves in its {COMPILED}, which lies beside the pipeline."
    return f"It serves as a {PIPELINE}: {why_not}."


def _timed(ask: Any, frame: pd.DataFrame, columns: Sequence[str], n_rows: int) -> NDArray[np.float64]:
    """Return the milliseconds that asking for each of several rows took."""
    rows = records(frame.iloc[[number % len(frame) for number in range(n_rows + 1)]][list(columns)])
    return _taken(ask, [[row] for row in rows])


def _taken(ask: Callable[[Any], Any], given: Iterable[Any]) -> NDArray[np.float64]:
    """Return the milliseconds that asking for each took, the first left out."""
    taken = []
    with threadpool_limits(limits=1):
        for one in given:
            start = time.thread_time()
            ask(one)
            taken.append((time.thread_time() - start) * 1000)
    return np.array(taken[1:])
