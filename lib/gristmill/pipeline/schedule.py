"""Which of the waiting tasks starts next: the one with the longest way behind it, if cores and memory allow."""

from collections.abc import Collection, Mapping, Sequence

UNKNOWN_SECONDS = 15.0
"""What a task is taken to last before it has ever run."""
UNKNOWN_MB = 1500.0
"""What a task's kernel is taken to need before it has ever run."""
_RESERVE_MB = 500.0


def ways(upstream: Mapping[str, Collection[str]], seconds: Mapping[str, float]) -> dict[str, float]:
    """Return task -> seconds of the longest chain of tasks that begins with it.

    Parameters
    ----------
    upstream
        Task -> tasks it waits for, each task after those.
    seconds
        Task -> how long it lasts.
    """
    longest: dict[str, float] = {}
    for task in reversed(list(upstream)):
        behind = [longest[other] for other, before in upstream.items() if task in before and other in longest]
        longest[task] = seconds.get(task, UNKNOWN_SECONDS) + max(behind, default=0.0)
    return longest


def expected_seconds(
    tasks: Collection[str], before: Mapping[str, float], taken: Mapping[str, float], running: Mapping[str, float]
) -> dict[str, float]:
    """Return task -> seconds that are probably left of it, at the pace of what has ended so far.

    Parameters
    ----------
    tasks
        All tasks of the build.
    before
        Task -> seconds of its last run, where it ever ran.
    taken
        Finished task -> seconds it took now.
    running
        Running task -> seconds it has run.
    """
    known = {task: before.get(task, UNKNOWN_SECONDS) for task in tasks}
    ended = sum(known[task] for task in taken)
    pace = (sum(taken.values()) + UNKNOWN_SECONDS) / (ended + UNKNOWN_SECONDS)
    left = {task: pace * known[task] for task in tasks if task not in taken}
    late = {task: max(1.0, left[task] - seconds, seconds / 4) for task, seconds in running.items()}
    return left | late


def remaining_seconds(
    upstream: Mapping[str, Collection[str]], seconds: Mapping[str, float], left: Collection[str], slots: int
) -> float:
    """Return about how long the tasks ``left`` take: their longest chain, or their sum over the slots if that is more."""
    chain = ways({task: [name for name in before if name in left] for task, before in upstream.items() if task in left}, seconds)
    total = sum(seconds.get(task, UNKNOWN_SECONDS) for task in left)
    return max(max(chain.values(), default=0.0), total / slots)


def choose(
    ready: Sequence[str],
    running: Collection[str],
    slots: int,
    free_mb: float,
    need_mb: Mapping[str, float],
    way: Mapping[str, float],
) -> str | None:
    """Return the task to start now, or None to wait for one to end.

    A task always starts if nothing runs; beside others only if there is a core for it and memory enough.
    """
    if not ready or (running and len(running) >= slots):
        return None
    for task in sorted(ready, key=lambda name: -way.get(name, 0.0)):
        if not running or need_mb.get(task, UNKNOWN_MB) + _RESERVE_MB <= free_mb:
            return task
    return None


def threads_for(n_running: int, n_ready: int, cores: int) -> int:
    """Return how many numeric threads a task gets that starts beside ``n_running`` others while ``n_ready`` more could start."""
    at_once = min(cores, n_running + 1 + n_ready)
    return max(1, cores // at_once)
