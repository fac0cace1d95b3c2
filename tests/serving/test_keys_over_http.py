"""Keys in front of a real server: every route without one, with a wrong one, expired, revoked, or of another scope (R38)."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.entrance_server import PREDICT, TABLE, Server, serving_at

from gristmill.serving.keys.key import ANY, SCOPES
from gristmill.serving.keys.store import KeyStore
from gristmill.serving.keys.tokens import new_token
from gristmill.serving.routes import Route
from gristmill.state_database import StateDatabase


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("project")


@pytest.fixture(scope="module")
def server(root: Path) -> Iterator[Server]:
    KeyStore(root).create("first", ["predict"], 3_600)
    with serving_at(root, refusals_per_minute=100_000, key_refresh_seconds=0.05) as running:
        yield running


@pytest.fixture(scope="module")
def store(root: Path) -> KeyStore:
    return KeyStore(root)


def ask(server: Server, route: Route, token: str | None) -> httpx.Response:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    body = {"json": {}} if route.takes_body else {}
    return httpx.request(route.method, server.url + route.path.replace("{name}", "churn"), headers=headers, **body)


def until(server: Server, route: Route, token: str, status: int) -> float:
    """Return the seconds until a key is answered with a status."""
    begun = time.monotonic()
    while time.monotonic() - begun < 30:
        if ask(server, route, token).status_code == status:
            return time.monotonic() - begun
    raise AssertionError(f"never {status}")


GUARDED = [route for route in TABLE.routes if route.scope is not None and route.path != "/fails"]
PREDICTS = next(route for route in TABLE.routes if route.scope == "predict")


@pytest.mark.parametrize("route", GUARDED, ids=lambda route: f"{route.method} {route.path}")
def test_every_route_but_health_needs_a_key_that_allows_it(server: Server, store: KeyStore, route: Route):
    right, _ = store.create("right", [SCOPES[0] if route.scope == ANY else str(route.scope)], 3_600)
    revoked, key = store.create("revoked", list(SCOPES), 3_600)
    expired, _ = store.create("expired", list(SCOPES), 0.001)
    wrong, _ = store.create("wrong", [scope for scope in SCOPES if scope != route.scope], 3_600)
    until(server, route, right, 200)
    store.revoke(key.id)
    until(server, route, revoked, 401)
    for token in (None, "nonsense", new_token()[0], expired, right + "x", right[:-1]):
        answer = ask(server, route, token)
        assert answer.status_code == 401, token
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="gristmill"'
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert ask(server, route, wrong).status_code == (200 if route.scope == ANY else 403)


def test_health_needs_none(server: Server):
    assert httpx.get(f"{server.url}/healthz").status_code == 200
    assert httpx.head(f"{server.url}/healthz").status_code == 200


def test_a_key_elsewhere_than_in_the_header_is_none(server: Server, store: KeyStore):
    token, _ = store.create("right", ["metrics"], 3_600)
    until(server, next(route for route in TABLE.routes if route.scope == "metrics"), token, 200)
    for request in (
        httpx.Request("GET", f"{server.url}/metrics?key={token}&access_token={token}&token={token}"),
        httpx.Request("GET", f"{server.url}/metrics", headers={"Cookie": f"key={token}", "X-API-Key": token}),
        httpx.Request("GET", f"http://key:{token}@127.0.0.1:{server.port}/metrics"),
        httpx.Request("GET", f"{server.url}/metrics", headers={"Authorization": f"Token {token}"}),
    ):
        with httpx.Client() as client:
            assert client.send(request).status_code == 401


def test_a_revoked_key_stops_working_soon(server: Server, store: KeyStore):
    token, key = store.create("robot", ["predict"], 3_600)
    until(server, PREDICTS, token, 200)
    store.revoke(key.id)
    assert until(server, PREDICTS, token, 401) < 10


def test_a_key_that_asks_too_often_is_told_when_to_come_back(server: Server, store: KeyStore):
    token, _ = store.create("eager", ["predict"], 3_600, 0.1)
    other, _ = store.create("other", ["predict"], 3_600)
    until(server, PREDICTS, other, 200)
    statuses = [ask(server, PREDICTS, token) for _ in range(3)]
    assert [answer.status_code for answer in statuses] == [200, 429, 429]
    assert 1 <= int(statuses[-1].headers["Retry-After"]) <= 10
    assert ask(server, PREDICTS, other).status_code == 200


def test_guessing_costs_and_shuts_out_nobody_who_was_there_before(root: Path, store: KeyStore):
    known, _ = store.create("known", ["predict"], 3_600)
    later, _ = store.create("later", ["predict"], 3_600)
    with serving_at(root, refusals_per_minute=5) as strict:
        assert ask(strict, PREDICTS, known).status_code == 200
        statuses = [ask(strict, PREDICTS, new_token()[0]).status_code for _ in range(10)]
        assert statuses == [401] * 5 + [429] * 5
        assert ask(strict, PREDICTS, later).status_code == 429  # even a right guess is not told from a wrong one
        assert ask(strict, PREDICTS, known).status_code == 200
        assert ask(strict, PREDICTS, None).status_code == 401


def test_a_database_that_goes_leaves_the_keys_for_a_while(tmp_path: Path):
    token, _ = KeyStore(tmp_path).create("robot", ["predict"], 3_600)
    with serving_at(tmp_path, key_refresh_seconds=0.05, keys_trusted_seconds=3.0) as short:
        assert ask(short, PREDICTS, token).status_code == 200
        file = StateDatabase(tmp_path).file
        content = file.read_bytes()
        for other, at_once, at_last in ((b"this is no database, whatever its name" * 100, 200, 503), (content, 503, 200)):
            file.with_name("other").write_bytes(other)
            assert ask(short, PREDICTS, token).status_code == at_once
            file.with_name("other").replace(file)
            assert until(short, PREDICTS, token, at_last) > (1.0 if at_last == 503 else 0.0)
            assert httpx.get(f"{short.url}/healthz").status_code == 200


def test_no_refusal_repeats_what_was_sent(server: Server, store: KeyStore):
    token, _ = store.create("robot", ["predict"], 3_600)
    until(server, PREDICTS, token, 200)
    secret = "4929-0000-secret"
    for content in (f'{{"a": "{secret}", "a": 1}}', f'["{secret}"', f"{secret}"):
        answer = httpx.post(
            server.url + PREDICT, content=content, headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        )
        assert answer.status_code == 400
        assert secret not in answer.text
        assert token not in answer.text
        assert json.loads(answer.text)["request_id"] == answer.headers["X-Request-ID"]
