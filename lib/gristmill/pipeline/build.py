"""Runs the stale tasks of one case side by side, each in a process of its own, and waits without spinning."""

import json
import os
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from multiprocessing import connection, get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from gristmill import machine
from gristmill.errors import GristmillError
from gristmill.paths import ProjectPaths
from gristmill.pipeline import schedule
from gristmill.pipeline.contents import read_json_or_none, write_whole
from gristmill.pipeline.decisions import Decision
from gristmill.pipeline.definition import PIPELINE_FILE, Stage
from gristmill.pipeline.ploomber_metadata import forget, remember
from gristmill.pipeline.progress import Progress
from gristmill.pipeline.records import Record, Records
from gristmill.pipeline.staleness import LOCK_FILE, pinned_versions
from gristmill.pipeline.worker import Job, Outcome, kill_tree, warm_up
from gristmill.pipeline.worker import main as work

BUILD_ID = "GRISTMILL_BUILD_ID"
"""Variable that tells a kernel which build it is part of; it is not set when a notebook is run by hand."""

START_METHOD = "fork" if sys.platform == "linux" else "spawn"
"""How workers start: a fork brings the imports along; elsewhere than on Linux libraries do not survive it."""

_TICK_SECONDS = 1.0


@dataclass(frozen=True)
class Task:
    """One task as Ploomber has prepared it.

    Attributes
    ----------
    decision
        What was known about it when the pipeline was loaded.
    notebook
        The notebook with its parameters in place, as JSON.
    params
        The parameters that Ploomber remembers.
    """

    decision: Decision
    notebook: str
    params: Mapping[str, Any]
    exporter: Any
    exporter_options: Mapping[str, Any]
    options: Mapping[str, Any]

    @property
    def stage(self) -> Stage:
        """The task's entry."""
        return self.decision.stage


@dataclass
class _Run:
    """A task that is running."""

    process: BaseProcess
    results: connection.Connection
    started: float
    need_mb: float


@dataclass
class Build:
    """One build of one case, under its lock.

    Parameters
    ----------
    root, case
        The project and the case.
    tasks
        What will run, in the DAG's order.
    n_fresh
        How many tasks of the DAG are up to date.
    on_end
        Called with a task's name and whether it succeeded, as soon as its record is written.
    accept
        Called with a task's name when its products are there; the task fails with an error of ours that it raises.
    pipeline
        The file of the DAG.
    """

    root: Path
    case: str
    tasks: Mapping[str, Task]
    n_fresh: int
    on_end: Callable[[str, bool], None]
    accept: Callable[[str], None]
    pipeline: str = PIPELINE_FILE
    identity: str = field(default_factory=lambda: os.environ.get(BUILD_ID) or uuid.uuid4().hex)
    finished: dict[str, Outcome] = field(default_factory=dict)
    failures: dict[str, Outcome] = field(default_factory=dict)
    aborted: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Look up what the last build took, and announce this one."""
        self._records = Records(self.root, self.case)
        timings = self._records.timings()
        self._expected = {task: timing["seconds"] for task, timing in timings.items()}
        self._need_mb = {task: timing["peak_mb"] for task, timing in timings.items()}
        self._upstream = {name: [up for up in task.stage.upstream if up in self.tasks] for name, task in self.tasks.items()}
        self._ways = schedule.ways(self._upstream, self._expected)
        self._cores = machine.cores()
        self._running: dict[str, _Run] = {}
        self._run_ids: dict[str, str] = {}
        self._processes: Any = get_context(START_METHOD)
        rest = self._rest() if any(name in self._expected for name in self.tasks) else None
        self._progress = Progress(self.case, len(self.tasks), self.n_fresh, dict.fromkeys(self.tasks, 0.0), rest)

    def run(self) -> None:
        """Run all tasks; those behind a failed one are aborted, the others finish.

        Raises
        ------
        KeyboardInterrupt
            The user interrupted; nothing is left running.
        """
        self._lifeline = self._processes.Pipe(duplex=False)
        self._remember_packages()
        try:
            self._start_what_fits()
            self._warm_up()
            while self._waiting() or self._running:
                self._start_what_fits()
                self._wait()
        finally:
            for run in self._running.values():
                kill_tree(run.process.pid or -1)
                run.process.join()
            for end in self._lifeline:
                end.close()

    def _warm_up(self) -> None:
        """While the first task starts, prepare what every later one needs."""
        if self._waiting() and START_METHOD == "fork":
            task = self.tasks[self._waiting()[0]]
            warm_up(task.exporter, task.exporter_options)

    def _remember_packages(self) -> None:
        """Keep which versions the lock pins, so that `gristmill why` can say which of them moved."""
        lock = self.root / LOCK_FILE
        if lock.is_file():
            packages = {"packages": pinned_versions(lock.read_text(encoding="utf-8"))}
            write_whole(ProjectPaths(self.root).state / "builds" / self.case / "packages.json", json.dumps(packages))

    def say(self, sentence: str) -> None:
        """Write a line of its own among the progress."""
        self._progress.say(sentence)

    def _waiting(self) -> list[str]:
        """Return the tasks that have neither started nor been given up."""
        settled = {*self.finished, *self.aborted, *self._running}
        return [name for name in self.tasks if name not in settled]

    def _start_what_fits(self) -> None:
        """Start tasks until cores, memory or ready tasks run out."""
        while True:
            waiting = self._waiting()
            ready = [name for name in waiting if all(up in self.finished for up in self._upstream[name])]
            name = schedule.choose(ready, self._running, self._cores, self._free_mb(), self._need_mb, self._ways)
            if name is None:
                return
            self._start(name, machine.thread_environment(schedule.threads_for(len(self._running), len(ready) - 1, self._cores)))

    def _free_mb(self) -> float:
        """Return the memory that is free and not already promised to a task that is running."""
        promised = sum(max(0.0, run.need_mb - _family_mb(run.process.pid)) for run in self._running.values())
        return machine.free_mb() - promised

    def _start(self, name: str, threads: Mapping[str, str]) -> None:
        """Forget the task's last run and start a worker for it."""
        task = self.tasks[name]
        self._records.begin(name)
        forget(task.stage)
        environment = {**threads, BUILD_ID: self.identity, "PYDEVD_DISABLE_FILE_VALIDATION": "1", "MPLBACKEND": "agg"}
        log = ProjectPaths(self.root).state / "builds" / self.case / f"{name}.log"
        read_from = [record for up in task.stage.upstream if (record := self._records.read(up)) is not None]
        inputs = {file: known for record in read_from for file, known in record.files.items()}
        job = Job(
            self.root, task.stage, task.notebook, task.exporter, task.exporter_options, environment, task.options, log, inputs
        )
        receiving, sending = self._processes.Pipe(duplex=False)
        reading, writing = self._lifeline
        inherited = writing if START_METHOD == "fork" else None
        process = self._processes.Process(target=work, args=(job, sending, reading, inherited), name=name)
        process.start()
        sending.close()
        self._running[name] = _Run(process, receiving, time.monotonic(), self._need_mb.get(name, schedule.UNKNOWN_MB))
        self._progress.started(name)

    def _wait(self) -> None:
        """Sleep until a worker has something to say or has died."""
        handles: dict[Any, str] = {run.results: name for name, run in self._running.items()}
        timeout = _TICK_SECONDS if self._progress.live else None
        for handle in connection.wait(list(handles), timeout=timeout) if handles else ():
            self._end(handles[handle])
        self._progress.tick()

    def _end(self, name: str) -> None:
        """Take a worker's outcome, write the task's record and tell the others."""
        run = self._running.pop(name)
        seconds = time.monotonic() - run.started
        try:
            outcome: Outcome = run.results.recv()
        except EOFError:
            kill_tree(run.process.pid or -1)
            outcome = self._died(name, seconds, run.process)
        run.process.join()
        run.results.close()
        outcome = self._accepted(name, outcome)
        if outcome.succeeded:
            self._keep(name, outcome)
        else:
            self._fail(name, outcome)
        self.on_end(name, outcome.succeeded)

    def _accepted(self, name: str, outcome: Outcome) -> Outcome:
        """Return the outcome of a task, or that it failed because the case does not fit what it found out."""
        if outcome.succeeded:
            try:
                self.accept(name)
            except GristmillError as error:
                return replace(outcome, ename=type(error).__name__, evalue=str(error))
        return outcome

    def _died(self, name: str, seconds: float, process: BaseProcess) -> Outcome:
        """Return the outcome of a worker that ended without one, killed for its memory, for example."""
        process.join()
        partial = self.tasks[name].stage.products["nb"].with_suffix(".ipynb")
        return Outcome(
            seconds=seconds,
            ename="WorkerDied",
            evalue=f"the process of the notebook ended with exit code {process.exitcode}; killed for its memory, perhaps",
            partial=str(partial) if partial.is_file() else "",
        )

    def _keep(self, name: str, outcome: Outcome) -> None:
        """Write down that a task is finished: Ploomber's metadata first, then the record that counts."""
        task = self.tasks[name]
        self._run_ids[name] = uuid.uuid4().hex
        read_from = {up: self._run_id(up) for up in task.stage.upstream}
        now = max([time.time(), *(self._finished(up) for up in task.stage.upstream)])
        remember(task.stage, task.params, now)
        record = Record(
            task=name,
            run_id=self._run_ids[name],
            build_id=self.identity,
            finished=now,
            seconds=round(outcome.seconds, 2),
            peak_mb=round(outcome.peak_mb, 1),
            fingerprint=task.decision.fingerprint,
            ingredients=dict(task.decision.ingredients),
            upstream=read_from,
            files=dict(outcome.files),
            params=json.loads(json.dumps(dict(task.params))),
            cpu_seconds=None if outcome.cpu_seconds is None else round(outcome.cpu_seconds, 2),
            joules=None if outcome.joules is None else round(outcome.joules, 2),
            gpu=outcome.gpu,
            pipeline=self.pipeline,
        )
        self._records.write(record)
        self.finished[name] = outcome
        self._progress.finished(name, "done", outcome.seconds, self._rest())
        self._say_warnings(task.stage)

    def _say_warnings(self, stage: Stage) -> None:
        """Say how many checks of the data warn, where a stage has checked them, and which page names them."""
        quality = read_json_or_none(stage.products["quality"]) if "quality" in stage.products else None
        if quality is None:
            return
        count = sum(not check.get("passed", True) for part in ("checks", "leakage") for check in quality.get(part, ()))
        if count:
            page = stage.products["nb"].relative_to(self.root)
            self._progress.say(f"        {count} warning{'s' if count > 1 else ''} about the data: {page}")

    def _run_id(self, name: str) -> str:
        """Return the run of a task that this build reads from."""
        record = self._records.read(name)
        return record.run_id if record is not None else "unknown"

    def _finished(self, name: str) -> float:
        """Return when a task was finished by the clock of that moment, 0 if that is not known."""
        record = self._records.read(name)
        return record.finished if record is not None else 0.0

    def _fail(self, name: str, outcome: Outcome) -> None:
        """Write down that a task failed and give up those behind it."""
        summary = f"{outcome.ename}: {outcome.evalue}".strip().splitlines()[0]
        failure = {
            "summary": summary,
            "cell": outcome.cell,
            "notebook": outcome.partial,
            "at": time.time(),
            "build_id": self.identity,
        }
        self._records.fail(name, failure)
        self.aborted[name] = name
        self._progress.finished(name, "FAILED", outcome.seconds, self._rest())
        self.failures[name] = outcome
        for other in self.tasks:
            culprit = next((up for up in self._upstream[other] if up in self.aborted), None)
            if culprit is not None and other not in self.aborted:
                self.aborted[other] = self.aborted[culprit]
                self._progress.skipped(other, f"waits for {self.aborted[other]}")

    def _rest(self) -> float:
        """Return about how many seconds are left."""
        taken = {name: outcome.seconds for name, outcome in self.finished.items()}
        running = {name: time.monotonic() - run.started for name, run in self._running.items()}
        seconds = schedule.expected_seconds(self.tasks, self._expected, taken, running)
        return schedule.remaining_seconds(self._upstream, seconds, [*self._waiting(), *self._running], self._cores)


def _family_mb(pid: int | None) -> float:
    """Return the memory of a process and all it started, in megabytes."""
    try:
        process = psutil.Process(pid)
        return float(sum(member.memory_info().rss for member in [process, *process.children(recursive=True)])) / 2**20
    except psutil.Error:
        return 0.0
