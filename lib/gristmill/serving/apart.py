"""Work on requests of many rows, off the event loop: reading, checking and writing a thousand rows takes as long as fifty requests.

One thread does it for all of them, one after the other, so that large requests wait for each other and not small ones for them.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

ROW_MS = 0.05
"""Milliseconds that a row takes around its prediction: checked, guarded, put into words, encoded for the log."""

ROW_BYTES = 400
"""Bytes of JSON that take no longer to read than a row does afterwards."""


class Apart:
    """A thread for requests of many rows.

    Parameters
    ----------
    inline_ms
        Milliseconds that a request may take in the event loop (``serving.batching.inline_ms``).

    Attributes
    ----------
    few_rows, few_bytes
        What a request may have that stays in the event loop.
    """

    def __init__(self, inline_ms: float) -> None:
        self.few_rows = max(1, int(inline_ms / ROW_MS))
        self.few_bytes = self.few_rows * ROW_BYTES
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="large requests")

    async def run(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what a function returns, or raise what it raises, once the thread has come to it."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: function(*args, **kwargs))

    def close(self) -> None:
        """End the thread, whatever waits for it."""
        self._thread.shutdown(wait=False, cancel_futures=True)
