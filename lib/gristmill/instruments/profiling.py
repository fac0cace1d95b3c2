"""A profile of the running service for some seconds, as a file that https://www.speedscope.app and its command read.

A thread looks at the stacks of all others at short intervals (``sys._current_frames``), so that the service goes on while it is
watched and costs nothing while it is not. Stacks that are the same are counted, so that memory does not grow with the time.
"""

import json
import os
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

from gristmill.errors import InstrumentError

VARIABLE = "GRISTMILL_PROFILE_SECONDS"
"""Environment variable that has the service profile its first seconds."""

INTERVAL = 0.005
"""Seconds between two looks."""

LONGEST = 600.0
"""Seconds after which every profile ends."""

_DEEPEST = 128

Stack = tuple[tuple[str, str, int], ...]
"""Function, file and line of each frame, the outermost first."""


class Profiler:
    """Takes one profile at a time.

    Parameters
    ----------
    folder
        Where profiles are written; made when the first one is.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()

    @property
    def running(self) -> bool:
        """Whether a profile is being taken."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, seconds: float) -> Path:
        """Begin a profile and return the file that there will be when it has ended.

        Parameters
        ----------
        seconds
            How long, up to :data:`LONGEST`.

        Raises
        ------
        InstrumentError
            A profile is being taken, the time is out of range, or the folder cannot be made.
        """
        if not 0 < seconds <= LONGEST:
            raise InstrumentError(f"Expected a profile of more than 0 and up to {LONGEST:.0f} seconds, got {seconds!r}.")
        with self._lock:
            if self.running:
                raise InstrumentError("A profile is being taken. Ask again when it has ended.")
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise InstrumentError(f"Profiles cannot be written to {self._folder}: {error}. Free or open the folder.") from error
            path = self._folder / f"profile-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{os.getpid()}.speedscope.json"
            self._stopped.clear()
            self._thread = threading.Thread(target=self._take, args=(seconds, path), name="gristmill-profile", daemon=True)
            self._thread.start()
        return path

    def stop(self) -> None:
        """End the profile that is being taken, if one is, and wait until it is written."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def _take(self, seconds: float, path: Path) -> None:
        stacks: dict[int, Counter[Stack]] = {}
        me, end = threading.get_ident(), time.monotonic() + seconds
        while time.monotonic() < end and not self._stopped.wait(INTERVAL):
            for thread, frame in sys._current_frames().items():
                if thread != me:
                    stacks.setdefault(thread, Counter())[_stack(frame)] += 1
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        content = speedscope({names.get(ident, f"thread {ident}"): counts for ident, counts in stacks.items()})
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(content), encoding="utf-8")
        unfinished.replace(path)


def profiler_from_environment(folder: Path) -> Profiler:
    """Return a profiler, which has begun already where :data:`VARIABLE` gives a number of seconds.

    Raises
    ------
    InstrumentError
        The variable is no number, or one out of range.
    """
    profiler = Profiler(folder)
    asked = os.environ.get(VARIABLE, "")
    if asked:
        try:
            seconds = float(asked)
        except ValueError as error:
            raise InstrumentError(f"Expected {VARIABLE} to be a number of seconds, got {asked!r}.") from error
        profiler.start(seconds)
    return profiler


def speedscope(threads: dict[str, "Counter[Stack]"]) -> dict[str, Any]:
    """Return how often stacks were seen in each thread, in speedscope's file format; weights are seconds."""
    places: dict[tuple[str, str, int], int] = {}
    profiles = []
    for name, counts in threads.items():
        samples = [[places.setdefault(frame, len(places)) for frame in stack] for stack in counts]
        weights = [count * INTERVAL for count in counts.values()]
        profiles.append(
            {
                "type": "sampled", "name": name, "unit": "seconds", "startValue": 0, "endValue": sum(weights),
                "samples": samples, "weights": weights,
            }
        )  # fmt: skip
    return {
        "$schema": "https://www.speedscope.app/file-format-schema.json",
        "shared": {"frames": [{"name": name, "file": file, "line": line} for name, file, line in places]},
        "profiles": profiles,
        "exporter": "gristmill",
    }


def _stack(frame: FrameType | None) -> Stack:
    """Return the stack that ends in a frame."""
    frames: list[tuple[str, str, int]] = []
    while frame is not None and len(frames) < _DEEPEST:
        code = frame.f_code
        frames.append((code.co_qualname, code.co_filename, code.co_firstlineno))
        frame = frame.f_back
    return tuple(reversed(frames))
