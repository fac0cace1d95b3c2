"""How long a model takes for one row, in the form that will serve."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

N_ROWS = 25
"""Rows that are timed, each alone."""

PIPELINE, COMPILED = "plain pipeline", "compiled form"
"""What answers in service: scikit-learn's pipeline as it was fitted, or what it was compiled to."""

Predict = Callable[[pd.DataFrame], Any]


@dataclass(frozen=True)
class RowTime:
    """The median time of one row, in milliseconds, and the form it was measured on."""

    ms: float
    form: str


def row_milliseconds(predict: Predict, frame: pd.DataFrame, n_rows: int = N_ROWS) -> NDArray[np.float64]:
    """Return the milliseconds of processor time that predicting each of ``n_rows`` single rows took, shape ``(n_rows,)``.

    Processor time rather than the clock's, because a build runs beside other work and a busy machine must not fail a model; on
    an idle core the two are the same. The numerical libraries are kept on one core, as a service that answers many at a time
    would do.

    Parameters
    ----------
    predict
        Answers for a frame of one row.
    frame
        Rows to take one from, each in turn.
    n_rows
        Number of rows to time; one more is predicted first and not counted.
    """
    taken = []
    with threadpool_limits(limits=1):
        for number in range(n_rows + 1):
            row = frame.iloc[[number % len(frame)]]
            start = time.thread_time()
            predict(row)
            taken.append((time.thread_time() - start) * 1000)
    return np.array(taken[1:])


def middle_and_p95(taken: NDArray[np.float64]) -> tuple[float, float]:
    """Return the median and the 95th percentile of :func:`row_milliseconds`, in milliseconds."""
    middle, p95 = np.quantile(taken, [0.5, 0.95])
    return float(middle), float(p95)


def typical_row_milliseconds(pipeline: Any, frame: pd.DataFrame, n_rows: int = N_ROWS) -> float:
    """Return the median of :func:`row_milliseconds` for a fitted pipeline, which answers ``predict_proba`` or else ``predict``."""
    predict = pipeline.predict_proba if hasattr(pipeline, "predict_proba") else pipeline.predict
    return float(np.median(row_milliseconds(predict, frame, n_rows)))


@dataclass(frozen=True)
class Timer:
    """Times one row of a family's fitted pipeline, which takes row-wise features, in the form that will serve.

    Attributes
    ----------
    form
        That form.
    milliseconds
        Takes the pipeline, row-wise features and the number of rows to time; returns the median in milliseconds.
    """

    form: str = PIPELINE
    milliseconds: Callable[[Any, pd.DataFrame, int], float] = typical_row_milliseconds


def serving_time(pipeline: Any, frame: pd.DataFrame, compiled: Predict | None = None, n_rows: int = N_ROWS) -> RowTime:
    """Return the time of one row in the form that will serve: compiled if there is such a form, else the plain pipeline.

    Parameters
    ----------
    pipeline
        Fitted; answers ``predict_proba`` or else ``predict``.
    frame
        Rows to take one from, each in turn.
    compiled
        Answers for a frame of one row as the pipeline does; None where it was not compiled.
    n_rows
        Number of rows to time.
    """
    if compiled is None:
        return RowTime(typical_row_milliseconds(pipeline, frame, n_rows), PIPELINE)
    return RowTime(float(np.median(row_milliseconds(compiled, frame, n_rows))), COMPILED)
