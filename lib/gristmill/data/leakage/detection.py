"""Columns and splits that tell the model what it is supposed to predict.

What can be seen from raw rows is looked for here, and stops the build: copies and near-perfect proxies of the target,
identifiers that pass for features, and rows, groups or times on both sides of the split.
"""

import math
from typing import Any

import numpy as np
import pandas as pd

from gristmill.config.case import GROUP_STRATEGIES
from gristmill.data.contract.checks import Check, Severity, examples_of, require
from gristmill.data.contract.schema import Contract
from gristmill.data.hashing import content_hashes
from gristmill.data.leakage.combinations import pair_checks
from gristmill.data.leakage.lateness import late_columns
from gristmill.data.leakage.proxies import Power, identifier_evidence, is_copy, looked_at, power
from gristmill.data.leakage.similarity import near_duplicates, unlike
from gristmill.data.splits.assignment import TEST, TRAIN
from gristmill.data.splits.bundles import bundled, feature_hashes
from gristmill.data.splits.chronology import clock, gap_length, moments
from gristmill.errors import LeakageError

STOP_AUC, WARN_AUC = 0.99, 0.95
"""ROC-AUC of one column alone, for two classes."""

STOP_SKILL, WARN_SKILL = 0.97, 0.9
"""Share of the error of a constant guess that one column alone removes: of wrong classes, or squared error."""

STOP_R2 = 0.99
OVERLAP = 0.05
"""Share of the rows of a test table that may also be training rows, if the training rows themselves repeat less."""


def check(frame: pd.DataFrame, split: pd.DataFrame, case: Any, contract: Contract, test: pd.DataFrame | None = None) -> list[Check]:
    """Return the verdict of every leakage rule.

    Parameters
    ----------
    frame
        All rows with a target, indexed by row key.
    split
        What :func:`gristmill.data.splits.assignment.assign` returned.
    case, contract
        The case and the data contract.
    test
        Rows of a test table given by the case, already among the rows of ``split``.

    Raises
    ------
    LeakageError
        A rule that stops the build is broken.
    """
    training = frame[(split.loc[frame.index, "split"] == TRAIN).to_numpy()]
    checks = [*columns(training, case, contract), *sides(frame, split, case, test, contract)]
    require(checks, LeakageError)
    return checks


def columns(frame: pd.DataFrame, case: Any, contract: Contract) -> list[Check]:
    """Return a verdict on each column that the model may see: is it the target or an identifier in disguise, or known too late."""
    rows = looked_at(frame, case.target, case.task)
    checks = []
    for column in contract["columns"]:
        if column["used"] and column["name"] != case.target:
            checks.append(_proxy(rows, column, case))
            if column["role"] in ("feature", "sensitive"):
                checks.append(_identifier(frame[column["name"]], column, case))
    checks += late_columns(frame, case, contract)
    stopping = {str(check.column) for check in checks if check.severity == "stop" and not check.passed}
    return [*checks, *pair_checks(rows, case, contract, stopping)]


def _proxy(rows: pd.DataFrame, column: dict[str, Any], case: Any) -> Check:
    """Judge how well a column alone foretells the target."""
    name, target = column["name"], case.target
    severity: Severity | None = "stop"
    if is_copy(rows[name], rows[target]):
        evidence = f"The column {name!r} holds the same values as the target {target!r}."
    else:
        found = power(rows[name], rows[target], column, case.task)
        severity = _severity(found, case.task)
        evidence = f"The column {name!r} alone foretells the target {target!r} ({found})."
    if severity is None:
        return Check("no proxy", name, "stop", passed=True, count=0, message=f"{name!r} alone does not give the target away.")
    if name in case.validation.allow_proxies:
        return Check("no proxy", name, severity, passed=True, count=0, message=f"{evidence} The case file allows it.")
    advice = (
        f"If it is only known after {target!r}, add it to `features.exclude`; if it is known before, add it to "
        "`validation.allow_proxies`."
    )
    return Check("no proxy", name, severity, passed=False, count=len(rows), message=f"{evidence} {advice}")


def _severity(found: Power, task: str) -> Severity | None:
    """Return whether a column is so good alone that it stops the build, that it is worth a warning, or neither."""
    limit = STOP_R2 if task == "regression" else STOP_SKILL
    if found.skill >= limit or (found.auc or 0) >= STOP_AUC:
        return "stop"
    return "warn" if found.skill >= WARN_SKILL or (found.auc or 0) >= WARN_AUC else None


def _identifier(values: pd.Series, column: dict[str, Any], case: Any) -> Check:
    """Judge whether a feature is an identifier."""
    name = column["name"]
    evidence = identifier_evidence(values, column)
    if evidence is None or name in case.validation.allow_proxies:
        return Check("no identifier", name, "stop", passed=True, count=0, message=f"{name!r} is no identifier.")
    return Check(
        "no identifier", name, "stop", passed=False, count=len(values), examples=examples_of(values),
        message=f"The column {name!r} names rows: {evidence}. A model would learn the rows by heart; add it to `id_columns` "
        "(or to `validation.allow_proxies`, if it is a measurement).",
    )  # fmt: skip


def sides(
    frame: pd.DataFrame, split: pd.DataFrame, case: Any, test: pd.DataFrame | None = None, contract: Contract | None = None
) -> list[Check]:
    """Return verdicts on what stands on both sides of the split: rows, groups, times.

    With a contract, rows that are nearly the same are looked for as well. Rows that no stage uses are on neither side.
    """
    everything = frame if test is None else pd.concat([frame, test.reindex(columns=frame.columns)])
    side = split.loc[everything.index, "split"]
    everything, is_test = everything[side.isin([TRAIN, TEST]).to_numpy()], (side[side.isin([TRAIN, TEST])] == TEST).to_numpy()
    checks = [_given_rows(everything, is_test, case) if test is not None else _same_rows(everything, is_test, case)]
    if case.group_column is not None:
        checks.append(_same_groups(everything, is_test, case))
    if case.time_column is not None:
        checks.append(_times(everything, is_test, case))
    if contract is not None:
        checks.append(near_duplicates(everything[~is_test], everything[is_test], contract))
        if test is not None and case.split_strategy not in ("time", *GROUP_STRATEGIES):
            checks.append(unlike(everything[~is_test], everything[is_test], contract))
    return checks


def _crossing(values: Any, is_test: Any) -> Any:
    """Return for each row whether it is a test row whose value also occurs in training."""
    return is_test & pd.Series(values).isin(pd.unique(values[~is_test])).to_numpy()  # hashed: NumPy compares objects pair by pair


def _same_rows(everything: pd.DataFrame, is_test: Any, case: Any) -> Check:
    """Judge rows with identical features on both sides of a split made here."""
    hashes = feature_hashes(everything, case)
    count = int(_crossing(hashes, is_test).sum())
    duplicates = bundled(hashes)
    if not count:
        text = "No test row has the features of a training row."
    elif duplicates:
        text = (
            f"{count:,} test rows have exactly the features of a training row; use another `split.strategy`, or draw a new line "
            "with another `split.random_state`."
        )
    else:
        text = (
            f"The features have only {len(np.unique(hashes)):,} combinations: {count:,} test rows share theirs with training rows."
        )
    severity: Severity = "stop" if duplicates and case.split_strategy not in GROUP_STRATEGIES else "warn"
    return Check("rows on one side", None, severity, count == 0, count, text)


def _given_rows(everything: pd.DataFrame, is_test: Any, case: Any) -> Check:
    """Judge rows of a given test table that are training rows as well.

    In a random split of a table with duplicates, a test row has a copy among the training rows as often as a training row has one
    among the others; what is clearly more than that was not drawn at random.
    """
    hashes = content_hashes(everything, [name for name in everything.columns if name not in case.id_columns])
    share = float(_crossing(hashes, is_test).sum() / max(is_test.sum(), 1))
    usual = float(pd.Series(hashes[~is_test]).duplicated(keep=False).mean())
    limit = max(OVERLAP, 1.25 * usual + 3 * math.sqrt(usual * (1 - usual) / max(is_test.sum(), 1)))
    text = f"{share:.1%} of the rows of `split.test_source` are training rows as well; remove them from one of the two tables."
    return Check("rows on one side", None, "stop" if share > limit else "warn", share == 0, round(share * is_test.sum()), text)


def _same_groups(everything: pd.DataFrame, is_test: Any, case: Any) -> Check:
    """Judge groups on both sides."""
    values = everything[case.group_column].astype(str).to_numpy()
    crossing = _crossing(values, is_test) & everything[case.group_column].notna().to_numpy()
    own = case.split.test_source is None
    advice = "use `split.strategy: group`, or remove `group_column`" if own else "remove them from one of the two tables"
    count = len(np.unique(values[crossing]))
    text = (
        f"{count:,} groups of {case.group_column!r} are on both sides of the split, such as {values[crossing][0]!r}; "
        f"{advice}." if count else f"No group of {case.group_column!r} is on both sides."
    )  # fmt: skip
    return Check("groups on one side", case.group_column, "stop", count == 0, count, text, examples_of(pd.Series(values[crossing])))


def _times(everything: pd.DataFrame, is_test: Any, case: Any) -> Check:
    """Judge whether every test row is later than every training row."""
    times = moments(everything[case.time_column])
    stops = case.split_strategy == "time"
    latest = times[~is_test].max()
    early = clock(everything[case.time_column])
    length = gap_length(case.split.gap, everything[case.time_column])
    count = int((early[is_test] < early[~is_test].max() + max(length, 1e-9)).sum())
    apart = f", by `split.gap: {case.split.gap}` or more" if length else ""
    text = (
        f"{count:,} test rows are not later than the latest training row ({latest}) by {case.time_column!r}; "
        + ("take them from a later time." if stops else f"the {case.split_strategy} split does not ask for it.")
        if count else f"Every test row is later than every training row{apart}."
    )  # fmt: skip
    return Check("test rows later", case.time_column, "stop" if stops else "warn", count == 0, count, text)
