"""Records of delimited text: told from its bytes alone, the broken ones one by one."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gristmill.serving.batch import records
from gristmill.serving.batch.records import split

FIELDS = st.text('ab,"\n é', max_size=6)


def told(content: bytes, most: int = 1_000) -> list[tuple[bytes, int]]:
    """Return the text and the number of fields of each record."""
    found = split(content, ",", '"', most, final=True)
    assert found is not None
    return [(content[s:e], int(n)) for s, e, n in zip(found.starts, found.ends, found.n_fields, strict=True)]


@given(st.lists(st.lists(FIELDS, min_size=2, max_size=4), min_size=1, max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_what_python_writes_is_told_as_it_was_written(rows: list[list[str]], end: str) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator=end).writerows(rows)
    assert [n for _, n in told(file.getvalue().encode())] == [len(row) for row in rows]


@given(st.text('a,"\n\r', max_size=40).map(str.encode))
def test_both_ways_agree_and_no_byte_is_lost(content: bytes) -> None:
    fast = split(content, ",", '"', 1_000, final=True)
    slow = records._split_one_by_one(content, ",", '"', 1_000, final=True)
    assert fast is not None
    assert slow is not None
    for name in ("starts", "ends", "n_fields"):
        assert getattr(fast, name).tolist() == getattr(slow, name).tolist()
    outside = bytearray(content)
    for start, end in zip(fast.starts[::-1], fast.ends[::-1], strict=True):
        del outside[start:end]
    assert set(bytes(outside)) <= set(b"\r\n")


@given(st.text('a,"\n', min_size=1, max_size=40).map(str.encode), st.integers(1, 3))
def test_piece_by_piece_tells_the_same(content: bytes, most: int) -> None:
    whole, pieces, rest = told(content), [], content
    while rest:
        found = split(rest, ",", '"', most, final=True)
        assert found is not None
        pieces += [(rest[s:e], int(n)) for s, e, n in zip(found.starts, found.ends, found.n_fields, strict=True)]
        rest = rest[found.after :]
    assert pieces == whole


@given(st.text('a,"\n', min_size=1, max_size=30).map(str.encode), st.integers(0, 29))
def test_bytes_that_are_not_there_yet_change_nothing(content: bytes, known: int) -> None:
    early, late = split(content[:known], ",", '"', 1, final=False), split(content, ",", '"', 1, final=True)
    assert late is not None
    if early is not None:
        assert (early.starts.tolist(), early.ends.tolist(), early.after) == (late.starts.tolist(), late.ends.tolist(), late.after)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'a,"b\n\nc",d\n\n\ne,f', [(b'a,"b\n\nc",d', 3), (b"e,f", 2)]),
        (b'5" pipe,2\nx,y\n', [(b'5" pipe,2', 2), (b"x,y", 2)]),
        (b'"open,1\nx,"y"\nz,1\n', [(b'"open,1', 0), (b'x,"y"', 2), (b"z,1", 2)]),
        (b"a,b,\r\n,\r\n", [(b"a,b,", 3), (b",", 2)]),
    ],
)
def test_examples(content: bytes, expected: list[tuple[bytes, int]]) -> None:
    assert told(content) == expected
