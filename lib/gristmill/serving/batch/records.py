"""Where the records of delimited text begin and end, found on its bytes, so that a record that is broken costs no other.

A quotation mark counts only where a field begins, as in RFC 4180; elsewhere it is a character like others. Text whose quotes
are all in order is looked at with NumPy; the rest record by record, and a line whose quotes cannot be made sense of is a broken
record of its own. What is found depends on the bytes alone, not on how much of them is looked at at once.
"""

import re
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gristmill.data.sources.dialect import LONGEST_FIELD

NEWLINE, RETURN = 10, 13
MISQUOTED = "a quotation mark is opened and never closed, or stands where none can"

Places = NDArray[np.int64]


@dataclass(frozen=True)
class Records:
    """The first records of some bytes; blank lines are none.

    Attributes
    ----------
    starts, ends
        Where each begins and ends, without its line end.
    n_fields
        How many fields each has.
    after
        Where the bytes behind them begin.
    misquoted
        Positions among the records of those that are broken lines.
    """

    starts: Places
    ends: Places
    n_fields: Places
    after: int
    misquoted: frozenset[int] = field(default_factory=frozenset)


def split(content: bytes, delimiter: str, quote: str, most: int, *, final: bool) -> Records | None:
    """Return the first ``most`` records of ``content``, or None if more bytes are needed to tell them.

    Parameters
    ----------
    content
        Begins with a record.
    delimiter, quote
        One ASCII character each.
    most
        How many records are wanted, at least one.
    final
        Whether nothing follows ``content``; then fewer records are returned if there are no more.
    """
    if not final and content.count(b"\n") < most and len(content) <= LONGEST_FIELD:
        return None
    inside = _inside_quotes(content, delimiter, quote, final=final)
    if inside is not None:
        found = _split_in_order(content, delimiter, inside if inside.size else None, most, final=final)
        if found is not None or len(content) <= LONGEST_FIELD:
            return found
    return _split_one_by_one(content, delimiter, quote, most, final=final)


def _inside_quotes(content: bytes, delimiter: str, quote: str, *, final: bool) -> NDArray[np.bool_] | None:
    """Return for each byte whether it is inside quotes; empty where there are none, None where they are not in order."""
    if quote.encode() not in content:
        return np.empty(0, dtype=bool)
    codes = np.frombuffer(content, dtype=np.uint8)
    is_quote = codes == ord(quote)
    places = np.flatnonzero(is_quote)
    opening, closing = places[0::2], places[1::2]
    before = codes[np.maximum(opening - 1, 0)]
    opens_well = (opening == 0) | np.isin(before, (ord(delimiter), NEWLINE, ord(quote)))
    behind = codes[np.minimum(closing + 1, len(codes) - 1)]
    closes_well = (closing == len(codes) - 1) | np.isin(behind, (ord(delimiter), NEWLINE, ord(quote)))
    ends_line = (behind == RETURN) & ((closing + 2 >= len(codes)) | (codes[np.minimum(closing + 2, len(codes) - 1)] == NEWLINE))
    closes_well |= ends_line
    if not (opens_well.all() and closes_well.all()) or (final and len(opening) > len(closing)):
        return None
    inside: NDArray[np.bool_] = (np.cumsum(is_quote, dtype=np.uint8) & 1).astype(bool)  # wraps, which leaves it odd or even
    return inside


def _split_in_order(content: bytes, delimiter: str, inside: NDArray[np.bool_] | None, most: int, *, final: bool) -> Records | None:
    """Split bytes whose quotes are in order."""
    codes = np.frombuffer(content, dtype=np.uint8)
    breaks = codes == NEWLINE
    line_ends = np.flatnonzero(breaks if inside is None else breaks & ~inside)
    if final and len(content) and not content.endswith(b"\n"):
        line_ends = np.append(line_ends, len(content))
    starts = np.concatenate([[0], line_ends[:-1] + 1]) if len(line_ends) else line_ends
    ends = line_ends - ((line_ends > starts) & (codes[np.maximum(line_ends - 1, 0)] == RETURN))
    kept = np.flatnonzero(ends > starts)
    if len(kept) < most and not final:
        return None
    kept = kept[:most]
    after = min(int(line_ends[kept[-1]]) + 1, len(content)) if len(kept) == most else len(content)
    starts, ends = starts[kept], ends[kept]
    commas = codes[:after] == ord(delimiter)
    places = np.flatnonzero(commas if inside is None else commas & ~inside[:after])
    return Records(starts, ends, np.searchsorted(places, ends) - np.searchsorted(places, starts) + 1, after)


def _split_one_by_one(content: bytes, delimiter: str, quote: str, most: int, *, final: bool) -> Records | None:
    """Split bytes of which some quotes are not in order."""
    fields, ending, ending_last = _patterns(delimiter, quote)
    bounds: list[tuple[int, int, int]] = []
    place, misquoted = 0, set()
    while len(bounds) < most and place < len(content):
        rest = len(content) - place
        if rest <= LONGEST_FIELD:
            found = (ending_last if final else ending).match(content, place)
            if found is None and not final:
                return None  # what is missing may be behind these bytes
        else:
            found = ending.match(content, place, place + LONGEST_FIELD)
        end = found.end() if found else _end_of_line(content, place)
        text_end = place + len(content[place:end].rstrip(b"\n").removesuffix(b"\r"))
        if text_end > place:
            if found is None:
                misquoted.add(len(bounds))
            bounds.append((place, text_end, 0 if found is None else _count_fields(content, place, text_end, fields)))
        place = end
    if len(bounds) < most and not final:
        return None
    starts, ends, n_fields = np.array(bounds, dtype=np.int64).reshape(-1, 3).T
    return Records(starts, ends, n_fields, place, frozenset(misquoted))


def _end_of_line(content: bytes, place: int) -> int:
    """Return where the line behind the one at ``place`` begins."""
    found = content.find(b"\n", place)
    return len(content) if found < 0 else found + 1


def _count_fields(content: bytes, place: int, end: int, fields: "re.Pattern[bytes]") -> int:
    """Return how many fields a record has."""
    count = 0
    while True:
        found = fields.match(content, place, end)
        place, count = (found.end() if found else end), count + 1
        if place >= end:
            return count
        place += 1
        if place == end:  # a delimiter is the last character: an empty field follows it
            return count + 1


def _patterns(delimiter: str, quote: str) -> tuple["re.Pattern[bytes]", "re.Pattern[bytes]", "re.Pattern[bytes]"]:
    """Return what matches a field, a record with its line end, and a record that may be the last."""
    d, q = re.escape(delimiter), re.escape(quote)
    one = f"(?:{q}(?:[^{q}]++|{q}{q})*+{q}(?={d}|\r?\n|\r?\\Z)|(?!{q})[^{d}\n]*+)"
    record = f"{one}(?:{d}{one})*+\r?"
    return tuple(re.compile(text.encode()) for text in (one, f"{record}\n", f"{record}(?:\n|\\Z)"))  # type: ignore[return-value]
