"""How many threads numerical libraries may use: one while families train side by side, and one for a handful of rows."""

import functools
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import ThreadpoolController, threadpool_limits

FEW_ROWS = 2_000
"""Rows up to which waking a second thread costs more than it saves."""


@functools.cache
def _openmp() -> ThreadpoolController:
    """Return the handle on the OpenMP libraries in this process, looked up once: looking takes milliseconds."""
    return ThreadpoolController().select(user_api="openmp")


def suited_to(n_rows: int) -> AbstractContextManager[object]:
    """Return a context in which ``n_rows`` rows are predicted: on one thread if they are few.

    On a busy machine the threads of a parallel region wait for each other, so that one row takes several times as long on two.
    """
    limited: AbstractContextManager[object] = _openmp().limit(limits=1) if n_rows <= FEW_ROWS else nullcontext()
    return limited


def threads_for(n_rows: int) -> int:
    """Return on how many threads a library that counts its own may predict ``n_rows`` rows: as :func:`suited_to` says."""
    if n_rows <= FEW_ROWS:
        return 1
    return max((int(library["num_threads"]) for library in _openmp().info()), default=1)


@contextmanager
def one_core() -> Iterator[None]:
    """Keep numerical libraries on one core, and do not report again what a bounded number of iterations implies."""
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield
