"""What ``gristmill why`` and ``gristmill status`` print: why tasks are stale or fresh, and how the DAG stands."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gristmill.errors import CaseFileError
from gristmill.paths import ProjectPaths
from gristmill.pipeline.contents import read_json_or_none
from gristmill.pipeline.decisions import Decision, decide
from gristmill.pipeline.definition import PIPELINE_FILE
from gristmill.pipeline.locks import holder
from gristmill.pipeline.progress import in_words
from gristmill.pipeline.records import Records
from gristmill.pipeline.staleness import LOCK_FILE, pinned_versions


@dataclass(frozen=True)
class Explanation:
    """Why a task is stale or fresh.

    Attributes
    ----------
    task
        Its name.
    stale
        Whether the next build runs it.
    sentence
        Why, in one sentence.
    """

    task: str
    stale: bool
    sentence: str


@dataclass(frozen=True)
class TaskStatus:
    """How one task stands.

    Attributes
    ----------
    state
        ``fresh``, ``stale``, ``failed``, ``unfinished`` or ``new``.
    seconds
        How long its last finished run took, None if there was none.
    age_seconds
        How long ago that was.
    upstream
        The tasks it reads from.
    """

    task: str
    state: str
    seconds: float | None
    age_seconds: float | None
    upstream: tuple[str, ...]


def why(root: Path, case: str, task: str | None = None, pipeline: str = PIPELINE_FILE) -> list[Explanation]:
    """Return one sentence for each task of a case, or for ``task`` alone.

    Raises
    ------
    CaseFileError
        The case is wrong, or there is no such task.
    """
    decisions = decide(root, case, pipeline)
    if task is not None and task not in decisions:
        raise CaseFileError(f"Expected one of the tasks {', '.join(decisions)}, got {task!r}.")
    chosen = decisions if task is None else {task: decisions[task]}
    return [Explanation(name, decision.stale, _sentence(root, case, decision)) for name, decision in chosen.items()]


def _sentence(root: Path, case: str, decision: Decision) -> str:
    """Say why one task is stale or fresh."""
    name, record = decision.stage.name, decision.record
    if not decision.stale:
        age = in_words(max(0.0, time.time() - record.finished)) if record is not None else "an unknown time"
        return f"{name} is fresh: nothing it depends on has moved since it ran {age} ago."
    first, *others = decision.reasons
    if first.startswith(LOCK_FILE) and record is not None:
        first += _moved_packages(root, case)
    more = f" (and {len(others)} more: {'; '.join(others[:3])}{'; ...' if len(others) > 3 else ''})" if others else ""
    return f"{name} is stale: {first.rstrip('.')}{more}."


def _moved_packages(root: Path, case: str) -> str:
    """Say which pinned packages moved since the last build, where that is known."""
    known = read_json_or_none(ProjectPaths(root).state / "builds" / case / "packages.json")
    if known is None or not (root / LOCK_FILE).is_file():
        return ""
    old, new = set(known.get("packages", ())), set(pinned_versions((root / LOCK_FILE).read_text(encoding="utf-8")))
    moved = [f"{line} is gone" for line in sorted(old - new)] + [f"{line} is new" for line in sorted(new - old)]
    return f", {', '.join(moved[:4])}{', ...' if len(moved) > 4 else ''}" if moved else ""


def status(root: Path, case: str, pipeline: str = PIPELINE_FILE) -> list[TaskStatus]:
    """Return how each task of a case stands, in the DAG's order.

    Raises
    ------
    CaseFileError
        The case is wrong.
    """
    records = Records(root, case)
    return [_status(records, decision) for decision in decide(root, case, pipeline).values()]


def _status(records: Records, decision: Decision) -> TaskStatus:
    """Return how one task stands."""
    name = decision.stage.name
    last = decision.record or records.read_previous(name)
    return TaskStatus(
        task=name,
        state=_state(records, decision),
        seconds=last.seconds if last is not None else None,
        age_seconds=max(0.0, time.time() - last.finished) if last is not None else None,
        upstream=decision.stage.upstream,
    )


def _state(records: Records, decision: Decision) -> str:
    """Return a task's state in one word."""
    if not decision.stale:
        return "fresh"
    if decision.record is not None:
        return "stale"
    if records.read_failure(decision.stage.name) is not None:
        return "failed"
    return "unfinished" if records.read_previous(decision.stage.name) is not None else "new"


def status_lines(root: Path, case: str, pipeline: str = PIPELINE_FILE) -> list[str]:
    """Return the lines that ``gristmill status`` prints: one a task, what it reads from, and who builds just now.

    Raises
    ------
    CaseFileError
        The case is wrong.
    """
    statuses = status(root, case, pipeline)
    tasks = [one.task for one in statuses]
    width = max(len(one.task) for one in statuses)
    lines = [f"{'task':<{width}}  {'state':<10}  {'took':>10}  {'age':>12}  reads from"]
    for one in statuses:
        took = in_words(one.seconds) if one.seconds is not None else "-"
        age = in_words(one.age_seconds) if one.age_seconds is not None else "-"
        sources = ", ".join(_brief(one.upstream, tasks))
        lines.append(f"{one.task:<{width}}  {one.state:<10}  {took:>10}  {age:>12}  {sources}".rstrip())
    builder = holder(ProjectPaths(root).state / "locks" / f"{case}.lock")
    if builder is not None:
        lines.append(f"A build of {case} is running: {builder}.")
    return lines


def _brief(names: Sequence[str], tasks: Sequence[str]) -> list[str]:
    """Return tasks' numbers where each stands for all tasks of that number, and else the names: never some of both."""
    numbers = list(dict.fromkeys(_number(name) for name in names))
    meant = [task for task in tasks if _number(task) in numbers]
    return numbers if sorted(meant) == sorted(names) else list(names)


def _number(name: str) -> str:
    """Return the number at the beginning of a task's name."""
    return name.partition("_")[0]
