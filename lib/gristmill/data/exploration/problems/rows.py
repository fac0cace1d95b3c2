"""Problems of rows: those that repeat another one, and those that contradict it."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from gristmill.data.contract.schema import Contract
from gristmill.data.exploration.problems.finding import Finding
from gristmill.data.hashing import content_hashes
from gristmill.data.splits.bundles import bundled

_MANY = 0.01


def row_findings(train: pd.DataFrame, case: Any, contract: Contract) -> Iterator[Finding]:
    """Yield how many rows repeat, or contradict, another one that a model could not tell from them.

    Where the columns have so few combinations that almost all rows share theirs with many others, rows must repeat and differ,
    and none counts.
    """
    names = [one["name"] for one in contract["columns"] if one["used"] and one["name"] != case.target]
    alike = pd.Series(content_hashes(train, names))
    if not names or not bundled(alike.to_numpy()):
        return
    target = pd.Series(content_hashes(train, [case.target]))
    against = target.groupby(alike).transform("nunique") > 1
    again = (alike.duplicated(keep=False) & ~against).mean()
    if against.any():
        text = f"{against.sum():,} rows ({against.mean():.1%}) have the features of a row with another {case.target!r}."
        advice = "No model can tell them apart: look for a column that would, or for wrong labels."
        yield Finding("medium" if against.mean() > _MANY else "low", None, text, advice, "", float(against.mean()))
    if again > _MANY:
        text = f"{again:.1%} of the rows share their features and their {case.target!r} with another one."
        advice = "They stay on one side of the split. If they are copies and not cases of their own, keep one of each."
        yield Finding("low", None, text, advice, "validation.duplicates", float(again))
