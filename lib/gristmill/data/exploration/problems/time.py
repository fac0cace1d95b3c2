"""Problems over time: a target that moves, columns that shift, and a date by which rows should be divided."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from gristmill.data.contract.schema import Contract
from gristmill.data.exploration.over_time import CHANCE, shifts, target_chance
from gristmill.data.exploration.problems.finding import Finding, Severity

_FAR, _NEAR = 0.3, 0.1
_FOLLOWS = 0.9


def time_findings(train: pd.DataFrame, case: Any, contract: Contract) -> Iterator[Finding]:
    """Yield what changes along the case's time column, or along a date that it does not name as such."""
    if case.time_column:
        yield from _target_moves(train, case)
        yield from _columns_shift(train, case, contract)
        return
    for one in contract["columns"]:
        if one["kind"] == "date" and one["used"] and target_chance(train, train[one["name"]], case) < CHANCE:
            text = f"{case.target!r} changes along this date."
            advice = "If predictions are made for later rows, name it the time column: the test is then the latest rows."
            yield Finding("medium", one["name"], text, advice, "time_column")


def _target_moves(train: pd.DataFrame, case: Any) -> Iterator[Finding]:
    """Yield a target whose later values are not like the earlier ones."""
    chance = target_chance(train, train[case.time_column], case)
    if chance < CHANCE:
        text = f"The target of later rows is not like that of earlier ones (probability of as much by chance {chance:.2g})."
        advice = "Divide by time, so that the test is the latest rows, and retrain before the model is old."
        yield Finding("medium", case.target, text, advice, "split.strategy")


def _columns_shift(train: pd.DataFrame, case: Any, contract: Contract) -> Iterator[Finding]:
    """Yield columns whose later values are not like the earlier ones."""
    found = shifts(train, contract, case, train[case.time_column])
    for name, one in found[(found["distance"] >= _NEAR) & (found["chance"] < CHANCE)].iterrows():
        severity: Severity = "high" if one["distance"] >= _FAR else "medium"
        if one["follows"] >= _FOLLOWS:
            text = f"Follows the time (rank correlation {one['follows']:.2f}): later rows have values that no earlier row had."
            advice = "What is learnt at one value says nothing of the next. Exclude it, or use what repeats, such as the season."
            yield Finding(severity, str(name), text, advice, "features.exclude", float(one["distance"]))
        else:
            said = f"{one['earlier']} in the earlier half, {one['later']} in the later"
            text = f"Shifts over time: {said} (distance {one['distance']:.2f})."
            advice = "Expect it to shift further: a model that leans on it ages. A ratio to its recent mean may not."
            yield Finding(severity, str(name), text, advice, "features.custom", float(one["distance"]))
