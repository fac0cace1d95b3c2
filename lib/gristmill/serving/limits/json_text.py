"""JSON read strictly (RFC 8259 and I-JSON, RFC 7493): what two readers could take for two things is refused.

Refused are duplicate keys, not-a-number and infinities (also numbers too large for a double), texts that are not UTF-8, half a
surrogate pair, NUL characters, deep nesting, and numbers of absurd length. Depth and the number of objects are bounded before
anything is parsed, so that what is refused costs no more memory than its own text.
"""

import json
import math
import re
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gristmill.serving.problems import ProblemError

_PLAIN = bytes(set(range(256)) - set(b'[]{}"'))
"""What is neither a bracket nor the end of a text."""

_QUOTE = ord('"')
_SUSPICIOUS = re.compile(rb"\\u(?:[dD]|0000)")
"""Escapes of surrogates and of NUL; they may be in order, and are looked at."""


class _StrictnessError(ValueError):
    """Something in a text that is JSON, but not strictly."""


def read_json(body: bytes, *, depth: int, number_characters: int, rows: int) -> Any:
    """Return what a JSON text says.

    Parameters
    ----------
    body
        The text.
    depth
        Deepest nesting.
    number_characters
        Longest number.
    rows
        Most objects, beside a few that hold others, and most arrays.

    Raises
    ------
    ProblemError
        It is not JSON, or not strictly (400); or it has too many rows (413).
    """
    _bound(body, depth, rows)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _bad(f"The body must be UTF-8, and is not from byte {error.start} on.") from error
    try:
        value = _decoder(number_characters).decode(text)
        if _SUSPICIOUS.search(body):
            _refuse_strange_texts(value)
    except json.JSONDecodeError as error:
        said = error.msg[0].lower() + error.msg[1:]
        raise _bad(f"The body is not JSON: {said}, line {error.lineno}, column {error.colno}.") from error
    except _StrictnessError as error:
        raise _bad(str(error)) from error
    except RecursionError as error:  # cannot be, as the depth is bounded; never worth a failure of the service
        raise _bad(f"The body is nested deeper than {depth}.") from error
    return value


def _bad(detail: str) -> ProblemError:
    return ProblemError(400, "Bad JSON", detail)


FEW = 16
"""Objects and arrays beside those that are rows, or in rows."""


def _bound(body: bytes, depth: int, rows: int) -> None:
    """Refuse a text that is nested too deep or has too many objects, without parsing it."""
    if body.count(b"{") + body.count(b"[") <= min(depth, FEW):
        return
    brackets = _brackets(body)
    opening = brackets & 4 == 0  # the bit in which `]` and `}` differ from `[` and `{`
    if len(brackets) and np.cumsum(np.where(opening, np.int8(1), np.int8(-1)), dtype=np.int32).max() > depth:
        raise _bad(f"The body is nested deeper than {depth}.")
    objects = int(np.count_nonzero(brackets == ord("{")))
    if objects > rows + FEW or np.count_nonzero(opening) - objects > rows + FEW:
        raise too_many_rows(rows)


def _brackets(body: bytes) -> NDArray[np.uint8]:
    """Return the brackets of a text that stand outside its strings; in memory of a few times its size, whatever is in it."""
    if b"\\" in body:
        body = body.replace(b"\\\\", b"").replace(b'\\"', b"")  # in this order a quote that is left ends a string, or begins one
    kept = np.frombuffer(body.translate(None, _PLAIN), np.uint8)
    quotes = (kept == _QUOTE).view(np.uint8)
    outside = (np.bitwise_xor.accumulate(quotes) | quotes) == 0 if len(kept) else quotes == 0
    found: NDArray[np.uint8] = kept[outside]
    return found


def too_many_rows(rows: int) -> ProblemError:
    """Return the refusal of a request with more than ``rows`` rows."""
    return ProblemError(413, "Too Many Rows", f"Expected at most {rows:,} rows in a request, got more. Send several requests.")


@lru_cache(maxsize=16)
def _decoder(number_characters: int) -> json.JSONDecoder:
    """Return a decoder that refuses what is not strict, with numbers of at most so many characters."""

    def whole(text: str) -> int:
        if len(text) > number_characters:
            raise _StrictnessError(f"The body has a number of more than {number_characters} characters.")
        return int(text)

    def fractional(text: str) -> float:
        if len(text) > number_characters:
            raise _StrictnessError(f"The body has a number of more than {number_characters} characters.")
        number = float(text)
        if not math.isfinite(number):
            raise _StrictnessError("The body has a number that is too large for a double.")
        return number

    return json.JSONDecoder(object_pairs_hook=_once_each, parse_int=whole, parse_float=fractional, parse_constant=_no_constant)


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object whose keys all differ."""
    made = dict(pairs)
    if len(made) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1) if len(keys) < 1_000 else ""
        raise _StrictnessError(
            f"The key {twice[:40]!a} stands twice in an object." if twice else "A key stands twice in an object."
        )
    return made


def _no_constant(name: str) -> Any:
    raise _StrictnessError(f"The body has {name}, which is no JSON; send null for a value that is not known.")


def _refuse_strange_texts(value: Any) -> None:
    """Refuse half a surrogate pair and NUL in any text, which databases and other readers cannot hold."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, str):
            if "\x00" in one or not _can_be_written(one):
                raise _StrictnessError("A text in the body has a NUL character, or half of a surrogate pair.")
        elif isinstance(one, dict):
            left.extend(one)
            left.extend(one.values())
        elif isinstance(one, list):
            left.extend(one)


def _can_be_written(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
