"""Every refusal and every failure moves the counter of its kind, whichever part of the service refuses (R44)."""

import re
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.service import NAME, Running, key, rows_of

PREDICT = f"/v1/models/{NAME}/predict"
ROW = rows_of(1)[0]


def counted(service: Running, kind: str) -> float:
    with service.client() as client:
        found = re.search(rf'gristmill_errors_total{{kind="{kind}"}} (\S+)', client.get("/metrics").text)
    return float(found[1]) if found else 0.0


@pytest.mark.parametrize(
    ("kind", "status", "method", "path", "how"),
    [
        ("not_found", 404, "GET", "/nothing", {}),
        ("not_found", 404, "POST", "/v1/models/other/predict", {"json": {"instances": [ROW]}}),
        ("not_found", 404, "GET", "/v1/models/other", {}),
        ("method_not_allowed", 405, "GET", PREDICT, {}),
        ("unknown_host", 421, "GET", "/v1/models", {"headers": {"Host": "elsewhere"}}),
        ("unauthorized", 401, "GET", "/v1/models", {"headers": {"Authorization": "Bearer x"}}),
        ("target_too_long", 414, "GET", "/v1/models?" + "x" * 3_000, {}),
        ("headers_too_large", 431, "GET", "/v1/models", {"headers": {f"X-{number}": "1" for number in range(80)}}),
        ("unsupported_media_type", 415, "POST", PREDICT, {"content": b"{}"}),
        ("bad_json", 400, "POST", PREDICT, {"content": b"{", "headers": {"Content-Type": "application/json"}}),
        ("body_too_large", 413, "POST", PREDICT, {"json": "x" * 3_000_000}),
        ("too_many_rows", 413, "POST", PREDICT, {"json": {"instances": [{}] * 1_001}}),
        ("too_many_rows", 422, "POST", f"{PREDICT}?explain=shap", {"json": {"instances": [ROW] * 11}}),
        ("request_not_understood", 422, "POST", f"{PREDICT}?x=1", {"json": {"instances": [ROW]}}),
        ("request_not_understood", 422, "POST", "/v1/feedback", {"json": {}}),
        ("rows_not_understood", 422, "POST", PREDICT, {"json": {"instances": [{}]}}),
        ("level_not_possible", 422, "POST", f"{PREDICT}?interval=0.2", {"json": {"instances": [ROW]}}),
        ("no_label_taken", 422, "POST", "/v1/feedback", {"json": {"feedback": [{"prediction_id": "0-0", "label": "Yes"}]}}),
    ],
)
def test_a_refusal_is_counted(service: Running, kind: str, status: int, method: str, path: str, how: dict[str, Any]):
    before = counted(service, kind)
    with service.client() as client:
        assert client.request(method, path, **how).status_code == status
    assert counted(service, kind) == before + 1


@pytest.mark.parametrize(
    ("kind", "sent"),
    [("bad_request", b"no HTTP\r\n\r\n"), ("headers_too_large", b"GET /healthz HTTP/1.1\r\nX: " + b"1" * 20_000)],
)
def test_what_is_refused_before_it_is_a_request_is_counted(service: Running, kind: str, sent: bytes):
    before, address = counted(service, kind), urlsplit(service.url)
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        connection.sendall(sent)
        assert connection.recv(65536).startswith(b"HTTP/1.1 4")
    assert counted(service, kind) == before + 1


def test_a_key_without_the_scope_is_counted(service: Running):
    before, narrow = counted(service, "forbidden"), key(service.root, "feedback")
    with service.client(narrow) as client:
        service.wait(lambda: client.get("/v1/models").status_code == 200)
        assert client.post(PREDICT, json={"instances": [ROW]}).status_code == 403
    assert counted(service, "forbidden") == before + 1
