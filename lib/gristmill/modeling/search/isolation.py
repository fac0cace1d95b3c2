"""Trials in a process of their own, which may fail in any way without taking the search along.

A configuration that asks for too much memory, crashes in native code, or does not end in time costs one trial; the next one
gets a new process. The process is forked, so that the rows are shared with it and nothing is imported again.
"""

import contextlib
import ctypes
import gc
import os
import signal
import sys
import time
import warnings
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from gristmill.modeling.families.problem import Params
from gristmill.modeling.search import memory
from gristmill.modeling.search.folds import PreparedFolds
from gristmill.modeling.search.running import Ask, LocalRunner
from gristmill.modeling.search.trial import Trial
from gristmill.modeling.threads import one_core

Floats = NDArray[np.float64]

POSSIBLE = sys.platform.startswith("linux")
"""Whether a process may be forked here with the libraries loaded that training needs."""

_PR_SET_PDEATHSIG = 1


class ProcessDiedError(MemoryError):
    """The process of a trial ended without an answer."""


class IsolatedRunner:
    """Runs trials in a forked process with a limit on its memory.

    Parameters
    ----------
    prepared
        The rows in folds, for one family.
    metric
        The metric that decides.
    allowed_gb
        Memory that the process may use.
    grace
        Seconds by which a trial may miss its deadline before its process is ended.
    """

    def __init__(self, prepared: PreparedFolds, metric: str, allowed_gb: float, grace: float = 1.0) -> None:
        self.prepared, self.metric, self.allowed_gb, self.grace = prepared, metric, allowed_gb, grace
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None

    def run(self, ask: Ask) -> tuple[Trial, Floats | None]:
        """Return the trial, and its out-of-fold predictions if it finished."""
        begin, started = time.perf_counter(), time.time()
        error: str | None = None
        try:
            trial, predicted = self._call("run", ask, deadline=ask.deadline)
        except TimeoutError:
            status = "stopped"
        except ProcessDiedError as problem:
            status, error = "failed", str(problem)
        else:
            if trial.error is not None and trial.error.startswith("MemoryError"):
                self.close()  # what is left of the attempt goes with the process
            return trial, predicted
        seconds = time.perf_counter() - begin
        trial = Trial(ask.number, ask.params, [], None, 0.0, seconds, status, ask.origin, error, ask.params, started=started)
        return trial, None

    def fitted(self, best: Trial) -> tuple[Pipeline, float]:
        """Return the pipeline of a trial from the last fold, and the milliseconds it takes for one row."""
        pipeline, row_ms = self._call("fitted", best)
        return pipeline, row_ms

    def row_ms(self, trial: Trial) -> float:
        """Return the milliseconds that the pipeline of a trial takes for one row, from a few rows."""
        return float(self._call("row_ms", trial))

    def predictions(self, best: Trial) -> Floats:
        """Return the out-of-fold predictions of a trial that was run before."""
        return np.asarray(self._call("predictions", best))

    def fold_seconds(self, params: Params, n_rows: int) -> float:
        """Return the seconds that preparing, fitting and predicting take for so many training rows of the first fold."""
        return float(self._call("fold_seconds", params, n_rows))

    def limit_rows(self, most_rows: int | None) -> None:
        """Let every fold learn from at most so many rows from now on."""
        self.prepared = self.prepared.limited(most_rows)
        self.close()

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process.close()
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None

    def _call(self, method: str, *arguments: Any, deadline: float | None = None) -> Any:
        """Return what a method of the runner in the process answers.

        Raises
        ------
        ProcessDiedError
            The process ended without an answer.
        TimeoutError
            The deadline has passed, and so has the grace.
        """
        pipe = self._open()
        try:
            pipe.send((method, arguments))
            timeout = None if deadline is None else max(0.0, deadline + self.grace - time.perf_counter())
            answer, problem = _receive(pipe, timeout)
        except (EOFError, ConnectionError) as error:
            raise ProcessDiedError(self._last_words()) from error
        except BaseException:
            self.close()
            raise
        if problem is not None:
            raise problem
        return answer

    def _open(self) -> Connection:
        """Return the pipe to the process, started if there is none."""
        if self._pipe is None:
            fork: Any = get_context("fork")
            self._pipe, theirs = fork.Pipe()
            self._process = fork.Process(target=_serve, args=(self, theirs, self._pipe), daemon=True)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # threads: none of them is needed in the copy
                self._process.start()
            theirs.close()
        return self._pipe

    def _last_words(self) -> str:
        """Return how the process ended, and let go of it."""
        code = None
        if self._process is not None:
            self._process.join()
            code = self._process.exitcode
        self.close()
        how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        return f"the process of the trial ended by {how}; it may have needed more than its {self.allowed_gb:.2g} GB of memory."


def _receive(pipe: Connection, timeout: float | None) -> Any:
    """Return what comes through a pipe.

    Raises
    ------
    TimeoutError
        Nothing came in that many seconds.
    """
    if not pipe.poll(timeout):
        raise TimeoutError
    return pipe.recv()


def _serve(runner: IsolatedRunner, pipe: Connection, inherited: Connection) -> None:
    """Answer calls until the other end is closed; the body of the process."""
    inherited.close()
    _detach()
    memory.limit_to(runner.allowed_gb)
    local = LocalRunner(runner.prepared, runner.metric, allowed_gb=runner.allowed_gb)
    with one_core():
        while True:
            try:
                method, arguments = pipe.recv()
            except (EOFError, OSError):
                os._exit(0)
            try:
                answer: tuple[Any, Exception | None] = getattr(local, method)(*arguments), None
            except Exception as problem:  # noqa: BLE001 - raised again by who called
                answer = None, problem
            _send(pipe, answer)


def _send(pipe: Connection, answer: tuple[Any, Exception | None]) -> None:
    """Send an answer; where there is no memory left even for that, or it cannot be sent, say so."""
    try:
        pipe.send(answer)
    except Exception as problem:  # noqa: BLE001 - an error of a foreign library may not be picklable
        gc.collect()
        pipe.send((None, RuntimeError(f"{type(problem).__name__}: {problem}; {answer[1]!r}")))


def _detach() -> None:
    """Make this copy of the process one that ends with the original, is not interrupted, and writes to no one's channels."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdout = sys.stderr = sys.__stderr__ if sys.__stderr__ is not None else sys.stderr
    gc.freeze()  # what is shared with the original stays shared
