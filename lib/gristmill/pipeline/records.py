"""What is known about the last run of every task: the truth about what is finished.

A record is written after a task's products are complete, and removed before the task starts again: a task without a record
is unfinished, whatever lies in the folders.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gristmill.modeling.artifact.signatures import SIGNATURE
from gristmill.paths import ProjectPaths, project_root
from gristmill.pipeline.contents import Digests, digest_of, read_json_or_none, stamp, write_whole
from gristmill.pipeline.definition import PIPELINE_FILE, Stage

_FORMAT = 1


@dataclass(frozen=True)
class Record:
    """One finished run of a task.

    Attributes
    ----------
    run_id
        Unique to this run; tasks downstream remember which run they read from.
    build_id
        The build that the run was part of.
    finished
        When, in seconds since 1970 by the clock of that moment; shown, never compared.
    seconds
        How long it took.
    peak_mb
        The largest memory of the notebook's kernel.
    ingredients
        What the stage depended on, see :mod:`gristmill.pipeline.staleness`.
    fingerprint
        Digest over the ingredients.
    upstream
        Task -> run it read from.
    files
        Product file, relative to the project's root -> its digest and stamp.
    params
        The parameters that Ploomber remembers.
    cpu_seconds, joules
        Processor time of the notebook's processes, and the energy of the processor that falls to it; None where it is not known.
    gpu
        What :class:`gristmill.gpus.GpuWatch` found while it ran; None without a GPU.
    pipeline
        The file of its DAG.
    """

    task: str
    run_id: str
    build_id: str
    finished: float
    seconds: float
    peak_mb: float
    fingerprint: str
    ingredients: Mapping[str, str]
    upstream: Mapping[str, str]
    files: Mapping[str, Any]
    params: Mapping[str, Any]
    cpu_seconds: float | None = None
    joules: float | None = None
    gpu: Mapping[str, Any] | None = None
    pipeline: str = PIPELINE_FILE


class Records:
    """The records of one case.

    Parameters
    ----------
    root
        The project's root.
    case
        Name of the case.
    """

    def __init__(self, root: Path, case: str) -> None:
        self.case = case
        self._folder = ProjectPaths(root).state / "builds" / case
        self._timings = ProjectPaths(root).case(case).timings

    def read(self, task: str) -> Record | None:
        """Return the record of a finished task, or None."""
        return self._read(self._folder / f"{task}.json")

    def read_previous(self, task: str) -> Record | None:
        """Return the record of the run before the one that did not finish, or None."""
        return self._read(self._folder / f"{task}.previous.json")

    def _read(self, path: Path) -> Record | None:
        content = read_json_or_none(path)
        if content is None or content.get("format") != _FORMAT:
            return None
        try:
            return Record(**{key: value for key, value in content.items() if key != "format"})
        except TypeError:
            return None

    def write(self, record: Record) -> None:
        """Keep the record of a finished task: from here on it counts as built."""
        write_whole(self._folder / f"{record.task}.json", json.dumps({"format": _FORMAT, **asdict(record)}, indent=1))
        (self._folder / f"{record.task}.previous.json").unlink(missing_ok=True)
        self._remember_timing(record)

    def begin(self, task: str) -> None:
        """Take the record of a task away, before it starts; what it said is kept for ``gristmill why``."""
        current = self._folder / f"{task}.json"
        if current.exists():
            current.replace(self._folder / f"{task}.previous.json")
        (self._folder / f"{task}.failed.json").unlink(missing_ok=True)

    def fail(self, task: str, failure: Mapping[str, Any]) -> None:
        """Keep why a task failed."""
        write_whole(self._folder / f"{task}.failed.json", json.dumps(dict(failure), indent=1))

    def read_failure(self, task: str) -> Mapping[str, Any] | None:
        """Return why a task failed when it last ran, or None if it did not."""
        return read_json_or_none(self._folder / f"{task}.failed.json")

    def timings(self) -> dict[str, dict[str, Any]]:
        """Return task -> what its last finished run took; :func:`gristmill.build_costs.costs_of` makes sense of it."""
        return dict(read_json_or_none(self._timings) or {})

    def _remember_timing(self, record: Record) -> None:
        kept = ("seconds", "peak_mb", "cpu_seconds", "joules", "gpu", "build_id", "finished", "pipeline")
        timings = {**self.timings(), record.task: {key: getattr(record, key) for key in kept}}
        write_whole(self._timings, json.dumps(timings))


def last_costs(case: str) -> dict[str, dict[str, Any]]:
    """Return task -> what its last finished run took, of a case of the project that one is in; see :meth:`Records.timings`."""
    return Records(project_root(), case).timings()


def product_files(root: Path, stage: Stage) -> list[Path]:
    """Return the files that a stage's products consist of.

    A product called ``manifest.json`` stands for all files of its folder but its signature, ``snapshot.json`` for the snapshots
    it names, and ``split.json`` for the files of the stored split.
    """
    files = list(stage.products.values())
    for product in stage.products.values():
        if product.name == "manifest.json" and product.parent.is_dir():
            files.extend(path for path in sorted(product.parent.rglob("*")) if path.is_file() and path.name != SIGNATURE)
        if product.name == "snapshot.json":
            files.extend(root / path for path in _named_snapshots(read_json_or_none(product) or {}))
        if product.name == "split.json":
            files.extend(root / path for path in (read_json_or_none(product) or {}).get("files", ()))
    return list(dict.fromkeys(files))


def _named_snapshots(content: Mapping[str, Any]) -> Iterable[str]:
    """Give the paths of the snapshots that a ``snapshot.json`` names."""
    for part in (content, content.get("test")):
        if isinstance(part, Mapping) and isinstance(part.get("path"), str):
            yield part["path"]


def describe_files(root: Path, stage: Stage) -> dict[str, Any]:
    """Return digest and stamp of every file of a stage's products, relative to the root."""
    return {str(path.relative_to(root)): {"sha256": digest_of(path), "stamp": stamp(path)} for path in product_files(root, stage)}


def altered_files(root: Path, record: Record, digests: Digests) -> list[tuple[str, str]]:
    """Return the product files that are no longer what the run left, each with ``deleted`` or ``edited``."""
    return altered(root, record.files, digests)


def altered(root: Path, files: Mapping[str, Any], digests: Digests) -> list[tuple[str, str]]:
    """Return which of ``files``, described as :func:`describe_files` does, are no longer so, as :func:`altered_files` does."""
    found = []
    for name, known in files.items():
        path = root / name
        if not path.is_file():
            found.append((name, "deleted"))
        elif stamp(path) != known["stamp"] and digests.of(path) != known["sha256"]:
            found.append((name, "edited"))
    return found
