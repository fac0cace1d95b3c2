"""Bodies read under a limit of bytes, counted as they come, and of time."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator, MutableMapping
from typing import Any

from gristmill.serving.problems import ProblemError

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

CLOSE = {"Connection": "close"}
"""Sent where a body was not read to its end: what is left of it must not be taken for the next request."""


class Disconnected(Exception):  # noqa: N818 - nothing went wrong: nobody is there
    """The caller went away before the body was here."""


def _nowhere(count: int) -> None:
    """Count nothing."""


async def read_body(
    receive: Receive, announced: int | None, most_bytes: int, seconds: float, come: Callable[[int], None] = _nowhere
) -> bytes:
    """Return a body.

    Parameters
    ----------
    receive
        Gives its pieces.
    announced
        What ``Content-Length`` says, or None.
    most_bytes, seconds
        How large it may be, and how long it may take.
    come
        Told how many bytes each piece has; what it raises ends the reading.

    Raises
    ------
    ProblemError
        It is larger (413), or takes longer (408).
    Disconnected
        The caller went away.
    """
    if announced is not None and announced > most_bytes:
        raise _too_large(most_bytes)
    gathering = Begun(_gather(receive, most_bytes, come))
    if gathering.done:
        return gathering.value
    try:
        async with asyncio.timeout(seconds):
            return await gathering
    except TimeoutError as error:
        raise ProblemError(408, "Slow Body", f"The body was not here within {seconds:g} seconds.", headers=CLOSE) from error


class Begun:
    """A coroutine that has run up to where it first has to wait, or to its end: most bodies are here, and need no timer.

    Parameters
    ----------
    coroutine
        Of the running event loop; what it raises before it waits is raised here.

    Attributes
    ----------
    done, value
        Whether it has returned, and what.
    """

    __slots__ = ("_coroutine", "_waits_for", "done", "value")

    def __init__(self, coroutine: Coroutine[Any, Any, bytes]) -> None:
        self._coroutine = coroutine
        self.done, self.value = False, b""
        try:
            self._waits_for = coroutine.send(None)
        except StopIteration as end:
            self.done, self.value = True, end.value

    def __await__(self) -> Generator[Any, Any, bytes]:
        """Wait for the rest of it."""
        while not self.done:
            try:
                try:
                    sent = yield self._waits_for
                except BaseException as error:  # noqa: BLE001 - such as a cancellation, which is the coroutine's to handle
                    self._waits_for = self._coroutine.throw(error)
                else:
                    self._waits_for = self._coroutine.send(sent)
            except StopIteration as end:
                self.done, self.value = True, end.value
        return self.value


async def _gather(receive: Receive, most_bytes: int, come: Callable[[int], None]) -> bytes:
    """Return the pieces of a body together."""
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):  # most come in one piece
        piece: bytes = message.get("body", b"")
        if len(piece) > most_bytes:
            raise _too_large(most_bytes)
        come(len(piece))
        return piece
    body = bytearray()
    while message["type"] == "http.request":
        piece = message.get("body", b"")
        if len(body) + len(piece) > most_bytes:
            raise _too_large(most_bytes)
        come(len(piece))
        body += piece
        if not message.get("more_body", False):
            return bytes(body)
        message = await receive()
    raise Disconnected


async def let_go(receive: Receive, most_bytes: int, seconds: float) -> bool:
    """Read a body that nobody wants, keeping nothing of it, and return whether its end came within some bytes and seconds."""
    count = 0
    try:
        async with asyncio.timeout(seconds):
            while count <= most_bytes:
                message = await receive()
                count += len(message.get("body", b""))
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return message["type"] == "http.request" and count <= most_bytes
    except TimeoutError:
        return False
    return False


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
