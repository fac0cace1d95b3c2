"""Bodies read under a limit of bytes, counted as they come, and of time."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from gristmill.serving.problems import ProblemError

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

CLOSE = {"Connection": "close"}
"""Sent where a body was not read to its end: what is left of it must not be taken for the next request."""


class Disconnected(Exception):  # noqa: N818 - nothing went wrong: nobody is there
    """The caller went away before the body was here."""


async def read_body(receive: Receive, announced: int | None, most_bytes: int, seconds: float) -> bytes:
    """Return a body.

    Parameters
    ----------
    receive
        Gives its pieces.
    announced
        What ``Content-Length`` says, or None.
    most_bytes, seconds
        How large it may be, and how long it may take.

    Raises
    ------
    ProblemError
        It is larger (413), or takes longer (408).
    Disconnected
        The caller went away.
    """
    if announced is not None and announced > most_bytes:
        raise _too_large(most_bytes)
    try:
        async with asyncio.timeout(seconds):
            return await _gather(receive, most_bytes)
    except TimeoutError as error:
        raise ProblemError(408, "Slow Body", f"The body was not here within {seconds:g} seconds.", headers=CLOSE) from error


async def _gather(receive: Receive, most_bytes: int) -> bytes:
    """Return the pieces of a body together."""
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):  # most come in one piece
        piece: bytes = message.get("body", b"")
        if len(piece) > most_bytes:
            raise _too_large(most_bytes)
        return piece
    body = bytearray()
    while message["type"] == "http.request":
        body += message.get("body", b"")
        if len(body) > most_bytes:
            raise _too_large(most_bytes)
        if not message.get("more_body", False):
            return bytes(body)
        message = await receive()
    raise Disconnected


def _too_large(most_bytes: int) -> ProblemError:
    detail = f"Expected a body of at most {most_bytes:,} bytes, got a larger one. Send several requests."
    return ProblemError(413, "Body Too Large", detail, headers=CLOSE)


def replayed(body: bytes, receive: Receive) -> Receive:
    """Return a ``receive`` that gives a body that was read, and then waits for the caller to go away."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
