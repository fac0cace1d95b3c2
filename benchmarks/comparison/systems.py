"""Run a system on a task in a process of its own, watched, and keep what it answered.

It lies in ``benchmarks/results/quality/<table>-<seed>-<seconds>s/``: ``<system>.log``, what it said; ``<system>.parquet``,
its answers; and then ``<system>.json``, what is known of the run. A run counts as done once the last is there.
"""

import ast
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

from comparison.tables import Divided

BENCHMARKS = Path(__file__).resolve().parents[1]
REPOSITORY = BENCHMARKS.parent
OURS = "gristmill"
SYSTEMS = (OURS, "hist_gradient_boosting", "flaml", "autogluon_medium", "autogluon_best")
"""Systems that are compared, by the names that options and results call them by."""

MORE_SYSTEMS = ("autogluon_best_serial",)
"""Systems that are run when asked for: AutoGluon without the cluster of processes that takes seconds of its time to start."""

MOST_BYTES = 15 * 2**30
"""Memory of a system's processes together above which it is ended: the comparison stays below 16 GB."""

PATIENCE, GRACE_SECONDS = 4, 600
"""A system is ended after so many times the time it was given for training, and this time on top."""

ANSWERS, FACTS, LOG = "answers.parquet", "facts.json", "log.txt"
"""Files that a system leaves in its folder."""

_UNWANTED = ("MLFLOW_TRACKING_URI", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV")
_SHORTEST_PAUSE = 0.2


@dataclass(frozen=True)
class Run:
    """What is known of one run of a system on a task.

    Attributes
    ----------
    system, table, seed, seconds
        What was run on what, and how long it was allowed to train.
    version
        Digest of the rows and of the code: with another, the run says nothing.
    error
        Why there are no answers, None if there are.
    call_seconds
        From the start of the process to the answers.
    peak_mb
        The largest memory of all its processes together.
    facts
        What the run says of itself: ``train_seconds``, ``row_seconds``, ``versions``, of Gristmill ``search_seconds`` and
        ``stage_seconds``.
    """

    system: str
    table: str
    seed: int
    seconds: float
    version: str
    error: str | None
    call_seconds: float
    peak_mb: float
    facts: dict[str, Any] = field(default_factory=dict)


def code_version(system: str) -> str:
    """Return a digest of the code that a system's answers depend on: this package, or what the others' environment is made of."""
    if system != OURS:
        worker = ast.dump(ast.parse((BENCHMARKS / "comparison" / "worker.py").read_text()))
        return _digest([worker.encode(), (BENCHMARKS / "quality-requirements.txt").read_bytes()])
    files = [*REPOSITORY.glob("lib/gristmill/**/*.py"), *REPOSITORY.glob("notebooks/0[1-6]_*.ipynb")]
    files += [REPOSITORY / "pipeline.yaml", REPOSITORY / "requirements.lock", BENCHMARKS / "comparison" / "ours.py"]
    return _digest([part for file in sorted(files) for part in (str(file.relative_to(REPOSITORY)).encode(), file.read_bytes())])


def _digest(parts: list[bytes]) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def version_of(system: str, divided: Divided) -> str:
    """Return the digest of the rows and the code of a run; see :class:`Run`."""
    return f"{divided.digest}-{code_version(system)}"


@dataclass(frozen=True)
class Store:
    """What earlier runs answered.

    Parameters
    ----------
    folder
        Where it is kept.
    """

    folder: Path

    def _file(self, system: str, divided: Divided, seconds: float, suffix: str) -> Path:
        return self.folder / f"{divided.table.name}-{divided.seed}-{seconds:g}s" / f"{system}{suffix}"

    def find(self, system: str, divided: Divided, seconds: float) -> Run | None:
        """Return a finished run without an error that is still true of these rows and this code, or None."""
        facts, answers = (self._file(system, divided, seconds, suffix) for suffix in (".json", ".parquet"))
        if not (facts.is_file() and answers.is_file()):
            return None
        run = Run(**json.loads(facts.read_text()))
        return run if run.error is None and run.version == version_of(system, divided) else None

    def answers(self, run: Run, divided: Divided) -> Path:
        """Return the file of a run's answers."""
        return self._file(run.system, divided, run.seconds, ".parquet")

    def keep(self, run: Run, divided: Divided, folder: Path) -> None:
        """Keep a run in place of an earlier one, with its answers, if it has some, and its log from the folder it ran in."""
        facts = self._file(run.system, divided, run.seconds, ".json")
        facts.parent.mkdir(parents=True, exist_ok=True)
        facts.unlink(missing_ok=True)
        self.answers(run, divided).unlink(missing_ok=True)
        shutil.copy(folder / LOG, facts.with_suffix(".log"))
        if run.error is None:
            shutil.copy(folder / ANSWERS, self.answers(run, divided))
        unfinished = facts.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(asdict(run), indent=1) + "\n")
        unfinished.replace(facts)


def run(system: str, divided: Divided, seconds: float, *, python: Path, folder: Path, lock: int) -> Run:
    """Run a system on a task and return what is known of the run; its answers and its log are in the folder.

    Parameters
    ----------
    system
        Its name.
    divided
        The task.
    seconds
        How long it may train.
    python
        The Python of the other systems' environment.
    folder
        An empty folder, in which all that the system writes stays.
    lock
        File descriptor of the comparison's lock; the system holds it too, and so it is held if the comparison is killed.
    """
    divided.write(folder, seconds)
    environment = _environment(system, folder)
    with (folder / LOG).open("wb") as log:
        started = time.time()
        process = subprocess.Popen(
            command(system, python, folder), cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT, pass_fds=(lock,),
            start_new_session=True,
        )  # fmt: skip
        ended, peak = _watch(process, PATIENCE * seconds + GRACE_SECONDS)
    facts = folder / FACTS
    error = ended or (_last_words(folder / LOG, process.returncode) if process.returncode or not facts.is_file() else None)
    known = {} if error else json.loads(facts.read_text())
    took = known.pop("answered_at", time.time()) - started
    version = version_of(system, divided)
    return Run(system, divided.table.name, divided.seed, seconds, version, error, took, peak / 2**20, known)


def command(system: str, python: Path, folder: Path) -> list[str]:
    """Return the command that runs a system on the task of a folder; modules beside the script are not imported by accident."""
    if system == OURS:
        return [sys.executable, "-P", "-m", "comparison.ours", str(folder)]
    return [str(python), "-P", str(BENCHMARKS / "comparison" / "worker.py"), system, str(folder)]


def _environment(system: str, folder: Path) -> dict[str, str]:
    """Return this process's environment without what would reach the user's projects or slow imports; files go to ``folder``."""
    kept = {key: value for key, value in os.environ.items() if key not in (*_UNWANTED, "PYTHONPATH")}
    (folder / "tmp").mkdir()
    kept |= {
        "TMPDIR": str(folder / "tmp"),
        "RAY_TMPDIR": str(folder / "tmp"),
        "HF_HUB_OFFLINE": "1",
        "RAY_USAGE_STATS_ENABLED": "0",
        "PYTHONUNBUFFERED": "1",  # what is said last stands last in the log
        "RAY_worker_niceness": "0",  # else its processes yield to all others, as those of no other system do
    }
    if system == OURS:
        kept["PYTHONPATH"] = os.pathsep.join(filter(None, [str(BENCHMARKS), os.environ.get("PYTHONPATH")]))
    return kept


def _watch(process: "subprocess.Popen[bytes]", patience: float) -> tuple[str | None, float]:
    """Wait for a process; return why it was ended, None if it ended by itself, and the peak memory of it and all it started."""
    begin, peak, pause = time.monotonic(), 0.0, _SHORTEST_PAUSE
    family: dict[int, psutil.Process] = {}
    why = None
    try:
        while process.poll() is None:
            used = sum(_memory(one) for one in _family(process.pid, family))
            peak = max(peak, used)
            if used > MOST_BYTES:
                why = f"took more than {MOST_BYTES / 2**30:.0f} GB of memory"
            elif time.monotonic() - begin > patience:
                why = f"not done after {patience:.0f} s"
            if why:
                break
            with suppress(subprocess.TimeoutExpired):
                process.wait(pause)
            pause = min(2.0, pause * 1.2)
    finally:
        _end(process, family)
    return why, peak


def _family(pid: int, known: dict[int, psutil.Process]) -> Iterator[psutil.Process]:
    """Give a process and what it started, remembering those that outlive their parent."""
    with suppress(psutil.NoSuchProcess):
        top = psutil.Process(pid)
        known |= {one.pid: one for one in (top, *top.children(recursive=True))}
    yield from (one for one in known.values() if one.is_running())


def _memory(process: psutil.Process) -> int:
    """Return the bytes of memory of a process, its share of what several have in common."""
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        return int(process.memory_full_info().pss)
    return 0


def _end(process: "subprocess.Popen[bytes]", family: dict[int, psutil.Process]) -> None:
    """End a process and all it started that is still there."""
    for one in list(_family(process.pid, family)):
        with suppress(psutil.NoSuchProcess):
            one.kill()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _last_words(log: Path, code: int | None) -> str:
    """Return the error that a failed run ended with, or the last line it said."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"[\w.]*(?:Error|Exception|Interrupt)\b", line)]
    return f"exit code {code}: {(errors or lines or ['it said nothing'])[-1][:300]}"
