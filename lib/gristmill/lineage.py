"""Which code and which locked environment a model comes from (R6, R22)."""

import hashlib
import subprocess
from pathlib import Path

LOCK = "requirements.lock"
CODE = ("lib", "notebooks", "configs", "pipeline.yaml", "env.yaml", LOCK)
"""What of a project decides the model that comes out, besides the data."""


def _git(root: Path, *arguments: str) -> str | None:
    """Return what git answers in ``root``, or None if there is no git, or ``root`` is not under version control."""
    try:
        answer = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()


def content_digest(root: Path) -> str:
    """Return one SHA-256 over the names and contents of all files that are code."""
    digest = hashlib.sha256()
    found = (path for name in CODE for path in ([root / name] if (root / name).is_file() else (root / name).rglob("*")))
    for path in sorted(path for path in found if path.is_file() and path.suffix in {".py", ".ipynb", ".yaml", ".lock"}):
        digest.update(f"{path.relative_to(root)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def code_version(root: Path) -> tuple[str, bool]:
    """Return the version of the code, and whether it was changed since.

    The version is git's commit; without one, ``sha256:`` and a digest over the files themselves, which no change can escape.
    """
    commit = _git(root, "rev-parse", "HEAD") if (root / ".git").exists() else None
    if commit is None:
        return f"sha256:{content_digest(root)}", False
    return commit, bool(_git(root, "status", "--porcelain", "--", *CODE))


def lock_digest(root: Path) -> str | None:
    """Return the SHA-256 of the locked environment, or None if the project has no lock."""
    lock = root / LOCK
    return hashlib.sha256(lock.read_bytes()).hexdigest() if lock.is_file() else None


def lineage_tags(root: Path, data_digest: str | None = None) -> dict[str, str]:
    """Return what a run or a model version says about where it comes from, by tag."""
    version, dirty = code_version(root)
    tags = {"code_version": version, "code_dirty": str(dirty).lower(), "lock_digest": lock_digest(root), "data_digest": data_digest}
    return {f"gristmill.{name}": value for name, value in tags.items() if value is not None}
