"""Markdown that shows what it was given: texts from data and the case file stay texts, tables keep their columns.

Whatever is written on the card passes through here: a column called ``<script>``, a level with a pipe or a line break in it, has to
stay a name, in the Markdown and in the page made from it.
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gristmill.evaluation.measure import cell
from gristmill.reporting.wording import UNKNOWN

NO_EVIDENCE = "No evidence"
"""How every sentence begins that stands in the place of a section without evidence."""

_MARKS = re.compile(r"([\\`*\[\]|<~$])|(?<![^\W_])(_)|(_)(?![^\W_])|^([#+\-=>])|(&)(?=#?\w+;)")
_BARE_PIPE, PIPE = re.compile(r"(?<!\\)\|"), r"\\|"
"""A pipe that would end a cell, as in code, and how it is written instead."""

_NUMBERED = re.compile(r"^(\d+)([.)])(?=\s|$)")
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co"})
"""Kinds of characters that are not seen: controls, marks that turn the direction of reading, halves of pairs."""


def on_one_line(value: object) -> str:
    """Return a value as text on one line, without what cannot be seen; nothing for None."""
    line = " ".join(str(value if value is not None else "").split())
    return "".join(letter for letter in line if unicodedata.category(letter) not in _HIDDEN)


def escape_text(value: object) -> str:
    """Return a text from data or the case file as Markdown that shows it unchanged, on one line."""
    line = _MARKS.sub(lambda found: f"\\{found.group(0)}", on_one_line(value))
    return _NUMBERED.sub(r"\1\\\2", line)


def code(value: object) -> str:
    """Return a name as code, on one line; one that holds what code cannot (a backtick, a pipe in a table) as a text."""
    inside = on_one_line(value)
    if "`" in inside or "|" in inside:
        return escape_text(value)
    return f"`{inside}`" if inside else "*(empty)*"


def measured(found: Mapping[str, Any] | None) -> str:
    """Return a value with its interval, or a dash where there is none."""
    if found is None:
        return UNKNOWN
    return cell(
        {end: round(value, 9) if is_known(value) else None for end, value in found.items() if end in ("value", "low", "high")}
    )


def number(value: Any) -> float:
    """Return a measured number; not a number where it is missing."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan


def is_known(value: Any) -> bool:
    """Return whether a value was measured: a number that is finite."""
    return math.isfinite(number(value))


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table whose cells are Markdown already; nothing without rows."""
    lines = [f"| {' | '.join(_BARE_PIPE.sub(PIPE, one) for one in row)} |" for row in rows]
    return "\n".join([f"| {' | '.join(header)} |", f"|{'---|' * len(header)}", *lines]) if lines else ""


def bullets(lines: Iterable[str]) -> str:
    """Return a list whose entries are Markdown already."""
    return "\n".join(f"- {line}" for line in lines)


def blocks(*parts: str) -> str:
    """Return the parts that are not empty, a blank line between them."""
    return "\n\n".join(part for part in parts if part)


def listed(names: Iterable[object], most: int = 6) -> str:
    """Return names, escaped and with commas between them, the last ones as a number where there are many."""
    known = list(names)
    shown = ", ".join(escape_text(name) for name in known[:most])
    return f"{shown} and {len(known) - most} more" if len(known) > most else shown


def plural(number_of: int, name: str) -> str:
    """Return a number with what it counts: ``1 row``, ``2 rows``."""
    return f"{number_of:,} {name}{'' if number_of == 1 else 's'}"
