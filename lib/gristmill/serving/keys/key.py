"""A key: a name, what it allows, until when; and the ways in which one is refused."""

from dataclasses import dataclass
from datetime import UTC, datetime

PREDICT, FEEDBACK, ADMIN, METRICS = SCOPES = ("predict", "feedback", "admin", "metrics")
ANY = "any"
"""The scope of a route that takes every valid key; no key has it."""


class KeyRefused(Exception):  # noqa: N818 - the name other parts rely on
    """A request has no key, a wrong one, or one that does not allow what is asked.

    Attributes
    ----------
    status
        401 if there is no valid key, 403 if there is one that does not allow it, 503 if nobody can tell.
    """

    def __init__(self, detail: str, status: int = 401) -> None:
        super().__init__(detail)
        self.detail, self.status = detail, status


class KeysUnavailable(KeyRefused):
    """The state database has not answered for so long that nobody can tell which keys are good."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, 503)


@dataclass(frozen=True)
class Key:
    """A key as the service knows it; the secret itself is not in it.

    Attributes
    ----------
    id
        The part of the key that is no secret.
    name
        Who or what it was made for.
    scopes
        What it allows.
    expires
        From when on it is refused, in seconds since 1970 (UTC).
    requests_per_second
        A limit of its own, or None for that of the case file.
    """

    id: str
    name: str
    scopes: frozenset[str]
    expires: float
    requests_per_second: float | None = None

    def require(self, scope: str) -> None:
        """Raise :class:`KeyRefused` (403) unless the key allows ``scope``."""
        if scope != ANY and scope not in self.scopes:
            raise KeyRefused(f"This key does not allow {scope!r}. Ask for one that does: `gristmill keys create`.", 403)

    @property
    def expires_at(self) -> str:
        """When it expires, in ISO 8601 and UTC."""
        return datetime.fromtimestamp(self.expires, UTC).isoformat(timespec="seconds")
