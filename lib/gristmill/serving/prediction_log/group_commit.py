"""One thread that writes what waits, in one transaction for all that came meanwhile."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from gristmill.errors import GristmillError, LogUnavailable
from gristmill.serving.prediction_log.limits import LogLimits
from gristmill.serving.prediction_log.rows import Row
from gristmill.serving.prediction_log.store import Store

GivenUp = Callable[[], bool]
Task = Callable[[Store, GivenUp], Any]
"""Something to do with the database; it may ask whether who wanted it has been refused or has gone meanwhile."""


class Waiting:
    """Rows to write, or something else to do with the database, and who waits for it."""

    __slots__ = ("count", "future", "rows", "since", "size", "task")

    def __init__(self, future: "asyncio.Future[Any]", rows: Sequence[Row], count: int, size: int, task: Task | None) -> None:
        self.future, self.rows, self.count, self.size, self.task = future, rows, count, size, task
        self.since = time.monotonic()


class GroupCommit:
    """Writes of one process: any number of coroutines wait, one thread commits for all of them.

    While a group is on its way to the disk the next one gathers, so that a transaction has as many records as the disk is slow,
    and a single record does not wait for others. The event loop is woken once for each group, and wakes the thread once a turn.

    Parameters
    ----------
    open_store
        Opens the database; called in the thread, again after each error.
    limits
        How much may wait, and how long.
    """

    def __init__(self, open_store: Callable[[], Store], limits: LogLimits) -> None:
        self._open, self.limits = open_store, limits
        self._queue: deque[Waiting] = deque()
        self._pending: deque[Waiting] = deque()
        self._wake = threading.Event()
        self._ending = self._waking = False
        self._store: Store | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._thread = threading.Thread(target=self._run, name="prediction log", daemon=True)
        self.records = self.size = 0

    def start(self) -> None:
        """Begin, on the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def stop(self) -> None:
        """Write what waits still, as far as the database lets it in the time a record may wait, and end."""
        self._ending = True
        self._wake.set()
        until = time.monotonic() + self.limits.seconds
        while self._thread.is_alive() and time.monotonic() < until:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0)  # the answers of its last group
        self._refuse(self._pending, "The service is ending, and the prediction log has not answered in time.")
        if self._timer:
            self._timer.cancel()

    def submit(self, rows: Sequence[Row], size: int) -> "asyncio.Future[Any]":
        """Return what will be done when rows, of ``size`` bytes together, are durable.

        Raises
        ------
        LogUnavailable
            Too much waits already, or the log is closed.
        """
        return self._submit(rows, len(rows), size)

    def run(self, task: Task, count: int = 1, size: int = 0) -> "asyncio.Future[Any]":
        """Return what will be done when ``task`` was run; it takes as much memory as ``count`` records of ``size`` bytes together.

        A task whose waiter was refused or has gone before its turn is not run.

        Raises
        ------
        LogUnavailable
            As :meth:`submit`.
        """
        return self._submit((), count, size, task)

    def _submit(self, rows: Sequence[Row], count: int, size: int, task: Task | None = None) -> "asyncio.Future[Any]":
        """Put something into the queue, if there is room."""
        if self._ending or (self.records and (self.records + count > self.limits.records or self.size + size > self.limits.size)):
            raise LogUnavailable(
                f"The prediction log does not keep up: {self.records} records ({self.size} bytes) wait to be written, and at most "
                f"{self.limits.records} ({self.limits.size}) may. Ask again in {LogUnavailable.retry_after} s."
            )
        waiting = Waiting(self._loop.create_future(), rows, count, size, task)
        self.records += count
        self.size += size
        self._pending.append(waiting)
        self._queue.append(waiting)
        if not self._waking:  # once all that this turn of the event loop brings is here: a commit costs as much as a request
            self._waking = True
            self._loop.call_soon(self._wake_up)
        if self._timer is None:
            self._timer = self._loop.call_later(self.limits.seconds / 4, self._expire)
        return waiting.future

    def _wake_up(self) -> None:
        """Have the thread look at the queue."""
        self._waking = False
        self._wake.set()

    def _expire(self) -> None:
        """Refuse whoever has waited for too long, and look again later as long as anybody waits."""
        while self._pending and self._pending[0].future.done():
            self._pending.popleft()
        late = time.monotonic() - self.limits.seconds
        self._refuse(
            [one for one in self._pending if one.since < late],
            f"The prediction log took no record within {self.limits.seconds:g} s. Ask again in {LogUnavailable.retry_after} s.",
        )
        self._timer = self._loop.call_later(self.limits.seconds / 4, self._expire) if self._pending else None

    def _refuse(self, those: Sequence[Waiting] | deque[Waiting], why: str) -> None:
        """Tell those who wait still that they wait in vain."""
        for one in those:
            if not one.future.done():
                one.future.set_exception(LogUnavailable(why))

    def _run(self) -> None:
        """Write group after group until it is to end; the body of the thread."""
        while True:
            self._wake.wait()
            self._wake.clear()
            while group := self._next_group():
                result, error = self._done(group)
                self._tell(group, result, error)
            if self._ending:
                break
        self._drop()

    def _next_group(self) -> list[Waiting]:
        """Return what is to be done next: rows of many who wait, or one task; nobody who has given up."""
        group: list[Waiting] = []
        gone: list[Waiting] = []
        records = 0
        while self._queue and records < self.limits.group:
            if self._queue[0].future.done():
                gone.append(self._queue.popleft())
                continue
            if self._queue[0].task is not None and group:
                break
            group.append(self._queue.popleft())
            records += group[-1].count
            if group[-1].task is not None:
                break
        if gone:
            self._tell(gone, None, None)  # their room is free
        return group

    def _done(self, group: list[Waiting]) -> tuple[Any, GristmillError | None]:
        """Do what a group waits for, and return its result or why it could not be done.

        A connection that was kept may have been lost since; what failed on it is tried once more on a new one. Writing a row a
        second time changes nothing, so that it does no harm where the first time succeeded without an answer.
        """
        begin = time.monotonic()
        rows = [row for one in group for row in one.rows]
        task, given_up = group[0].task, group[0].future.done
        while True:
            kept = self._store is not None
            try:
                self._store = self._store or self._open()
                result = None
                if task is None:
                    _insert(self._store, rows)
                else:
                    result = task(self._store, given_up)
            except LogUnavailable as error:
                self._drop()
                if not kept or time.monotonic() - begin > self.limits.seconds / 2:
                    return None, error
            except GristmillError as error:
                return None, error
            except Exception as error:  # noqa: BLE001 - the thread must outlive whatever happens; who waits is told
                self._drop()
                return None, LogUnavailable(f"The prediction log failed: {type(error).__name__}: {error}.")
            else:
                return result, None

    def _drop(self) -> None:
        """Close the connection."""
        if self._store is not None:
            self._store.close()
            self._store = None

    def _tell(self, group: list[Waiting], result: Any, error: GristmillError | None) -> None:
        """Have the event loop wake all of a group at once."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._settle, group, result, error)

    def _settle(self, group: list[Waiting], result: Any, error: GristmillError | None) -> None:
        """Wake a group; runs on the event loop."""
        for one in group:
            self.records -= one.count
            self.size -= one.size
            if one.future.done():
                continue
            if error is None:
                one.future.set_result(result)
            else:
                one.future.set_exception(type(error)(str(error)))
        while self._pending and self._pending[0].future.done():
            self._pending.popleft()


def _insert(store: Store, rows: Sequence[Row]) -> None:
    """Write rows."""
    store.insert(rows)
