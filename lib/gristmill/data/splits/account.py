"""What a split did with the rows, in figures and in words."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from gristmill.data.splits.assignment import GAP, TEST, TRAIN, UNUSED
from gristmill.data.splits.chronology import clock
from gristmill.data.splits.line import UNKNOWN, Line, places

DRIFT = 0.05
"""Difference between the test rows' share and `split.test_size` from which it is worth a sentence."""


def account(frame: pd.DataFrame, split: pd.DataFrame, case: Any, line: Line) -> dict[str, Any]:
    """Return what a split did with the rows.

    Parameters
    ----------
    frame
        The rows of the source, indexed by row key.
    split
        What :func:`gristmill.data.splits.assignment.assign` returned.
    case, line
        The case, and the line as it was before this snapshot.

    Returns
    -------
    dict
        ``line`` (None where the case brings its own test rows), ``strategy``, ``rows`` (by side), ``new_line``, ``kept`` (rows
        whose place an earlier snapshot decided; by time, those before the last block), ``new`` (all others), ``test_share`` (of
        training and test rows), ``test_size`` and ``drifted``.
    """
    counts = split["split"].value_counts()
    rows = {side: int(counts.get(side, 0)) for side in (TRAIN, TEST, GAP, UNUSED)}
    kept = _kept(frame, case, line)
    own_test = case.split.test_source is not None
    share = rows[TEST] / max(rows[TRAIN] + rows[TEST], 1)
    return {
        "line": None if own_test else line.name,
        "strategy": case.split_strategy,
        "rows": rows,
        "new_line": not line.drawn,
        "kept": kept,
        "new": len(frame) - kept,
        "test_share": share,
        "test_size": None if own_test else case.split.test_size,
        "drifted": line.drawn and not own_test and abs(share - case.split.test_size) > DRIFT,
    }


def _kept(frame: pd.DataFrame, case: Any, line: Line) -> int:
    """Return how many rows an earlier snapshot decided about: by time, those before the last block."""
    if not line.drawn:
        return 0
    if case.split_strategy == "time":
        return int((clock(frame[case.time_column]) < (line.starts or (0,))[-1]).sum())
    return int((places(frame, case, line).given != UNKNOWN).sum())


def in_words(found: Mapping[str, Any], case: Any) -> str:
    """Return the sentences about a split, in Markdown."""
    rows = found["rows"]
    said = [_of_the_line(found)]
    if rows[GAP]:
        said.append(f"{rows[GAP]:,} rows lie in a gap of `{case.split.gap}` before a later block: they are used by no stage.")
    if rows[UNUSED]:
        said.append(
            f"{rows[UNUSED]:,} rows were changed since they were assigned, and now have the features or the group of rows on "
            "another side: they are used by no stage."
        )
    if found["drifted"]:
        said.append(
            f"**The test rows are {found['test_share']:.0%} of all by now; `split.test_size` asks for {found['test_size']:.0%}.** "
            f"Rows that were assigned stay where they are: to draw a new line, give `split.random_state` another number than "
            f"{case.split.random_state}."
        )
    return " ".join(said)


def _of_the_line(found: Mapping[str, Any]) -> str:
    """Say what earlier snapshots decided."""
    if found["new_line"]:
        return "This is the first split of its line: where each row is now, it stays in later snapshots."
    if found["strategy"] == "time":
        stay = "The moments that divide the rows were set by an earlier build and stay"
        return (
            f"{stay}."
            if found["line"] is None
            else f"{stay}: rows from the last of them on are test rows, {found['new']:,} by now."
        )
    kept, new = found["kept"], found["new"]
    return f"{kept:,} rows are where an earlier build put them or rows like them; {new:,} are new and fill the quotas."
