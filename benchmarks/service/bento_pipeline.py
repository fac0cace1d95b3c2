"""The plain pipeline of a model as a service of BentoML, as its documentation makes one; `benchmarks/serving.py` starts it.

It runs in an environment of its own (`benchmarks/serving-requirements.txt`) and reads ``GRISTMILL_PIPELINE``, a cloudpickle.
"""

import os
from pathlib import Path
from typing import Any

import bentoml
import pandas as pd


@bentoml.service(workers=int(os.environ.get("GRISTMILL_WORKERS", "1")), traffic={"timeout": 60, "max_concurrency": 256})
class Pipeline:
    """Probabilities of rows."""

    def __init__(self) -> None:
        import cloudpickle  # noqa: PLC0415 - in the worker

        self._pipeline = cloudpickle.loads(Path(os.environ["GRISTMILL_PIPELINE"]).read_bytes())

    @bentoml.api
    def predict(self, rows: list[dict[str, Any]]) -> list[list[float]]:
        """Return the probability of each class, a row."""
        found: list[list[float]] = self._pipeline.predict_proba(pd.DataFrame(rows)).tolist()
        return found
