"""MLflow's aliases follow the release row: read through it, repaired after it, and edits by hand found out (R33)."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gristmill import tracking
from gristmill.errors import ReleaseConflictError
from gristmill.registry import releases, versions
from gristmill.registry.releases import Entry, Release
from gristmill.registry.versions import ALIASES, ModelVersion

_LOG = logging.getLogger(__name__)
_TURNS = 20
_BEFORE_TAG = "gristmill.champion_before"


@dataclass(frozen=True)
class Repair:
    """An alias that did not say what the release row says.

    Attributes
    ----------
    model, alias
        Which.
    found, wanted
        The version it meant, and the one it has to mean; None for none.
    by_hand
        Whether somebody changed it past the release row; else the command that moved the row had not come to it.
    possible
        Whether the registry still has the version that is wanted.
    """

    model: str
    alias: str
    found: int | None
    wanted: int | None
    by_hand: bool
    possible: bool = True

    @property
    def sentence(self) -> str:
        """What was found and done."""
        found = "nothing" if self.found is None else f"version {self.found}"
        if not self.possible:
            return (
                f"Version {self.wanted}, the {self.alias} of {self.model}, is no longer in the registry; the alias means {found}. "
                f"Go back: gristmill rollback {self.model} --reason TEXT"
            )
        cause = "it was edited by hand" if self.by_hand else "the command that moved the release did not end"
        wanted = "it means nothing again" if self.wanted is None else f"it means version {self.wanted} again"
        return f"The alias {self.alias} of {self.model} meant {found}: {cause}. The release row decides, so {wanted}."


def opened(model: str, root: Path | None = None) -> Release:
    """Return the release row of a model, made if there is none yet from what the aliases say: projects may be older than the row.

    Raises
    ------
    RegistryError, StateError
        The registry or the database does not answer.
    """
    release = releases.find(model, root)
    return release if release.token else _adopt(release, versions.known_aliases(model, root) or {}, root)


def current(model: str, root: Path | None = None) -> Release:
    """Return the release row of a model as :func:`opened` does, but make none where no alias says anything."""
    release = releases.find(model, root)
    if release.token:
        return release
    aliases = versions.known_aliases(model, root) or {}
    return _adopt(release, aliases, root) if any(alias in aliases for alias in ALIASES) else release


def meant(model: str, alias: str, root: Path | None = None) -> ModelVersion | None:
    """Return the version that an alias means: by the release row for those that it has, else by the registry; None if none.

    Raises
    ------
    RegistryError, StateError
        The registry or the database does not answer.
    """
    if alias not in ALIASES:
        return versions.find_version(model, alias, root)
    number = current(model, root).versions[alias]
    return None if number is None else versions.find_version(model, number, root)


def _adopt(release: Release, aliases: Mapping[str, int], root: Path | None) -> Release:
    """Make the row of a model that has none: its aliases decided until now, and from here on follow."""
    held: dict[str, Any] = {alias: aliases.get(alias) for alias in ALIASES}
    made = replace(release, **held, aliased=1)
    champion = made.champion
    reason = "it held the alias before there was a release row"
    entries = [
        *_champions_before(release.model, champion, root),
        *(Entry(release.model, releases.ADOPTED, alias, None, number, reason) for alias, number in held.items() if number),
    ]
    try:
        return releases.move(release, made, entries, root)
    except ReleaseConflictError:  # somebody else has made it
        return releases.find(release.model, root)


def _champions_before(model: str, champion: int | None, root: Path | None) -> list[Entry]:
    """Return entries about the champions before the present one, the oldest first, as the versions themselves remember them."""
    chain: list[int] = []
    number = champion
    while number is not None:
        found = versions.find_version(model, number, root)
        before = "" if found is None else found.tags.get(_BEFORE_TAG, "")
        number = int(before) if before.isdigit() and int(before) < number else None
        chain += [] if number is None else [number]
    reason = "it was champion when a later champion was registered"
    return [Entry(model, releases.ADOPTED, versions.CHAMPION, None, former, reason) for former in reversed(chain)]


def reconcile(model: str, root: Path | None = None) -> list[Repair]:
    """Let MLflow's aliases say what the release row says, and return what was found to differ.

    It may be called any number of times, by any number of processes at once: each makes sure, after it wrote, that the row it
    wrote from is still the row, so that the last to write has written what is true. Edits by hand are recorded, then undone.

    Raises
    ------
    RegistryError, StateError
        The registry or the database does not answer; the next call repairs what is left.
    """
    repairs: dict[tuple[str, int | None], Repair] = {}
    written: dict[str, int | None] = {}
    for _ in range(_TURNS):
        release = releases.find(model, root)
        differing = _differing(release, written, root)
        for repair in differing:
            repairs.setdefault((repair.alias, repair.wanted), repair)
            _repair(repair, root)
            written[repair.alias] = repair.wanted
        if not release.token or (not differing and release.aliased == release.token) or releases.settle(release, root):
            return list(repairs.values())
    raise ReleaseConflictError(f"The release of {model} is moved faster than its aliases can follow. Run the command again.")


def _differing(release: Release, written: Mapping[str, int | None], root: Path | None) -> list[Repair]:
    """Return the aliases that do not say what a row says, none where there is no row; ``written`` is what this process wrote."""
    aliases = versions.known_aliases(release.model, root) if release.token else None
    if aliases is None:
        return []
    differing = []
    for alias, wanted in release.versions.items():
        found = aliases.get(alias)
        if found != wanted:
            by_hand = release.aliased == release.token and not (alias in written and written[alias] == found)
            possible = wanted is None or versions.find_version(release.model, wanted, root) is not None
            differing.append(Repair(release.model, alias, found, wanted, by_hand, possible))
    return differing


def _repair(repair: Repair, root: Path | None) -> None:
    """Let one alias say what the row says; an edit by hand is recorded first."""
    if not repair.possible:
        return
    if repair.by_hand:
        _LOG.warning(repair.sentence)
        reason = "the alias was edited by hand in the registry"
        releases.record(Entry(repair.model, releases.REPAIRED, repair.alias, repair.found, repair.wanted, reason), root)
    client = tracking.connect(root)
    if repair.wanted is None:
        versions.delete_alias(client, repair.model, repair.alias)
    else:
        versions.set_alias(client, repair.model, repair.alias, repair.wanted)
