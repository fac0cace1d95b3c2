"""How long a model takes for one row."""

import time
from typing import Any

import numpy as np
import pandas as pd

REPEATS = 25
"""Rows that are timed, each alone."""


def row_milliseconds(pipeline: Any, frame: pd.DataFrame, repeats: int = REPEATS) -> float:
    """Return the median milliseconds that a fitted pipeline takes to predict one row.

    Parameters
    ----------
    pipeline
        Answers ``predict_proba``, or else ``predict``.
    frame
        Rows to take one from, each in turn.
    repeats
        Number of rows to time; one more is predicted first and not counted.
    """
    predict = pipeline.predict_proba if hasattr(pipeline, "predict_proba") else pipeline.predict
    taken = []
    for number in range(repeats + 1):
        row = frame.iloc[[number % len(frame)]]
        start = time.perf_counter()
        predict(row)
        taken.append(time.perf_counter() - start)
    return float(np.median(taken[1:]) * 1000)
