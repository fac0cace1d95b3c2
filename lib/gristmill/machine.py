"""What this machine, or the container it pretends to be, can run at once."""

import os
from pathlib import Path

import psutil  # type: ignore[import-untyped]

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_MAX_THREADS",
    "NUMBA_NUM_THREADS",
    "LOKY_MAX_CPU_COUNT",
    "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",
    "GRISTMILL_THREADS",
)
"""Where numeric libraries look up how many threads they may start."""

_CGROUP = Path("/sys/fs/cgroup")


def cores() -> int:
    """Return how many cores this process may use: affinity and the container's quota considered."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, _, period = _read(_CGROUP / "cpu.max").partition(" ")
    if quota.isdigit() and period.isdigit() and int(period):
        usable = min(usable, max(1, int(quota) // int(period)))
    return max(1, usable)


def free_mb() -> float:
    """Return how much memory may still be used, in megabytes: the machine's, or what is left of the container's."""
    free = float(psutil.virtual_memory().available)
    limit, used = _read(_CGROUP / "memory.max"), _read(_CGROUP / "memory.current")
    if limit.isdigit() and used.isdigit():
        free = min(free, float(int(limit) - int(used)))
    return free / 2**20


def _read(path: Path) -> str:
    """Return the one line of a control file; nothing where there is no such file."""
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def thread_environment(threads: int) -> dict[str, str]:
    """Return the environment that keeps a process to ``threads`` numeric threads; a lower limit of the user's stays."""
    return {name: str(min(threads, _own_limit(name, threads))) for name in THREAD_VARIABLES}


def _own_limit(name: str, default: int) -> int:
    """Return the limit that the user has set in the environment, or ``default``."""
    value = os.environ.get(name, "")
    return int(value) if value.isdigit() and int(value) else default
