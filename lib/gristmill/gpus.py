"""What the GPUs of this machine do: their memory, how busy they are, and the most of it while something ran."""

import shutil
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

NONE = "none"
"""What is said of a machine without a GPU; no figure is given, for zero would say that there is an idle one."""

SECONDS_BETWEEN = 1.0
SECONDS_TO_ANSWER = 10.0
_ASKED = "index,memory.used,memory.total,utilization.gpu,name"


@dataclass(frozen=True)
class Gpu:
    """One GPU at one moment.

    Attributes
    ----------
    index, name
        Its number and its make.
    used_mb, total_mb
        Memory in use, by whichever program, and in all.
    busy
        Share of the last moments in which it computed; None where it does not tell.
    """

    index: str
    name: str
    used_mb: float
    total_mb: float
    busy: float | None


def gpus() -> list[Gpu]:
    """Return the GPUs that ``nvidia-smi`` knows; none where there is no such program, or it knows of none."""
    if shutil.which("nvidia-smi") is None:
        return []
    asked = ["nvidia-smi", f"--query-gpu={_ASKED}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, timeout=SECONDS_TO_ANSWER, check=False)
    except (subprocess.TimeoutExpired, OSError):  # a driver that hangs must not hold up a build
        return []
    lines = done.stdout.splitlines() if done.returncode == 0 else []
    return [found for line in lines if (found := _read(line)) is not None]


def _read(line: str) -> Gpu | None:
    """Return the GPU of a line of ``nvidia-smi``; None where the line tells no memory, as of a GPU that is shared out in parts."""
    parts = [part.strip() for part in line.split(",", 4)]
    if len(parts) != len(_ASKED.split(",")):
        return None
    used, total, busy = (_number(part) for part in parts[1:4])
    if used is None or not total:
        return None
    return Gpu(parts[0], parts[4], used, total, None if busy is None else busy / 100)


def _number(text: str) -> float | None:
    """Return a number; None for ``[N/A]`` and the like."""
    try:
        return float(text)
    except ValueError:
        return None


class GpuWatch:
    """Looks at the GPUs once a second while a block runs; where there is none, it looks once and costs nothing more.

    Parameters
    ----------
    seconds
        Time from one look to the next.
    """

    def __init__(self, seconds: float = SECONDS_BETWEEN) -> None:
        self._seconds = seconds
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._names: tuple[str, ...] = ()
        self._peak_mb = 0.0
        self._busy: list[float] = []

    def __enter__(self) -> "GpuWatch":
        """Begin to look."""
        found = gpus()
        if found:
            self._names = tuple(one.name for one in found)
            self._note(found)
            self._thread = threading.Thread(target=self._look, daemon=True)
            self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Look a last time, and end."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
            self._note(gpus())

    def _look(self) -> None:
        while not self._ended.wait(self._seconds):
            self._note(gpus())

    def _note(self, found: list[Gpu]) -> None:
        self._peak_mb = max(self._peak_mb, sum(one.used_mb for one in found))
        self._busy += [one.busy for one in found if one.busy is not None]

    @property
    def found(self) -> Mapping[str, Any] | None:
        """``names``, ``peak_mb`` (of all GPUs and programs together) and ``busy`` (mean share); None where there is no GPU."""
        if not self._names:
            return None
        busy = sum(self._busy) / len(self._busy) if self._busy else None
        return {"names": list(self._names), "peak_mb": self._peak_mb, "busy": busy}
