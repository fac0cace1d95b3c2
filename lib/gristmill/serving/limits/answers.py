"""What leaves the service: every answer with the headers that keep browsers and caches out, and no failure in its own words."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from gristmill.serving.problems import MEDIA_TYPE, problem

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

SECURITY_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_OURS = frozenset(name for name, _ in SECURITY_HEADERS) | {b"x-request-id", b"server", b"x-powered-by"}
_CORS = b"access-control-"
_FAILED = "The service failed at this request. Its log says where, under the request id."


class Answer:
    """Sends one answer, with our headers in the place of the application's.

    Parameters
    ----------
    send
        Of the server.
    request_id
        Sent with it.

    Attributes
    ----------
    started, ended
        Whether anything, or everything, has left.
    close
        Whether the connection is to end with it.
    """

    def __init__(self, send: Send, request_id: str) -> None:
        self._send, self._request_id = send, request_id
        self._headers = [*SECURITY_HEADERS, (b"x-request-id", request_id.encode("ascii"))]
        self.started = self.ended = self.close = self._replaced = False

    async def send(self, message: Message) -> None:
        """Send a message on; a failure that is not a problem document is replaced by one that tells nothing."""
        if self._replaced:
            return
        if message["type"] == "http.response.start":
            if message["status"] >= 500 and not _is_problem(message):
                self._replaced = True
                await self._fail()
                return
            self.started = True
            message = {**message, "headers": self._with_ours(message.get("headers", ()))}
        elif message["type"] == "http.response.body":
            self.ended = not message.get("more_body", False)
        await self._send(message)

    async def hold(self, message: Message) -> None:
        """Send a message on, and leave the answer open until :meth:`end`, although all of it has left."""
        if message["type"] == "http.response.body":
            message = {**message, "more_body": True}
        await self.send(message)

    async def end(self) -> None:
        """End an answer that was held."""
        await self.send({"type": "http.response.body", "body": b""})

    async def fail(self) -> None:
        """Answer 500, unless something has left already: then the server breaks the connection off."""
        if not self.started and not self._replaced:
            await self._fail()

    async def _fail(self) -> None:
        response = problem(500, "Internal Server Error", _FAILED, request_id=self._request_id)
        headers = self._with_ours(response.raw_headers)
        self.started = self.ended = True
        await self._send({"type": "http.response.start", "status": 500, "headers": headers})
        await self._send({"type": "http.response.body", "body": response.body})

    def _with_ours(self, headers: Any) -> list[tuple[bytes, bytes]]:
        kept = [(name, value) for name, value in headers if name not in _OURS and not name.startswith(_CORS)]
        return [*kept, *self._headers, (b"connection", b"close")] if self.close else [*kept, *self._headers]


def _is_problem(message: Message) -> bool:
    """Return whether an answer that begins is a problem document."""
    return any(name == b"content-type" and value.startswith(MEDIA_TYPE.encode()) for name, value in message.get("headers", ()))
