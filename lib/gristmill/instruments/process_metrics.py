"""What the processes of the service use of the machine, added up over its workers, asked when Prometheus asks."""

import os
import resource
from collections.abc import Iterable, Iterator, Sequence
from typing import Any


class ProcessMetrics:
    """A collector of prometheus_client under the names that its own one uses, which cannot add up workers.

    Parameters
    ----------
    pids
        Processes of the service; this one alone when omitted.
    """

    def __init__(self, pids: Sequence[int] | None = None) -> None:
        self._pids = [os.getpid()] if pids is None else list(pids)

    def describe(self) -> list[Any]:
        """Return nothing; prometheus_client asks at registration."""
        return []

    def collect(self) -> Iterable[Any]:
        """Return processor time, memory, open files and start, of those processes that are still there."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily  # noqa: PLC0415

        cpu, memory, files, began = 0.0, 0, 0, []
        for used in _uses(self._pids):
            cpu, memory, files = cpu + used[0], memory + used[1], files + used[2]
            began.append(used[3])
        yield CounterMetricFamily("process_cpu_seconds", "Processor time of all live workers, in seconds.", cpu)
        yield GaugeMetricFamily("process_resident_memory_bytes", "Resident memory of all live workers.", memory)
        yield GaugeMetricFamily("process_open_fds", "Open files of all live workers.", files)
        yield GaugeMetricFamily("process_max_fds", "Files that one worker may open.", resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        yield GaugeMetricFamily(
            "process_start_time_seconds", "When the oldest live worker began, in Unix time.", min(began, default=0)
        )
        yield GaugeMetricFamily("gristmill_workers", "Live workers.", len(began))


def _uses(pids: Sequence[int]) -> Iterator[tuple[float, int, int, float]]:
    """Yield processor seconds, resident bytes, open files and start of each process that is there."""
    import psutil  # type: ignore[import-untyped]  # noqa: PLC0415

    for pid in pids:
        try:
            process = psutil.Process(pid)
            with process.oneshot():
                times = process.cpu_times()
                yield times.user + times.system, process.memory_info().rss, process.num_fds(), process.create_time()
        except (psutil.NoSuchProcess, psutil.AccessDenied):  # it ended meanwhile
            continue
