"""Rows that repeat another one, and rows that differ from another one in their target alone."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.data.contract.checks import Check
from gristmill.data.hashing import content_hashes
from gristmill.data.splits.bundles import bundled


def repeats(rows: pd.DataFrame, case: Any) -> NDArray[np.bool_]:
    """Return which rows repeat an earlier one in everything but their identifiers, shape ``(n_rows,)``."""
    hashes = content_hashes(rows, [name for name in rows.columns if name not in case.id_columns])
    return pd.Series(hashes).duplicated().to_numpy()


def without_duplicates(rows: pd.DataFrame, case: Any) -> pd.DataFrame:
    """Return the rows that ``validation.duplicates`` leaves: with ``drop`` the first of identical rows, else all of them."""
    return rows[~repeats(rows, case)] if case.validation.duplicates == "drop" else rows


def conflicts(rows: pd.DataFrame, case: Any) -> NDArray[np.bool_]:
    """Return which rows have another value of the target than a row whose features are the same, shape ``(n_rows,)``.

    The features are the columns that a model may see. Where they have so few combinations that nearly every row shares its own
    with many others, rows must differ in their target, and none counts.
    """
    hidden = set(case.non_feature_columns)
    alike = content_hashes(rows, [name for name in rows.columns if name not in hidden])
    if not bundled(alike):
        return np.zeros(len(rows), dtype=bool)
    targets = pd.Series(content_hashes(rows, [case.target]))
    return (targets.groupby(pd.Series(alike)).transform("nunique") > 1).to_numpy()


DONE = {
    "keep": "they are kept, on one side of the split.",
    "drop": "only the first of each is used, as `validation.duplicates` asks.",
    "stop": "`validation.duplicates: stop` forbids it. Remove them from the source, or say `keep` or `drop`.",
}
"""What becomes of rows that repeat another one, by the policy of the case."""


def label_conflicts(rows: pd.DataFrame, case: Any) -> Check:
    """Return the verdict on rows that contradict each other: the same features, another target.

    Parameters
    ----------
    rows
        The rows that are used.
    case
        The case; its columns are read.
    """
    count = int(conflicts(rows, case).sum())
    return Check(
        "no label conflicts", None, "warn", count == 0, count,
        f"{count:,} rows share all their features with a row that has another {case.target!r}; they are kept, and no model can "
        "tell them apart." if count else f"No two rows with the same features differ in {case.target!r}.",
    )  # fmt: skip


def counts(n_rows: int, checks: Sequence[Check], case: Any) -> dict[str, int | str]:
    """Return what became of repeated rows, for ``quality.json``.

    Parameters
    ----------
    n_rows
        How many ingested rows have a target.
    checks
        Verdicts on the table, and that of :func:`label_conflicts`.
    case
        The case.

    Returns
    -------
    dict
        ``policy``, ``found``, ``dropped``, ``label_conflicts`` and ``rows_used``: how many are left.
    """
    found = {one.rule: one.count for one in checks if one.column is None}
    repeated = found.get("no duplicates", 0)
    dropped = repeated if case.validation.duplicates == "drop" else 0
    return {
        "policy": case.validation.duplicates,
        "found": repeated,
        "dropped": dropped,
        "label_conflicts": found.get("no label conflicts", 0),
        "rows_used": n_rows - dropped,
    }


def in_words(frame: pd.DataFrame, rows: pd.DataFrame, case: Any) -> str:
    """Return how many ingested rows can be used, and what became of the others, as a sentence.

    Parameters
    ----------
    frame
        The rows as ingested.
    rows
        Those that are used.
    case
        The case.
    """
    missing = int(frame[case.target].isna().sum())
    dropped = len(frame) - missing - len(rows)
    repeated = f", {dropped:,} that repeat an earlier one and are dropped" if dropped else ""
    return f"{len(frame):,} rows, {missing:,} of them without a value of `{case.target}`{repeated}: {len(rows):,} can be used."
