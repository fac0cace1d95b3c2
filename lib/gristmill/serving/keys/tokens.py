"""The token that a caller sends: made once, shown once, kept only as its hash.

What is kept is the SHA-256 of 256 random bits. A slow hash such as bcrypt or Argon2 protects secrets that people choose, of which
there are few enough to try them all; of these there are 2**256, so that trying them against a stolen table is hopeless however
fast the hash. A slow one would cost each request a tenth of a second, and let whoever sends wrong keys use up the machine.
"""

import hashlib
import re
import secrets

PREFIX = "gm"
"""How every token begins, so that scanners find one that was published by mistake."""

_TOKEN = re.compile(rf"{PREFIX}_([0-9a-f]{{12}})_([A-Za-z0-9_-]{{43}})")


def new_token() -> tuple[str, str]:
    """Return a new token and its id: ``gm_<id>_<secret>``, the id of 48 and the secret of 256 random bits."""
    identity = secrets.token_hex(6)
    return f"{PREFIX}_{identity}_{secrets.token_urlsafe(32)}", identity


def hash_of(token: str) -> str:
    """Return the SHA-256 of a token, in hexadecimal."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def id_of(token: str) -> str | None:
    """Return the id in a token, or None if this is no token."""
    found = _TOKEN.fullmatch(token)
    return None if found is None else found[1]
