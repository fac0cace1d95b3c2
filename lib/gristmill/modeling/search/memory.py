"""How much memory a training process may use, and how much it did use.

The limit is the kernel's own on private memory (``RLIMIT_DATA``, Linux 4.7 and later): an allocation beyond it fails at once,
in whichever library and thread it happens, instead of driving the machine out of memory.
"""

import contextlib
import sys
from pathlib import Path

from gristmill import machine

SHARE = 0.8
"""Share of the free memory that the families being trained may take together where the case file does not say."""

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


def allowed_gb(setting: float | None, at_once: int) -> float:
    """Return what one family's training may use, in gigabytes: the setting, or its part of what is free now.

    Parameters
    ----------
    setting
        ``training.memory_gb`` of the case file.
    at_once
        Families that are trained side by side.
    """
    return setting if setting is not None else SHARE * machine.free_mb() / 1024 / at_once


def too_much(gigabytes: float | None) -> str:
    """Return the sentence for a configuration that asked for more than it may have."""
    limit = "this machine has" if gigabytes is None else f"the {gigabytes:.2g} GB that `training.memory_gb` allows one family"
    return f"MemoryError: the configuration needs more memory than {limit}."


def limit_to(gigabytes: float) -> bool:
    """Refuse this process more than so much memory in all, from now on; return whether the system can do that."""
    if not sys.platform.startswith("linux"):
        return False
    import resource  # noqa: PLC0415 - not on every system

    used, mapped = _status("VmRSS"), _status("VmData")
    if used is None or mapped is None:
        return False
    limit = int(mapped + max(0.0, gigabytes * 2**30 - used))
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    return True


def forget_peak() -> None:
    """Begin to count this process's largest memory anew, where the system can do that."""
    with contextlib.suppress(OSError):
        _CLEAR.write_text("5", encoding="ascii")


def peak_mb() -> float | None:
    """Return the largest memory of this process since :func:`forget_peak`, in megabytes; None where the system does not tell."""
    peak = _status("VmHWM")
    return None if peak is None else round(peak / 2**20, 1)


def _status(name: str) -> float | None:
    """Return one size of this process, in bytes."""
    try:
        lines = _STATUS.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith(f"{name}:")]
    return float(found[0]) * 1024 if found else None
