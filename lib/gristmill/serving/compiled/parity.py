"""Whether the compiled form of a model answers as its pipeline does, measured on generated rows.

Numbers are compared as they are up to 1, and by their ratio beyond it, since a sum of a million is not rounded as a tenth is.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from gristmill.data.contract.schema import coerce
from gristmill.metrics.scores import decide
from gristmill.reporting.wording import count
from gristmill.serving.compiled.cells import Floats
from gristmill.serving.compiled.generated_rows import generated_rows
from gristmill.serving.compiled.kernels.simple import Network
from gristmill.serving.compiled.records import records
from gristmill.serving.predictor import Predictor

TOLERANCE, SINGLE_TOLERANCE = 1e-9, 1e-6
"""Largest difference allowed, and for networks that reckon in single precision."""

ALONE = 20
"""One generated row of so many is asked for by itself as well, as it would stand in JSON."""

AT_ONCE = 25_000
"""Rows that are answered at a time, which bounds the memory."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Parity:
    """How far the compiled form is from the pipeline.

    Attributes
    ----------
    compiled
        Whether there is a compiled form.
    why_not
        Why there is none, as the end of a sentence.
    rows
        Rows that were compared; those asked for one by one are among them.
    alone
        Rows that were asked for one by one as well.
    largest
        Largest difference; None without a compiled form.
    tolerance
        Largest difference allowed.
    decisions
        Rows whose decision differs.
    """

    compiled: bool
    why_not: str = ""
    rows: int = 0
    alone: int = 0
    largest: float | None = None
    tolerance: float = TOLERANCE
    decisions: int = 0

    def as_product(self) -> dict[str, Any]:
        """Return it as it stands in ``evaluation.json``; a difference that is no number as None."""
        found = asdict(self)
        return found if self.largest is None or np.isfinite(self.largest) else {**found, "largest": None}

    def sentence(self) -> str:
        """Return it in words."""
        if not self.compiled:
            return f"The model has no compiled form and is served through its pipeline: {self.why_not}."
        return (
            f"On {count(self.rows)} generated rows, {count(self.alone)} of them asked for one by one as well, the compiled form "
            f"and the pipeline differ by {self.largest:.1e} at most, {self.tolerance:.0e} is allowed; {count(self.decisions)} "
            "decisions differ."
        )


def measure_parity(predictor: Predictor, train: pd.DataFrame, n_rows: int, random_state: int = 0) -> Parity:
    """Return how far the compiled form of a model is from its pipeline.

    Parameters
    ----------
    predictor
        The model.
    train
        Its training rows, which the generated ones are drawn from.
    n_rows
        Rows to generate.
    random_state
        Seed of what is drawn.
    """
    ready = predictor.compiled_model
    if ready is None:
        return Parity(compiled=False, why_not=predictor.why_not_compiled)
    model = predictor.model
    rows = coerce(train, {**model.contract, "columns": _read(model.contract, model.feature_columns)})
    made = generated_rows(ready.plan, rows, model.contract, n_rows, random_state)
    largest, decisions, alone = 0.0, 0, 0
    for part in (made.iloc[start : start + AT_ONCE] for start in range(0, n_rows, AT_ONCE)):
        wanted = model.predict_values(part)
        one_by_one = records(part.iloc[::ALONE].replace([np.inf, -np.inf], np.nan))
        singly = np.array([predictor.values_of([row])[0] for row in one_by_one])
        for want, got in ((wanted, predictor.frame_values(part)), (wanted[::ALONE], singly)):
            largest = max(largest, _difference(want, got))
            if model.classes:
                decisions += int((decide(want, model.threshold) != decide(got, model.threshold)).sum())
        alone += len(one_by_one)
    tolerance = SINGLE_TOLERANCE if any(_is_single(one) for one in kernels_of(ready.plan.answer)) else TOLERANCE
    _LOG.info("compiled form against pipeline: %d rows, largest difference %g", n_rows, largest)
    return Parity(compiled=True, rows=n_rows, alone=alone, largest=largest, tolerance=tolerance, decisions=decisions)


def _read(contract: Mapping[str, Any], names: tuple[str, ...]) -> list[Mapping[str, Any]]:
    """Return the columns of a contract that a model reads."""
    return [column for column in contract["columns"] if column["name"] in names]


def _difference(want: Floats, got: Floats) -> float:
    """Return the largest difference; infinite where one of the two is no number."""
    if want.shape != got.shape or (np.isnan(want) != np.isnan(got)).any():
        return float("inf")
    return float(np.nanmax(np.abs(want - got) / np.maximum(1.0, np.abs(want)), initial=0.0))


def kernels_of(part: Any) -> Iterator[Any]:
    """Give every part of a model."""
    yield part
    for inner in (*getattr(part, "members", ()), getattr(part, "inner", None), getattr(part, "kernel", None)):
        if inner is not None:
            yield from kernels_of(inner)


def _is_single(part: Any) -> bool:
    """Return whether a part reckons in single precision."""
    return isinstance(part, Network) and any(array.dtype == np.float32 for array in part.weights.values())
