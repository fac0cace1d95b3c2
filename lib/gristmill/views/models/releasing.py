"""Promotion and rollback from a page: what serves now, what may be done, doing it, and the record of what was done."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from gristmill.errors import GateError, RegistryError
from gristmill.registry import promotion, releases
from gristmill.registry.inspection import change_wanted
from gristmill.registry.release_text import release_line
from gristmill.registry.releases import Entry
from gristmill.reporting.wording import UNKNOWN, moment
from gristmill.serving.keys.key import ADMIN, Key
from gristmill.serving.served.registry_process import ask
from gristmill.views.models.listing import Version

CHAMPION = "champion"


@dataclass(frozen=True)
class Moved:
    """What became of an attempt.

    Attributes
    ----------
    done
        Whether something was moved.
    sentences
        What is to be said about it.
    """

    done: bool
    sentences: tuple[str, ...]


def now_serving(root: Path, model: str) -> str:
    """Return what is released, as one sentence."""
    return release_line(releases.find(model, root))


def audit(root: Path, model: str) -> pd.DataFrame:
    """Return all that was done or refused, a line each, the newest first."""
    rows = [
        (moment(one.at), one.action, one.alias, _number(one.before), _number(one.after), one.who, _gates(one), one.reason)
        for one in reversed(releases.history(model, root))
    ]
    return pd.DataFrame(rows, columns=["when", "what", "alias", "from", "to", "who", "gates", "why"])


def _number(version: int | None) -> str:
    """Return a version, or a dash."""
    return UNKNOWN if version is None else str(version)


def _gates(entry: Entry) -> str:
    """Return how the gates stood."""
    if not entry.gates:
        return ""
    failed = list(entry.gates.get("failed", ()))
    passed = int(entry.gates.get("passed", 0))
    return f"{passed} of {passed + len(failed)} passed" + (f"; failed: {', '.join(failed)}" if failed else "")


def former_champions(root: Path, model: str) -> list[int]:
    """Return the versions that a rollback may go to, the one it goes to by itself first."""
    entries, release = releases.history(model, root), releases.find(model, root)
    below = [number for number in reversed(promotion.former_champions(entries)) if number != release.champion]
    moved = [one for one in entries if one.alias == CHAMPION and one.action not in (releases.REFUSED, releases.REPAIRED)]
    ever = {number for one in moved for number in (one.before, one.after) if number is not None} - {release.champion}
    return [*dict.fromkeys(below), *sorted(number for number in ever if number is not None and number not in below)]


def expectation(version: Version, alias: str) -> list[str]:
    """Return in sentences what is to be expected of promoting a version, before anybody tries."""
    if version.problem:
        return [f"It will be refused: {version.problem}"]
    if alias == "staging":
        return ["Staging asks no gates; its files are verified."]
    failed = [gate for gate in version.failed if alias == CHAMPION or gate["name"] != "not_worse_than_champion"]
    if not failed:
        return ["Its gates allow it. Its files are verified first, and running services take it in within seconds."]
    if all(gate.get("incomparable") is True for gate in failed):
        return ["The build could not compare it with the champion: say why it is to replace it, and it will be promoted."]
    return ["It will be refused, and the refusal recorded: its gates failed.", *(f"{change_wanted(gate)}." for gate in failed)]


def promote(root: Path, model: str, version: int, alias: str, reason: str, key: Key) -> Moved:
    """Let an alias mean a version, if its gates allow it; see :func:`gristmill.registry.promotion.promote`.

    Raises
    ------
    KeyRefused
        The key does not allow it.
    """
    return _move(root, {"what": "promote", "model": model, "version": version, "alias": alias, "reason": reason}, key)


def rollback(root: Path, model: str, to: int | None, reason: str, key: Key) -> Moved:
    """Go back to a former champion; see :func:`gristmill.registry.promotion.rollback`.

    Raises
    ------
    KeyRefused
        The key does not allow it.
    """
    return _move(root, {"what": "rollback", "model": model, "to": to, "reason": reason}, key)


def _move(root: Path, request: dict[str, Any], key: Key) -> Moved:
    """Have a process of its own move the release, in the name of a key; say what became of it."""
    key.require(ADMIN)
    try:
        answer = asyncio.run(ask(root, {**request, "who": f"key {key.id} ({key.name})"}))
    except (GateError, RegistryError) as error:  # refused: the record says so where gates or files were the reason
        return Moved(done=False, sentences=(str(error),))
    return Moved(done=bool(answer["moved"]), sentences=(*_notes(answer["notes"]), now_serving(root, str(request["model"]))))


def _notes(notes: Sequence[str]) -> list[str]:
    """Return what was found on the way."""
    return [str(note) for note in notes]
