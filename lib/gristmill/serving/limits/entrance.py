"""Everything that a request passes before the application, as plain ASGI.

In this order, each step cheaper than what it protects: request id; number and size of headers; route (what the table does not name
is not there); host; key, with what wrong keys cost; what the key allows; requests a second; body, counted as it comes, under a
deadline; requests in hand; JSON, strictly, once. What the application gets is in ``scope["state"]``, which is ``request.state``:
``request_id``, ``route``, ``key`` (None for health) and ``json`` (None without a body).

Answers leave with security headers and without any for CORS: browsers let no other page read them. ``HEAD`` is answered like
``GET``; ``OPTIONS`` is a method like any other, and no route has it.
"""

import asyncio
import logging
import math
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from gristmill.config.sections.operation import Serving
from gristmill.serving.apart import Apart
from gristmill.serving.keys.key import Key, KeyRefused
from gristmill.serving.keys.ring import KeyRing
from gristmill.serving.limits.answers import Answer, Send
from gristmill.serving.limits.attempts import Attempts, address_of
from gristmill.serving.limits.bodies import Disconnected, Receive, let_go, read_body, replayed
from gristmill.serving.limits.buckets import Buckets
from gristmill.serving.limits.headers import Headers, request_id_of
from gristmill.serving.limits.hosts import Hosts
from gristmill.serving.limits.json_text import read_json, too_many_rows
from gristmill.serving.limits.room import Room
from gristmill.serving.problems import ProblemError
from gristmill.serving.routes import Route, RouteTable

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_log = logging.getLogger(__name__)
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="gristmill"'}
_SECONDS_TO_LET_GO = 1.0
"""How long the rest of a refused body is read, so that its sender gets to see the refusal."""

_MOST_LET_GO = 33_554_432
"""Bytes of it that are read at most."""

_FRAMES_LOGGED = 6


def guarded(
    app: App, table: RouteTable, ring: KeyRing, serving: Serving, workers: int = 1, apart: Apart | None = None
) -> "Entrance":
    """Return an ASGI application that lets through to ``app`` what may pass.

    Parameters
    ----------
    app
        The application; it finds what was read of the request in ``request.state``.
    table
        Which requests there are.
    ring
        The keys; somebody has to have entered ``ring.kept_fresh()``.
    serving
        The limits and the allowed hosts, from the case file.
    workers
        Processes that share the load; each has its share of the limits on load.
    apart
        Where large bodies are parsed; a thread of its own when omitted.
    """
    return Entrance(app, table, ring, serving, workers, apart)


class Entrance:
    """See :func:`guarded`."""

    def __init__(
        self, app: App, table: RouteTable, ring: KeyRing, serving: Serving, workers: int = 1, apart: Apart | None = None
    ) -> None:
        self._apart = apart or Apart(serving.batching.inline_ms)
        self._app, self._table, self._ring, self._limits = app, table, ring, serving.limits
        self._hosts = Hosts(serving.allowed_hosts)
        self._share = 1.0 / max(1, workers)
        most = max(1, math.ceil(serving.limits.concurrent_requests * self._share))
        self._room = Room(most, serving.limits.share_of_a_key)
        largest, share = serving.limits.body_bytes, serving.limits.share_of_a_key
        self._bodies = Room(most * largest, share, least=largest)
        """In bytes that have come."""
        self._rates = Buckets(serving.limits.burst_seconds)
        self._attempts = Attempts(serving.limits.refusals_per_minute)

    @property
    def inside(self) -> int:
        """Requests in hand."""
        return self._room.taken

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; pass on what concerns the life of the server; refuse everything else."""
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, whatever happens."""
        request_id = request_id_of(scope["headers"])
        scope.setdefault("state", {}).update(request_id=request_id, route=None, key=None, json=None)
        answer = Answer(send, request_id)
        try:
            await self._pass(scope, receive, answer)
        except ProblemError as refusal:
            await self._refuse(refusal, scope, receive, answer)
        except Disconnected:
            return
        except asyncio.CancelledError:  # the server stops, and has waited as long as it does
            await self._refuse(_later(503, "Stopping", "The service stops.", 1.0), scope, receive, answer)
        except Exception as error:  # noqa: BLE001 - whatever it is, its words may hold what was sent, and stay here
            scope["state"]["refused"] = "failed"
            _log.error("A request failed: %s at %s", type(error).__name__, _places(error), extra={"request_id": request_id})
            await answer.fail()

    async def _pass(self, scope: Scope, receive: Receive, answer: Answer) -> None:
        """Let a request through to the application, or raise why not."""
        headers = Headers.of(scope["headers"])
        state = scope["state"]
        state["headers_read"] = headers
        route = self._routed(scope, headers)
        state["route"] = route
        if route.scope is None:
            await self._hand_over(scope, receive, answer, headers, None)
            return
        key = state["key"] = self._known(headers, scope, route.scope)
        bytes_come = 0

        def come(count: int) -> None:
            nonlocal bytes_come
            _enter(self._bodies, key.id, count)
            bytes_come += count

        body = None
        try:
            body = await self._body(headers, receive, route, come) if route.takes_body else None
            _enter(self._room, key.id)  # not before: a body that does not come is no work
            try:
                await self._hand_over(scope, receive, answer, headers, body)
            finally:
                self._room.leave(key.id)
        finally:
            self._bodies.leave(key.id, bytes_come)

    def _routed(self, scope: Scope, headers: Headers) -> Route:
        """Return the route of a request whose head is in order."""
        limits = self._limits
        if headers.count > limits.headers or headers.size > limits.header_bytes:
            raise ProblemError(
                431,
                "Headers Too Large",
                f"Expected at most {limits.headers} headers of {limits.header_bytes:,} bytes together, got more.",
            )
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > limits.target_bytes:
            raise ProblemError(
                414, "Target Too Long", f"Expected at most {limits.target_bytes:,} bytes of path and query, got more."
            )
        if headers.twice:
            raise ProblemError(400, "Bad Request", f"Expected the header {headers.twice!r} once, got it twice.")
        if headers.content_length is not None and headers.transfer_encoding is not None:
            raise ProblemError(400, "Bad Request", "Expected `Content-Length` or `Transfer-Encoding`, got both.")
        if headers.host is None and scope["http_version"] != "1.0":
            raise ProblemError(400, "Bad Request", "Expected a `Host` header, got none.")
        if b"%" in (scope.get("raw_path") or b""):  # no route has a sign that must be escaped; what is checked is what was sent
            raise ProblemError(404, "Not Found", "There is nothing at this path. /openapi.json lists what there is.")
        route = self._table.find(scope["method"], scope["path"])
        if route.scope is not None and not self._hosts.allow((headers.host or b"").decode("latin-1")):
            raise ProblemError(
                421, "Unknown Host", "The service does not go by this name; `serving.allowed_hosts` says by which it does."
            )
        return route

    def _known(self, headers: Headers, scope: Scope, needed: str) -> Key:
        """Return the key of a request that may do what it asks, and has not asked too often."""
        address, token = address_of(scope.get("client")), headers.token
        if token is None:
            raise ProblemError(401, "Unauthorized", "Expected a key in `Authorization: Bearer KEY`, got none.", headers=_CHALLENGE)
        wait = self._attempts.wait(address, token)
        if wait:
            raise _later(429, "Too Many Wrong Keys", "Too many wrong keys came from this address.", wait)
        try:
            key = self._ring.verify(token)
            self._attempts.note_right(address, key.id)
            key.require(needed)
        except KeyRefused as refused:
            raise self._turned_away(refused, address) from None
        rate = (key.requests_per_second or self._limits.requests_per_second) * self._share
        wait = self._rates.take(key.id, rate)
        if wait:
            raise _later(429, "Too Many Requests", "This key has used up its requests per second.", wait)
        return key

    def _turned_away(self, refused: KeyRefused, address: str) -> ProblemError:
        """Return the refusal of a key, and count it if it is a wrong one."""
        if refused.status == 503:
            return _later(503, "Keys Unavailable", refused.detail, 5.0)
        if refused.status == 403:
            return ProblemError(403, "Forbidden", refused.detail)
        self._attempts.note_wrong(address)
        return ProblemError(401, "Unauthorized", refused.detail, headers=_CHALLENGE)

    async def _hand_over(self, scope: Scope, receive: Receive, answer: Answer, headers: Headers, body: bytes | None) -> None:
        """Parse the body that was read, if one is taken, and let the application answer."""
        if body is None:
            answer.close = headers.has_body
        elif body:
            large = len(body) > self._apart.few_bytes
            scope["state"]["json"] = await self._apart.run(self._json, body) if large else self._json(body)
        if scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        await self._app(scope, replayed(body or b"", receive), answer.send)

    async def _body(self, headers: Headers, receive: Receive, route: Route, come: Callable[[int], None]) -> bytes:
        """Return the body of a request, which is JSON as far as its headers say."""
        if headers.has_body:
            headers.require_json()
        limits, announced = self._limits, headers.announced
        headers.content_length = headers.transfer_encoding = None  # from here on it is read, or the connection ends
        body = await read_body(receive, announced, limits.body_bytes, limits.body_seconds, come)
        if not body and route.body == "required":
            raise ProblemError(400, "Bad JSON", "Expected a body in JSON, got none.")
        return body

    def _json(self, body: bytes) -> Any:
        """Return what a body says, strictly read."""
        limits = self._limits
        value = read_json(body, depth=limits.depth, number_characters=limits.number_characters, rows=limits.rows)
        for part in value.values() if isinstance(value, dict) else (value,):
            if isinstance(part, list) and len(part) > limits.rows:
                raise too_many_rows(limits.rows)
        return value

    async def _refuse(self, refusal: ProblemError, scope: Scope, receive: Receive, answer: Answer) -> None:
        """Answer a refusal, once the body that nobody wants is out of the way, or the connection is to end."""
        state = scope["state"]
        state["refused"] = refusal.kind
        headers = state.get("headers_read")
        comes = headers is not None and headers.has_body and headers.expect is None
        if headers is not None and headers.has_body:
            fits = "Connection" not in refusal.headers  # those that close were refused for a body without end, or too large
            gone = comes and fits and await let_go(receive, self._limits.body_bytes, _SECONDS_TO_LET_GO)
            answer.close = not gone
        if answer.started:
            return
        response = refusal.response(request_id=state["request_id"])
        if comes and answer.close:  # closing on what is under way would break the answer off before its sender reads it
            await response(scope, receive, answer.hold)
            await let_go(receive, _MOST_LET_GO, _SECONDS_TO_LET_GO)
            await answer.end()
        else:
            await response(scope, receive, answer.send)


def _enter(room: Room, key: str, places: int = 1) -> None:
    """Take places for a key, or raise that there are none for it now."""
    if room.is_full(places):
        raise _later(503, "Too Busy", "The service has as many requests in hand as it takes.", 1.0)
    if room.has_its_share(key, places):
        raise _later(429, "Too Many At Once", "This key has as many requests in hand as one key may.", 1.0)
    room.take(key, places)


def _later(status: int, title: str, detail: str, seconds: float) -> ProblemError:
    """Return the refusal of what may be tried again after a while."""
    wait = max(1, math.ceil(seconds))
    return ProblemError(status, title, f"{detail} Try again in {wait} s.", headers={"Retry-After": str(wait)})


def _places(error: BaseException) -> str:
    """Return where an error was raised, without its words."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES_LOGGED:]
    return " < ".join(f"{frame.name} ({frame.filename.rpartition('/')[2]}:{frame.lineno})" for frame in reversed(frames))
