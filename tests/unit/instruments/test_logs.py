"""Lines of JSON that say what they should, and no secret."""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gristmill.errors import InstrumentError
from gristmill.instruments import logs
from gristmill.instruments.secrets_in_text import REDACTED, without_secrets


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Configure the logs of this process to go into a text, and put back what was."""
    root = logging.getLogger()
    before, level = root.handlers, root.level
    stream = io.StringIO()
    logs.configure("info", stream)
    yield stream
    root.handlers = before
    root.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_request_is_one_line_with_its_facts(written: io.StringIO) -> None:
    facts = {"request_id": "r-1", "model_version": "churn/3", "route": "/p", "status": 200, "duration_ms": 1.5, "key_id": "k7"}
    logs.log_request(facts)
    (line,) = lines(written)
    assert {name: line[name] for name in facts} == facts
    assert (line["level"], line["logger"], line["message"]) == ("info", "gristmill.requests", "request")
    assert str(line["time"]).endswith("Z")
    assert len(str(line["time"])) == len("2024-01-01T00:00:00.000Z")


def test_headers_bodies_and_keys_are_never_written(written: io.StringIO) -> None:
    logs.log_request({"status": 200, "headers": {"authorization": "Bearer abc"}, "body": "{}", "key": "abc"})
    logging.getLogger("gristmill.any").info("done", extra={"body": "abc", "rows": 3})
    assert [sorted(set(line) - {"time", "level", "logger", "message"}) for line in lines(written)] == [["status"], ["rows"]]
    assert "abc" not in written.getvalue()


def test_a_line_stays_one_line_whatever_a_client_sends(written: io.StringIO) -> None:
    logs.log_request({"request_id": 'x"\n{"level":"error"}\r\u2028'})
    (line,) = [json.loads(text) for text in written.getvalue().split("\n") if text]
    assert line["level"] == "info"


def test_an_error_brings_its_traceback_without_secrets(written: io.StringIO) -> None:
    try:
        int("postgresql://reader:hunter22@host/shop")
    except ValueError:
        logging.getLogger("gristmill.any").exception("it failed")
    (line,) = lines(written)
    assert "ValueError: invalid literal for int() with base 10: 'postgresql://[redacted]@host/shop'" in str(line["traceback"])
    assert "hunter22" not in written.getvalue()


def test_the_line_of_a_request_is_the_same_where_others_listen_too(written: io.StringIO) -> None:
    facts = {"request_id": "r1", "route": "/p", "status": 200, "duration_ms": 1.5, "key_id": "k", "ignored": "x"}
    logs.log_request(facts)
    heard = logging.NullHandler()
    logs.REQUESTS.addHandler(heard)
    try:
        logs.log_request(facts)
    finally:
        logs.REQUESTS.removeHandler(heard)
    first, second = lines(written)
    assert list(first) == list(second)
    assert {**first, "time": ""} == {**second, "time": ""}


def test_a_stream_that_takes_nothing_more_fails_no_request(written: io.StringIO) -> None:
    full = Path("/dev/full").open("w")  # noqa: SIM115 - closing it fails, as is seen below
    logs.configure("info", full)
    logs.log_request({"status": 200})
    with pytest.raises(OSError, match="No space left"):
        full.close()
    assert written.getvalue() == ""


def test_less_than_the_level_is_not_written(written: io.StringIO) -> None:
    logs.configure("warning", written)
    logs.log_request({"status": 200})
    logging.getLogger("gristmill.any").warning("seen")
    assert [line["message"] for line in lines(written)] == ["seen"]


def test_uvicorns_own_lines_have_the_same_form(written: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").info("Started server process [%d]", 7)
    logging.getLogger("uvicorn.access").info("GET /")
    assert [line["message"] for line in lines(written)] == ["Started server process [7]"]


def test_a_level_that_is_none_is_refused() -> None:
    with pytest.raises(InstrumentError, match="debug, info, warning, error"):
        logs.configure("loud")


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer {}", "authorization=Basic {}", "'token': '{}'", '"api_key":"{}"', 'password="{}"', "x-api-key: {}",
        "postgresql://me:{}@host/db", '{{\\"client_secret\\": \\"{}\\"}}', "https://host/?access_token={}&page=2", "Cookie: id={}",
    ],
)  # fmt: skip
@given(secret=st.text("abcdefghijklmnopqrstuvwxyzABC0123456789-_.", min_size=8, max_size=40))
def test_what_has_the_form_of_a_secret_is_taken_out(text: str, secret: str) -> None:
    shown = without_secrets(text.format(secret))
    assert secret not in shown
    assert REDACTED in shown


@pytest.mark.parametrize("text", ["41 rows with churn/3", "https://host/v1/models", "the token bucket of 5", "keys: 4", "a@b.c"])
def test_ordinary_texts_stay(text: str) -> None:
    assert without_secrets(text) == text
