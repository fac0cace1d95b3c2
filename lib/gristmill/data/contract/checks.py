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
    """One rule, on one column or on the table.

    Attributes
    ----------
    rule, column
        Its name, and the column it is about; None if it is about the table.
    severity
        What it does when it is broken.
    passed
        Whether the rows keep it.
    count
        Rows (or values) that do not.
    message
        What was found, in a sentence.
    examples, where
        The first few values that break it; and the rows they stand in, by identifier or by number from 1.
    limit, observed
        What was allowed and what was found, where the rule has figures: for Great Expectations.
    """

    rule: str
    column: str | None
    severity: Severity
    passed: bool
    count: int
    message: str
    examples: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    limit: Any = None
    observed: Any = None

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


def broken(checks: Sequence[Check]) -> pd.DataFrame:
    """Return the broken rules as a table for reading: those that stop the build before those that warn."""
    found = sorted((check for check in checks if not check.passed), key=lambda check: check.severity)
    return pd.DataFrame(
        [[check.rule, check.column or "", f"{check.severity}s", check.count, check.message] for check in found],
        columns=["rule", "column", "verdict", "rows", "finding"],
    )


def by_rule(checks: Sequence[Check]) -> pd.DataFrame:
    """Return how often each rule was checked, and how often it passes, warns and stops the build."""
    rows = [[check.rule, "passes" if check.passed else f"{check.severity}s"] for check in checks]
    verdicts = pd.DataFrame(rows, columns=["rule", "verdict"])
    made = verdicts.groupby("rule", sort=False)["verdict"].value_counts().unstack(fill_value=0)  # noqa: PD010 - of counts
    return made.reindex(columns=["passes", "warns", "stops"], fill_value=0).loc[verdicts["rule"].drop_duplicates()]
