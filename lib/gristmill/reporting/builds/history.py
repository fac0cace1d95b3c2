"""The history of a case's builds: one JSON line for each build that was completed, oldest first.

A line is written once and never changed. What was cut off by a crash half way through is passed over when the file is read, and
the next line begins on a line of its own. The oldest lines go when there are more than :data:`MOST_BUILDS`.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

FORMAT = 1
MOST_BUILDS = 100
"""Builds of a case that are remembered."""

Entry = Mapping[str, Any]
"""One build, as :func:`gristmill.reporting.builds.entry.entry_of` describes it."""


def read_history(path: Path) -> list[Entry]:
    """Return the builds in the file ``path``, oldest first; a line that is no build is passed over."""
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    return [entry for line in lines if (entry := _parsed(line)) is not None]


def _parsed(line: bytes) -> Entry | None:
    """Return the build that a line holds, or None."""
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    known = isinstance(entry, dict) and entry.get("format") == FORMAT and isinstance(entry.get("number"), int)
    return entry if known else None


def append_build(path: Path, entry: Entry) -> Entry:
    """Add a build to the history in the file ``path``, and return it with its ``number``.

    Parameters
    ----------
    path
        The file; its folder is made if it is missing. The caller holds the lock of the case's builds.
    entry
        The build, without a number: it gets the one after the last.
    """
    known = read_history(path)
    numbered = {"format": FORMAT, "number": known[-1]["number"] + 1 if known else 1, **entry}
    path.parent.mkdir(parents=True, exist_ok=True)
    if len(known) >= MOST_BUILDS:
        _rewrite(path, [*known[len(known) - MOST_BUILDS + 1 :], numbered])
    else:
        _add(path, numbered)
    return numbered


def _line(entry: Entry) -> bytes:
    """Return a build as one line of JSON."""
    return json.dumps(entry, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def _add(path: Path, entry: Entry) -> None:
    """Write one more line to the disk, after the rest of a line that was cut off."""
    with path.open("a+b") as file:
        if file.tell() > 0:
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")
        file.write(_line(entry))
        file.flush()
        os.fsync(file.fileno())


def _rewrite(path: Path, entries: Sequence[Entry]) -> None:
    """Write the whole file anew, or leave it as it is."""
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("wb") as file:
        file.writelines(_line(entry) for entry in entries)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
