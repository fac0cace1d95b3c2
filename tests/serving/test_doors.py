"""Every route without a key, with a wrong scope, expired, revoked; and with a name of its own (R38)."""

import httpx
import pytest
from tests.service import NAME, Running, key, rows_of, until

from gristmill.serving.api.routes import TABLE
from gristmill.serving.keys.key import ANY, SCOPES
from gristmill.serving.keys.store import KeyStore
from gristmill.serving.routes import Route

ROUTES = [pytest.param(route, id=f"{route.method} {route.path}") for route in TABLE.routes]
LOCKED = [pytest.param(route, id=f"{route.method} {route.path}") for route in TABLE.routes if route.scope is not None]


def ask(service: Running, route: Route, token: str | None, **more: object) -> httpx.Response:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    path = route.path.replace("{name}", NAME).replace("{version}", "1")
    with httpx.Client(base_url=service.url, timeout=60, trust_env=False) as client:
        return client.request(route.method, path, headers=headers, json={} if route.method == "POST" else None, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def keys(service: Running) -> dict[str, str]:
    """Return keys that open nothing, and one of each scope, all known to the service."""
    made = {"expired": key(service.root, lifetime=0.001), "revoked": key(service.root)}
    made |= {scope: key(service.root, scope) for scope in SCOPES}
    KeyStore(service.root).revoke(made["revoked"].split("_")[1])
    for name in SCOPES:
        until(lambda name=name: _known(service, made[name]))
    return made


def _known(service: Running, token: str) -> bool:
    with service.client(token) as client:
        return client.get("/v1/models").status_code == 200


@pytest.mark.parametrize("route", ROUTES)
def test_only_health_is_open(service: Running, route: Route):
    answer = ask(service, route, None)
    assert answer.status_code == (200 if route.path in {"/healthz", "/readyz"} else 401)


@pytest.mark.parametrize("route", LOCKED)
@pytest.mark.parametrize("which", ["expired", "revoked"])
def test_a_key_that_is_no_more_opens_nothing(service: Running, route: Route, which: str, keys: dict[str, str]):
    answer = ask(service, route, keys[which])
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("route", LOCKED)
def test_each_route_takes_its_scope_and_no_other(service: Running, route: Route, keys: dict[str, str]):
    statuses = {
        scope: ask(service, route, keys[scope]).status_code for scope in SCOPES if scope != "admin" or route.scope != "admin"
    }
    refused = {scope for scope, status in statuses.items() if status == 403}
    assert refused == (set() if route.scope == ANY else set(statuses) - {route.scope})
    assert 401 not in statuses.values()


def test_what_the_table_does_not_name_is_not_there(service: Running):
    with service.client() as client:
        assert [client.get(path).status_code for path in ("/", "/docs", "/redoc", "/v1", "/v1/models/small/predict/x")] == [404] * 5
        assert client.delete("/v1/models").status_code == 405


def test_another_name_of_the_host_is_refused(service: Running):
    with service.client() as client:
        assert client.get("/v1/models", headers={"Host": "evil.example"}).status_code == 421


def test_a_key_that_is_revoked_stops_working_within_seconds(service: Running):
    token = key(service.root, "predict")
    until(lambda: _known(service, token))
    KeyStore(service.root).revoke(token.split("_")[1])
    until(lambda: not _known(service, token), 10)


def test_a_request_is_still_answered_after_all_that(service: Running):
    assert service.predict(rows_of(1)).status_code == 200
