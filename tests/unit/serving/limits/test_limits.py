"""The parts of the entrance: buckets, what wrong keys cost, host names, routes, headers, answers (R38)."""

import asyncio
import json
from typing import Any

import pytest

from gristmill.serving.keys.tokens import new_token
from gristmill.serving.limits.answers import Answer
from gristmill.serving.limits.attempts import MOST_REMEMBERED, Attempts, address_of
from gristmill.serving.limits.bodies import Disconnected, let_go, read_body
from gristmill.serving.limits.buckets import Buckets
from gristmill.serving.limits.headers import Headers, request_id_of
from gristmill.serving.limits.hosts import Hosts
from gristmill.serving.problems import MEDIA_TYPE, ProblemError, problem
from gristmill.serving.routes import Route, RouteTable


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_gives_its_burst_at_once_and_its_rate_afterwards():
    clock = Clock()
    buckets = Buckets(burst_seconds=2.0, clock=clock)
    assert [buckets.take("a", 5.0) for _ in range(10)] == [0.0] * 10
    assert buckets.take("a", 5.0) == pytest.approx(0.2)
    assert buckets.take("b", 5.0) == 0.0
    clock.now += 0.2
    assert buckets.take("a", 5.0) == 0.0
    assert buckets.take("a", 5.0) > 0


def test_a_rate_below_one_a_second_lets_one_through_and_then_waits():
    buckets = Buckets(burst_seconds=1.0, clock=Clock())
    assert buckets.take("a", 0.1) == 0.0
    assert buckets.take("a", 0.1) == pytest.approx(10.0)


def test_over_a_long_time_no_more_than_the_rate_gets_through():
    clock = Clock()
    buckets = Buckets(burst_seconds=1.0, clock=clock)
    passed = 0
    for _ in range(10_000):
        clock.now += 0.001
        passed += buckets.take("a", 50.0) == 0.0
    assert 500 <= passed <= 551


def test_buckets_take_bounded_memory():
    buckets = Buckets(most=100, clock=Clock())
    for number in range(10_000):
        buckets.take(str(number), 1.0)
    assert len(buckets._levels) == 100


def test_an_address_with_too_many_wrong_keys_is_not_listened_to_for_a_while():
    clock = Clock()
    attempts = Attempts(30, clock)
    token, known = new_token()
    attempts.note_right("10.0.0.1", known)
    for _ in range(30):
        assert attempts.wait("10.0.0.1", "guess") == 0.0
        attempts.note_wrong("10.0.0.1")
    assert attempts.wait("10.0.0.1", "guess") == pytest.approx(2.0)
    assert attempts.wait("10.0.0.1", new_token()[0]) > 0
    assert attempts.wait("10.0.0.1", token) == 0.0
    assert attempts.wait("10.0.0.2", "guess") == 0.0
    clock.now += 2.1
    assert attempts.wait("10.0.0.1", "guess") == 0.0


def test_what_is_remembered_of_addresses_is_bounded():
    attempts = Attempts(30, Clock())
    for number in range(MOST_REMEMBERED + 500):
        attempts.note_right(str(number), "key")
        attempts.note_wrong(str(number))
    assert len(attempts._right) == MOST_REMEMBERED


def test_addresses_of_one_network_of_ipv6_count_as_one():
    assert address_of(("2001:db8::1", 1)) == address_of(("2001:db8::ffff:1", 2)) != address_of(("2001:db8:0:1::1", 1))
    assert address_of(("10.0.0.1", 5)) == "10.0.0.1"
    assert address_of(("fe80::1%eth0", 5)) == "fe80::/64"
    assert address_of(("::nonsense:::", 5)) == "::nonsense:::"
    assert address_of(None) == ""


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8000", "127.0.0.1:80", "[::1]", "[::1]:8000", "a.example.org", "b.c.example.org:1"]
)
def test_names_the_service_goes_by_are_allowed(host: str):
    assert Hosts(["localhost", "127.0.0.1", "[::1]", "*.example.org"]).allow(host)


@pytest.mark.parametrize(
    "host",
    ["", "example.org", "evil.org", "example.org.evil", "x@a.example.org", "a.example.org/x", "a.example.org:1:2", "*",
     "a b.example.org", "evil.org#.example.org", "localhost.", "\tlocalhost", "localhost,evil"],
)  # fmt: skip
def test_other_names_are_not(host: str):
    assert not Hosts(["localhost", "127.0.0.1", "[::1]", "*.example.org"]).allow(host)


def test_every_name_is_allowed_only_when_the_case_says_so():
    assert Hosts(["*"]).allow("anything.example:80")
    assert not Hosts(["*"]).allow("any thing")


TABLE = RouteTable(
    [Route("GET", "/healthz", None), Route("POST", "/v1/models/{name}/predict", "predict"), Route("GET", "/v1/models", "any")]
)


def test_a_request_that_the_table_does_not_name_does_not_exist():
    assert TABLE.find("HEAD", "/healthz").path == "/healthz"
    assert TABLE.find("POST", "/v1/models/churn/predict").scope == "predict"
    for path in (
        "/",
        "/healthz/",
        "/v1/models/",
        "/v1/models/../predict",
        "/v1/models/a/b/predict",
        "/v1/models//predict",
        "/v1/models/a\n/predict",
        "/docs",
    ):
        with pytest.raises(ProblemError) as caught:
            TABLE.find("GET", path)
        assert caught.value.status == 404, path


@pytest.mark.parametrize("method", ["OPTIONS", "GET", "PUT", "TRACE", "CONNECT", "post", "X-METHOD-OVERRIDE"])
def test_another_method_is_refused_with_those_there_are(method: str):
    with pytest.raises(ProblemError) as caught:
        TABLE.find(method, "/v1/models/churn/predict")
    assert (caught.value.status, caught.value.headers["Allow"]) == (405, "POST")


def test_a_scope_that_no_key_has_is_a_slip_that_is_found_at_once():
    with pytest.raises(ValueError, match="predicts"):
        Route("GET", "/x", "predicts")


@pytest.mark.parametrize("given", [b"", b"a b", b"x" * 129, b"a\nb", b"<script>", b"\xff", b"{}"])
def test_a_request_id_that_is_not_harmless_is_replaced(given: bytes):
    made = request_id_of([(b"x-request-id", given)])
    assert len(made) == 32
    assert made != request_id_of([(b"x-request-id", given)])


def test_a_harmless_request_id_is_honoured():
    assert request_id_of([(b"accept", b"*/*"), (b"x-request-id", b"4bf9:2f-3.B_7")]) == "4bf9:2f-3.B_7"


@pytest.mark.parametrize(
    ("value", "token"),
    [
        (b"Bearer abc", "abc"),
        (b"bearer  abc ", "abc"),
        (b"Basic abc", None),
        (b"Bearer", None),
        (b"Bearer ", None),
        (b"", None),
        (b"abc", None),
    ],
)
def test_only_a_bearer_is_a_key(value: bytes, token: str | None):
    assert (Headers.of([(b"authorization", value)]).token or None) == token


@pytest.mark.parametrize("name", [b"host", b"authorization", b"content-type", b"content-length", b"transfer-encoding"])
def test_a_header_that_may_stand_once_is_noticed_twice(name: bytes):
    assert Headers.of([(name, b"1"), (name, b"1")]).twice == name.decode()


@pytest.mark.parametrize("value", [b"-1", b"+2", b"1e3", b"0x1", b"2 2", b"", b"9" * 30, "٣".encode()])
def test_a_length_that_is_no_number_is_refused(value: bytes):
    with pytest.raises(ProblemError) as caught:
        _ = Headers.of([(b"content-length", value)]).announced
    assert caught.value.status == 400


def body_of(*pieces: bytes, announced: int | None = None, most: int = 10, gone: bool = False) -> bytes:
    left = [
        {"type": "http.request", "body": piece, "more_body": number < len(pieces) - 1 or gone}
        for number, piece in enumerate(pieces)
    ]

    async def receive() -> Any:
        return left.pop(0) if left else {"type": "http.disconnect"}

    return asyncio.run(read_body(receive, announced, most, 5.0))


def test_a_body_is_put_together_from_its_pieces_and_counted():
    assert body_of(b"abc") == body_of(b"a", b"b", b"c") == body_of(b"", b"abc", b"") == b"abc"
    for pieces in ((b"x" * 11,), (b"x" * 5, b"x" * 6)):
        with pytest.raises(ProblemError) as caught:
            body_of(*pieces)
        assert (caught.value.status, caught.value.headers["Connection"]) == (413, "close")
    with pytest.raises(ProblemError):
        body_of(announced=11)
    with pytest.raises(Disconnected):
        body_of(b"a", gone=True)


def sent(*messages: dict[str, Any]) -> list[dict[str, Any]]:
    left: list[Any] = []

    async def send(message: Any) -> None:
        left.append(message)

    async def run() -> None:
        answer = Answer(send, "the-id")
        for message in messages:
            await answer.send(message)

    asyncio.run(run())
    return left


def test_an_answer_leaves_with_our_headers_in_the_place_of_its_own():
    theirs = [
        (b"content-type", b"text/plain"),
        (b"server", b"x"),
        (b"access-control-allow-origin", b"*"),
        (b"cache-control", b"public"),
    ]
    start, _ = sent(
        {"type": "http.response.start", "status": 200, "headers": theirs},
        {"type": "http.response.body", "body": b"ok", "more_body": False},
    )
    names = [name for name, _ in start["headers"]]
    assert len(names) == len(set(names))
    found = dict(start["headers"])
    assert (found[b"cache-control"], found[b"x-request-id"], found[b"content-type"]) == (b"no-store", b"the-id", b"text/plain")
    assert b"server" not in found
    assert b"access-control-allow-origin" not in found


def test_a_failure_in_its_own_words_is_replaced():
    left = sent(
        {"type": "http.response.start", "status": 500, "headers": [(b"content-type", b"text/html")]},
        {"type": "http.response.body", "body": b"Traceback: secret", "more_body": True},
        {"type": "http.response.body", "body": b"secret"},
    )
    assert [message["type"] for message in left] == ["http.response.start", "http.response.body"]
    assert json.loads(left[1]["body"])["request_id"] == "the-id"
    assert b"secret" not in left[1]["body"]


def test_a_failure_that_is_a_problem_document_is_sent_as_it_is():
    own = problem(503, "Log Unavailable", "The log does not answer.")
    left = sent(
        {"type": "http.response.start", "status": 503, "headers": own.raw_headers}, {"type": "http.response.body", "body": own.body}
    )
    assert left[1]["body"] == own.body


def test_a_problem_document_is_one_of_rfc_9457():
    made = problem(422, "Wrong Values", "Two.", errors=[{"column": "a"}], headers={"Retry-After": "1"})
    assert made.headers["content-type"] == MEDIA_TYPE
    assert made.headers["retry-after"] == "1"
    said = json.loads(made.body)
    assert said == {
        "type": "urn:gristmill:wrong-values",
        "title": "Wrong Values",
        "status": 422,
        "detail": "Two.",
        "errors": [{"column": "a"}],
    }
    assert json.loads(problem(404, "", "x").body)["title"] == "Not Found"
    assert json.loads(problem(404, "", "x").body)["type"] == "about:blank"


@pytest.mark.parametrize(
    ("pieces", "gone"),
    [((b"abc",), True), ((b"a" * 5, b"b" * 5), True), ((b"a" * 11,), False), ((b"a" * 6, b"b" * 6, b""), False), ((), False)],
)
def test_a_body_that_nobody_wants_is_let_go_or_given_up(pieces: tuple[bytes, ...], gone: bool):
    left = [{"type": "http.request", "body": piece, "more_body": number < len(pieces) - 1} for number, piece in enumerate(pieces)]

    async def receive() -> Any:
        return left.pop(0) if left else {"type": "http.disconnect"}

    assert asyncio.run(let_go(receive, 10, 5.0)) is gone


def test_a_body_that_nobody_wants_is_not_waited_for():
    async def never() -> Any:
        await asyncio.Event().wait()

    assert asyncio.run(let_go(never, 10, 0.01)) is False
