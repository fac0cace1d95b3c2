"""Signing a model directory that is there already."""

from pathlib import Path

from gristmill.data.products import write_json
from gristmill.errors import ArtifactError
from gristmill.modeling.artifact.model_directory import MANIFEST, Manifest, read_plain, read_signature, read_verified
from gristmill.modeling.artifact.signatures import KEY_VARIABLE, SIGNATURE, signature_of, signer, signing_keys


def sign(directory: Path | str, digest: str | None = None, *, replace: bool = False) -> tuple[Manifest, bool]:
    """Sign a model directory with the key of the environment, after every file was checked against its manifest.

    Parameters
    ----------
    directory
        The model directory.
    digest
        The digest it must have, where the registry knows it.
    replace
        Whether a signature of an unknown key is replaced.

    Returns
    -------
    Manifest, bool
        What was verified, and whether a signature was written: one of the present key stays as it is.

    Raises
    ------
    ArtifactError
        There is no key, the directory is not what its manifest says, or an unknown key has signed it.
    """
    keys = signing_keys()
    if not keys:
        raise ArtifactError(
            f"Expected a key to sign with in {KEY_VARIABLE}, got none. Make one with `openssl rand -hex 32` and set it."
        )
    folder = Path(directory)
    manifest, _ = read_verified(folder, digest, signed=False)
    content, present = read_plain(folder / MANIFEST), read_signature(folder)
    by = None if present is None else signer(content, present, keys)
    if by == keys[0]:
        return manifest, False
    if present is not None and by is None and not replace:
        raise ArtifactError(
            f"The model directory {folder} is signed with a key that is not here. If you know where the model comes from, sign it "
            "all the same with `--replace`; with the former key in GRISTMILL_SIGNING_KEY_OLD that is not needed."
        )
    write_json(folder / SIGNATURE, signature_of(content, keys[0]))
    return manifest, True
