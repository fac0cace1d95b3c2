"""Digests of files, remembered by what the file system says about them.

A file whose size, times and inode have not moved has not changed; any other is read again, so that a file that was only
touched keeps its digest.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_SETTLED_NS = 2_000_000_000
"""A file younger than this may be written again within one tick of the clock: its digest is not remembered."""


def stamp(path: Path) -> list[int]:
    """Return what would move if the file's content did: size, inode, time of content and of attributes (ns)."""
    found = path.stat()
    return [found.st_size, found.st_ino, found.st_mtime_ns, found.st_ctime_ns]


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_settled(stamped: list[int]) -> bool:
    """Return whether a file with this stamp is old enough for the stamp to be trusted."""
    return abs(time.time_ns() - max(stamped[2:])) > _SETTLED_NS


class Digests:
    """Digests of files by their stamp, kept in one small JSON file between processes.

    Parameters
    ----------
    store
        Where the digests are kept; None keeps them in memory alone.
    """

    def __init__(self, store: Path | None = None) -> None:
        self._store = store
        self._known: dict[str, Any] = _load(store) if store is not None else {}
        self._changed = False

    def of(self, path: Path) -> str:
        """Return the SHA-256 of a file's content, reading the file only if its stamp moved.

        Raises
        ------
        FileNotFoundError
            There is no such file.
        """
        return str(self.derived(path, "sha256", digest_of))

    def derived(self, path: Path, kind: str, compute: Callable[[Path], Any]) -> Any:
        """Return ``compute(path)``, which must be JSON and depend on the file's content alone, unless it is known already.

        Raises
        ------
        FileNotFoundError
            There is no such file.
        """
        stamped = stamp(path)
        known = self._known.get(f"{kind} {path}")
        if known is not None and known[0] == stamped:
            return known[1]
        value = compute(path)
        if is_settled(stamped):
            self._known[f"{kind} {path}"] = [stamped, value]
            self._changed = True
        return value

    def save(self) -> None:
        """Write down what was learned; two processes that do so at once lose a little of it, never more."""
        if self._changed and self._store is not None:
            write_whole(self._store, json.dumps(self._known))
            self._changed = False


def _load(store: Path) -> dict[str, Any]:
    """Return the digests a former process kept; none if the file is missing or damaged."""
    try:
        content = json.loads(store.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def write_whole(path: Path, text: str) -> None:
    """Write a text file whole or not at all: to a temporary name, to the disk, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_json_or_none(path: Path) -> Mapping[str, Any] | None:
    """Return the mapping a JSON file holds; None if it is missing or damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None
