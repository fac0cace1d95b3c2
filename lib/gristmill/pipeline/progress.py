"""What a build says while it runs: one line a task, and in a terminal a last line that says what is going on."""

import shutil
import sys
import time
from collections.abc import Mapping
from typing import TextIO

_DEFAULT_SECONDS = 15.0


def in_words(seconds: float) -> str:
    """Return a duration as a person would say it: ``8 s``, ``1 min 20 s``, ``2 h 05 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


class Progress:
    """Writes the lines of one build.

    Parameters
    ----------
    case
        Name of the case.
    total
        How many tasks will run.
    fresh
        How many are up to date.
    expected
        Task -> seconds of its last run.
    rest
        Seconds that the last build suggests, None when nothing is known.
    stream
        Where lines go; standard output unless a test says otherwise.
    """

    def __init__(
        self,
        case: str,
        total: int,
        fresh: int,
        expected: Mapping[str, float],
        rest: float | None,
        stream: TextIO | None = None,
    ) -> None:
        self._stream = stream or sys.stdout
        self._expected = expected
        self._total, self._done = total, 0
        self._running: dict[str, float] = {}
        self._live = self._stream.isatty()
        self._width = max(len(name) for name in [*expected, "05_train_boosting"])
        about = f", about {in_words(rest)}" if rest is not None else ""
        self._line(f"Building {case}: {_tasks(total)} to run, {fresh} up to date{about}")

    def started(self, task: str) -> None:
        """Note that a task has begun."""
        self._running[task] = time.monotonic()

    def finished(self, task: str, state: str, seconds: float, rest: float | None) -> None:
        """Write the line of a task that has ended."""
        self._running.pop(task, None)
        self._done += 1
        about = f"   about {in_words(rest)} to go" if rest is not None and self._done < self._total else ""
        self._line(f"[{self._done:2d}/{self._total}] {task:<{self._width}}  {state:<7} {seconds:7.1f} s{about}")

    def skipped(self, task: str, why: str) -> None:
        """Write the line of a task that cannot run."""
        self._done += 1
        self._line(f"[{self._done:2d}/{self._total}] {task:<{self._width}}  {why}")

    def tick(self) -> None:
        """Renew the terminal's last line."""
        if not self._live or not self._running:
            return
        now = time.monotonic()
        parts = [f"{task} {in_words(now - begun)}" for task, begun in self._running.items()]
        columns = shutil.get_terminal_size().columns
        self._stream.write("\r\033[K" + f"        running: {', '.join(parts)}"[: columns - 1])
        self._stream.flush()

    def say(self, sentence: str) -> None:
        """Write a line of its own."""
        self._line(sentence)

    @property
    def live(self) -> bool:
        """Whether there is a terminal whose last line can be renewed."""
        return self._live

    def _line(self, text: str) -> None:
        self._stream.write(f"\r\033[K{text}\n" if self._live else f"{text}\n")
        self._stream.flush()


def _tasks(count: int) -> str:
    """Return a number of tasks in words."""
    return f"{count} task" if count == 1 else f"{count} tasks"
