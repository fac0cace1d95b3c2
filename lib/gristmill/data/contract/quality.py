"""Which rows can be learnt from, and what a stage writes down about how good the table is."""

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from gristmill.data.contract import duplicates
from gristmill.data.contract.checks import Check
from gristmill.data.contract.schema import nearest_column
from gristmill.errors import DataError


def usable_rows(frame: pd.DataFrame, case: Any) -> pd.DataFrame:
    """Return the rows that have a target; the others teach nothing. Without duplicates, if the case says so.

    Raises
    ------
    DataError
        Too few rows are left when duplicates are dropped.
    """
    with_target = frame[frame[case.target].notna()]
    rows = duplicates.without_duplicates(with_target, case)
    if len(rows) < min(case.validation.min_rows, len(with_target)):
        raise DataError(
            f"Expected at least {case.validation.min_rows} rows with a target, found {len(rows)} "
            f"({len(with_target) - len(rows)} more repeat them, and `validation.duplicates` drops those). Collect more rows; or "
            "lower `validation.min_rows` in the case file if so few are enough."
        )
    return rows


def usable_test_rows(frame: pd.DataFrame, case: Any) -> pd.DataFrame:
    """Return the rows of a given test table that have a target.

    Raises
    ------
    DataError
        The target is not in the table, or no row has one.
    """
    if case.target not in frame.columns:
        near = nearest_column(case.target, list(frame.columns))
        raise DataError(f"The table of `split.test_source` has no column {case.target!r}, the target; {near}")
    rows: pd.DataFrame = frame[frame[case.target].notna()]
    if rows.empty:
        raise DataError(
            f"No row of the table of `split.test_source` has a value in the target {case.target!r}. Name another table."
        )
    return rows


def completeness(frame: pd.DataFrame) -> float:
    """Return the share of cells that are not missing."""
    return float(frame.notna().to_numpy().mean()) if frame.size else 1.0


def compliance(checks: list[Check]) -> float:
    """Return the share of columns that keep every rule which stops the build.

    The columns are those of the contract, of the case's own rules and of the table; one that is missing keeps nothing.
    """
    columns = {check.column for check in checks if check.column is not None and check.rule != "identifiers unique"}
    wrong = {check.column for check in checks if check.severity == "stop" and not check.passed} & columns
    return 1 - len(wrong) / max(len(columns), 1)


def report(path: Path, checks: list[Check], leaks: list[Check], case: Any) -> dict[str, Any]:
    """Return the content of ``quality.json``.

    Parameters
    ----------
    path
        The Parquet file of the snapshot.
    checks, leaks
        Verdicts of :func:`gristmill.data.contract.validation.validate`, and of :func:`duplicates.label_conflicts`; and of the
        leakage rules.
    case
        The case; its policy for duplicates is stated.
    """
    about = pq.read_metadata(path)
    found = {check.rule: check for check in checks if check.rule in {"completeness", "no duplicates", "target present"}}
    return {
        "rows": about.num_rows,
        "columns": about.num_columns,
        "completeness": found["completeness"].observed,
        "schema_compliance": compliance(checks),
        "duplicates": found["no duplicates"].count,
        "duplicate_rows": duplicates.counts(about.num_rows - found["target present"].count, checks, case),
        "missing_target": found["target present"].count,
        "checks": [check.to_dict() for check in checks],
        "leakage": [check.to_dict() for check in leaks],
    }
