"""One line in a terminal that says how many rows of a long read have come so far."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    import pyarrow as pa

QUIET_SECONDS = 2.0
"""A read that is shorter says nothing."""

_SECONDS_BETWEEN = 0.5


def counted(
    batches: "Iterable[pa.RecordBatch]", what: str, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
) -> "Iterator[pa.RecordBatch]":
    """Yield the batches, and show on ``stream`` how many rows they had; nothing is shown where no terminal is.

    Parameters
    ----------
    batches
        The rows.
    what
        What they are read from.
    stream
        Where the line goes; standard error unless a test says otherwise.
    clock
        Gives seconds.
    """
    stream = stream or sys.stderr
    if not stream.isatty():
        yield from batches
        return
    rows, started, said = 0, clock(), float("-inf")
    try:
        for batch in batches:
            rows += batch.num_rows
            now = clock()
            if now - started >= QUIET_SECONDS and now - said >= _SECONDS_BETWEEN:
                stream.write(f"\r\x1b[K{what}: {rows:,} rows so far, {rows / (now - started):,.0f} a second")
                stream.flush()
                said = now
            yield batch
    finally:
        if said > started:
            stream.write("\r\x1b[K")
            stream.flush()
