"""The verdict on one rule, and what happens when rules are broken."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import pandas as pd

from gristmill.errors import DataError

Severity = Literal["stop", "warn"]
MOST_EXAMPLES = 5


@dataclass(frozen=True)
class Check:
    """One rule, on one column or on the table."""

    rule: str
    column: str | None
    severity: Severity
    passed: bool
    count: int
    message: str
    examples: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the form that ``quality.json`` has."""
        return asdict(self)


def examples_of(values: pd.Series) -> tuple[str, ...]:
    """Return the first few different values as text."""
    return tuple(str(value) for value in values.drop_duplicates().head(MOST_EXAMPLES))


def require(checks: Sequence[Check], error: type[DataError] = DataError) -> None:
    """Raise ``error`` if a rule that stops the build is broken.

    Raises
    ------
    DataError
        Or the subclass given; the message has a line for each broken rule.
    """
    broken = [check.message for check in checks if check.severity == "stop" and not check.passed]
    if broken:
        raise error(
            broken[0] if len(broken) == 1 else "\n".join(["The table cannot be used:", *(f"  - {text}" for text in broken)])
        )


def table(checks: Sequence[Check]) -> pd.DataFrame:
    """Return the verdicts as a table for reading: broken rules first, those that stop before those that warn."""
    rows = pd.DataFrame(
        [[check.rule, check.column or "", _verdict(check), check.count, check.message] for check in checks],
        columns=["rule", "column", "verdict", "rows", "finding"],
    )
    order = rows["verdict"].map({"stops": 0, "warns": 1, "passes": 2})
    return rows.iloc[order.argsort(kind="stable")].reset_index(drop=True)


def _verdict(check: Check) -> str:
    """Return what a check means for the build, in a word."""
    if check.passed:
        return "passes"
    return "stops" if check.severity == "stop" else "warns"
