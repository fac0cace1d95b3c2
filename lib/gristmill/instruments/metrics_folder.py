"""The folder through which the workers of one service add up their metrics.

prometheus_client keeps each worker's numbers in files of the process, and adds them up when one of the workers is asked. The
parent makes the folder before it starts a worker and removes it at the end. Whoever collects first takes the files of workers
that are dead out of the way: what they counted goes on counting in one file, so that counters never fall, and the number of files
does not grow with the number of restarts.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gristmill.errors import InstrumentError

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable by which prometheus_client, and with it every worker, knows the folder."""

RETIRED = "retired"
"""Stands where the process id of a worker would in the files that hold what dead workers counted."""

_PREFIX = "metrics-"
_LOCK = "lock"
_SUMMED = ("counter", "histogram")


class MetricsFolder:
    """A folder of workers' metrics; a collector of prometheus_client.

    Parameters
    ----------
    path
        The folder; it exists.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def collect(self) -> Iterable[Any]:
        """Return the metrics of all workers, added up, after those that are dead were retired."""
        from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415

        with self._locked():
            self._retire(pid for pid in self._pids() if not _alive(pid))
            files = [str(file) for file in sorted(self.path.glob("*.db")) if file.stat().st_size]
            merged: Iterable[Any] = MultiProcessCollector.merge(files)
        return merged

    def describe(self) -> list[Any]:
        """Return nothing: what there is depends on the workers; prometheus_client asks at registration."""
        return []

    def live_workers(self) -> list[int]:
        """Return the process ids of the workers that have counted something and are alive."""
        return sorted(pid for pid in self._pids() if _alive(pid))

    def retire(self, pid: int) -> None:
        """Take the files of a worker that is dead out of the way; collecting does so by itself."""
        with self._locked():
            self._retire([pid])

    def _retire(self, pids: Iterable[int]) -> None:
        for pid in list(pids):
            for kind in _SUMMED:
                file = self.path / f"{kind}_{pid}.db"
                if file.exists():
                    _add(file, self.path / f"{kind}_{RETIRED}.db")
                    file.unlink()
            for file in self.path.glob(f"gauge_*_{pid}.db"):
                file.unlink()

    def _pids(self) -> set[int]:
        ends = (file.stem.rpartition("_")[2] for file in self.path.glob("*.db"))
        return {int(end) for end in ends if end.isdigit()}

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the folder's lock: nothing may be counted twice while it moves from one file to another."""
        with (self.path / _LOCK).open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


@contextmanager
def metrics_folder(root: Path | None = None) -> Iterator[MetricsFolder]:
    """Make the folder for the workers that the block starts, name it in the environment, and remove it at the end.

    Folders that a killed service has left are removed as well.

    Parameters
    ----------
    root
        Where to make it; the system's temporary folder when omitted.

    Raises
    ------
    InstrumentError
        The folder cannot be made.
    """
    parent = root or Path(tempfile.gettempdir())
    try:
        parent.mkdir(parents=True, exist_ok=True)
        _remove_orphans(parent)
        path = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=parent))
    except OSError as error:
        raise InstrumentError(f"No folder for the workers' metrics can be made in {parent}: {error}. Free or open it.") from error
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = str(path)
    try:
        yield MetricsFolder(path)
    finally:
        if before is None:
            os.environ.pop(VARIABLE, None)
        else:
            os.environ[VARIABLE] = before
        shutil.rmtree(path, ignore_errors=True)


def current_folder() -> MetricsFolder | None:
    """Return the folder that the environment names, None where one process serves alone."""
    named = os.environ.get(VARIABLE)
    return MetricsFolder(Path(named)) if named else None


def require_multiprocess_values() -> None:
    """Refuse to go on where a folder is named and prometheus_client keeps its numbers in memory all the same.

    Raises
    ------
    InstrumentError
        prometheus_client was imported before the folder was named.
    """
    from prometheus_client import values  # noqa: PLC0415

    if os.environ.get(VARIABLE) and not getattr(values.ValueClass, "_multiprocess", False):
        raise InstrumentError(
            f"{VARIABLE} was set after prometheus_client was imported, so that the numbers of this process would be lost. Start "
            "workers as new processes inside `metrics_folder()`."
        )


def _remove_orphans(parent: Path) -> None:
    """Remove the folders of services that are no more."""
    for path in parent.glob(f"{_PREFIX}*-*"):
        pid = path.name.removeprefix(_PREFIX).partition("-")[0]
        if pid.isdigit() and not _alive(int(pid)) and path.stat().st_uid == os.getuid():
            shutil.rmtree(path, ignore_errors=True)


def _alive(pid: int) -> bool:
    """Return whether a process runs; one that has ended and is not yet waited for does not."""
    import psutil  # type: ignore[import-untyped]  # noqa: PLC0415

    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _add(source: Path, target: Path) -> None:
    """Add the numbers of one file of prometheus_client to those of another."""
    from prometheus_client.mmap_dict import MmapedDict  # noqa: PLC0415

    if not source.stat().st_size:
        return
    total = MmapedDict(str(target))
    try:
        for key, value, _, _ in MmapedDict.read_all_values_from_file(str(source)):
            total.write_value(key, total.read_value(key)[0] + value, 0.0)
    finally:
        total.close()
