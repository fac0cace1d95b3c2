"""Promotion and rollback: the one way in which the champion moves, for people and for builds alike (R33).

First the version is inspected, then the row is moved together with its entry in the record, then the aliases follow. Whatever
interrupts this leaves one champion, and the next command repairs the aliases.
"""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gristmill import tracking
from gristmill.errors import ArtifactError, GateError, GristmillError, RegistryError, ReleaseConflictError
from gristmill.paths import project_root
from gristmill.registry import aliases, inspection, releases, versions
from gristmill.registry.inspection import CANDIDATE_TAG, COMPARISON, Inspected
from gristmill.registry.releases import Entry, Release
from gristmill.registry.versions import ALIASES, CHALLENGER, CHAMPION, STAGING, ModelVersion
from gristmill.state_database import URL_VARIABLE, StateDatabase
from gristmill.tracking_store import EmbeddedStore

NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Outcome:
    """What became of a command.

    Attributes
    ----------
    release
        The row now.
    entry
        What was recorded; None if nothing had to be moved.
    notes
        Sentences about what was found on the way.
    """

    release: Release
    entry: Entry | None
    notes: tuple[str, ...] = ()


def promote(model: str, version: int | None = None, alias: str = CHAMPION, reason: str = "", root: Path | None = None) -> Outcome:
    """Let an alias mean a version, if the version's gates allow it and its files are what was registered.

    ``champion`` needs every measured gate, ``challenger`` all but the comparison with the champion, ``staging`` none. A champion
    that the version's build could not compare it with, or compared it with another than, may be replaced for a reason that is
    given, and recorded.

    Parameters
    ----------
    model
        The registered model, which has the name of the case.
    version
        Which of its versions; the latest when omitted.
    alias
        One of ``champion``, ``challenger`` and ``staging``.
    reason
        Why, for the record.
    root
        The project; found from the working directory when omitted.

    Raises
    ------
    GateError
        The version may not have the alias, or is not what was registered; the refusal is recorded.
    RegistryError
        There is no such model, version or alias.
    ReleaseConflictError
        Somebody else moved the release at the same time.
    """
    if alias not in ALIASES:
        raise RegistryError(f"Expected --as {', '.join(ALIASES[:-1])} or {ALIASES[-1]}, got {alias!r}.")
    found = registered(model, version, root)
    release, notes = _begin(model, root)
    if release.versions[alias] == found.version:
        return Outcome(release, None, (*notes, f"{model} version {found.version} is the {alias} already; nothing was moved."))
    if alias != CHAMPION and release.champion == found.version:
        raise RegistryError(
            f"{model} version {found.version} is the champion. Name another version, or promote another champion first."
        )
    if alias == CHALLENGER and release.champion is None:
        raise RegistryError(f"{model} has no champion to challenge. Promote one first: gristmill promote {model} --version N")
    entry = Entry(model, releases.PROMOTED, alias, release.versions[alias], found.version, reason.strip())
    inspected = _inspected(found, entry, root)
    entry = replace(entry, gates=inspected.summary, digest=inspected.manifest.digest)
    refusal = _refusal(found, inspected.failed, alias, entry.reason)
    if not refusal and alias == CHAMPION and not entry.reason:
        refusal = _unlike(inspected, release, root)
    if refusal:
        raise GateError(_refuse(entry, refusal, root))
    return _move(release, entry, (*notes, *_remarks(inspected, release, alias)), root)


def rollback(model: str, reason: str, to: int | None = None, root: Path | None = None) -> Outcome:
    """Let the previous champion be the champion again, or a former one; gates are not asked, but its files are verified.

    Parameters
    ----------
    model
        The registered model, which has the name of the case.
    reason
        Why, for the record.
    to
        A version that was champion before; the one before the present champion when omitted.
    root
        The project; found from the working directory when omitted.

    Raises
    ------
    GateError
        The version is not what was registered; the refusal is recorded.
    RegistryError
        There is no champion, nothing to go back to, no reason, or the version never was champion.
    ReleaseConflictError
        Somebody else moved the release at the same time.
    """
    if not reason.strip():
        raise RegistryError("Expected a reason for the record, got none. Say why: --reason TEXT")
    registered(model, None, root)
    release, notes = _begin(model, root)
    number = _former(release, releases.history(model, root), to)
    entry = Entry(model, releases.ROLLED_BACK, CHAMPION, release.champion, number, reason.strip())
    inspected = _inspected(registered(model, number, root), entry, root)
    return _move(release, replace(entry, gates=inspected.summary, digest=inspected.manifest.digest), notes, root)


def promote_built(
    found: ModelVersion, failed: Sequence[Mapping[str, Any]], compared_with: int | None, root: Path | None = None
) -> Outcome:
    """Let a version that a build has registered become champion, if its gates have passed; else leave row and aliases alone.

    Parameters
    ----------
    found
        The version.
    failed
        The gates that failed in this build: the version may be an older one that was the same, and passed beside another champion.
    compared_with
        The champion that the build compared it with; None if there was none.
    root
        The project; found from the working directory when omitted.

    Raises
    ------
    ArtifactError
        What the registry has is not what the build registered.
    """
    release, notes = _begin(found.name, root)
    entry = Entry(found.name, releases.PROMOTED, CHAMPION, release.champion, found.version, "a build")
    if release.champion == found.version:
        return Outcome(release, None, notes)
    try:
        inspected = _inspected(found, entry, root)
    except GateError as error:
        raise ArtifactError(str(error)) from error
    entry = replace(entry, gates=inspected.summary, digest=inspected.manifest.digest)
    every = {gate["name"]: gate for gate in (*inspected.failed, *failed)}
    refusal = _refusal(found, tuple(every.values()), CHAMPION, "") or _overtaken(found, release, compared_with, root)
    if refusal:
        return Outcome(release, replace(entry, action=releases.REFUSED), (*notes, _refuse(entry, refusal, root)))
    try:
        return _move(release, replace(entry, reason="a build whose gates passed"), notes, root)
    except ReleaseConflictError as error:
        return Outcome(releases.find(found.name, root), replace(entry, action=releases.REFUSED), (*notes, str(error)))


def registered(model: str, version: int | None = None, root: Path | None = None) -> ModelVersion:
    """Return a version of a registered model, the latest if none is named.

    Raises
    ------
    RegistryError
        There is no such model or version.
    """
    found = versions.find_all(f"name = '{model}'", root) if NAME.fullmatch(model) else []
    if not found:
        known = sorted({one.name for one in versions.find_all("", root)})
        near = difflib.get_close_matches(model, known, n=3, cutoff=0.3) or known[:5]
        raise RegistryError(
            f"The registry has no model {model!r}; it has {', '.join(near) or 'none'}. A build registers one: ploomber build "
            f"--env--case {model}"
        )
    latest = max(found, key=lambda one: one.version)
    wanted = latest.version if version is None else version
    match = next((one for one in found if one.version == wanted), None)
    if match is None:
        some = ", ".join(str(one.version) for one in sorted(found, key=lambda one: one.version)[-10:])
        raise RegistryError(f"{model} has no version {wanted}; the registry has {some}. See `gristmill history {model}`.")
    return match


def former_champions(entries: Sequence[Entry]) -> list[int]:
    """Return the champions as they lie on each other: the present one last, and before it those that a rollback would come to."""
    stack: list[int] = []
    for entry in entries:
        if entry.alias != CHAMPION or entry.after is None or entry.action in (releases.REFUSED, releases.REPAIRED):
            continue
        if entry.action == releases.ROLLED_BACK and entry.after in stack:
            while stack[-1] != entry.after:
                stack.pop()
        elif stack[-1:] != [entry.after]:
            stack.append(entry.after)
    return stack


def _former(release: Release, entries: Sequence[Entry], to: int | None) -> int:
    """Return the version that a rollback goes to."""
    model, champion = release.model, release.champion
    if champion is None:
        raise RegistryError(f"{model} has no champion to roll back from. Promote one: gristmill promote {model} --version N")
    if to == champion:
        raise RegistryError(f"{model} version {to} is the champion already; there is nothing to roll back.")
    moved = (entry for entry in entries if entry.alias == CHAMPION and entry.action not in (releases.REFUSED, releases.REPAIRED))
    ever = {number for entry in moved for number in (entry.before, entry.after)} - {None, champion}
    listed = ", ".join(str(number) for number in sorted(number for number in ever if number is not None)) or "none"
    if to is not None and to not in ever:
        raise RegistryError(
            f"{model} version {to} never was champion, so that a rollback cannot go to it; former champions: {listed}. Its gates "
            f"decide: gristmill promote {model} --version {to}"
        )
    below = [number for number in former_champions(entries) if number != champion]
    if to is None and not below:
        raise RegistryError(
            f"{model} version {champion} is the first champion; there is nothing to roll back to. Former champions: {listed}."
        )
    return below[-1] if to is None else to


def _begin(model: str, root: Path | None) -> tuple[Release, tuple[str, ...]]:
    """Return the row, after what former commands and people left behind was repaired, and sentences about that."""
    aliases.opened(model, root)
    notes = [repair.sentence for repair in aliases.reconcile(model, root)]
    folder = project_root() if root is None else root
    if not StateDatabase(folder).url and tracking.tracking_uri(folder) != EmbeddedStore(folder).uri:
        notes.append(
            "MLFLOW_TRACKING_URI names a registry that others may share, but the release row lies in this project's folder. Let it "
            f"be shared too: set {URL_VARIABLE}."
        )
    return releases.find(model, root), tuple(notes)


def _inspected(found: ModelVersion, entry: Entry, root: Path | None) -> Inspected:
    """Return a version after its inspection; one that does not stand it is refused, and the refusal recorded."""
    try:
        return inspection.inspect(found, root)
    except GateError as error:
        raise GateError(_refuse(entry, str(error), root)) from error


def _refuse(entry: Entry, why: str, root: Path | None) -> str:
    """Record that an attempt was refused, and return the reason as it is told."""
    releases.record(replace(entry, action=releases.REFUSED, reason=f"{entry.reason}; {why}" if entry.reason else why), root)
    return f"{entry.model} version {entry.after} does not become {entry.alias}: {why}"


def _refusal(found: ModelVersion, failed: Sequence[Mapping[str, Any]], alias: str, reason: str) -> str:
    """Return why failed gates do not let a version have an alias, and what would have to change; nothing if they do."""
    failed = [gate for gate in failed if alias == CHAMPION or gate["name"] != COMPARISON]
    if alias == STAGING or not failed:
        return ""
    model, number = found.name, found.version
    if [gate["name"] for gate in failed] == [COMPARISON] and failed[0].get("incomparable") is True:
        advice = "Compare the two yourself; if it is to replace the champion, say why"
        command = f"gristmill promote {model} --version {number} --reason TEXT"
        return "" if reason else f"the build could not compare it with the champion. {advice}: {command}"
    wanted = "; ".join(inspection.change_wanted(gate) for gate in failed)
    return (
        f"its gates failed: {wanted}. Change the data, the features or the case file until a build passes them, and promote that "
        f"version; `gristmill gates {model}` explains those of the last build."
    )


def _overtaken(found: ModelVersion, release: Release, compared_with: int | None, root: Path | None) -> str:
    """Return why a build may not replace this champion: it was compared with another, or a person rolled back from the version."""
    moves = {releases.PROMOTED: "after", releases.ROLLED_BACK: "before"}
    entries = [entry for entry in releases.history(found.name, root) if entry.alias == CHAMPION and entry.action in moves]
    last = next((entry for entry in reversed(entries) if getattr(entry, moves[entry.action]) == found.version), None)
    command = f"gristmill promote {found.name} --version {found.version} --reason TEXT"
    if last is not None and last.action == releases.ROLLED_BACK:
        return f"{last.who} rolled back from it ({last.reason}). A build does not undo that; a person may: {command}"
    if release.champion in (None, compared_with) or _holds_champion(found, release, root):
        return ""
    return (
        f"version {release.champion} became champion while this was built, and the two were not compared. Build again, or decide "
        f"yourself: {command}"
    )


def _unlike(inspected: Inspected, release: Release, root: Path | None) -> str:
    """Return why a person may not replace this champion without a reason: the gates compared the version with another."""
    remarks = _remarks(inspected, release, CHAMPION)
    if not remarks or _holds_champion(inspected.version, release, root):
        return ""
    model, number = release.model, inspected.version.version
    return (
        f"it was not compared with version {release.champion}, the champion. To go back to a former champion: gristmill rollback "
        f"{model} --reason TEXT; to promote it all the same, say why: gristmill promote {model} --version {number} --reason TEXT"
    )


def _holds_champion(found: ModelVersion, release: Release, root: Path | None) -> bool:
    """Return whether a version holds the very candidate that the champion holds, so that there is nothing to compare."""
    candidate = found.tags.get(CANDIDATE_TAG)
    champion = None if release.champion is None else versions.find_version(found.name, release.champion, root)
    return candidate is not None and champion is not None and champion.tags.get(CANDIDATE_TAG) == candidate


def _remarks(inspected: Inspected, release: Release, alias: str) -> tuple[str, ...]:
    """Return what should be known about a promotion that is allowed."""
    before = inspected.version.tags.get("gristmill.champion_before", "none")
    if alias != CHAMPION or release.champion is None or before == str(release.champion):
        return ()
    beside = "no champion" if before == "none" else f"champion version {before}"
    return (f"Its gates compared it with {beside}, not with version {release.champion}, which it replaces.",)


def _move(release: Release, entry: Entry, notes: tuple[str, ...], root: Path | None) -> Outcome:
    """Move the row, with its entry, and let the aliases follow."""
    after = release.with_version(entry.alias, entry.after)
    try:
        made = releases.move(release, after, (entry,), root)
    except ReleaseConflictError as error:
        releases.record(replace(entry, action=releases.REFUSED, reason=f"{entry.reason}; {error}".lstrip("; ")), root)
        raise
    try:
        aliases.reconcile(entry.model, root)
    except GristmillError as error:
        raise RegistryError(
            f"{entry.model} version {entry.after} is {entry.alias} by the release row, but the aliases did not follow: {error} The "
            f"next command repairs them: gristmill history {entry.model}"
        ) from error
    return Outcome(made, entry, notes)
