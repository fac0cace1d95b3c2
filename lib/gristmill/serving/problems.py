"""Problem documents: how the service says what is wrong (RFC 9457). Nothing that a caller sent is repeated in one."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"


def problem(status: int, title: str, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    """Return a response with a problem document.

    Parameters
    ----------
    status
        HTTP status.
    title
        What kind of problem it is, the same for all of the kind; empty for the name of the status.
    detail
        What was expected, what came, what to do; never a value that was sent.
    headers
        Further headers of the response, such as ``Retry-After``.
    **more
        Further members of the document, such as ``errors`` by column; ``type`` where the problem has an address.

    Raises
    ------
    ValueError
        A further member has the name of one of the four that RFC 9457 defines.
    """
    phrase = HTTPStatus(status).phrase
    kind = "about:blank" if title in ("", phrase) else f"urn:gristmill:{title.lower().replace(' ', '-')}"
    own = {"type": more.pop("type", kind), "title": title or phrase, "status": status, "detail": detail}
    clash = sorted(set(own) & set(more))
    if clash:
        raise ValueError(f"Expected members beside {', '.join(own)}, got {clash[0]!r}")
    content = json.dumps({**own, **more}, ensure_ascii=False, allow_nan=False).encode()
    return Response(content, status, dict(headers or {}), MEDIA_TYPE)


def kind_of(title: str) -> str:
    """Return what a refusal is counted as: its title as one word, of which there are as many as the program has titles."""
    return title.lower().replace(" ", "_")


class ProblemError(Exception):
    """A request is refused with a problem document; raised where no response is at hand.

    Parameters
    ----------
    status, title, detail, headers, **more
        As :func:`problem`.
    """

    def __init__(self, status: int, title: str, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail = status, title, detail
        self.headers, self.more = dict(headers or {}), more

    @property
    def kind(self) -> str:
        """What it is counted as; see :func:`kind_of`."""
        return kind_of(self.title)

    def response(self, **more: Any) -> Response:
        """Return the problem as a response, with further members."""
        return problem(self.status, self.title, self.detail, headers=self.headers, **{**self.more, **more})
