"""One version of a model in memory: verified, loaded, and asked once before it serves."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gristmill.config.sections.operation import Serving
from gristmill.metrics.scores import Floats, decide
from gristmill.modeling.artifact.model_directory import DRIFT_REFERENCE, require_files
from gristmill.serving.batching import Batcher, BatchLimits
from gristmill.serving.cache import RowCache
from gristmill.serving.guards.guard import Guard, RowWarning
from gristmill.serving.predictor import Predictor
from gristmill.serving.rows import RowChecker

if TYPE_CHECKING:
    from gristmill.evaluation.explanation.row_reasons import RowExplainer

INLINE_MS = 0.2
"""Milliseconds a row up to which it is predicted in the event loop: to wake a thread costs as much."""

_WARM_UP_ROWS = (1, 1, 1, 32, 1, 1)


@dataclass(frozen=True)
class ServedVersion:
    """A version that can answer.

    Attributes
    ----------
    name, version
        The registered model, and its version.
    directory
        Where it lies.
    predictor
        Its predictor.
    checker
        Checks the rows it is asked about.
    row_ms
        Milliseconds that a row took when it was warm.
    batcher
        How it is asked.
    guard
        Says what is unlike the rows it learnt from; None where the case does not want to know.
    cache
        What it has said; None where the case wants none.
    """

    name: str
    version: int
    directory: Path
    predictor: Predictor
    checker: RowChecker
    row_ms: float
    batcher: Batcher
    guard: Guard | None = None
    cache: RowCache | None = None

    @classmethod
    def load(
        cls,
        name: str,
        version: int,
        directory: Path,
        digest: str | None,
        serving: Serving,
        on_batch: Callable[[int], None] = lambda _: None,
    ) -> "ServedVersion":
        """Return a version that is verified, loaded, and warm.

        Parameters
        ----------
        name, version
            The registered model, and its version.
        directory, digest
            Where it lies, and the digest it must have.
        serving
            The settings of the case.
        on_batch
            Told the number of rows of each batch.

        Raises
        ------
        ArtifactError
            The directory is gone, or is not what was registered.
        DataError
            The model cannot answer a row of examples from its own contract.
        """
        predictor = Predictor.load(directory, digest)
        model = predictor.model
        row_ms = _warm(predictor)
        checker = RowChecker(model.contract, model.feature_columns, missing_as_trained=serving.missing == "as_trained")
        batching = serving.batching
        limits = BatchLimits(batching.max_rows, batching.max_wait_ms, batching.max_queued_rows)
        # a thread of its own, so that no version waits for another; it ends when nobody holds the version any more
        executor = ThreadPoolExecutor(1, thread_name_prefix=f"predict-{name}-{version}")
        inline_rows = int(batching.inline_ms / row_ms) if row_ms <= INLINE_MS else 0
        batcher = Batcher(predictor.values_of, executor, limits, on_batch, inline_rows)
        cache = RowCache(model.feature_columns, serving.cache_rows) if serving.cache_rows else None
        guard = None if serving.out_of_range == "ignore" else Guard.from_model(model, serving)
        return cls(name, version, directory, predictor, checker, row_ms, batcher, guard, cache)

    @cached_property
    def label(self) -> str:
        """The version as text."""
        return str(self.version)

    @cached_property
    def metrics_name(self) -> str:
        """The version as metrics and logs name it."""
        return f"{self.name}/{self.version}"

    @cached_property
    def id_columns(self) -> tuple[str, ...]:
        """Columns that name a row."""
        return self.predictor.model.id_columns

    @cached_property
    def logged_columns(self) -> tuple[str, ...]:
        """Columns that the log keeps as features: all of the contract that neither name a row nor are what is predicted."""
        model = self.predictor.model
        hidden = {*model.id_columns, model.target}
        return tuple(column["name"] for column in model.contract["columns"] if column["name"] not in hidden)

    def warnings(self, rows: Sequence[Mapping[str, object]]) -> list[list[RowWarning]]:
        """Return what is to be known about each row; nothing at all where nothing is."""
        if self.guard is None:
            return []
        return self.guard.check(rows)

    async def values(self, rows: Sequence[Mapping[str, object]]) -> tuple[Floats, int]:
        """Return what :meth:`Predictor.values_of` says of rows, and how many of them were found in the cache.

        Raises
        ------
        QueueFullError, DataError
            As :meth:`gristmill.serving.batching.Batcher.values`.
        """
        if self.cache is None:
            return await self.batcher.values(rows), 0
        keys = [self.cache.key(row) for row in rows]
        known = [self.cache.get(key) for key in keys]
        asked = [place for place, value in enumerate(known) if value is None]
        if asked:
            fresh = await self.batcher.values([rows[place] for place in asked])
            self.cache.put([keys[place] for place in asked], fresh)
            for place, value in zip(asked, fresh, strict=True):
                known[place] = value
        return np.array(known), len(rows) - len(asked)

    def codes(self, values: Floats) -> list[int]:
        """Return the code of the class that each row is given, by :func:`gristmill.metrics.scores.decide`."""
        codes: list[int] = decide(values, self.predictor.model.threshold).tolist()
        return codes

    @cached_property
    def explainer(self) -> "RowExplainer":
        """What gives the reasons of a row; made when first asked for, of what was verified when the version was loaded.

        Raises
        ------
        ArtifactError
            The model carries no distributions to draw other rows from.
        """
        from gristmill.evaluation.explanation.row_reasons import RowExplainer  # noqa: PLC0415 - heavy, and seldom asked for

        model = self.predictor.model
        if model.drift_reference is None:
            require_files(model.manifest, (DRIFT_REFERENCE,), self.directory)
        return RowExplainer.of(model, model.drift_reference or {})


def example_row(contract: Mapping[str, Any], columns: Sequence[str]) -> dict[str, Any]:
    """Return a row of the examples that a contract gives of columns, as it would stand in JSON."""
    facts = {column["name"]: column for column in contract["columns"]}
    return {name: example_value(facts[name]) for name in columns}


def example_value(column: Mapping[str, Any]) -> Any:
    """Return the example of one contracted column as a value of JSON; None where it never had a value."""
    example = column["example"]
    if example is None:
        return None
    if column["kind"] == "numeric":
        number = float(example)
        return int(number) if str(column["dtype"]).lower().startswith(("int", "uint")) else number
    if column["kind"] == "boolean":
        return str(example).lower() == "true"
    return str(example)


def _warm(predictor: Predictor) -> float:
    """Ask a model for a row of examples, alone and among others, and return the milliseconds of the fastest single row."""
    row = example_row(predictor.model.contract, predictor.model.feature_columns)
    alone = []
    for n_rows in _WARM_UP_ROWS:
        began = time.perf_counter()
        predictor.values_of([row] * n_rows)
        if n_rows == 1:
            alone.append((time.perf_counter() - began) * 1000)
    return min(alone)
