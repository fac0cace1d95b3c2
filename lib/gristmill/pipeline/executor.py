"""What Ploomber builds a case with: our own way of running notebooks, wired in by ``pipeline.yaml``."""

import functools
import sys
import warnings
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ploomber.constants import TaskStatus
from ploomber.exceptions import DAGBuildError, TaskBuildError
from ploomber.executors.abc import Executor
from ploomber.tasks import NotebookRunner
from ploomber.tasks.abc import TaskReport

from gristmill.config.loading import load_case
from gristmill.errors import BuildError, GristmillError
from gristmill.paths import ProjectPaths, project_root
from gristmill.pipeline import behaviour
from gristmill.pipeline.build import Build, Task
from gristmill.pipeline.build_history import remember_build
from gristmill.pipeline.decisions import decide
from gristmill.pipeline.definition import PIPELINE_FILE, read_cells
from gristmill.pipeline.failures import describe, stopped_by
from gristmill.pipeline.locks import held
from gristmill.pipeline.parameters import check_parameters
from gristmill.pipeline.ploomber_metadata import synchronise
from gristmill.pipeline.refusal import refuse
from gristmill.pipeline.staleness import hand_over

CELL_TIMEOUT_SECONDS = 3600.0
"""A cell that runs longer than this, and three times the case's training budget, is taken to hang; its kernel is ended."""

_INTERRUPTED = 130
_SITE_LOCK = ".reports.lock"
"""No case can have this name."""


def create(case: str, pipeline: str = PIPELINE_FILE, cell_timeout: float = CELL_TIMEOUT_SECONDS) -> "StageExecutor":
    """Return the executor of a case; Ploomber calls this when it loads the pipeline.

    Parameters
    ----------
    case
        Name of the case.
    pipeline
        The pipeline file, relative to the project's root.
    cell_timeout
        Seconds after which a cell is taken to hang, beside three times the case's training budget.

    Raises
    ------
    SystemExit
        The case file is wrong: one sentence is printed and the code is 2.
    GristmillError
        The same inside Jupyter, whose server must live on.
    """
    # `code_version` is for Ploomber to compare, not for the notebook to use
    warnings.filterwarnings("ignore", message="These parameters are not used in the task's source code", category=UserWarning)
    try:
        return StageExecutor(project_root(), str(case), pipeline, cell_timeout)
    except GristmillError as error:
        refuse(error)


class StageExecutor(Executor):  # type: ignore[misc]
    """Runs what is stale in a case, side by side; see :mod:`gristmill.pipeline.build`.

    Parameters
    ----------
    root, case, pipeline, cell_timeout
        As :func:`create`.

    Raises
    ------
    CaseFileError
        The case file, the pipeline file or a notebook is missing or wrong.
    """

    def __init__(self, root: Path, case: str, pipeline: str, cell_timeout: float) -> None:
        self.root, self.case, self.pipeline = root, case, pipeline
        self.cell_timeout = cell_timeout + 3 * load_case(case, root).training.budget_seconds
        self._decisions = decide(root, case, pipeline)
        synchronise(self._decisions.values())
        hand_over(root, case, pipeline, {name: decision.fingerprint for name, decision in self._decisions.items()})

    def __call__(self, dag: Any, show_progress: bool = True) -> list[Any]:  # noqa: FBT001, FBT002, ARG002 - Ploomber's signature
        """Build what Ploomber has found stale in ``dag`` and return its reports.

        Raises
        ------
        DAGBuildError
            A notebook failed.
        SystemExit
            Data, leakage or another mendable error stopped a notebook (its exit code), or the user did (130).
        """
        super().__call__(dag)
        scheduled = [name for name in dag if dag[name].exec_status != TaskStatus.Skipped]
        if not scheduled:
            self._write_site_if_missing()
            return []
        forced = any(name in self._decisions and not self._decisions[name].stale for name in scheduled)
        with held(self.lock_file, self.say_who_builds) as waited:
            if waited and not forced:
                scheduled = self._look_again(dag)
            return self.run_tasks({name: dag[name] for name in scheduled}, n_fresh=len(dag) - len(scheduled))

    @property
    def lock_file(self) -> Path:
        """The lock of this case's builds."""
        return ProjectPaths(self.root).state / "locks" / f"{self.case}.lock"

    def say_who_builds(self, holder: str) -> None:
        """Tell the user why nothing happens."""
        sys.stdout.write(f"Another build of {self.case} is running ({holder}); waiting for it to end.\n")
        sys.stdout.flush()

    def _look_again(self, dag: Any) -> list[str]:
        """Decide anew after another build has ended, and make Ploomber see the tasks so."""
        self._decisions = decide(self.root, self.case, self.pipeline)
        synchronise(self._decisions.values())
        for name in dag:
            stale = self._decisions[name].stale
            ready = not any(self._decisions[up].stale for up in dag[name].upstream)
            waiting = TaskStatus.WaitingExecution if ready else TaskStatus.WaitingUpstream
            dag[name]._exec_status = waiting if stale else TaskStatus.Skipped
        return [name for name in dag if self._decisions[name].stale]

    def run_tasks(self, tasks: Mapping[str, Any], n_fresh: int = 0) -> list[Any]:
        """Run Ploomber's ``tasks`` (the lock is held) and return Ploomber's reports about them."""
        try:
            validated = self._decisions.get(behaviour.STAGE)
            if validated is not None and not validated.stale and behaviour.STAGE not in tasks:
                self._accept(behaviour.STAGE)
            prepared = {name: self._prepare(task) for name, task in tasks.items()}
        except GristmillError as error:
            refuse(error)
        build = Build(
            root=self.root,
            case=self.case,
            tasks=prepared,
            n_fresh=n_fresh,
            on_end=functools.partial(_tell_ploomber, tasks),
            accept=self._accept,
            pipeline=self.pipeline,
        )
        try:
            build.run()
        except KeyboardInterrupt:
            self._interrupted(build)
        self._write_site(build)
        if self.pipeline == PIPELINE_FILE:
            _gauges(self.root, self.case)
        self._report_failures(build)
        return [TaskReport.with_data(name=name, ran=True, elapsed=outcome.seconds) for name, outcome in build.finished.items()]

    def _accept(self, name: str) -> None:
        """Refuse a case that does not fit what a stage has found out.

        Raises
        ------
        GristmillError
            It asks for behaviour on columns that its table does not have.
        """
        if name == behaviour.STAGE and self.pipeline == PIPELINE_FILE:
            behaviour.require_behaviour(self.root, self.case)

    def _prepare(self, task: Any) -> Task:
        """Return one of Ploomber's tasks as the build needs it.

        Raises
        ------
        BuildError
            The task is not a notebook, or is not in the pipeline file.
        ParameterError
            Its parameters do not fit the notebook.
        """
        decision = self._decisions.get(task.name)
        if not isinstance(task, NotebookRunner) or decision is None:
            raise BuildError(f"Expected {task.name} to be a notebook of {self.pipeline}; Gristmill builds notebooks only.")
        params = task.params.to_json_serializable(params_only=True)
        check_parameters(task.name, read_cells(decision.stage.notebook), params)
        converter = task._converter
        return Task(
            decision=decision,
            notebook=task.source.nb_str_rendered,
            params=params,
            exporter=converter._exporter,
            exporter_options=converter._nbconvert_export_kwargs,
            options={"execution_timeout": round(self.cell_timeout), **task.executor_params},
        )

    def _interrupted(self, build: Build) -> None:
        """Say what an interrupt leaves, and end.

        Raises
        ------
        SystemExit
            Always.
        """
        build.say(
            f"Interrupted; {len(build.finished)} of {len(build.tasks)} tasks are done and will not run again. "
            f"`{self._command}` goes on from there."
        )
        raise SystemExit(_INTERRUPTED)

    @property
    def _command(self) -> str:
        """The command that goes on with the build."""
        entry = "" if self.pipeline == PIPELINE_FILE else f" --entry-point {self.pipeline}"
        return f"ploomber build{entry} --env--case {self.case}"

    def _write_site(self, build: Build) -> None:
        """Remember a build that was completed, and write the index pages after one in which something ran."""
        if self.pipeline == PIPELINE_FILE:
            remember_build(self.root, self.case, build.identity, list(self._decisions), list(build.finished))
        statuses = dict.fromkeys(self._decisions, "skipped") | dict.fromkeys(build.finished, "executed")
        statuses |= {name: "errored" if name in build.failures else "aborted" for name in build.aborted}
        _site(self.root, self.case, statuses)

    def _write_site_if_missing(self) -> None:
        """Write the index pages if they were deleted."""
        if self.pipeline == PIPELINE_FILE and not (ProjectPaths(self.root).case(self.case).reports / "index.html").is_file():
            _site(self.root, self.case, dict.fromkeys(self._decisions, "skipped"))

    def _report_failures(self, build: Build) -> None:
        """Say what failed.

        Raises
        ------
        DAGBuildError
            A notebook failed with a traceback.
        SystemExit
            Every failure is one that the user can mend.
        """
        unexpected = {}
        mendable: list[GristmillError] = []
        for name, outcome in build.failures.items():
            error = stopped_by(outcome)
            if error is None:
                unexpected[name] = outcome
            else:
                mendable.append(error)
        if unexpected:
            raise DAGBuildError(
                "\n".join(describe(name, outcome, self._command, self.root) for name, outcome in unexpected.items())
            )
        if mendable:
            refuse(mendable[0])


def _tell_ploomber(tasks: Mapping[str, Any], name: str, succeeded: bool) -> None:  # noqa: FBT001
    """Set the status of one of Ploomber's tasks, and through it of those behind it."""
    tasks[name].product.metadata.clear()
    tasks[name].exec_status = TaskStatus.Executed if succeeded else TaskStatus.Errored


def _site(root: Path, case: str, statuses: Mapping[str, str]) -> None:
    """Write the index pages, one build at a time: the pages over all cases must not miss what another case has just written."""
    from gristmill.reporting.site import write_site  # noqa: PLC0415 - only a build in which something ran needs it

    with held(ProjectPaths(root).state / "locks" / _SITE_LOCK, lambda holder: None):  # noqa: ARG005 - it takes a second
        write_site(root, case, statuses)


def _gauges(root: Path, case: str) -> None:
    """Write what the build took and reached where Prometheus finds it.

    Nothing is written before the first build that came to its end, or where the extra that speaks to Prometheus is not installed.
    """
    if find_spec("prometheus_client") is None:
        return
    from gristmill.monitoring.builds import build_gauges  # noqa: PLC0415 - only a build in which something ran needs it

    paths = ProjectPaths(root).case(case)
    if paths.metrics.is_file():
        build_gauges(paths).write(root)


def attach(dag: Any) -> None:
    """Make ``ploomber task NAME`` run a notebook as a build does; the pipeline's ``on_render``."""
    executor = dag.executor
    if isinstance(executor, StageExecutor):
        for name in dag:
            dag[name]._build = _SingleTask(executor, dag[name])


class _SingleTask:
    """Runs one task by itself, in place of Ploomber's own method."""

    def __init__(self, executor: StageExecutor, task: Any) -> None:
        self._executor, self._task = executor, task

    def __call__(self, catch_exceptions: bool) -> tuple[Any, dict[str, Any]]:  # noqa: FBT001 - Ploomber's signature
        """Run the task under the case's lock and return Ploomber's report and metadata.

        Raises
        ------
        TaskBuildError
            Its notebook failed.
        """
        task = self._task
        if task.debug_mode is not None:  # a debugger wants the kernel in this process
            return type(task)._build(task, catch_exceptions)  # type: ignore[no-any-return]
        if task.exec_status not in {TaskStatus.WaitingExecution, TaskStatus.WaitingUpstream}:
            sys.stdout.write(f"{task.name} is up to date, nothing ran; `ploomber task {task.name} --force` runs it again.\n")
            return TaskReport.with_data(name=task.name, ran=False, elapsed=0), task.product.metadata.to_dict()
        try:
            with held(self._executor.lock_file, self._executor.say_who_builds):
                reports = self._executor.run_tasks({task.name: task})
        except DAGBuildError as error:
            raise TaskBuildError(str(error)) from None
        return reports[0], task.product.metadata.to_dict()
