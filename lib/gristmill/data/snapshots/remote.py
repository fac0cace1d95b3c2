"""Snapshots and stored splits carried to a remote and back by DVC, with a small pointer file beside each to commit.

``data/snapshots/<digest>.parquet.dvc`` is DVC's own format; under ``meta`` it holds what the history of each case says about the
snapshot, so that a fresh clone knows its versions without anything else. DVC runs as a program of its own: importing it takes a
second, and it may end its process.
"""

import configparser
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from gristmill.data.products import replacing
from gristmill.data.snapshots import history, pointer_file
from gristmill.data.snapshots.snapshot import Snapshot, is_whole, verified
from gristmill.data.splits import shared
from gristmill.errors import ArtifactError
from gristmill.paths import CasePaths

REMOTE = "gristmill"
"""Name under which DVC keeps a remote that was given as a URL."""

_META = "gristmill"
_MISSING = ("do not exist neither locally nor on remote", "Checkout failed for following targets", "missing-files")


@dataclass(frozen=True)
class Carried:
    """What a push or pull did.

    Attributes
    ----------
    digests
        Snapshots that are now in both places, the newest last.
    remote
        What DVC calls the remote.
    split
        Whether a stored split was carried with them.
    pointers
        Files to commit, relative to the project's root; empty after a pull.
    """

    digests: tuple[str, ...]
    remote: str
    split: bool
    pointers: tuple[str, ...] = ()


def push(paths: CasePaths, beginning: str | None = None, remote: str | None = None) -> Carried:
    """Copy the versions of a case's source that are here, and its stored split, to a remote; leave a pointer file beside each.

    Parameters
    ----------
    paths
        The case.
    beginning
        Beginning of the digest of the one to copy; all versions that are here if not given.
    remote
        A remote's name in DVC's configuration, or the URL or folder of one, which becomes the default; the default if not given.
        A URL that DVC knows by some name is used by that name.

    Raises
    ------
    CaseFileError, ArtifactError
        There is no such case or version, DVC or a remote is missing, a snapshot or the split is damaged, the split is another
        than was pushed before, DVC has another remote of the name :data:`REMOTE`, or the remote does not take it.
    """
    _require_dvc()
    chosen = [history.find(paths, beginning)] if beginning is not None else history.versions(paths)
    here = [version.snapshot for version in chosen if beginning is not None or (paths.root / version.snapshot.path).is_file()]
    if not here:
        raise ArtifactError(f"No snapshot of the case {paths.name!r} is here to push. Build it: `make run CASE={paths.name}`.")
    for snapshot in here:
        verified(paths.root / snapshot.path)
    splits = shared.to_push(paths)
    _prepare(paths.root)
    name = _remote(paths.root, remote, "push")
    files = [*(snapshot.path for snapshot in here), *splits]
    _dvc(paths.root, "add", *files)
    for snapshot in here:
        _describe(paths, snapshot)
        verified(paths.root / snapshot.path)  # DVC put a link to its copy in the file's place
    pointers = tuple(f"{file}.dvc" for file in files)
    _dvc(paths.root, "push", "--remote", name, *pointers)
    return Carried(tuple(snapshot.digest for snapshot in here), name, bool(splits), pointers)


def pull(paths: CasePaths, beginning: str | None = None, remote: str | None = None) -> Carried:
    """Bring the snapshots and the stored split of a case that pointer files name back from a remote, and enter them in its history.

    Parameters
    ----------
    paths
        The case.
    beginning
        Beginning of the digest of the one to bring; all that have a pointer file if not given.
    remote
        As for :func:`push`; a URL is remembered for this copy of the project alone.

    Raises
    ------
    CaseFileError, ArtifactError
        There is no such case or pointer file, DVC or a remote is missing, another split is here, the remote does not have a
        file, or what it has is not what was pushed; then the file is removed again.
    """
    _require_dvc()
    wanted = list(_pointers(paths, beginning))
    if not wanted:
        raise ArtifactError(
            f"No pointer file in {paths.project.snapshots} names a snapshot of the case {paths.name!r}"
            f"{'' if beginning is None else f' that begins with {beginning!r}'}. `gristmill data push {paths.argument}` writes "
            "them where the snapshots are; commit them there and update this copy."
        )
    _prepare(paths.root)
    name = _remote(paths.root, remote, "pull")
    with shared.to_pull(paths) as files:  # before the snapshots: with them alone, a build would draw another split
        if files:
            _dvc(paths.root, "pull", "--remote", name, *(f"{file}.dvc" for file in files))
    absent = [snapshot for snapshot in wanted if not is_whole(paths.root / snapshot.path)]
    for snapshot in absent:
        if (paths.root / snapshot.path).exists():
            pointer_file.discard(paths.root, paths.root / snapshot.path)  # a damaged one, which DVC would rather keep
    if absent:
        try:
            _dvc(paths.root, "pull", "--remote", name, *(f"{snapshot.path}.dvc" for snapshot in absent))
        finally:
            damaged = [snapshot for snapshot in absent if not _accepted(paths.root, snapshot)]
        if damaged:
            raise ArtifactError(
                f"What the remote {name!r} holds as snapshot {damaged[0].digest[: history.SHOWN]} is not what was pushed: its "
                "content has another digest. It was not kept; push it again from a copy that has it."
            )
    for snapshot in wanted:
        history.enter(paths, snapshot)
    return Carried(tuple(snapshot.digest for snapshot in wanted), name, any(paths.splits.glob("*/*.dvc")))


def _accepted(root: Path, snapshot: Snapshot) -> bool:
    """Make a file that was brought read-only if it is whole, and remove it and DVC's copy otherwise; one not there is no matter."""
    file = root / snapshot.path
    if not file.exists() or is_whole(file):
        with suppress(FileNotFoundError):
            file.chmod(0o444)
        return True
    pointer_file.discard(root, file)
    return False


def _describe(paths: CasePaths, snapshot: Snapshot) -> None:
    """Add to a pointer file what the case's history says about the snapshot."""
    pointer = paths.root / f"{snapshot.path}.dvc"
    content = pointer_file.read(pointer)
    content.setdefault("meta", {}).setdefault(_META, {})[paths.history.stem] = snapshot.to_dict()
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    if pointer.read_text(encoding="utf-8") != text:  # DVC breaks long lines, also of what it left as it was
        with replacing(pointer) as temporary:
            temporary.write_text(text, encoding="utf-8")


def _pointers(paths: CasePaths, beginning: str | None) -> Iterator[Snapshot]:
    """Give the snapshots of a case that pointer files name, the earliest first."""
    found = []
    for pointer in sorted(paths.project.snapshots.glob("*.parquet.dvc")):
        known: Mapping[str, Any] = (pointer_file.read(pointer).get("meta") or {}).get(_META) or {}
        if paths.history.stem in known and pointer.name.startswith((beginning or "").lower()):
            try:
                snapshot = Snapshot(**known[paths.history.stem])
            except TypeError as error:
                raise ArtifactError(f"{pointer}: {error}. Bring the file back from version control.") from error
            if f"{paths.root / snapshot.path}.dvc" != str(pointer):
                raise ArtifactError(f"{pointer} names another snapshot, {snapshot.path}. Bring the file back from version control.")
            found.append(snapshot)
    yield from sorted(found, key=lambda snapshot: snapshot.ingested_at)


def _require_dvc() -> None:
    """Refuse to go on without DVC."""
    if importlib.util.find_spec("dvc") is None:
        raise ArtifactError(
            "Pushing and pulling snapshots needs the package dvc. Install it: `uv pip install 'gristmill[dvc]'`, and what DVC "
            "asks for by the kind of remote (`dvc-s3`, `dvc-ssh`, ...)."
        )


def _prepare(root: Path) -> None:
    """Make the project one of DVC's, with git or without."""
    above = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), None)
    if not (root / ".dvc").is_dir():
        _dvc(root, "init", *([] if above == root else ["--no-scm"] if above is None else ["--subdir"]))
        _dvc(root, "config", "cache.type", "reflink,hardlink,copy")  # a snapshot is read-only: no second copy of it is needed
    elif above is None and _settings(root).get("core", "no_scm", fallback="false").lower() != "true":
        _dvc(root, "config", "--local", "core.no_scm", "true")  # an unpacked archive of a repository


def _settings(root: Path, *files: str) -> configparser.ConfigParser:
    """Return DVC's configuration of a project, what is local to this copy before what is shared; or that of some files."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read([root / ".dvc" / file for file in files or ("config", "config.local")], encoding="utf-8")
    except configparser.Error as error:
        raise ArtifactError(
            f"DVC's configuration in {root / '.dvc'} cannot be read: {error}. Mend it; `dvc config` writes it."
        ) from error
    return parser


def _remote(root: Path, asked: str | None, verb: str) -> str:
    """Return the name of the remote to use, after entering one that was given as a URL and that DVC does not know."""
    settings = _settings(root)
    known = [part.strip("'").removeprefix('remote "').removesuffix('"') for part in settings.sections() if "remote " in part]
    if asked is None:
        default = settings.get("core", "remote", fallback=None) or _global_default(root)
        if default is None:
            raise ArtifactError(
                "No remote is configured. Name one: `--remote URL`, such as a folder, s3://bucket/path or ssh://host/path; or "
                "configure it with `dvc remote add --default NAME URL`."
            )
        return default
    if asked in known:
        return asked
    if urlsplit(asked).password:
        raise ArtifactError(
            "The URL of a remote may not hold a password: it is written into a file that is committed. Give the URL without it, "
            "and the password with `dvc remote modify --local`."
        )
    if "://" not in asked:
        asked = os.fspath(Path(asked).expanduser().absolute())
        if verb == "pull" and not Path(asked).is_dir():
            raise ArtifactError(
                f"Expected a remote to pull from, but there is no folder {asked}, and no remote of that name in DVC."
            )
    asked = _place(root, asked)
    local = ["--local"] if verb == "pull" else []  # a clone's own copy of a remote is no matter of the others
    same = next((name for name in known if _place(root, settings.get(_section(settings, name), "url", fallback="")) == asked), None)
    if same is not None:
        if settings.get("core", "remote", fallback=None) is None:
            _dvc(root, "remote", "default", *local, same)
        return same
    _refuse_another(root, settings if verb == "push" else _settings(root, "config.local"), asked)
    _dvc(root, "remote", "add", "--default", *local, REMOTE, asked)
    return REMOTE


def _section(settings: configparser.ConfigParser, name: str) -> str:
    """Return the section of DVC's configuration that is about a remote."""
    return next((part for part in settings.sections() if part.strip("'") == f'remote "{name}"'), "")


def _place(root: Path, url: str) -> str:
    """Return where a remote is: of a folder, which the configuration may name from its own place, the whole path."""
    return url.rstrip("/") if "://" in url else os.path.normpath(root / ".dvc" / url)


def _refuse_another(root: Path, settings: configparser.ConfigParser, asked: str) -> None:
    """Refuse to put a URL in the place of another that DVC has under our name: it may be a person's."""
    there = settings.get(_section(settings, REMOTE), "url", fallback=None)
    if there is not None:
        raise ArtifactError(
            f"DVC has a remote {REMOTE!r} already, at {_place(root, there)}, and it was left as it is. To use it, say `--remote "
            f"{REMOTE}`; to use {asked}, give it a name of its own, `dvc remote add NAME {asked}`, and say `--remote NAME`."
        )


def _global_default(root: Path) -> str | None:
    """Return the default remote that DVC's settings of the user or the machine name."""
    done = _run(root, "config", "core.remote")
    return done.stdout.strip() or None if done.returncode == 0 else None


def _run(root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run DVC in the project."""
    environment = {**os.environ, "DVC_NO_ANALYTICS": "1", "NO_COLOR": "1"}
    return subprocess.run(
        [sys.executable, "-m", "dvc", *arguments], cwd=root, env=environment, capture_output=True, text=True, check=False
    )


def _dvc(root: Path, *arguments: str) -> None:
    """Run DVC in the project, and say in a sentence why it failed."""
    try:
        done = _run(root, *arguments)
    except OSError as error:
        raise ArtifactError(f"DVC cannot be started: {error}.") from error
    if done.returncode == 0:
        return
    said = [line.strip() for line in (done.stderr + done.stdout).splitlines() if line.strip()]
    if arguments[0] == "pull" and any(mark in line for mark in _MISSING for line in said):
        raise ArtifactError(
            f"The remote {arguments[2]!r} cannot be reached, or does not have a file that a pointer names, or "
            "not whole. Look at `dvc remote list`, and push from the copy of the project that has it: `gristmill data push`."
        )
    errors = [line.removeprefix("ERROR:").strip() for line in said if line.startswith("ERROR")] or said[-1:] or ["no reason given"]
    reason = errors[0].rstrip(".")
    raise ArtifactError(f"DVC could not {arguments[0]}: {reason}. Mend it (`dvc remote list` names the remotes) and run it again.")
