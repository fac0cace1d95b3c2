"""uvicorn's HTTP protocol on httptools, with the limits that it lacks: on the size of a head, on its time, and on connections.

httptools hands over a header when it has all of it, and uvicorn keeps as many as come: a caller that never ends its headers, or its
trailers, takes memory without bound, and one that sends a byte a minute keeps a connection for ever, because uvicorn's own timeout
begins only after a first answer. Here the bytes of a head are counted, it has a deadline, and trailers are dropped.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from gristmill.config.sections.service_limits import Limits
from gristmill.serving.limits.answers import SECURITY_HEADERS
from gristmill.serving.limits.attempts import address_of
from gristmill.serving.limits.room import Room
from gristmill.serving.problems import kind_of, problem


class LimitedProtocol(HttpToolsProtocol):
    """See the module.

    Parameters
    ----------
    *args, **kwargs
        As uvicorn gives them.
    limits
        What a head may have.
    room
        Where the connections of all addresses count; without it, none does by its address.
    refused
        Told the kind of each refusal, which no application sees.
    """

    def __init__(
        self, *args: Any, limits: Limits, room: Room | None = None, refused: Callable[[str], None] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._refused = refused
        self._limits = limits
        self._room, self._address = room, ""
        self._head_bytes = 0
        self._in_head, self._head_begun = True, False
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a first request, unless there are too many connections."""
        super().connection_made(transport)
        _send_at_once(transport)
        if len(self.connections) > self._limits.connections:
            self._end(503, "Too Many Connections", "The service has as many connections as it takes. Try again in 1 s.")
        elif self._is_one_too_many():
            self._end(503, "Too Many Connections", "This address has as many connections as one may. Try again in 1 s.")
        else:
            self._wait(self._limits.idle_seconds)

    def _is_one_too_many(self) -> bool:
        """Return whether this address has its share of connections already; take a place if not. Proxies speak for many."""
        address = address_of(self.client)
        if self._room is None or not address or address in self._limits.trusted_proxies:
            return False
        if self._room.has_its_share(address):
            return True
        self._room.take(address)
        self._address = address
        return False

    def data_received(self, data: bytes) -> None:
        """Parse what came; end what has too large a head, or begin to wait for the rest of it."""
        self._head_bytes += len(data)
        super().data_received(data)
        if not self._in_head or not self._head_bytes:
            return
        if self._head_bytes > self._limits.header_bytes:
            self._end(431, "Headers Too Large", f"Expected headers of at most {self._limits.header_bytes:,} bytes, got more.")
        elif not self._head_begun and not self.transport.is_closing():
            self._head_begun = True
            self._wait(self._limits.header_seconds)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; drop what comes after a body."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Stop the clock: what follows is a body, which the entrance watches."""
        self._stop()
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Count anew: what follows is another head."""
        super().on_message_complete()
        self._in_head, self._head_begun, self._head_bytes = True, False, 0

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock, and leave the place."""
        self._stop()
        if self._room is not None and self._address:
            self._room.leave(self._address)
            self._address = ""
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - the parser's words are uvicorn's
        """Refuse what is not HTTP with a problem document."""
        self._end(400, "Bad Request", "Expected a request in HTTP/1.1, got something else.")

    def _wait(self, seconds: float) -> None:
        self._stop()
        self._deadline = self.loop.call_later(seconds, self._too_late)

    def _stop(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_late(self) -> None:
        """End a connection whose head has not come: without a word if none of it has."""
        self._deadline = None
        if self._head_begun:
            self._end(408, "Slow Headers", f"The headers were not here within {self._limits.header_seconds:g} seconds.")
        elif not self.transport.is_closing():
            self.transport.close()

    def _end(self, status: int, title: str, detail: str) -> None:
        """Answer with a problem document, unless another answer is under way, and close."""
        self._stop()
        if self.transport.is_closing():
            return
        if self._refused is not None:
            self._refused(kind_of(title))
        if self._nothing_sent():
            response = problem(status, title, detail)
            headers = [*response.raw_headers, *SECURITY_HEADERS, (b"connection", b"close")]
            head = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
            self.transport.write(STATUS_LINE[status] + head + b"\r\n" + bytes(response.body))
        self.transport.close()

    def _nothing_sent(self) -> bool:
        """Return whether no answer is under way; to one that has not begun, the caller is as good as gone."""
        if self.cycle is None or self.cycle.response_complete:
            return True
        if self.pipeline or self.cycle.response_started:
            return False
        self.cycle.disconnected = True
        self.cycle.message_event.set()
        return True


def _send_at_once(transport: asyncio.Transport) -> None:
    """Have small pieces sent without waiting for the acknowledgement of those before, which takes up to 40 ms.

    asyncio does so by itself only for sockets that were made with the protocol spelt out, which those bound beforehand are not.
    """
    connection = transport.get_extra_info("socket")
    if connection is not None and connection.family in (socket.AF_INET, socket.AF_INET6):
        with contextlib.suppress(OSError):  # the caller may be gone already
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
