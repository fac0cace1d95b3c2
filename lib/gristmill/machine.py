"""What this machine, or the container it pretends to be, can run at once."""

import os
import resource
from collections.abc import Mapping
from dataclasses import dataclass, field
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
_POWERCAP = Path("/sys/class/powercap")


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


@dataclass(frozen=True)
class Meter:
    """A reading of processor time and energy.

    Attributes
    ----------
    own_seconds
        Processor time of this process and of its children that have ended.
    busy_seconds
        Processor time of everything that runs on the machine.
    counters
        Package of the processor -> microjoules since some moment, and the number at which its counter starts again; empty where the
        machine does not tell.
    """

    own_seconds: float
    busy_seconds: float
    counters: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Spent:
    """What this process and its children took: seconds of processor time, and joules where the machine tells them."""

    cpu_seconds: float
    joules: float | None


def meter(powercap: Path = _POWERCAP) -> Meter:
    """Return a reading of this moment.

    Parameters
    ----------
    powercap
        Where Linux shows the counters of the processor's running average power limit (RAPL).
    """
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    times = psutil.cpu_times()
    busy = times.user + times.system + getattr(times, "nice", 0.0)
    return Meter(sum(one.ru_utime + one.ru_stime for one in used), busy, _energy_counters(powercap))


def _energy_counters(powercap: Path) -> dict[str, tuple[int, int]]:
    """Return the counters of whole packages; those of their parts, and of the whole board, would count the same energy twice."""
    found = {}
    for folder in sorted(powercap.glob("*-rapl:*")):
        value, most = _read(folder / "energy_uj"), _read(folder / "max_energy_range_uj")
        if _read(folder / "name").startswith("package") and value.isdigit() and most.isdigit():
            found[folder.name] = (int(value), int(most))
    return found


def spent_since(before: Meter, now: Meter | None = None) -> Spent:
    """Return what was spent since a reading.

    A package's energy is shared out among all that ran, by processor time, so that tasks side by side do not count it twice. A
    counter that started again once is understood; one that did so several times is not told from that.

    Parameters
    ----------
    before
        The earlier reading.
    now
        The later one; of this moment when omitted.
    """
    after = meter() if now is None else now
    own = max(0.0, after.own_seconds - before.own_seconds)
    if not before.counters or set(before.counters) != set(after.counters):
        return Spent(own, None)
    used = [(after.counters[name][0] - start) % (most + 1) for name, (start, most) in before.counters.items()]
    busy = max(own, after.busy_seconds - before.busy_seconds)
    return Spent(own, sum(used) / 1e6 * own / busy if busy > 0 else 0.0)
