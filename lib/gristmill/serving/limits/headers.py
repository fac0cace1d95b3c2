"""What the headers of a request say that matters before the application sees it, read in one pass."""

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from gristmill.serving.problems import ProblemError

_REQUEST_ID = re.compile(rb"[A-Za-z0-9_.:-]{1,128}")
_JSON = re.compile(rb'application/json[ \t]*(?:;[ \t]*charset=(?:utf-8|"utf-8")[ \t]*)?', re.IGNORECASE)
_DIGITS = re.compile(rb"\d{1,18}")
_READ = {
    b"host": "host",
    b"authorization": "authorization",
    b"content-type": "content_type",
    b"content-length": "content_length",
    b"content-encoding": "content_encoding",
    b"transfer-encoding": "transfer_encoding",
    b"expect": "expect",
}
_OVERHEAD = 4
"""Bytes of a header beside its name and value: colon, space, end of line."""


@dataclass
class Headers:
    """What headers say; None for what is not there.

    Attributes
    ----------
    count, size
        How many they are, and their bytes together.
    twice
        Name of one that may stand once and stands twice.
    """

    host: bytes | None = None
    authorization: bytes | None = None
    content_type: bytes | None = None
    content_length: bytes | None = None
    content_encoding: bytes | None = None
    transfer_encoding: bytes | None = None
    expect: bytes | None = None
    count: int = 0
    size: int = 0
    twice: str = ""

    @classmethod
    def of(cls, given: Iterable[tuple[bytes, bytes]]) -> "Headers":
        """Return what headers say, their names in small letters."""
        read = cls()
        for name, value in given:
            read.count += 1
            read.size += len(name) + len(value) + _OVERHEAD
            place = _READ.get(name)
            if place is not None:
                if getattr(read, place) is not None:
                    read.twice = name.decode("ascii")
                setattr(read, place, value)
        return read

    @property
    def has_body(self) -> bool:
        """Whether a body follows."""
        return self.transfer_encoding is not None or self.content_length not in (None, b"0")

    @property
    def announced(self) -> int | None:
        """Bytes of the body, if that is said beforehand.

        Raises
        ------
        ProblemError
            What is said is no number (400).
        """
        if self.content_length is None:
            return None
        if not _DIGITS.fullmatch(self.content_length):
            raise ProblemError(400, "Bad Request", "Expected a number of bytes in `Content-Length`, got something else.")
        return int(self.content_length)

    @property
    def token(self) -> str | None:
        """The key that is sent, or None."""
        scheme, _, token = (self.authorization or b"").partition(b" ")
        return token.strip().decode("latin-1") if scheme.lower() == b"bearer" and token else None

    def require_json(self) -> None:
        """Refuse a body that is not said to be plain JSON in UTF-8 (415)."""
        if self.content_encoding not in (None, b"identity"):
            raise ProblemError(
                415, "Unsupported Media Type", "Expected a body that is not compressed: send it without `Content-Encoding`."
            )
        if self.content_type != b"application/json" and not _JSON.fullmatch(self.content_type or b""):
            raise ProblemError(
                415, "Unsupported Media Type", "Expected `Content-Type: application/json`, in UTF-8 if a charset is named."
            )


def request_id_of(given: Iterable[tuple[bytes, bytes]]) -> str:
    """Return the ``X-Request-ID`` that was sent, if it is one of 1 to 128 harmless characters, or a new one of 32."""
    for name, value in given:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return value.decode("ascii")
    return secrets.token_hex(16)
