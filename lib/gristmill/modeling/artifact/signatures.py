"""Who vouches for a model directory: a signature over its manifest, which has the SHA-256 of every file.

Sums alone tell that files and manifest agree; whoever may write the files may write the manifest, too. With a key in
``GRISTMILL_SIGNING_KEY`` every manifest that is written is signed (HMAC-SHA256, RFC 2104), and none is read whose signature is
missing or was made with another key: the bytes of the manifest are checked before they are parsed, and no other file is opened
before that. ``GRISTMILL_SIGNING_KEY_OLD`` may hold the key before, whose signatures are still taken while directories are signed
anew. Without a key signatures are neither made nor looked at. The signature lies beside the manifest, in a file of its own, so that
signing changes neither the manifest nor its digest.
"""

import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from typing import Any

from gristmill.errors import ArtifactError

KEY_VARIABLE = "GRISTMILL_SIGNING_KEY"
OLD_KEY_VARIABLE = "GRISTMILL_SIGNING_KEY_OLD"
SIGNATURE = "manifest.signature.json"
SHORTEST_KEY = 32
"""Characters that a key has at least; `openssl rand -hex 32` gives 64."""

_PURPOSE = b"gristmill model manifest, format 1\n"
_ALGORITHM = "HMAC-SHA256"


def signing_keys(environment: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Return the keys whose signatures are taken, the one that signs first; none if the environment has none.

    Raises
    ------
    ArtifactError
        A key is too short to be one, or there is an old one alone.
    """
    given = os.environ if environment is None else environment
    current, old = given.get(KEY_VARIABLE, ""), given.get(OLD_KEY_VARIABLE, "")
    if old and not current:
        raise ArtifactError(f"Expected {KEY_VARIABLE} beside {OLD_KEY_VARIABLE}, got the old key alone. Set both, or neither.")
    for name, key in ((KEY_VARIABLE, current), (OLD_KEY_VARIABLE, old)):
        if key and len(key) < SHORTEST_KEY:
            raise ArtifactError(
                f"Expected at least {SHORTEST_KEY} characters in {name}, got {len(key)}. Make one with `openssl rand -hex 32`."
            )
    return tuple(key for key in (current, old) if key)


def signature_of(manifest: bytes, key: str) -> dict[str, str]:
    """Return the signature of the bytes of a manifest, and the mark of the key that made it, from which the key cannot be told."""
    return {"algorithm": _ALGORITHM, "key": _mark(key), "signature": _hmac(key, _PURPOSE + manifest)}


def require_signature(manifest: bytes, signature: bytes | None, directory: object) -> None:
    """Refuse the bytes of a manifest that no key of the environment has signed; do nothing if the environment has no key.

    Parameters
    ----------
    manifest
        Its bytes.
    signature
        Those of the file with its signature, or None if there is none.
    directory
        For the message.

    Raises
    ------
    ArtifactError
        The signature is missing, is none, or was made with another key or for other bytes.
    """
    keys = signing_keys()
    if not keys:
        return
    if signature is None:
        raise ArtifactError(
            f"The model directory {directory} is not signed, and {KEY_VARIABLE} is set, so that only signed models are loaded. If "
            "you know where it comes from, sign it: `gristmill sign MODEL`; or build the case again."
        )
    if signer(manifest, signature, keys) is None:
        raise ArtifactError(
            f"The signature of the model directory {directory} is not one of {KEY_VARIABLE}: it was signed with another key, or "
            "altered since. Nothing in it was opened. Build the case again, or take the version anew from where it was signed."
        )


def signer(manifest: bytes, signature: bytes, keys: tuple[str, ...]) -> str | None:
    """Return which of some keys has signed the bytes of a manifest, or None; compared in constant time."""
    said = _value(signature)
    found = None
    for key in keys:
        if hmac.compare_digest(_hmac(key, _PURPOSE + manifest).encode(), said):
            found = found or key
    return found


def _value(signature: bytes) -> bytes:
    """Return what a file with a signature says, or nothing if it says none."""
    try:
        content: Any = json.loads(signature)
    except (ValueError, RecursionError):
        return b""
    if not isinstance(content, dict) or content.get("algorithm") != _ALGORITHM or not isinstance(content.get("signature"), str):
        return b""
    return str(content["signature"]).encode("utf-8", "replace")


def _hmac(key: str, content: bytes) -> str:
    return hmac.new(key.encode("utf-8", "surrogateescape"), content, hashlib.sha256).hexdigest()


def _mark(key: str) -> str:
    """Return a short name of a key, to tell keys apart by."""
    return _hmac(key, b"gristmill key mark\n")[:16]
