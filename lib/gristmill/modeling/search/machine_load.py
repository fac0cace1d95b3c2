"""How busy the machine is while a family is trained, sampled by a thread, for MLflow's page of system metrics.

MLflow's own monitor needs an open run and its import at the start; a build that is killed would leave that run open for
ever. The names are MLflow's, so that its page shows them as its own.
"""

import os
import threading
import time
from typing import Any

import psutil  # type: ignore[import-untyped]

FIRST_SECONDS = 1.0
"""Seconds between the first samples."""

MOST = 120
"""Samples at most: when there are so many, every second one goes and the pace is halved."""


class MachineLoad:
    """Samples processor, memory, disk and network for the length of a ``with`` block."""

    def __init__(self, every: float = FIRST_SECONDS) -> None:
        self.every = every
        self.samples: list[dict[str, float]] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gristmill machine load", daemon=True)

    def __enter__(self) -> "MachineLoad":
        """Begin."""
        self._process = psutil.Process(os.getpid())
        self._io = _counters()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take a last sample and end."""
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        """Sample until the block ends, and once more."""
        psutil.cpu_percent()  # counts from here on; psutil keeps the last reading for each thread
        while not self._end.wait(self.every):
            self._sample()
            if len(self.samples) >= MOST:
                self.samples = self.samples[1::2]
                self.every *= 2
        self._sample()

    def _sample(self) -> None:
        """Take one sample."""
        memory = psutil.virtual_memory()
        moved = {name: value - self._io.get(name, 0.0) for name, value in _counters().items()}
        self.samples.append(
            {
                "timestamp": time.time(),
                "system/cpu_utilization_percentage": psutil.cpu_percent(),
                "system/system_memory_usage_megabytes": memory.used / 1e6,
                "system/system_memory_usage_percentage": memory.percent,
                "system/process_memory_megabytes": _family_bytes(self._process) / 1e6,
                **moved,
            }
        )


def _counters() -> dict[str, float]:
    """Return what the disks and the network have moved since the machine started, in megabytes."""
    disk: Any = psutil.disk_io_counters() if hasattr(psutil, "disk_io_counters") else None
    network: Any = psutil.net_io_counters()
    found = {} if disk is None else {"system/disk_read_megabytes": disk.read_bytes, "system/disk_write_megabytes": disk.write_bytes}
    if network is not None:
        found |= {
            "system/network_receive_megabytes": network.bytes_recv,
            "system/network_transmit_megabytes": network.bytes_sent,
        }
    return {name: value / 1e6 for name, value in found.items()}


def _family_bytes(process: psutil.Process) -> int:
    """Return the memory of a process and those it started."""
    total = 0
    for member in [process, *process.children(recursive=True)]:
        try:
            total += member.memory_info().rss
        except psutil.Error:
            continue
    return total
