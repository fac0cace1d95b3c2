"""The thread that explains predictions, with an end to what waits for it, to how long, and to itself.

An explanation takes about a second a row, thousands of times what a prediction takes. So few may wait, each for a time and no
longer than its caller does, and none when the service stops. One that has begun cannot be broken off; it counts until it has ended.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from gristmill.serving.api.refusals import RETRY_SOON, too_busy
from gristmill.serving.limits.bodies import Disconnected
from gristmill.serving.problems import ProblemError

Made = TypeVar("Made")
Gone = Callable[[], Awaitable[None]]


class Explaining(ThreadPoolExecutor):
    """A thread for explanations.

    Parameters
    ----------
    waiting
        How many may wait beside the one that is being made.
    seconds
        How long one may take, its wait included.
    """

    def __init__(self, waiting: int, seconds: float) -> None:
        super().__init__(1, thread_name_prefix="explain")
        self._most, self._seconds = waiting + 1, seconds
        self._inside: set[Future[Any]] = set()
        self._closed = False

    def submit(self, fn: Callable[..., Made], /, *args: Any, **kwargs: Any) -> "Future[Made]":
        """Have something explained.

        Raises
        ------
        ProblemError
            As many wait as may, or the service stops (503).
        """
        if self._closed:
            raise _stopping()
        self._inside = {one for one in self._inside if not one.done()}
        if len(self._inside) >= self._most:
            raise too_busy("As many explanations wait as may. Try again in 1 s.")
        made = super().submit(fn, *args, **kwargs)
        self._inside.add(made)
        return made

    def close(self) -> None:
        """Take no more, and give up those that wait; what is being made is ended."""
        self._closed = True
        self.shutdown(wait=False, cancel_futures=True)

    async def within(self, making: Coroutine[Any, Any, Made], gone: Gone) -> Made:
        """Return what is made of it in time.

        Parameters
        ----------
        making
            Makes it, by way of this executor.
        gone
            Returns when the caller has gone.

        Raises
        ------
        ProblemError
            It took too long, or the service stops (503).
        Disconnected
            The caller has gone.
        """
        task, leaving = asyncio.ensure_future(making), asyncio.ensure_future(gone())
        try:
            await asyncio.wait({task, leaving}, timeout=self._seconds, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return _result(task)
            if leaving.done():
                raise Disconnected
            raise ProblemError(
                503, "Explanation Slow", f"The explanation was not there within {self._seconds:g} seconds.", headers=RETRY_SOON
            )
        finally:
            task.cancel()
            leaving.cancel()
            await asyncio.gather(task, leaving, return_exceptions=True)


def _result(task: "asyncio.Task[Made]") -> Made:
    """Return what was made; what was given up was so because the service stops."""
    if task.cancelled():
        raise _stopping()
    return task.result()


def _stopping() -> ProblemError:
    return ProblemError(503, "Stopping", "The service stops. Try again.", headers=RETRY_SOON)
