"""Enters a completed build into the history of its case, which the report site compares builds by."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from gristmill.paths import ProjectPaths
from gristmill.pipeline.records import Record, Records

_CELL = re.compile(r"^(?P<notebook>.+\.ipynb), ")
_ENTRY = re.compile(r"^`.+` of its entry in the pipeline file$")
_NO_CODE = re.compile(r"^(`.+` of the case file$|the )")
"""Ingredients that are parameters or data, which the history has by themselves."""

_DIGEST_LETTERS = 12


def remember_build(root: Path, case: str, build_id: str, stages: Sequence[str], ran: Sequence[str]) -> bool:
    """Enter a build into the history if it was completed, and return whether it was.

    A build is complete when something ran in it, every stage has a record, and each run read from the last run of what it reads
    from: a stage that was run by itself leaves those behind it as they were, and is no build. The caller holds the lock of the
    case's builds.

    Parameters
    ----------
    root, case
        The project and the case.
    build_id
        The build.
    stages
        All stages of the training pipeline, in its order.
    ran
        Those that ran in this build.
    """
    found = Records(root, case)
    records = {stage: record for stage in stages if (record := found.read(stage)) is not None}
    executed = tuple(stage for stage in records if stage in ran)
    if not executed or len(records) < len(stages) or not _of_one_piece(records):
        return False
    from gristmill.reporting.builds.entry import BuildRun, entry_of  # noqa: PLC0415 - only a build in which something ran needs it
    from gristmill.reporting.builds.history import append_build  # noqa: PLC0415
    from gristmill.reporting.record import read_record  # noqa: PLC0415

    project = ProjectPaths(root)
    run = BuildRun(
        build_id=build_id,
        finished=datetime.fromtimestamp(max(record.finished for record in records.values()), UTC).isoformat(timespec="seconds"),
        ran=executed,
        seconds={stage: record.seconds for stage, record in records.items()},
        code=code_parts(records.values()),
        test_rows=_test_rows(records.values()),
    )
    append_build(project.case(case).build_history, entry_of(read_record(project, case, dict.fromkeys(records, "done")), run))
    return True


def _of_one_piece(records: Mapping[str, Record]) -> bool:
    """Return whether no stage ran again after one that reads from it."""
    return all(
        read == records[name].run_id for record in records.values() for name, read in record.upstream.items() if name in records
    )


def code_parts(records: Iterable[Record]) -> dict[str, str]:
    """Return notebook, module, file or entry of the pipeline file -> a digest of what the stages were built from."""
    parts: dict[str, dict[str, str]] = {}
    for record in records:
        for part, name, value in _code(record):
            parts.setdefault(part, {})[name] = value
    return {part: _digest(values) for part, values in sorted(parts.items())}


def _code(record: Record) -> Iterator[tuple[str, str, str]]:
    """Give the ingredients of a stage that are code: the part they belong to, their name, and what they were."""
    for name, value in record.ingredients.items():
        cell = _CELL.match(name)
        if cell is not None:
            yield cell["notebook"], name, value
        elif _ENTRY.match(name):
            yield f"pipeline entry {record.task}", name, value
        elif not _NO_CODE.match(name):
            yield name.removeprefix("module "), name, value


def _digest(values: Mapping[str, str]) -> str:
    """Return one digest of all ingredients of a part."""
    text = "\0".join(f"{name}\0{value}" for name, value in sorted(values.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_LETTERS]


def _test_rows(records: Iterable[Record]) -> str:
    """Return the digest of the test rows, empty if no stage wrote any."""
    files = {name: known for record in records for name, known in record.files.items()}
    return next((str(known["sha256"]) for name, known in files.items() if Path(name).name == "test.parquet"), "")
