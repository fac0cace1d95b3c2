"""The entrance around an application, in process: what gets in, what it finds there, what happens when it is full (R38)."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from gristmill.config.sections.operation import Serving
from gristmill.serving.keys.ring import KeyRing
from gristmill.serving.keys.store import KeyStore
from gristmill.serving.limits.entrance import Entrance, guarded
from gristmill.serving.limits.server import settings
from gristmill.serving.routes import Route, RouteTable

TABLE = RouteTable(
    [
        Route("GET", "/healthz", None),
        Route("POST", "/predict", "predict"),
        Route("GET", "/models", "any"),
        Route("POST", "/go", "predict", body="optional"),
    ]
)
App = Callable[[Any, Any, Any], Awaitable[None]]


@pytest.fixture
def token(tmp_path: Path) -> str:
    return KeyStore(tmp_path).create("robot", ["predict"], 3_600)[0]


@pytest.fixture
def ring(tmp_path: Path, token: str) -> KeyRing:
    made = KeyRing(tmp_path)
    made.refresh()
    return made


def entrance(app: App, ring: KeyRing, workers: int = 1, **limits: Any) -> Entrance:
    return guarded(app, TABLE, ring, Serving.model_validate({"limits": limits}), workers)


async def answers(scope: Any, receive: Any, send: Any) -> None:
    """Answer with what is in the state, and with the body as the application reads it."""
    body = (await receive())["body"].decode()
    said = {**scope["state"], "method": scope["method"], "body": body}
    content = json.dumps({name: said[name] for name in ("json", "request_id", "method", "body")}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": content})


async def ask(
    app: Entrance, method: str, path: str, token: str | None = None, body: bytes = b"", *more: tuple[bytes, bytes]
) -> tuple[int, dict[bytes, bytes], Any]:
    headers = [(b"host", b"localhost"), *more]
    headers += [(b"authorization", f"Bearer {token}".encode())] if token else []
    headers += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())] if body else []
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": headers,
    }
    left, sent = [{"type": "http.request", "body": body, "more_body": False}], []

    async def receive() -> Any:
        return left.pop(0) if left else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await app({**scope, "client": ("127.0.0.1", 9)}, receive, send)
    if not sent:
        return 0, {}, None
    content = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], dict(sent[0]["headers"]), json.loads(content) if content.startswith(b"{") else content


def test_the_application_finds_what_was_read(ring: KeyRing, token: str):
    app = entrance(answers, ring)
    status, headers, said = asyncio.run(ask(app, "POST", "/predict", token, b'{"a": 1}', (b"x-request-id", b"mine")))
    assert (status, headers[b"x-request-id"]) == (200, b"mine")
    assert said == {"json": {"a": 1}, "request_id": "mine", "method": "POST", "body": '{"a": 1}'}


def test_head_is_get_to_the_application(ring: KeyRing):
    status, _, said = asyncio.run(ask(entrance(answers, ring), "HEAD", "/healthz"))
    assert (status, said["method"]) == (200, "GET")


def test_a_body_that_may_be_absent_is_none_and_one_that_may_not_is_refused(ring: KeyRing, token: str):
    app = entrance(answers, ring)
    assert asyncio.run(ask(app, "POST", "/go", token))[2]["json"] is None
    assert asyncio.run(ask(app, "POST", "/go", token, b"[1]"))[2]["json"] == [1]
    assert asyncio.run(ask(app, "POST", "/predict", token))[0] == 400


def test_one_more_than_there_is_room_for_is_sent_away_and_health_is_answered(ring: KeyRing, token: str):
    async def full() -> None:
        inside, leave = asyncio.Event(), asyncio.Event()

        async def waits(scope: Any, receive: Any, send: Any) -> None:
            if scope["path"] == "/predict":
                inside.set()
                await leave.wait()
            await answers(scope, receive, send)

        app = entrance(waits, ring, concurrent_requests=1)
        first = asyncio.create_task(ask(app, "POST", "/predict", token, b"{}"))
        await inside.wait()
        status, headers, said = await ask(app, "POST", "/predict", token, b"{}")
        assert (status, headers[b"retry-after"], said["title"]) == (503, b"1", "Too Busy")
        assert (await ask(app, "GET", "/healthz"))[0] == 200
        leave.set()
        assert (await first)[0] == 200
        assert app.inside == 0
        assert (await ask(app, "POST", "/predict", token, b"{}"))[0] == 200

    asyncio.run(full())


def test_bodies_that_do_not_come_keep_nobody_out(ring: KeyRing, token: str):
    async def hang() -> None:
        app = entrance(answers, ring, concurrent_requests=2)
        headers = [(b"host", b"localhost"), (b"authorization", f"Bearer {token}".encode()), (b"content-type", b"application/json")]
        scope = {"type": "http", "http_version": "1.1", "method": "POST", "path": "/predict", "query_string": b""}

        async def never() -> Any:
            await asyncio.Event().wait()

        async def nowhere(message: Any) -> None:
            pass

        hung = [
            asyncio.create_task(app({**scope, "headers": [*headers, (b"content-length", b"9")]}, never, nowhere)) for _ in range(20)
        ]
        await asyncio.sleep(0)
        assert (await ask(app, "POST", "/predict", token, b"{}"))[0] == 200
        for task in hung:
            task.cancel()
        await asyncio.gather(*hung, return_exceptions=True)

    asyncio.run(hang())


def test_what_is_cut_off_when_the_server_stops_is_told(ring: KeyRing, token: str):
    async def stop() -> None:
        inside = asyncio.Event()

        async def waits(scope: Any, receive: Any, send: Any) -> None:
            inside.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(ask(entrance(waits, ring), "POST", "/predict", token, b"{}"))
        await inside.wait()
        task.cancel()
        status, headers, said = await task
        assert (status, said["title"], headers[b"retry-after"]) == (503, "Stopping", b"1")

    asyncio.run(stop())


@pytest.mark.parametrize(("share", "inside"), [(0.5, 2), (1.0, 4)])
def test_one_key_has_no_more_than_its_share_in_hand(tmp_path: Path, ring: KeyRing, token: str, share: float, inside: int):
    other = KeyStore(tmp_path).create("other", ["predict"], 3_600)[0]
    ring.refresh()

    async def crowd() -> None:
        leave, here = asyncio.Event(), 0

        async def waits(scope: Any, receive: Any, send: Any) -> None:
            nonlocal here
            here += 1
            await leave.wait()
            await answers(scope, receive, send)

        app = entrance(waits, ring, concurrent_requests=4, share_of_a_key=share)
        asked = [asyncio.create_task(ask(app, "POST", "/predict", token, b"{}")) for _ in range(6)]
        while here < inside:
            await asyncio.sleep(0)
        asked.append(asyncio.create_task(ask(app, "POST", "/predict", other, b"{}")))
        leave.set()
        found = [(status, headers.get(b"retry-after")) for status, headers, _ in await asyncio.gather(*asked)]
        over = (429, b"1") if share < 1 else (503, b"1")
        assert found == [(200, None)] * inside + [over] * (6 - inside) + [(200, None) if share < 1 else (503, b"1")]
        assert (app._room.taken, app._bodies.taken) == (0, 0)

    asyncio.run(crowd())


def test_what_has_come_of_bodies_is_bounded_together(ring: KeyRing, token: str):
    async def fill() -> None:
        app = entrance(answers, ring, concurrent_requests=1, body_bytes=1_024)
        app._bodies.take("another", 1_020)
        assert (await ask(app, "POST", "/predict", token, b"[1]"))[0] == 200
        assert (await ask(app, "POST", "/predict", token, b"[1, 2]"))[0] == 503
        assert app._bodies.taken == 1_020

    asyncio.run(fill())


def test_each_worker_has_its_share_of_the_limits_on_load(ring: KeyRing, token: str):
    app = entrance(answers, ring, workers=4, requests_per_second=20, concurrent_requests=6)
    assert app._room.most == 2
    statuses = [asyncio.run(ask(app, "GET", "/models", token))[0] for _ in range(7)]
    assert statuses[:5] == [200] * 5
    assert 429 in statuses[5:]


@pytest.mark.parametrize("place", ["before", "after"])
def test_a_failure_is_logged_by_its_place_and_not_by_its_words(
    ring: KeyRing, token: str, caplog: pytest.LogCaptureFixture, place: str
):
    async def fails(scope: Any, receive: Any, send: Any) -> None:
        if place == "after":
            await send({"type": "http.response.start", "status": 200, "headers": []})
        raise KeyError("4929-secret")

    with caplog.at_level(logging.ERROR):
        status, _, said = asyncio.run(ask(entrance(fails, ring), "POST", "/predict", token, b"{}", (b"x-request-id", b"mine")))
    (record,) = caplog.records
    assert "KeyError" in record.getMessage()
    assert "fails (test_entrance.py:" in record.getMessage()
    assert "4929" not in caplog.text
    assert record.request_id == "mine"  # type: ignore[attr-defined]
    assert (status, said["request_id"] if place == "before" else said) == ((500, "mine") if place == "before" else (200, b""))


def test_a_caller_that_leaves_is_not_answered_and_holds_no_place(ring: KeyRing, token: str):
    async def leaves() -> list[Any]:
        app, sent = entrance(answers, ring), []
        headers = [
            (b"host", b"localhost"),
            (b"authorization", f"Bearer {token}".encode()),
            (b"content-type", b"application/json"),
            (b"content-length", b"9"),
        ]

        async def receive() -> Any:
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "POST",
            "path": "/predict",
            "query_string": b"",
            "headers": headers,
        }
        await app(scope, receive, send)
        assert app.inside == 0
        return sent

    assert asyncio.run(leaves()) == []


def test_a_websocket_is_closed_before_it_is_open(ring: KeyRing):
    sent = []

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(entrance(answers, ring)({"type": "websocket", "path": "/predict"}, None, send))  # type: ignore[arg-type]
    assert sent == [{"type": "websocket.close", "code": 1008}]


def test_a_connection_ends_where_a_body_was_sent_that_nobody_reads(ring: KeyRing):
    _, headers, _ = asyncio.run(ask(entrance(answers, ring), "GET", "/healthz", None, b"{}"))
    assert headers[b"connection"] == b"close"


def test_who_waits_for_leave_to_send_is_refused_without_it(ring: KeyRing):
    async def waits() -> bytes:
        sent = []

        async def receive() -> Any:
            raise AssertionError("nobody may ask for the body: that would be the leave")

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [(b"host", b"localhost"), (b"content-length", b"9"), (b"expect", b"100-continue")]
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "POST",
            "path": "/predict",
            "query_string": b"",
            "headers": headers,
        }
        await entrance(answers, ring)(scope, receive, send)
        assert sent[0]["status"] == 401
        return dict(sent[0]["headers"])[b"connection"]

    assert asyncio.run(waits()) == b"close"


def test_the_settings_of_the_server_can_be_handed_to_another_process():
    import pickle  # noqa: PLC0415 - what workers that are spawned get

    made = settings(Serving())
    again = pickle.loads(pickle.dumps(made))  # noqa: S301
    assert again["http"].keywords["limits"] == Serving().limits
    assert (again["server_header"], again["proxy_headers"], again["access_log"]) == (False, False, False)
    trusting = settings(Serving.model_validate({"limits": {"trusted_proxies": ["10.0.0.1"]}}))
    assert (trusting["proxy_headers"], trusting["forwarded_allow_ips"]) == (True, ["10.0.0.1"])
