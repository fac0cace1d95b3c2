"""Pointer files: ``<file>.dvc``, a few lines beside a file that a remote holds, in DVC's own format."""

import hashlib
from pathlib import Path
from typing import Any

import yaml

from gristmill.errors import ArtifactError


def read(pointer: Path) -> dict[str, Any]:
    """Return what a pointer file says.

    Raises
    ------
    ArtifactError
        It is not DVC's pointer to the file of its name.
    """
    try:
        content = yaml.safe_load(pointer.read_text(encoding="utf-8"))
        whole = content["outs"][0]["md5"] and content["outs"][0]["path"] == pointer.name.removesuffix(".dvc")
    except (OSError, ValueError, KeyError, TypeError, IndexError, yaml.YAMLError):
        whole = False
    if not whole:
        raise ArtifactError(f"{pointer} is not DVC's pointer to the file of that name. Bring it back from version control.")
    return dict(content)


def md5_of(file: Path) -> str:
    """Return the MD5 that the pointer beside a file states.

    Raises
    ------
    ArtifactError
        As :func:`read`.
    """
    return str(read(Path(f"{file}.dvc"))["outs"][0]["md5"])


def is_pointed_to(file: Path) -> bool:
    """Return whether a file is there and holds what the pointer beside it states.

    Raises
    ------
    ArtifactError
        As :func:`read`.
    """
    stated = md5_of(file)
    if not file.is_file():
        return False
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, lambda: hashlib.md5(usedforsecurity=False)).hexdigest() == stated


def discard(root: Path, file: Path) -> None:
    """Remove a file that is not what was pushed, and the copy that DVC keeps of it under ``root``."""
    file.unlink()
    md5 = md5_of(file)
    (root / ".dvc" / "cache" / "files" / "md5" / md5[:2] / md5[2:]).unlink(missing_ok=True)
