"""Requests that arrive together are predicted together: a batch is what came while the one before ran (R34).

A pipeline takes nearly as long for one row as for a hundred. So rows queue while a batch is predicted on a thread, and the next
batch takes all of them, up to a limit; nobody waits for company unless the case asks for it (``serving.batching.max_wait_ms``). A
compiled model that answers a row faster than a thread could be woken is asked in the event loop, for all requests that one turn of
the loop has read: to ask for sixteen rows at once takes it less than to ask sixteen times. A request too large for that goes to the
thread, so that the small ones do not stand behind it.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np

from gristmill.errors import DataError, QueueFullError
from gristmill.metrics.scores import Floats

Rows = Sequence[Mapping[str, object]]
Predict = Callable[[Rows], Floats]


@dataclass(frozen=True)
class BatchLimits:
    """How batches are made.

    Attributes
    ----------
    max_rows
        Rows predicted at once; a request with more is a batch of its own.
    max_wait_ms
        Milliseconds that a batch waits for further rows.
    max_queued_rows
        Rows that may wait.
    """

    max_rows: int = 256
    max_wait_ms: float = 0.0
    max_queued_rows: int = 10_000


@dataclass
class _Waiting:
    rows: Rows
    answer: "asyncio.Future[Floats]"


class Batcher:
    """Predicts the rows of many requests with one model version.

    Parameters
    ----------
    predict
        Rows -> probabilities ``(n_rows, n_classes)`` or numbers ``(n_rows,)``; called on one thread of the executor at a time,
        and in the event loop meanwhile.
    executor
        Where batches run; None to predict all in the event loop.
    inline_rows
        Rows up to which a request is predicted in the event loop although there is an executor; 0 for none.
    limits
        How batches are made.
    on_batch
        Told the number of rows of each batch.
    """

    def __init__(
        self,
        predict: Predict,
        executor: Executor | None,
        limits: BatchLimits | None = None,
        on_batch: Callable[[int], None] = lambda _: None,
        inline_rows: int = 0,
    ) -> None:
        self._predict, self._executor, self._on_batch = predict, executor, on_batch
        self._limits = limits or BatchLimits()
        self._inline_rows = inline_rows
        self._queue: deque[_Waiting] = deque()
        self._here: deque[_Waiting] = deque()
        self._queued = 0
        self._running: asyncio.Task[None] | None = None

    @property
    def threaded(self) -> bool:
        """Whether all batches run on a thread; otherwise in the event loop, but for large requests."""
        return self._executor is not None and not self._inline_rows

    @property
    def queued_rows(self) -> int:
        """Rows that wait."""
        return self._queued

    async def values(self, rows: Rows) -> Floats:
        """Return what the model says of rows, in their order.

        Raises
        ------
        QueueFullError
            Too many rows wait; nothing was queued.
        DataError
            A row of these, not of another request, holds what the model cannot read.
        """
        if self._queued and self._queued + len(rows) > self._limits.max_queued_rows:
            raise QueueFullError(f"{self._queued} rows wait for a prediction already. Try again in a moment, or add workers.")
        waiting = _Waiting(rows, asyncio.get_running_loop().create_future())
        here = self._executor is None or len(rows) <= self._inline_rows
        queue = self._here if here else self._queue
        queue.append(waiting)
        self._queued += len(rows)
        if here:
            if len(queue) == 1:
                asyncio.get_running_loop().call_soon(self._run_here)
        elif self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
        return await waiting.answer

    def _run_here(self) -> None:
        """Predict what this turn of the event loop has read, as much of it as may be at once; the rest in the next turn."""
        most = self._limits.max_rows if self._executor is None else min(self._inline_rows, self._limits.max_rows)
        batch = self._next(self._here, most)
        if batch:
            self._on_batch(sum([len(one.rows) for one in batch]))
            for one, answer in zip(batch, _answers(self._predict, [one.rows for one in batch]), strict=True):
                _tell(one.answer, answer)
        if self._here:
            asyncio.get_running_loop().call_soon(self._run_here)

    async def _run(self) -> None:
        """Predict batch after batch until nothing waits."""
        loop = asyncio.get_running_loop()
        while self._queue:
            if self._limits.max_wait_ms and self._queued < self._limits.max_rows:
                await asyncio.sleep(self._limits.max_wait_ms / 1000)
            batch = self._next(self._queue, self._limits.max_rows)
            if not batch:
                break
            self._on_batch(sum(len(one.rows) for one in batch))
            try:
                outcome = await loop.run_in_executor(self._executor, _answers, self._predict, [one.rows for one in batch])
            except Exception as error:  # noqa: BLE001 - the executor has been shut down
                outcome = [error] * len(batch)
            for one, answer in zip(batch, outcome, strict=True):
                _tell(one.answer, answer)

    def _next(self, queue: deque[_Waiting], most: int) -> list[_Waiting]:
        """Take the next batch of a queue, of so many rows at most; requests whose sender has gone are dropped."""
        batch: list[_Waiting] = []
        n_rows = 0
        while queue and (not batch or n_rows + len(queue[0].rows) <= most):
            one = queue.popleft()
            self._queued -= len(one.rows)
            if not one.answer.cancelled():
                batch.append(one)
                n_rows += len(one.rows)
        return batch


def _tell(future: "asyncio.Future[Floats]", answer: "Floats | Exception") -> None:
    """Give a request its answer, unless its sender has gone."""
    if future.done():
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)


def _answers(predict: Predict, requests: Sequence[Rows]) -> list[Any]:
    """Return an answer, or an exception, for each request; one that cannot be read does not fail the others."""
    try:
        if len(requests) == 1:
            return [predict(requests[0])]
        values = predict([row for rows in requests for row in rows])
        ends = np.cumsum([len(rows) for rows in requests])[:-1]
        return list(np.split(values, ends))
    except DataError as error:
        return [error] if len(requests) == 1 else [_alone(predict, rows) for rows in requests]
    except Exception as error:  # noqa: BLE001 - whoever waits has to be told, whatever it is
        return [error] * len(requests)


def _alone(predict: Predict, rows: Rows) -> "Floats | Exception":
    """Return the answer to one request of a batch that could not be read as a whole."""
    try:
        return predict(rows)
    except Exception as error:  # noqa: BLE001 - told to the one whose rows these are
        return error
