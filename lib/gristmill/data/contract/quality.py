"""Is the table good enough to learn from? Every rule with its verdict, count and examples; some stop the build, some warn."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from gristmill.config.sections import ColumnRule
from gristmill.data.contract import duplicates
from gristmill.data.contract.checks import Check, examples_of
from gristmill.data.contract.schema import Contract, check_columns, coerce, nearest_column
from gristmill.data.kinds import is_numeric
from gristmill.data.targets import class_text
from gristmill.errors import DataError

FAR_OUT = 3.0
"""Interquartile ranges beyond the quartiles at which a number is an outlier (Tukey 1977's "far out")."""

MANY_OUTLIERS = 0.01
MOSTLY_MISSING = 0.5
MOSTLY_NUMBERS = 0.8


def usable_rows(frame: pd.DataFrame, case: Any) -> pd.DataFrame:
    """Return the rows that have a target; the others teach nothing. Without duplicates, if the case says so.

    Raises
    ------
    DataError
        The target, or another column that the case names, is not in the table, or too few rows have a target.
    """
    check_columns(frame, case)
    with_target = frame[frame[case.target].notna()]
    rows = duplicates.without_duplicates(with_target, case)
    if len(rows) < case.validation.min_rows:
        missing, repeated = len(frame) - len(with_target), len(with_target) - len(rows)
        lost = f" ({missing} more have no value in {case.target!r})" if missing else ""
        lost += f" ({repeated} more repeat them, and `validation.duplicates` drops those)" if repeated else ""
        raise DataError(
            f"Expected at least {case.validation.min_rows} rows with a target, found {len(rows)}{lost}. Collect more rows; or "
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


def check(frame: pd.DataFrame, case: Any, contract: Contract) -> list[Check]:
    """Return the verdict of every quality rule on a table.

    Parameters
    ----------
    frame
        The rows as ingested, those without a target included.
    case
        The case; ``validation`` says what is allowed.
    contract
        The data contract that the columns are held against.
    """
    rows = frame[frame[case.target].notna()]
    checks = [_missing_target(frame, case), _columns_to_learn_from(contract)]
    checks += [*duplicates.check(rows, case), _completeness(rows, case)]
    for column in contract["columns"]:
        if column["name"] not in rows.columns:
            continue
        checks.append(_type(rows, column))
        checks.extend(_column_rules(rows[column["name"]], case.validation.columns.get(column["name"])))
        checks.extend(_findings(rows[column["name"]], column, case))
    checks.extend(_identifiers(rows, case))
    checks.extend(_classes(rows, case))
    return checks


def _missing_target(frame: pd.DataFrame, case: Any) -> Check:
    missing = int(frame[case.target].isna().sum())
    return Check(
        "target present", case.target, "warn", missing == 0, missing,
        f"{missing:,} of {len(frame):,} rows have no value in the target {case.target!r} and are left out.",
    )  # fmt: skip


def _columns_to_learn_from(contract: Contract) -> Check:
    count = sum(column["used"] and column["n_levels"] + column["nullable"] > 1 for column in contract["columns"])
    return Check(
        "columns to learn from", None, "stop", count > 0, count,
        f"{count:,} columns that a model may see differ between rows." if count
        else "No column is left to learn from: none that a model may see differs between rows. Add columns, or exclude fewer.",
    )  # fmt: skip


def completeness(frame: pd.DataFrame) -> float:
    """Return the share of cells that are not missing."""
    return float(frame.notna().to_numpy().mean()) if frame.size else 1.0


def _completeness(rows: pd.DataFrame, case: Any) -> Check:
    share = completeness(rows)
    passed = share >= case.validation.completeness
    return Check(
        "completeness", None, "warn", passed, int(rows.isna().to_numpy().sum()),
        f"{share:.2%} of the cells are filled; `validation.completeness` asks for {case.validation.completeness:.0%}.",
    )  # fmt: skip


def _type(rows: pd.DataFrame, column: dict[str, Any]) -> Check:
    """Hold a column against its contracted type."""
    name = column["name"]
    try:
        coerce(rows[[name]], {"columns": [{**column, "used": True}], "target": None})
    except DataError as error:
        return Check("type", name, "stop", passed=False, count=1, message=str(error))
    return Check("type", name, "stop", passed=True, count=0, message=f"Every value of {name!r} is {column['kind']}.")


def _column_rules(values: pd.Series, rule: ColumnRule | None) -> Iterator[Check]:
    """Hold a column against the limits that the case file sets for it."""
    if rule is None:
        return
    numbers = pd.to_numeric(values, errors="coerce")
    if rule.minimum is not None:
        yield _limit(values, numbers < rule.minimum, "minimum", f"below {rule.minimum:g}")
    if rule.maximum is not None:
        yield _limit(values, numbers > rule.maximum, "maximum", f"above {rule.maximum:g}")
    if rule.levels is not None:
        texts = class_text(values) if is_numeric(values) else values.astype("string")
        yield _limit(values, values.notna() & ~texts.isin(rule.levels), "levels", f"not among {', '.join(map(repr, rule.levels))}")
    if rule.required:
        yield _limit(values, values.isna(), "required", "missing")


def _limit(values: pd.Series, broken: pd.Series, rule: str, wrong: str) -> Check:
    """Return the verdict on a limit that ``broken`` rows do not keep."""
    broken = broken.fillna(value=False).astype(bool)
    count, found = int(broken.sum()), examples_of(values[broken])
    example = f", such as {found[0]}" if found and rule != "required" else ""
    text = f"{count:,} rows of the column {values.name!r} are {wrong}{example}; `validation.columns` of the case file forbids it."
    passed = f"No row of the column {values.name!r} is {wrong}."
    return Check(rule, str(values.name), "stop", count == 0, count, text if count else passed, found)


def _findings(values: pd.Series, column: dict[str, Any], case: Any) -> Iterator[Check]:
    """Yield what is suspicious in a column, each rule with its verdict."""
    name = column["name"]
    filled = values.dropna()
    missing = len(values) - len(filled)
    if name != case.target:
        few = missing <= MOSTLY_MISSING * len(values)
        yield Check("mostly filled", name, "warn", few, missing, f"{name!r} is missing in {missing:,} of {len(values):,} rows.")
        varies = bool(missing) or bool((filled != filled.iloc[0]).any())
        said = "has one value only: it tells nothing" if not varies else "differs between rows"
        yield Check("varies", name, "warn", varies, 0 if varies else len(filled), f"{name!r} {said}.")
    if column["kind"] == "numeric" and is_numeric(values):
        yield _infinite(values, is_target=name == case.target)
        if column["role"] in ("feature", "sensitive"):
            yield _outliers(filled, name)
    if column["kind"] == "categorical" and not filled.empty:
        yield from _text_findings(filled, name)


def _infinite(values: pd.Series, *, is_target: bool) -> Check:
    """Count numbers that are not finite."""
    infinite = np.isinf(values.astype("float64"))
    count = int(infinite.sum())
    then = "a target must be finite; mend it in the source" if is_target else "they count as missing"
    return Check(
        "finite", str(values.name), "stop" if is_target else "warn", count == 0, count,
        f"{count:,} rows of {values.name!r} are infinite; {then}." if count else f"Every number of {values.name!r} is finite.",
    )  # fmt: skip


def _outliers(filled: pd.Series, name: str) -> Check:
    """Count numbers far outside the quartiles; this only says where they are, ``features.outliers`` what becomes of them."""
    numbers = filled.astype("float64")
    low, high = (numbers.quantile(0.25), numbers.quantile(0.75)) if len(numbers) else (0.0, 0.0)
    width = high - low
    beyond = (
        (numbers < low - FAR_OUT * width) | (numbers > high + FAR_OUT * width)
        if width > 0
        else pd.Series(data=False, index=numbers.index)
    )
    count = int(beyond.sum())
    text = (
        f"{count:,} rows of {name!r} lie more than {FAR_OUT:g} interquartile ranges outside the quartiles; "
        "`features.outliers` says what becomes of them."
    )
    return Check("outliers", name, "warn", count <= MANY_OUTLIERS * len(filled), count, text, examples_of(numbers[beyond]))


def _text_findings(filled: pd.Series, name: str) -> Iterator[Check]:
    """Yield what is suspicious in levels: numbers spoiled by a few texts, and spellings of one level."""
    texts = filled.astype(str)
    numbers = pd.to_numeric(texts, errors="coerce").notna()
    spoiled = bool(MOSTLY_NUMBERS <= numbers.mean() < 1)
    others = texts[~numbers] if spoiled else texts.head(0)
    yield Check(
        "numbers as numbers", name, "warn", not spoiled, len(others),
        f"{name!r} would be numeric but for {len(others):,} rows such as {', '.join(map(repr, examples_of(others)[:3]))}; if they "
        "mean \"missing\", say so in `source.options.missing`." if spoiled else f"{name!r} has levels, not spoiled numbers.",
        examples_of(others),
    )  # fmt: skip
    levels = pd.Series(texts.unique())
    spellings = levels[levels.str.strip().str.casefold().duplicated(keep=False)] if len(levels) <= 10_000 else levels.head(0)
    yield Check(
        "one spelling", name, "warn", spellings.empty, int(texts.isin(spellings).sum()),
        f"{name!r} spells levels in several ways: {', '.join(map(repr, examples_of(spellings)))}." if len(spellings)
        else f"No two levels of {name!r} differ only in case or blanks.",
        examples_of(spellings),
    )  # fmt: skip


def _identifiers(rows: pd.DataFrame, case: Any) -> Iterator[Check]:
    """Say whether the identifiers name each row."""
    names = list(case.id_columns)
    if names:
        count = int((rows.duplicated(names) | rows[names].isna().any(axis=1)).sum())
        yield Check(
            "identifiers unique", ", ".join(names), "warn", count == 0, count,
            f"{count:,} rows have no identifier of their own in {', '.join(map(repr, names))}; rows are known by their content."
            if count else f"{', '.join(map(repr, names))} names every row.",
        )  # fmt: skip


def _classes(rows: pd.DataFrame, case: Any) -> Iterator[Check]:
    """Say whether every class has enough rows for the folds that the case asks for."""
    if case.task == "regression" or rows.empty:
        return
    counts = class_text(rows[case.target]).value_counts()
    needed = case.split.folds + 1
    rare = counts.idxmin()
    yield Check(
        "rows per class", case.target, "warn", bool(counts.min() >= needed), int(counts.min()),
        f"The rarest class {rare!r} has {counts.min():,} rows; {case.split.folds} folds and a test set want {needed} or more.",
    )  # fmt: skip


def report(frame: pd.DataFrame, checks: list[Check], leaks: list[Check], case: Any) -> dict[str, Any]:
    """Return the content of ``quality.json``.

    Parameters
    ----------
    frame
        The rows as ingested.
    checks, leaks
        Verdicts of :func:`check` and of the leakage rules.
    case
        The case.
    """
    rows = frame[frame[case.target].notna()]
    strict = [one for one in checks if one.severity == "stop" and one.column is not None]
    columns = {one.column for one in strict}
    wrong = {one.column for one in strict if not one.passed}
    return {
        "rows": len(frame),
        "columns": frame.shape[1],
        "completeness": completeness(rows),
        "schema_compliance": 1 - len(wrong) / max(len(columns), 1),
        "duplicates": next((one.count for one in checks if one.rule == "no duplicates"), 0),
        "duplicate_rows": duplicates.counts(rows, checks, case),
        "missing_target": int(frame[case.target].isna().sum()),
        "checks": [one.to_dict() for one in checks],
        "leakage": [one.to_dict() for one in leaks],
    }
