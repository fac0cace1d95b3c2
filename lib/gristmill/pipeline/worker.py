"""Runs one notebook: in a process of its own, with a kernel of its own, and leaves either all of its products or a failure.

The process lives no longer than the build: it watches a pipe that the build holds open, and takes its kernel along.
"""

import contextlib
import json
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from gristmill import machine
from gristmill.errors import ArtifactError
from gristmill.gpus import GpuWatch
from gristmill.pipeline.contents import Digests, read_json_or_none, stamp, write_whole
from gristmill.pipeline.definition import Stage
from gristmill.pipeline.records import altered, describe_files
from gristmill.pipeline.redaction import Redactor


@dataclass(frozen=True)
class Job:
    """What a worker must know to run one task.

    Attributes
    ----------
    notebook
        The notebook with its parameters in place, as JSON.
    exporter
        nbconvert's exporter class for the report, and its options.
    environment
        Variables set for the kernel beside the build's own.
    options
        What papermill is given beside the paths: time limits, for example.
    log
        Where the kernel's own messages go.
    inputs
        Product files of the stages it reads from -> their digest and stamp when they were written.
    """

    root: Path
    stage: Stage
    notebook: str
    exporter: Any
    exporter_options: Mapping[str, Any]
    environment: Mapping[str, str]
    options: Mapping[str, Any]
    log: Path
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """How a task ended; ``ename`` is empty if it succeeded.

    Attributes
    ----------
    cell
        Number of the failing code cell in the stage's notebook, from 1.
    partial
        The partially executed notebook.
    cpu_seconds
        Processor time of this process and of all that it started and that have ended.
    joules
        Energy of the processor that falls to them; None where the machine does not tell it.
    gpu
        What :class:`gristmill.gpus.GpuWatch` found meanwhile; None without a GPU.
    """

    seconds: float
    peak_mb: float = 0.0
    files: Mapping[str, Any] = field(default_factory=dict)
    ename: str = ""
    evalue: str = ""
    traceback: str = ""
    cell: int | None = None
    partial: str = ""
    cpu_seconds: float | None = None
    joules: float | None = None
    gpu: Mapping[str, Any] | None = None

    @property
    def succeeded(self) -> bool:
        """Whether all products are there."""
        return not self.ename


def main(job: Job, results: Connection, lifeline: Connection, inherited: Connection | None = None) -> None:
    """Run ``job`` and send its :class:`Outcome` through ``results``; the body of a worker process.

    Parameters
    ----------
    lifeline
        Reading end of a pipe whose writing end the build alone keeps open.
    inherited
        That writing end, where this process was forked and has it too.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the build decides what an interrupt ends
    if inherited is not None:
        inherited.close()
    _watch(lifeline)
    _divert_messages(job.log)
    os.environ.update(job.environment)
    results.send(run(job))
    results.close()


def _watch(lifeline: Connection) -> None:
    """End this process and its kernel as soon as the build is gone."""

    def wait() -> None:
        with contextlib.suppress(EOFError, OSError):
            lifeline.recv_bytes()
        kill_tree(os.getpid(), include_self=False)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def kill_tree(pid: int, *, include_self: bool = True) -> None:
    """Kill a process and all that it started."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        family = process.children(recursive=True)
        for member in [process, *family] if include_self else family:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()


def _divert_messages(log: Path) -> None:
    """Send what this process and its kernel write to the terminal into a file."""
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    with log.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)


def run(job: Job) -> Outcome:
    """Run the notebook of ``job`` to its end and return how that went."""
    begin, before_it = time.monotonic(), machine.meter()
    report = job.stage.products["nb"]
    partial = report.with_suffix(".ipynb")
    before = _prepare(job.stage)
    redactor = Redactor(os.environ)
    try:
        _check_inputs(job)
        with GpuWatch() as watched:
            executed = _execute(job, partial)
        _write_report(job, executed, report, redactor)
        _check_products(job.stage, before, job.root)
        partial.unlink(missing_ok=True)
        files = describe_files(job.root, job.stage)
    except Exception as error:  # noqa: BLE001 - whatever ends a notebook is reported by the build
        outcome = _failure(error, partial, redactor, time.monotonic() - begin)
        _write_partial_report(job, partial, report, redactor)
        return outcome
    spent = machine.spent_since(before_it)
    return Outcome(
        seconds=time.monotonic() - begin,
        peak_mb=_peak_mb(),
        files=files,
        cpu_seconds=spent.cpu_seconds,
        joules=spent.joules,
        gpu=watched.found,
    )


def _prepare(stage: Stage) -> dict[Path, list[int]]:
    """Make the folders, remove what a killed run left half-written, and return the stamps of the products that exist."""
    for product in stage.products.values():
        product.parent.mkdir(parents=True, exist_ok=True)
        for leftover in product.parent.glob(f".{product.name}-*"):
            leftover.unlink(missing_ok=True)
    return {product: stamp(product) for product in stage.products.values() if product.exists()}


def _check_inputs(job: Job) -> None:
    """Refuse what is no longer what the stage before has left: figures edited during a build would pass for its own.

    Raises
    ------
    ArtifactError
        A file was edited or deleted.
    """
    for name, how in altered(job.root, job.inputs, Digests()):
        raise ArtifactError(
            f"{name}, which {job.stage.name} reads, was {how} after its stage had ended; nothing was made of it. Build again, and "
            "that stage runs again."
        )


def _execute(job: Job, partial: Path) -> Any:
    """Execute the notebook, saving it as it goes, and return it."""
    import papermill  # noqa: PLC0415 - the build has imported it already where processes are forked

    from gristmill.pipeline.kernels import ENGINE, register_engine  # noqa: PLC0415

    register_engine()
    source = job.log.with_suffix(".ipynb")
    source.parent.mkdir(parents=True, exist_ok=True)
    try:
        source.write_text(job.notebook, encoding="utf-8")
        options = {"cwd": str(job.root), "start_timeout": 120, **job.options}
        return papermill.execute_notebook(str(source), str(partial), engine_name=ENGINE, progress_bar=False, **options)
    finally:
        source.unlink(missing_ok=True)


def _write_report(job: Job, executed: Any, report: Path, redactor: Redactor) -> None:
    """Render the executed notebook as the stage's report."""
    content, _ = _exporter(job.exporter, json.dumps(dict(job.exporter_options))).from_notebook_node(executed)
    write_whole(report, redactor.text(content))


@cache
def _exporter(kind: Any, options: str) -> Any:
    """Return an exporter with the given options (JSON); it keeps the templates it has compiled."""
    return kind(**json.loads(options))


def warm_up(kind: Any, options: Mapping[str, Any]) -> None:
    """Render a small notebook, so that workers forked from this process find templates and patterns compiled."""
    import nbformat  # noqa: PLC0415

    v4: Any = nbformat.v4
    cells = [v4.new_markdown_cell("# Title"), v4.new_code_cell("1", outputs=[v4.new_output("stream", text="1")])]
    with contextlib.suppress(Exception):  # whatever is wrong with it is said by the first stage that uses it
        _exporter(kind, json.dumps(dict(options))).from_notebook_node(v4.new_notebook(cells=cells))


def _write_partial_report(job: Job, partial: Path, report: Path, redactor: Redactor) -> None:
    """Render what was executed before a failure; a report that cannot be rendered does not hide the failure itself."""
    import nbformat  # noqa: PLC0415

    with contextlib.suppress(Exception):
        _write_report(job, nbformat.read(partial, as_version=4), report, redactor)  # type: ignore[no-untyped-call]


def _check_products(stage: Stage, before: Mapping[Path, list[int]], root: Path) -> None:
    """Refuse a run that has not written every product.

    Raises
    ------
    FileNotFoundError
        A product is missing, or is still the one of a former run.
    """
    for product in stage.products.values():
        if not product.is_file() or stamp(product) == before.get(product):
            raise FileNotFoundError(f"the notebook ran to its end but did not write its product {product.relative_to(root)}")


def _failure(error: Exception, partial: Path, redactor: Redactor, seconds: float) -> Outcome:
    """Return what is to be said about a failed run."""
    ename = str(getattr(error, "ename", type(error).__name__))
    evalue = str(getattr(error, "evalue", error))
    return Outcome(
        seconds=seconds,
        peak_mb=_peak_mb(),
        ename=redactor.text(ename),
        evalue=redactor.text(evalue),
        traceback=redactor.text("\n".join(getattr(error, "traceback", []))),
        cell=_failing_cell(partial),
        partial=str(partial) if partial.is_file() else "",
    )


def _failing_cell(partial: Path) -> int | None:
    """Return the number of the code cell at which execution stopped, or None."""
    content = read_json_or_none(partial) or {}
    number = 0
    for cell in content.get("cells", ()):
        if cell["cell_type"] != "code" or "injected-parameters" in cell["metadata"].get("tags", ()):
            continue
        number += 1
        state = cell["metadata"].get("papermill", {})
        if state.get("exception") or state.get("status") in {"failed", "running"}:
            return number
    return None


def _peak_mb() -> float:
    """Return the largest memory of any process this one started and that has ended, in megabytes."""
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
