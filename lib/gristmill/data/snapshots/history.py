"""Which snapshots of a case's source there have been, which is current, and going back to one.

The history of a case is one file of JSON lines: ``taken``, ``restored`` or ``released``, when, and of which snapshot. Lines are
only added. While the last word is ``restored``, a build reads that snapshot instead of the source; ``released`` ends it.

Only the standard library is imported here at first: whether a build is up to date depends on a glance at this file.
"""

import difflib
import fcntl
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from gristmill.errors import ArtifactError
from gristmill.paths import CasePaths, OwnTestPaths

if TYPE_CHECKING:
    from gristmill.data.snapshots.snapshot import Snapshot

SOURCE = "source"
"""What is restored to have the source read again."""

SHOWN = 12
"""Characters of a digest that people are shown; any beginning that only one version has is understood."""

Event = Literal["taken", "restored", "released"]


@dataclass(frozen=True)
class Version:
    """One snapshot of a case's source.

    Attributes
    ----------
    snapshot
        What is known about it; ``ingested_at`` is when it was last taken.
    current
        Whether it was the last to be taken or restored.
    restored
        Whether a build uses it whatever the source has become.
    """

    snapshot: "Snapshot"
    current: bool
    restored: bool

    @property
    def digest(self) -> str:
        """SHA-256 of its content, in full."""
        return self.snapshot.digest


def record(paths: CasePaths, taken: "Snapshot") -> None:
    """Enter that a snapshot was taken, unless it is the current one already.

    Raises
    ------
    ArtifactError
        The history holds a line that is not an entry.
    """
    with _locked(paths):
        entries = _entries(paths)
        if _current(entries) != taken.digest:
            _write(paths, [*entries, {"event": "taken", "at": taken.ingested_at, **taken.to_dict()}])


def enter(paths: CasePaths, snapshot: "Snapshot") -> None:
    """Enter a snapshot that was taken elsewhere, at its place in time, unless it is known.

    Raises
    ------
    ArtifactError
        The history holds a line that is not an entry.
    """
    with _locked(paths):
        entries = _entries(paths)
        if snapshot.digest in {entry["digest"] for entry in _of(entries, "taken")}:
            return
        place = sum(1 for entry in entries if entry["at"] <= snapshot.ingested_at)
        entries.insert(place, {"event": "taken", "at": snapshot.ingested_at, **snapshot.to_dict()})
        _write(paths, entries)


def versions(paths: CasePaths) -> list[Version]:
    """Return the versions of a case's source in the order they were last taken, the newest last.

    Raises
    ------
    CaseFileError
        There is no such case.
    ArtifactError
        None has been taken yet, or the history holds a line that is not an entry.
    """
    from gristmill.data.snapshots.snapshot import Snapshot  # noqa: PLC0415 - Arrow and pandas

    entries = _entries(paths)
    taken: dict[str, dict[str, Any]] = {}
    for entry in _of(entries, "taken"):
        taken.pop(entry["digest"], None)  # taken again, it is the newest
        taken[entry["digest"]] = entry
    if not taken:
        _refuse_unbuilt(paths)
    now, kept = _current(entries), _restored(entries)
    return [
        Version(Snapshot(**{key: entry[key] for key in Snapshot.__annotations__}), current=digest == now, restored=digest == kept)
        for digest, entry in taken.items()
    ]


def find(paths: CasePaths, beginning: str) -> Version:
    """Return the version whose digest begins with ``beginning``.

    Raises
    ------
    CaseFileError
        There is no such case.
    ArtifactError
        No version begins so, or more than one does.
    """
    known = versions(paths)
    found = [version for version in known if beginning and version.digest.startswith(beginning.lower())]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(version.digest[:SHOWN] for version in found or known)
    if found:
        raise ArtifactError(f"{beginning!r} is the beginning of {len(found)} versions: {listed}. Give more characters.")
    near = difflib.get_close_matches(beginning.lower()[:SHOWN], [version.digest[:SHOWN] for version in known], n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"it has {listed}."
    raise ArtifactError(
        f"Expected the beginning of a version of the case {paths.name!r}, got {beginning!r}; {hint} "
        f"`gristmill data log {paths.argument}` lists them."
    )


def pair(paths: CasePaths, old: str | None = None, new: str | None = None) -> tuple[Version, Version]:
    """Return the two versions to compare: the named ones, one and the current, or the last two.

    Raises
    ------
    CaseFileError, ArtifactError
        As :func:`find`; or there is only one version.
    """
    if old is not None:
        return find(paths, old), current(paths) if new is None else find(paths, new)
    known = versions(paths)
    if len(known) < 2:
        raise ArtifactError(
            f"The case {paths.name!r} has one version, {known[0].digest[:SHOWN]}, and nothing to compare it with. A build takes "
            "another when the source has changed."
        )
    return known[-2], known[-1]


def current(paths: CasePaths) -> Version:
    """Return the version that was last taken or restored.

    Raises
    ------
    CaseFileError, ArtifactError
        As :func:`versions`.
    """
    return next(version for version in versions(paths) if version.current)


def restore(paths: CasePaths, beginning: str) -> Version:
    """Let builds of a case use a former snapshot from now on, and return it.

    Parameters
    ----------
    paths
        The case.
    beginning
        Beginning of the snapshot's digest.

    Raises
    ------
    CaseFileError, ArtifactError
        As :func:`find`; or the snapshot is missing or damaged, in which case nothing changes.
    """
    from gristmill.data.snapshots.snapshot import verified  # noqa: PLC0415

    version = find(paths, beginning)
    verified(paths.root / version.snapshot.path)
    _append(paths, "restored", version.digest)
    return Version(version.snapshot, current=True, restored=True)


def release(paths: CasePaths) -> None:
    """Let builds of a case read its source again.

    Raises
    ------
    CaseFileError, ArtifactError
        As :func:`versions`; or no snapshot is restored.
    """
    if not any(version.restored for version in versions(paths)):
        raise ArtifactError(f"The case {paths.name!r} reads its source already; no snapshot is restored. Nothing was changed.")
    _append(paths, "released", None)


def restored(paths: CasePaths) -> "Snapshot | None":
    """Return the snapshot that a build is to use instead of the source, verified; None if it is to read the source.

    Raises
    ------
    ArtifactError
        The snapshot is missing or damaged.
    """
    from gristmill.data.snapshots.snapshot import verified  # noqa: PLC0415

    if restored_digest(paths) is None:
        return None
    snapshot = next(version.snapshot for version in versions(paths) if version.restored)
    try:
        verified(paths.root / snapshot.path)
    except ArtifactError as error:
        raise ArtifactError(
            f"The case {paths.name!r} was restored to a snapshot that cannot be used. {error} To read the source instead: "
            f"`gristmill data restore {paths.argument} {SOURCE}`."
        ) from error
    return snapshot


def restored_digest(paths: CasePaths) -> str | None:
    """Return the digest of the snapshot that a build is to use instead of the source, or None.

    Raises
    ------
    ArtifactError
        The history holds a line that is not an entry.
    """
    return _restored(_read(paths)) if paths.history.exists() else None


def _of(entries: list[dict[str, Any]], *events: Event) -> list[dict[str, Any]]:
    """Return the entries of some kinds."""
    return [entry for entry in entries if entry["event"] in events]


def _current(entries: list[dict[str, Any]]) -> str | None:
    """Return the digest that was last taken or restored, a restored one before those taken beside it."""
    chosen = _of(entries, "taken", "restored")
    return _restored(entries) or (str(chosen[-1]["digest"]) if chosen else None)


def _restored(entries: list[dict[str, Any]]) -> str | None:
    """Return the digest that was restored and not released since."""
    words = _of(entries, "restored", "released")
    return str(words[-1]["digest"]) if words and words[-1]["event"] == "restored" else None


def _entries(paths: CasePaths) -> list[dict[str, Any]]:
    """Return the entries of a case; a build from before there was a history counts as the first."""
    entries = _read(paths) if paths.history.exists() else []
    product = paths.artifacts / "snapshot.json"
    if product.exists():
        from gristmill.data.products import read_json  # noqa: PLC0415 - pandas

        content = read_json(product)
        test = content.pop("test", None)
        built = test if isinstance(paths, OwnTestPaths) else content
        if built is not None and built["digest"] not in {entry["digest"] for entry in _of(entries, "taken")}:
            entries.insert(0, {"event": "taken", "at": built["ingested_at"], **built})
    return entries


def _read(paths: CasePaths) -> list[dict[str, Any]]:
    """Return the lines of the file."""
    lines = paths.history.read_text(encoding="utf-8").splitlines()
    try:
        return [_checked(json.loads(line)) for line in lines]
    except (ValueError, KeyError, TypeError) as error:
        raise ArtifactError(
            f"Expected one JSON entry a line in {paths.history}, but {error!r}. The history is never edited by hand: restore it "
            "from a copy, or remove the broken line; the snapshots themselves are not affected."
        ) from error


def _checked(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry that has what every entry has."""
    return {"event": entry["event"], "at": entry["at"], "digest": entry["digest"], **entry}


def _append(paths: CasePaths, event: Event, digest: str | None) -> None:
    """Add a line about now."""
    with _locked(paths):
        _write(paths, [*_entries(paths), {"event": event, "at": datetime.now(UTC).isoformat(timespec="seconds"), "digest": digest}])


def _write(paths: CasePaths, entries: list[dict[str, Any]]) -> None:
    """Write all lines under a temporary name, and rename the file."""
    from gristmill.data.products import replacing  # noqa: PLC0415 - pandas

    with replacing(paths.history) as temporary:
        temporary.write_text("".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries), encoding="utf-8")


@contextmanager
def _locked(paths: CasePaths) -> Iterator[None]:
    """Hold the history for one writer."""
    paths.history.parent.mkdir(parents=True, exist_ok=True)
    with paths.history.with_name(f".{paths.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _refuse_unbuilt(paths: CasePaths) -> None:
    """Say that there is no version, or no such case."""
    from gristmill.config.loading import load_case  # noqa: PLC0415

    case = load_case(paths.name, paths.root)
    if isinstance(paths, OwnTestPaths) and case.split.test_source is None:
        raise ArtifactError(f"The case {paths.name!r} has no test table of its own: `split.test_source` is not set.")
    pushed = any(paths.project.snapshots.glob("*.parquet.dvc"))
    elsewhere = f", or bring back what was pushed: `gristmill data pull {paths.argument}`" if pushed else ""
    raise ArtifactError(
        f"No version of the source of {paths.name!r} has been taken yet. Build the case: `ploomber build --env--case {paths.name}`"
        f"{elsewhere}."
    )
