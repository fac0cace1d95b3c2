"""Strict JSON: what two readers could take for two things is refused, before it costs memory (R38)."""

import json
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gristmill.serving.limits.json_text import FEW, read_json
from gristmill.serving.problems import ProblemError


def read(body: bytes, depth: int = 16, number_characters: int = 64, rows: int = 1_000) -> object:
    return read_json(body, depth=depth, number_characters=number_characters, rows=rows)


def refusal(body: bytes, **limits: int) -> ProblemError:
    with pytest.raises(ProblemError) as caught:
        read(body, **limits)
    return caught.value


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(plain, st.booleans())
def test_what_is_plain_json_is_read_as_by_the_standard_library(value: object, ascii_only: bool):
    text = json.dumps(value, ensure_ascii=ascii_only).encode()
    assert read(text, depth=100) == json.loads(text)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"a": 1, "a": 1}', "'a' stands twice"),
        (b'{"rows": [{"b": 1, "c": 2, "b": null}]}', "'b' stands twice"),
        (b'{"\\u0061": 1, "a": 2}', "'a' stands twice"),
        (b"[NaN]", "NaN"),
        (b"[Infinity]", "Infinity"),
        (b"[-Infinity]", "-Infinity"),
        (b"[1e400]", "too large"),
        (b"[-1e999999999]", "too large"),
        (b"[" + b"9" * 65 + b"]", "64 characters"),
        (b"[0." + b"1" * 1_000_000 + b"]", "64 characters"),
        (b"[1e" + b"0" * 100 + b"1]", "64 characters"),
        (b'["\\ud800"]', "surrogate"),
        (b'{"\\udfff": 1}', "surrogate"),
        (b'["\\ud83d\\ud83d"]', "surrogate"),
        (b'["a\\u0000b"]', "NUL"),
        (b'["a\x00b"]', "control character"),
        (b'["\x07"]', "control character"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b"\xff", "UTF-8"),
        (b'["\xc0\xaf"]', "UTF-8"),
        (b'["\xed\xa0\x80"]', "UTF-8"),
        ("[]".encode("utf-16"), "UTF-8"),
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[1,]", "not JSON"),
        (b"[01]", "not JSON"),
        (b"['a']", "not JSON"),
        (b"{} {}", "not JSON"),
        (b"[0x10]", "not JSON"),
        (b"[.5]", "not JSON"),
        (b"// {}", "not JSON"),
        (b"[" * 17 + b"]" * 17, "deeper than 16"),
        (b'{"a":' * 17 + b"1" + b"}" * 17, "deeper than 16"),
        (b"[" * 100_000, "deeper than 16"),
        (b'{"a":' * 100_000, "deeper than 16"),
    ],
)
def test_what_is_not_strict_is_refused_with_the_reason(body: bytes, said: str):
    found = refusal(body)
    assert found.status == 400
    assert said in found.detail


@pytest.mark.parametrize(
    "text", ["😀", "\\u0000", "ud800", "\\", "]]]]]]]]]]]]]]]]]]]]]", "{{{{{{{{{{{{{{{{{{{{{{{", '"[[[[[[[[[[[[[[[[']
)
def test_texts_that_only_look_dangerous_are_read(text: str):
    body = json.dumps({"a": text}).encode()
    assert read(body, rows=3) == {"a": text}


def test_depth_is_counted_exactly():
    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
        assert read(opening * 16 + b"1" + closing * 16)
        assert "deeper" in refusal(opening * 17 + b"1" + closing * 17).detail
    assert read(b'[{"a":' * 8 + b"1" + b"}]" * 8)
    assert "deeper" in refusal(b'[{"a":' * 8 + b"[1]" + b"}]" * 8).detail


@pytest.mark.parametrize("inner", [b"{}", b"[]", b'{"a": "}"}'])
def test_too_many_rows_are_refused_before_they_are_read(inner: bytes):
    assert refusal(b"[" + b",".join([inner] * (10 + FEW + 1)) + b"]", rows=10).status == 413
    assert read(b"[" + b",".join([inner] * 10) + b"]", rows=10) == [json.loads(inner)] * 10


HOSTILE = {
    "brackets": b"[" * 2_000_000,
    "empty arrays": b"[]," * 600_000,
    "objects": b'{"a":' * 400_000,
    "brackets in and out of texts": b'{"{":' * 400_000,
    "quotes": b'"' * 2_000_000,
    "escapes": b'"\\' * 1_000_000,
    "digits": b"9" * 2_000_000,
    "signs": b"[" + b"-" * 2_000_000,
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_costs_little_time_and_memory(body: bytes):
    tracemalloc.start()
    begin = time.process_time()
    assert refusal(body).status in (400, 413)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert time.process_time() - begin < 2
    assert peak < 20 * len(body)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes):
    statuses = [200]
    try:
        read(body)
    except ProblemError as error:
        statuses.append(error.status)
    assert statuses[-1] in (200, 400, 413)


def test_a_refusal_never_repeats_a_value():
    found = refusal(b'{"card": "4929-secret", "card": "4929-secret"}')
    assert "4929" not in found.detail
