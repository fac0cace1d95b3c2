"""The model directory: written whole or not at all, verified before anything in it is loaded.

A directory is flat. Its ``manifest.json`` holds the SHA-256 of every other file and one digest over all of them; what the
manifest does not name may not be there, and what it names must be as it says. Files are read once, and what is loaded is the very
bytes that were verified.
"""

import hashlib
import json
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gristmill.data.products import write_json
from gristmill.errors import ArtifactError
from gristmill.modeling.artifact.persistence import dump_pipeline, load_pipeline_bytes

FORMAT = 1
MANIFEST = "manifest.json"
PIPELINE = "pipeline.skops"
MODEL = "model.json"
CONTRACT = "contract.json"
DRIFT_REFERENCE = "drift_reference.json"
CANDIDATE_FILES = (PIPELINE, MODEL, CONTRACT, DRIFT_REFERENCE)
CONFORMITY = "conformity.json"
"""What sets and intervals are made of; models of earlier builds have none."""

COMPILED, COMPILED_ARRAYS = "compiled.json", "compiled.npz"
"""The compiled form, by which the model answers in service; absent where it has none."""

BUILD_RECORD = ".manifest.json.metadata"
"""What the build system keeps beside the manifest to know whether the task is up to date; never read by us."""

FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
REBUILD = "Do not load it; build the case again, or take the version anew from the registry."


@dataclass(frozen=True)
class Manifest:
    """What a model directory must hold."""

    case: str
    digest: str
    files: Mapping[str, str]


def digest_of(files: Mapping[str, str], case_name: str) -> str:
    """Return one SHA-256 over the names and digests of all files."""
    content = {"format": FORMAT, "case": case_name, "files": dict(sorted(files.items()))}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, read in pieces."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


@contextmanager
def replacing_directory(directory: Path | str) -> Iterator[Path]:
    """Give a temporary directory to fill, and put it in the place of ``directory`` when the block ends without an error."""
    target = Path(directory)
    target.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    replaced = made.with_name(made.name + "-replaced")
    try:
        yield made
        made.chmod(0o755)
        if target.exists():
            target.rename(replaced)
        made.rename(target)
    finally:
        shutil.rmtree(made, ignore_errors=True)
        shutil.rmtree(replaced, ignore_errors=True)


def write_manifest(directory: Path, case_name: str) -> Manifest:
    """Write the manifest over the files of a directory, and return it."""
    files = {path.name: file_digest(path) for path in sorted(directory.iterdir()) if path.name not in (MANIFEST, BUILD_RECORD)}
    manifest = Manifest(case_name, digest_of(files, case_name), files)
    write_json(directory / MANIFEST, {"format": FORMAT, "case": case_name, "digest": manifest.digest, "files": files})
    return manifest


def save_candidate(
    directory: Path | str,
    pipeline: Any,
    model: Mapping[str, Any],
    contract: Mapping[str, Any],
    drift_reference: Mapping[str, Any],
    case_name: str,
    conformity: Mapping[str, Any] | None = None,
    compiled: Mapping[str, bytes] | None = None,
) -> str:
    """Write a fitted pipeline with all that is needed to use it, and return the digest over its files.

    Parameters
    ----------
    directory
        Where the model is to lie; what was there is replaced, in one step.
    pipeline
        Fitted; takes the contracted columns and answers ``predict_proba`` on class codes, or ``predict``.
    model, contract, drift_reference
        Written as JSON beside it.
    case_name
        Name of the case the model is for.
    conformity
        Its conformity scores, written as JSON; without them it answers no sets and no intervals.
    compiled
        The files of its compiled form, by name; none where it has no such form.

    Raises
    ------
    ArtifactError
        The pipeline holds a type that could not be loaded again; nothing was written.
    """
    content = dump_pipeline(pipeline)
    with replacing_directory(directory) as made:
        (made / PIPELINE).write_bytes(content)
        write_json(made / MODEL, model)
        write_json(made / CONTRACT, contract)
        write_json(made / DRIFT_REFERENCE, drift_reference)
        if conformity is not None:
            write_json(made / CONFORMITY, conformity)
        for name, data in (compiled or {}).items():
            (made / name).write_bytes(data)
        return write_manifest(made, case_name).digest


def extend(source: Path | str, directory: Path | str, additions: Mapping[str, bytes], digest: str | None = None) -> Manifest:
    """Write ``directory`` as a verified copy of ``source``, byte for byte, with more files beside it; return its manifest.

    Raises
    ------
    ArtifactError
        ``source`` is not what its manifest says, or has another digest than ``digest``; or an addition has the name of a file
        in it.
    """
    manifest, content = read_verified(source, digest)
    clash = sorted(set(content) & set(additions))
    if clash:
        raise ArtifactError(f"Expected new names beside those of {source}, got {clash[0]!r}, which is one of its own files.")
    with replacing_directory(directory) as made:
        for name, data in {**content, **additions}.items():
            (made / name).write_bytes(data)
        return write_manifest(made, manifest.case)


def verify(directory: Path | str, digest: str | None = None) -> Manifest:
    """Return the manifest of a model directory after checking every file against it.

    Parameters
    ----------
    directory
        The model directory.
    digest
        The digest it must have, where that is known from elsewhere: whoever may write the files may write their manifest too.

    Raises
    ------
    ArtifactError
        A file is altered, missing, too many, a link, or the manifest itself is not one, or has another digest.
    """
    return read_verified(directory, digest)[0]


def read_verified(directory: Path | str, digest: str | None = None) -> tuple[Manifest, dict[str, bytes]]:
    """Return the manifest and the content of every file, each read once and checked; takes and raises what :func:`verify` does."""
    folder = Path(directory)
    manifest = _read_manifest(folder)
    if digest is not None and manifest.digest != digest:
        raise ArtifactError(
            f"Expected the model of digest {digest[:12]} in {folder}, got that of digest {manifest.digest[:12]}: it was replaced. "
            f"{REBUILD}"
        )
    _refuse_strangers(folder, manifest)
    content = {name: _read_regular(folder / name) for name in manifest.files}
    for name, data in content.items():
        if hashlib.sha256(data).hexdigest() != manifest.files[name]:
            raise ArtifactError(f"The file {name!r} in {folder} was altered after it was written: its SHA-256 differs. {REBUILD}")
    return manifest, content


def load_pipeline(directory: Path | str) -> Any:
    """Return the fitted pipeline of a model directory, verified first.

    Raises
    ------
    ArtifactError
        As :func:`verify`, or the pipeline holds a type that is not trusted.
    """
    manifest, content = read_verified(directory)
    require_files(manifest, (PIPELINE,), directory)
    return load_pipeline_bytes(content[PIPELINE])


def require_files(manifest: Manifest, names: tuple[str, ...], directory: Path | str) -> None:
    """Raise :class:`ArtifactError` if the manifest lacks one of ``names``."""
    missing = [name for name in names if name not in manifest.files]
    if missing:
        raise ArtifactError(f"Expected {missing[0]!r} in the model directory {directory}, but its manifest names none. {REBUILD}")


def _read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a folder if it is well formed and its digest is that of the files it names."""
    if not folder.is_dir():
        raise ArtifactError(f"Expected a model directory at {folder}, but there is none. Build the case: `make run`.")
    try:
        content = json.loads(_read_regular(folder / MANIFEST))
    except (ValueError, RecursionError) as error:
        raise ArtifactError(f"Expected a manifest in JSON at {folder / MANIFEST}, but {error}. {REBUILD}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ArtifactError(f"Expected a manifest of format {FORMAT} in {folder}, got something else. {REBUILD}")
    files, case = content.get("files"), content.get("case")
    if not isinstance(files, dict) or not isinstance(case, str) or not files:
        raise ArtifactError(f"Expected a manifest of format {FORMAT} in {folder}, got one without files. {REBUILD}")
    for name, digest in files.items():
        if not FILE_NAME.fullmatch(name) or name == MANIFEST or not isinstance(digest, str):
            raise ArtifactError(f"The manifest in {folder} names {name!r}, which cannot be a file of a model. {REBUILD}")
    if content.get("digest") != digest_of(files, case):
        raise ArtifactError(f"The manifest in {folder} was altered: its digest is not that of the files it names. {REBUILD}")
    return Manifest(case, content["digest"], files)


def _refuse_strangers(folder: Path, manifest: Manifest) -> None:
    """Raise if the folder holds more or less than the manifest says, or anything but plain files."""
    present = {entry.name for entry in os.scandir(folder)} - {MANIFEST, BUILD_RECORD}
    for name in sorted(present - set(manifest.files)):
        raise ArtifactError(f"The model directory {folder} holds {name!r}, which its manifest does not name. {REBUILD}")
    for name in sorted(set(manifest.files) - present):
        raise ArtifactError(f"The file {name!r} of the model directory {folder} is missing. {REBUILD}")


def _read_regular(path: Path) -> bytes:
    """Return the content of a plain file; a link is not followed, a folder or a pipe is not read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        reason = "it is a link" if path.is_symlink() else error.strerror
        raise ArtifactError(f"Expected a plain file at {path}, but it cannot be read: {reason}. {REBUILD}") from error
    with os.fdopen(descriptor, "rb") as opened:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ArtifactError(f"Expected a plain file at {path}, got something else. {REBUILD}")
        return opened.read()
