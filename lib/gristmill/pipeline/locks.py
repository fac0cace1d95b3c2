"""One build per case at a time.

The lock is the operating system's, so that it goes with the process that holds it, however that ends; the file says who that is.
"""

import fcntl
import json
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from gristmill.pipeline.contents import read_json_or_none


def holder(path: Path) -> str | None:
    """Return who holds the lock, in words; None if it is free."""
    if not path.exists():
        return None
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _in_words(read_json_or_none(path) or {})
    return None


def _in_words(content: Mapping[str, object]) -> str:
    """Say who a lock file names."""
    return (
        f"process {content.get('pid', 'unknown')} on {content.get('host', 'an unknown host')} "
        f"since {content.get('since', 'an unknown time')}"
    )


@contextmanager
def held(path: Path, on_wait: Callable[[str], None]) -> Iterator[bool]:
    """Hold the lock while the block runs; give whether another had to be waited for.

    Parameters
    ----------
    path
        The lock's file.
    on_wait
        Called with who holds the lock, once, before waiting for them.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    waited = False
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waited = True
            on_wait(_in_words(read_json_or_none(path) or {}))
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        since = time.strftime("%Y-%m-%d %H:%M:%S")
        content = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": since})
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, content.encode(), 0)
        yield waited
    finally:
        os.close(descriptor)
