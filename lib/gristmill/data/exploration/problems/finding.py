"""What is said of a problem: how bad it is, what shows it, what to do, and which key of the case file does it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

import pandas as pd

Severity = Literal["high", "medium", "low"]

SEVERITIES: tuple[Severity, ...] = ("high", "medium", "low")
"""Severities, the worst first."""

COLUMNS = ["severity", "column", "finding", "suggestion", "key"]
"""What a reader is shown of a finding, in this order."""


@dataclass(frozen=True)
class Finding:
    """Something about a column, or about the table, that a modeller would want to be told.

    ``share`` is the share of the training rows that it is about, and ``key`` the key of the case file by which one acts on it;
    empty where only the source can be mended.
    """

    severity: Severity
    column: str | None
    finding: str
    suggestion: str
    key: str = ""
    share: float = 1.0


def ranked(found: Iterable[Finding]) -> list[Finding]:
    """Return findings in the order in which they deserve attention: the most severe first, then those about most rows."""
    return sorted(found, key=lambda one: (SEVERITIES.index(one.severity), -one.share))


def as_table(found: list[Finding]) -> pd.DataFrame:
    """Return findings as a table for reading, numbered from 1 by their rank."""
    table = pd.DataFrame([asdict(one) for one in found], columns=COLUMNS).fillna("")
    return table.set_axis(pd.RangeIndex(1, len(table) + 1, name="rank"))


def as_list(found: list[Finding], most: int = 30) -> str:
    """Return findings as a numbered list in Markdown: the evidence, then what to do about it and by which key."""
    if not found:
        return "No rule found a problem, which does not mean that there is none to find."
    shown = "\n".join(f"1. {_as_item(one)}" for one in found[:most])
    left = f"\n\n{len(found) - most} more are in `exploration.json`." if len(found) > most else ""
    return shown + left


def _as_item(one: Finding) -> str:
    """Return one finding as an item of a list."""
    about = f"`{one.column}` · " if one.column else ""
    key = f" (`{one.key}`)" if one.key else ""
    return f"{about}{one.severity}. **{one.finding}** {one.suggestion.removesuffix('.')}{key}."


def in_words(found: list[Finding]) -> str:
    """Return how many problems there are of each severity, and the first of them, as sentences."""
    if not found:
        return "No rule found a problem, which does not mean that there is none to find."
    counts = [(severity, sum(one.severity == severity for one in found)) for severity in SEVERITIES]
    said = ", ".join(f"{count} {severity}" for severity, count in counts if count)
    worst = found[0]
    where = f"`{worst.column}`: " if worst.column else ""
    return f"Problems found: {said}. The first to look at is {where}{worst.finding[:1].lower()}{worst.finding[1:]}"
