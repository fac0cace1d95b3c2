"""A request for predictions, taken apart: which model, which version, which rows, and what beside the prediction."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from gristmill.serving.problems import ProblemError

INSTANCES = "instances"
LONGEST_STICKY_KEY = 256
EXPLAIN, INTERVAL = "explain", "interval"
SHAP = "shap"
_MOST_OPTIONS = 8
_LEVEL = re.compile(r"[0-9]{0,4}\.?[0-9]{1,17}")
"""Plain decimals; Python would take other scripts' digits, blanks, underscores and words as well."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request for predictions asks.

    Attributes
    ----------
    name
        The model.
    version
        One of its versions in service, or None for whichever answers.
    rows
        Unchecked.
    explain
        Whether reasons are wanted.
    interval
        Level of sets or intervals, or None for neither.
    sticky
        What keeps a user with one version, or None.
    request_id, key_id
        Of the request.
    began
        When it came, by the clock ``time.perf_counter``.
    """

    name: str
    version: int | None
    rows: Sequence[Any]
    explain: bool
    interval: float | None
    sticky: str | None
    request_id: str
    key_id: str
    began: float


def rows_of(body: object) -> Sequence[Any]:
    """Return the rows of a body.

    Raises
    ------
    ProblemError
        The body is not ``{"instances": [...]}`` with at least one row (422).
    """
    if type(body) is not dict:
        raise _wrong('Expected the body {"instances": [{column: value}]}, got something that is no object.')
    if len(body) != 1 or INSTANCES not in body:
        others = [name for name in body if name != INSTANCES]
        if INSTANCES not in body:
            raise _wrong('Expected the member "instances" in the body, a list of rows; it is not there.')
        raise _wrong(f'Expected no member but "instances" in the body, got {len(others)} more.')
    rows = body[INSTANCES]
    if type(rows) is not list or not rows:
        raise _wrong('Expected "instances" to be a list of one row or more.')
    return rows


def options_of(query: bytes) -> tuple[bool, float | None]:
    """Return whether reasons are wanted, and at which level sets or intervals are.

    Raises
    ------
    ProblemError
        An option is unknown, or has a value that it does not take (422).
    """
    if not query:
        return False, None
    try:
        given = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=_MOST_OPTIONS)
    except ValueError:
        raise _wrong(f"Expected at most {_MOST_OPTIONS} options in the query, got more.") from None
    named = dict(given)
    if len(named) != len(given) or set(named) - {EXPLAIN, INTERVAL}:
        raise _wrong("Expected `explain` and `interval`, each once at most, as options of the query; got something else.")
    if named.get(EXPLAIN, SHAP) != SHAP:
        raise _wrong("Expected `explain=shap`, the one kind of explanation there is.")
    return EXPLAIN in named, _level(named[INTERVAL]) if INTERVAL in named else None


def sticky_of(headers: Sequence[tuple[bytes, bytes]]) -> str | None:
    """Return what the header ``X-Sticky-Key`` says, if it was sent.

    Raises
    ------
    ProblemError
        It is longer than :data:`LONGEST_STICKY_KEY` (422).
    """
    for name, value in headers:
        if name == b"x-sticky-key":
            if len(value) > LONGEST_STICKY_KEY:
                raise _wrong(f"Expected at most {LONGEST_STICKY_KEY} bytes in X-Sticky-Key.")
            return value.decode("latin-1")
    return None


def version_of(text: str) -> int:
    """Return the number that a path names as a version.

    Raises
    ------
    ProblemError
        It is none (404).
    """
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise ProblemError(404, "Not Found", "Expected the number of a version in the path.")
    return int(text)


def _level(text: str) -> float:
    if not _LEVEL.fullmatch(text):
        raise _wrong("Expected `interval` as a number such as 0.9, in digits and with a point.")
    return float(text)


def _wrong(detail: str, **more: Mapping[str, Any]) -> ProblemError:
    return ProblemError(422, "Request Not Understood", detail, **more)
