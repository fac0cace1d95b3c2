"""What a real server with the entrance does with bad input in raw bytes: bounded time, bounded memory, a sentence (R38)."""

import contextlib
import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from tests.entrance_server import PREDICT, Server, read_all, serving_at, status_of

from gristmill.serving.keys.store import KeyStore

LIMITS = {
    "body_bytes": 65_536,
    "body_seconds": 1.0,
    "header_seconds": 1.0,
    "idle_seconds": 2,
    "header_bytes": 4_096,
    "headers": 32,
    "rows": 10,
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("project")


@pytest.fixture(scope="module")
def token(root: Path) -> str:
    return KeyStore(root).create("caller", ["predict"], 3_600)[0]


@pytest.fixture(scope="module")
def server(root: Path, token: str) -> Iterator[Server]:
    with serving_at(root, **LIMITS) as running:
        yield running


@pytest.fixture
def head(token: str) -> Callable[..., bytes]:
    """Return the beginning of a request for predictions, with further header lines."""

    def made(*lines: str, close: bool = True) -> bytes:
        first = [f"POST {PREDICT} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}"]
        return "\r\n".join([*first, *(["Connection: close"] if close else []), *lines, "\r\n"]).encode("latin-1")

    return made


JSON = "Content-Type: application/json"


def get(path: str, *lines: str) -> bytes:
    """Return a request without a body, after which the connection ends."""
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: localhost", "Connection: close", *lines, "\r\n"]).encode()


def problem_of(answer: bytes) -> dict[str, object]:
    top, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in top.lower(), answer
    said = json.loads(body)
    assert said["status"] == status_of(answer)
    return said  # type: ignore[no-any-return]


def test_a_plain_request_is_answered(server: Server, head: Callable[..., bytes]):
    answer = server.ask(head(JSON, "Content-Length: 7") + b'{"a":1}')
    assert status_of(answer) == 200
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["json"] == {"a": 1}


def test_no_answer_names_the_server_or_lets_other_pages_read_it(server: Server, head: Callable[..., bytes]):
    top = server.ask(head(JSON, "Content-Length: 2") + b"{}").partition(b"\r\n\r\n")[0].lower()
    assert b"\r\nserver:" not in top
    assert b"access-control-" not in top
    for wanted in (
        b"x-content-type-options: nosniff",
        b"cache-control: no-store",
        b"default-src 'none'",
        b"referrer-policy: no-referrer",
    ):
        assert wanted in top


def test_a_body_that_comes_slowly_is_ended_in_time(server: Server, head: Callable[..., bytes]):
    begun = time.monotonic()
    with server.connect() as connection:
        connection.sendall(head(JSON, "Content-Length: 100", close=False) + b"{")
        assert status_of(answer := read_all(connection)) == 408
    assert 0.9 < time.monotonic() - begun < 10
    assert "1 seconds" in str(problem_of(answer)["detail"])


def test_headers_that_come_slowly_are_ended_in_time(server: Server):
    begun = time.monotonic()
    with server.connect() as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: local")
        assert status_of(read_all(connection)) == 408
    assert 0.9 < time.monotonic() - begun < 10


def test_a_header_sent_byte_by_byte_does_not_put_off_its_deadline(server: Server):
    begun, sent = time.monotonic(), 0
    with server.connect(timeout=0.05) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nX-Slow: ")
        while time.monotonic() - begun < 15:
            try:
                connection.sendall(b"x")
                sent += 1
                if not connection.recv(1):
                    break
            except TimeoutError:
                continue
            except ConnectionError:
                break
            else:
                break
    assert sent > 3
    assert time.monotonic() - begun < 10


def test_a_connection_without_a_request_is_closed(server: Server):
    begun = time.monotonic()
    with server.connect() as connection:
        assert read_all(connection) == b""
    assert 1.9 < time.monotonic() - begun < 15


def test_too_many_headers_are_refused(server: Server, head: Callable[..., bytes]):
    assert status_of(server.ask(head(*(f"X-{number}: 1" for number in range(40)), JSON, "Content-Length: 2") + b"{}")) == 431


def test_one_enormous_header_is_refused(server: Server):
    assert status_of(server.ask(b"GET /healthz HTTP/1.1\r\nX-Long: " + b"x" * 8_000)) == 431


def test_a_flood_of_headers_takes_no_memory(server: Server):
    before = server.memory
    answer = server.ask(b"GET /healthz HTTP/1.1\r\n", *[b"X-Flood: " + b"y" * 8_000 + b"\r\n"] * 5_000)  # 40 MB
    assert status_of(answer) in (431, 0)  # 0: the connection was reset while we were still sending
    assert server.memory - before < 8_000_000


def test_a_flood_of_trailers_takes_no_memory(server: Server, head: Callable[..., bytes]):
    before = server.memory
    server.ask(head(JSON, "Transfer-Encoding: chunked") + b"2\r\n{}\r\n0\r\n", *[b"X-Flood: " + b"y" * 8_000 + b"\r\n"] * 5_000)
    assert server.memory - before < 8_000_000


def test_a_long_target_is_refused(server: Server):
    assert (
        status_of(server.ask(b"GET /healthz?" + b"q" * 3_000 + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")) == 414
    )


def test_a_body_that_is_announced_too_large_is_refused_before_it_comes(server: Server, head: Callable[..., bytes]):
    answer = server.ask(head(JSON, "Content-Length: 10000000", close=False))
    assert status_of(answer) == 413
    assert b"connection: close" in answer.lower()


def test_who_sends_far_too_much_is_told(server: Server, token: str):
    answer = httpx.post(
        f"{server.url}{PREDICT}", content=b" " * 8_000_000,
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )  # fmt: skip
    assert (answer.status_code, answer.json()["title"]) == (413, "Body Too Large")


def test_a_chunked_body_is_counted_as_it_comes(server: Server, head: Callable[..., bytes]):
    before = server.memory
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    answer = server.ask(head(JSON, "Transfer-Encoding: chunked", close=False), *[chunk] * 800)  # 52 MB
    assert status_of(answer) in (413, 0)
    assert server.memory - before < 16_000_000


def test_an_endless_body_where_none_is_wanted_ends_with_the_answer(server: Server):
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    answer = server.ask(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", *[chunk] * 200)
    assert status_of(answer) in (200, 0)


@pytest.mark.parametrize("body", [b"\xff\xfe{\x00}\x00", '{"a": "é"}'.encode("latin-1"), b"\xef\xbb\xbf{}", "{}".encode("utf-32")])
def test_a_body_that_is_not_utf_8_is_refused(server: Server, head: Callable[..., bytes], body: bytes):
    assert status_of(server.ask(head(JSON, f"Content-Length: {len(body)}") + body)) == 400


@pytest.mark.parametrize(
    "line",
    [
        "X: y",
        "Content-Type: text/plain",
        "Content-Type: application/json; charset=latin-1",
        "Content-Type: application/x-www-form-urlencoded",
        "Content-Type: application/json, text/plain",
        f"{JSON}\r\nContent-Encoding: gzip",
    ],
)
def test_a_body_that_is_not_said_to_be_plain_json_is_refused(server: Server, head: Callable[..., bytes], line: str):
    assert status_of(server.ask(head(line, "Content-Length: 2") + b"{}")) == 415


@pytest.mark.parametrize("charset", ["; charset=utf-8", ";charset=UTF-8", '; charset="utf-8"'])
def test_a_charset_of_utf_8_is_taken(server: Server, head: Callable[..., bytes], charset: str):
    assert status_of(server.ask(head(JSON + charset, "Content-Length: 2") + b"{}")) == 200


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: 2", "Content-Length: 3"),
        ("Content-Length: 2", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: xchunked",),
        ("Transfer-Encoding : chunked",),
        ("Content-Length: +2",),
        ("Content-Length: 0x2",),
        ("X: y\r\n folded: header",),
        ("X: a\nTransfer-Encoding: chunked",),
    ],
)
def test_a_body_whose_end_two_servers_could_see_differently_is_refused(
    server: Server, head: Callable[..., bytes], lines: tuple[str, ...]
):
    answer = server.ask(head(JSON, *lines) + b"{}GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert status_of(answer) == 400
    assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("size", ["-1", "2;" + "x" * 5_000, "zz", "FFFFFFFFFFFFFFFFF"])
def test_a_chunk_of_no_size_is_refused(server: Server, head: Callable[..., bytes], size: str):
    answer = server.ask(head(JSON, "Transfer-Encoding: chunked") + f"{size}\r\n{{}}\r\n0\r\n\r\n".encode())
    assert status_of(answer) in (400, 413, 0) or size.startswith("2;")
    assert answer.count(b"HTTP/1.1 ") <= 1


@pytest.mark.parametrize(
    "request_line",
    [b"\x16\x03\x01\x02\x00", b"GET / HTTP/9.9\r\n\r\n", b"NONSENSE\r\n\r\n", b"GET /\xff HTTP/1.1\r\n\r\n", b"\x00" * 99],
)
def test_what_is_not_http_is_a_problem_document(server: Server, request_line: bytes):
    answer = server.ask(request_line)
    assert problem_of(answer)["status"] == 400


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1@evil", "localhost:80:80", "", "*", "LOCALHOST/x"]
)
def test_a_name_the_service_does_not_go_by_is_refused(server: Server, host: str, token: str):
    answer = server.ask(
        f"GET /openapi.json HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n".encode()
    )
    assert status_of(answer) in (400, 421)


@pytest.mark.parametrize(
    "path",
    [
        "//healthz",
        "/healthz/",
        "/../healthz",
        "/%2e%2e/metrics",
        "/v1/models/../predict",
        "/v1/models/a%2fb/predict",
        "/HEALTHZ",
        "/healthz%00",
        "/%68ealthz",
        "/%6Detrics",
        "/v1/%61dmin/churn/retrain",
        "/v1/m%6fdels/churn/predict",
        "/v1/models%2fchurn%2fpredict",
        "/v1/models/%63hurn/predict",
        "/%2568ealthz",
    ],
)
def test_a_path_that_is_written_otherwise_is_not_there(server: Server, path: str):
    assert status_of(server.ask(get(path))) == 404


def test_an_upgrade_is_no_way_around_the_key(server: Server):
    for kind in ("websocket", "h2c"):
        lines = (
            "Connection: Upgrade",
            f"Upgrade: {kind}",
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
            "Sec-WebSocket-Version: 13",
        )
        assert status_of(server.ask(get("/metrics", *lines))) == 401


def test_requests_in_one_packet_are_each_looked_at(server: Server, head: Callable[..., bytes]):
    one = head(JSON, "Content-Length: 2", close=False) + b"{}"
    other = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    assert re.findall(rb"HTTP/1.1 (\d+)", server.ask(one + other)) == [b"200", b"401"]


def test_a_failure_is_answered_without_its_words(server: Server, token: str):
    answer = server.ask(get("/fails", f"Authorization: Bearer {token}", "X-Request-ID: mine-1"))
    said = problem_of(answer)
    assert (said["status"], said["request_id"]) == (500, "mine-1")
    assert b"payload" not in answer
    assert b"ValueError" not in answer
    assert b"Traceback" not in answer


def test_a_refused_request_leaves_a_connection_that_still_works(server: Server, token: str):
    with httpx.Client(base_url=f"http://localhost:{server.port}") as client:
        assert client.post(PREDICT, json={"a": 1}).status_code == 401
        right = client.post(PREDICT, json={"a": 1}, headers={"Authorization": f"Bearer {token}"})
        assert (right.status_code, right.json()["json"]) == (200, {"a": 1})


def test_more_rows_than_allowed_are_refused(server: Server, token: str):
    rows = {"instances": [{"a": 1}] * 11}
    answer = httpx.post(f"{server.url}{PREDICT}", json=rows, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["title"]) == (413, "Too Many Rows")


def test_connections_beyond_the_limit_are_sent_away(root: Path):
    with serving_at(root, connections=5, share_of_an_address=1.0) as server:
        held = [server.connect() for _ in range(5)]
        try:
            for connection in held:  # each is served once, so that it counts
                connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
            assert status_of(server.ask(b"")) == 503
        finally:
            for connection in held:
                connection.close()
        assert _answers_again(server)


def test_one_address_has_no_more_than_its_share_of_connections(root: Path):
    request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with serving_at(root, connections=8) as server, contextlib.ExitStack() as held:
        for _ in range(4):
            connection = held.enter_context(server.connect())
            connection.sendall(request)
            assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
        assert status_of(server.ask(b"")) == 503
        with socket.create_connection(("127.0.0.1", server.port), 20, source_address=("127.0.0.2", 0)) as elsewhere:
            elsewhere.sendall(request)
            assert elsewhere.recv(65_536).startswith(b"HTTP/1.1 200")
        held.close()
        assert _answers_again(server)


def _answers_again(server: Server) -> bool:
    """Return whether the server takes a connection within ten seconds."""
    deadline = time.monotonic() + 10
    request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    while time.monotonic() < deadline:
        try:
            if status_of(server.ask(request)) == 200:
                return True
        except TimeoutError:
            continue
    return False


@pytest.mark.parametrize(
    "target", ["@evil.example/healthz", "evil.example", "http://evil.example/metrics", "*", "healthz", "?/healthz"]
)
def test_a_target_that_is_no_path_reaches_nothing(server: Server, target: str):
    answer = server.ask(f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    assert status_of(answer) in (400, 401, 404)
    assert b"evil" not in answer


def test_a_request_id_that_carries_more_is_not_sent_back(server: Server):
    answer = server.ask(get("/healthz", "X-Request-ID: a%0d%0aSet-Cookie: x=1"))
    assert b"Set-Cookie" not in answer
    assert re.search(rb"x-request-id: [0-9a-f]{32}\r\n", answer)


def test_escape_sequences_in_a_path_are_not_sent_back(server: Server):
    answer = server.ask(b"GET /\x1b[31mred HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert status_of(answer) in (400, 404)
    assert b"\x1b" not in answer


def test_a_range_is_not_looked_at(server: Server):
    ranges = ",".join(f"{number}-{number}" for number in range(500))
    begun = time.monotonic()
    answer = server.ask(get("/healthz", f"Range: bytes={ranges}"))
    assert status_of(answer) == 200
    assert b"content-range" not in answer.lower()
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/form-data; boundary=" + "-" * 2_000,
        "application/x-www-form-urlencoded; !=" + '\\"' * 900,
        "application/vnd.bentoml+pickle",
        "application/json; charset=" + "u" * 2_000,
        "application/octet-stream",
    ],
)
def test_no_other_kind_of_body_is_parsed_however_it_is_written(server: Server, head: Callable[..., bytes], kind: str):
    begun = time.monotonic()
    assert status_of(server.ask(head(f"Content-Type: {kind}", "Content-Length: 2") + b"{}")) == 415
    assert time.monotonic() - begun < 5


def test_a_chunk_must_end_as_it_has_to(server: Server, head: Callable[..., bytes]):
    answer = server.ask(head(JSON, "Transfer-Encoding: chunked") + b"2\r\n{}XX0\r\n\r\n")
    assert status_of(answer) == 400
    answer = server.ask(head(JSON, "Transfer-Encoding: chunked") + b"2;a\nb\r\n{}\r\n0\r\n\r\n")
    assert status_of(answer) == 400


@pytest.mark.parametrize(
    "lines",
    [("Payload-Container: NdarrayContainer", "Args-Number: 1"), ("X-HTTP-Method-Override: DELETE", "X-Original-URL: /metrics")],
)
def test_no_header_chooses_how_a_request_is_read(server: Server, head: Callable[..., bytes], lines: tuple[str, ...]):
    plain = server.ask(head(JSON, "Content-Length: 7") + b'{"a":1}')
    answer = server.ask(head(JSON, "Content-Length: 7", *lines) + b'{"a":1}')
    assert [json.loads(one.partition(b"\r\n\r\n")[2])["json"] for one in (plain, answer)] == [{"a": 1}] * 2


def test_a_url_in_a_body_is_not_fetched(server: Server, head: Callable[..., bytes]):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        body = json.dumps({"instances": [{"file": url, "url": url, "$ref": url}], "schema": url}).encode()
        assert status_of(server.ask(head(JSON, f"Content-Length: {len(body)}") + body)) == 200
        with pytest.raises(BlockingIOError):
            listening.accept()


def test_an_answer_does_not_wait_for_the_caller_to_acknowledge_its_beginning(server: Server, head: Callable[..., bytes]):
    """Head and body leave in two pieces; held back, the second would come 40 ms later, each time."""
    request, took = head(JSON, "Content-Length: 2", close=False) + b"{}", []
    with server.connect() as connection:
        for _ in range(30):
            begun, got = time.monotonic(), b""
            connection.sendall(request)
            while b"\r\n\r\n" not in got or not got.endswith(b"}"):
                got += connection.recv(65_536)
            took.append(time.monotonic() - begun)
    assert min(took) < 0.035
    assert sorted(took)[len(took) // 4] < 0.035


def test_bodies_of_callers_without_a_key_take_no_memory(root: Path):
    with serving_at(root) as server:
        assert status_of(server.ask(get("/healthz"))) == 200
        before = server.memory
        head = f"POST {PREDICT} HTTP/1.1\r\nHost: localhost\r\n{JSON}\r\nContent-Length: 2000000\r\n\r\n".encode()
        held = [server.connect() for _ in range(30)]
        try:
            for connection in held:
                connection.sendall(head)
            for connection in held:
                with contextlib.suppress(ConnectionError):  # given up meanwhile
                    connection.sendall(b" " * 1_990_000)
            assert server.memory - before < 20_000_000  # together they sent 60 MB
            assert {status_of(read_all(connection)) for connection in held} <= {401, 0}
        finally:
            for connection in held:
                connection.close()
