"""A first case file for a table: what can be guessed is guessed, and every guess says why.

The case that comes out is tried on the table before it is written, so that it builds without an edit: columns that would stop
the build are made identifiers or excluded, with the reason beside them.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import numpy as np
import pandas as pd

from gristmill.config.case import Case
from gristmill.config.loading import parse_case
from gristmill.config.sections import Validation
from gristmill.data.contract import schema as contracts
from gristmill.data.contract.quality import completeness
from gristmill.data.contract.schema import nearest_column
from gristmill.data.kinds import is_numeric, kind_of, parse_dates
from gristmill.data.leakage import detection
from gristmill.data.leakage.proxies import identifier_evidence, is_id_name
from gristmill.data.products import replacing
from gristmill.data.setup.case_text import Guess, render
from gristmill.data.setup.preview import describe
from gristmill.data.sources.opening import open_source
from gristmill.data.splits import assignment
from gristmill.data.targets import class_text
from gristmill.errors import CaseFileError, DataError
from gristmill.paths import ProjectPaths

POSITIVE = ("1", "true", "yes", "y", "t", "positive", "pos")
"""Texts that a positive class has, best first."""

SENSITIVE = re.compile(
    r"(?:^|[_ .-])(?:gender|sex|female|male|age|ages|age_?group|senior|senior_?citizen|race|ethnic\w*|nationality|citizenship|"
    r"religion|disab\w*|pregnan\w*|marital\w*|veteran)(?:$|[_ .-])",
    re.IGNORECASE,
)
"""Names of columns that may say which group of people a row belongs to."""

MOST_CLASSES = 20
ROWS_A_CLASS = 10
FEWEST_ROWS = 20
_FEW_GROUPS = 20


def infer_case(frame: pd.DataFrame, target: str, name: str, uri: str) -> str:
    """Return the text of a case file that predicts ``target``, with a comment for every guess.

    Parameters
    ----------
    frame
        The table.
    target
        Column to predict.
    name
        Name of the case.
    uri
        What the case file says of where the table is.

    Raises
    ------
    DataError
        The target is not a column, or what it holds cannot be predicted.
    """
    if target not in frame.columns:
        raise DataError(f"The table has no column {target!r}; " + nearest_column(target, list(frame.columns)))
    rows = frame[frame[target].notna()]
    if is_numeric(rows[target]) and np.isinf(rows[target].astype(float)).any():
        raise DataError(f"The target column {target!r} holds infinite numbers. Mend them in the source, or leave them empty.")
    if len(rows) < FEWEST_ROWS:
        raise DataError(f"Expected at least {FEWEST_ROWS} rows with a value in {target!r}, found {len(rows)}. Collect more rows.")
    guesses = [
        Guess("name", name),
        *_task(rows[target]),
        Guess("source", uri, f"{len(frame):,} rows, {frame.shape[1]} columns"),
        Guess("target", target),
    ]
    guesses += _columns(rows, target)
    guesses += _validation(rows)
    guesses = _tried(rows, guesses)
    return render(guesses, f"Written by `gristmill init`, with the reason for each guess. Correct it, then: gristmill check {name}")


def _task(values: pd.Series) -> Iterator[Guess]:
    """Guess the kind of target, and its positive class."""
    levels = class_text(values).value_counts()
    if len(levels) < 2:
        raise DataError(
            f"Expected at least two different values in the target column {values.name!r}, found only {levels.index[0]!r}. A model "
            "cannot learn to tell one class from nothing."
        )
    if len(levels) == 2:
        yield Guess("task", "binary", f"{values.name!r} has two values")
        yield _positive_class(levels)
        return
    numeric = is_numeric(values)
    whole = numeric and bool((values % 1 == 0).all())
    if numeric and not (whole and len(levels) <= MOST_CLASSES and len(values) >= ROWS_A_CLASS * len(levels)):
        yield Guess("task", "regression", f"{values.name!r} is a number with {len(levels):,} different values")
        return
    if len(levels) > max(MOST_CLASSES, len(values) / ROWS_A_CLASS):
        raise DataError(
            f"The target column {values.name!r} holds text with {len(levels):,} different values in {len(values):,} rows, too many "
            "to be classes. Name a column that holds a class or a number."
        )
    few = "whole numbers, taken for classes" if numeric else "texts"
    yield Guess("task", "multiclass", f"{values.name!r} has {len(levels)} different values, {few}")


def _positive_class(levels: pd.Series) -> Guess:
    """Guess which of two classes the probability is to be of."""
    for text in POSITIVE:
        for level in levels.index:
            if str(level).strip().lower() == text:
                return Guess("positive_class", str(level), f"says yes; {levels[level] / levels.sum():.0%} of the rows")
    rarer = str(sorted(levels.index)[-1]) if levels.iloc[0] == levels.iloc[1] else str(levels.idxmin())
    return Guess("positive_class", rarer, f"the rarer of the two: {levels[rarer] / levels.sum():.0%} of the rows")


def _columns(rows: pd.DataFrame, target: str) -> Iterator[Guess]:
    """Guess what columns are for: identifiers, times, groups, people's groups, nothing."""
    described = {name: {"name": name, "kind": kind_of(rows[name])[0]} for name in rows.columns if name != target}
    evidence = {name: identifier_evidence(rows[name], column) for name, column in described.items()}
    ids = {name: why for name, why in evidence.items() if why is not None}
    if ids:
        yield Guess("id_columns", list(ids), [f"{name!r}: {why}" for name, why in ids.items()])
    others = [name for name in described if name not in ids]
    yield from _times(rows, [name for name in others if described[name]["kind"] == "date"])
    yield from _groups(rows, others)
    people = [name for name in others if SENSITIVE.search(name) and described[name]["kind"] not in ("date", "text")]
    if people:
        yield Guess("sensitive_features", people, "by their names; audited for fairness, remove what is not about people")
    empty = {name: _constant(rows[name]) for name in others}
    useless = {name: why for name, why in empty.items() if why is not None}
    if useless:
        yield Guess("features.exclude", list(useless), [f"{name!r} {why}" for name, why in useless.items()])


def _constant(values: pd.Series) -> str | None:
    """Return why a column tells nothing, or None."""
    present = values.dropna()
    if present.empty:
        return "is missing in every row"
    return None if values.isna().any() or (present != present.iloc[0]).any() else "has one value only"


def _times(rows: pd.DataFrame, dates: Sequence[str]) -> Iterator[Guess]:
    """Guess the time column: set where the rows stand in its order, else suggested."""
    for name in dates[:1]:
        times = parse_dates(rows[name], kind_of(rows[name])[1])
        if times.notna().all() and times.is_monotonic_increasing and times.iloc[0] != times.iloc[-1]:
            yield Guess("time_column", name, "the rows stand in its order: later rows test models trained on earlier ones")
        else:
            yield Guess("time_column", name, "uncomment to test on later rows than those trained on", suggested=True)


def _groups(rows: pd.DataFrame, names: Sequence[str]) -> Iterator[Guess]:
    """Suggest a group column: called an identifier, and shared by rows."""
    for name in names:
        groups = rows[name].nunique()
        if is_id_name(name) and groups >= _FEW_GROUPS and rows[name].notna().all() and len(rows) >= 2 * groups:
            yield Guess("group_column", name, f"uncomment to keep each of its {groups:,} groups on one side", suggested=True)
            return


def _validation(rows: pd.DataFrame) -> Iterator[Guess]:
    """Lower the demands that the table as it is would not meet."""
    filled, usual = completeness(rows), Validation()
    if filled < usual.completeness:
        limit = max(0.0, round(filled - 0.01, 2))
        yield Guess(
            "validation.completeness", limit, f"{filled:.1%} of the cells are filled; the default asks for {usual.completeness:.0%}"
        )
    if len(rows) < usual.min_rows:
        yield Guess("validation.min_rows", len(rows), "very few: expect wide intervals")


def _tried(rows: pd.DataFrame, guesses: list[Guess]) -> list[Guess]:
    """Return the guesses with what a trial of split and leakage rules asks for."""
    case = _case_of(guesses)
    try:
        split = _split(rows, case)
    except DataError:
        if case.time_column is None:
            raise
        why = "a split by time fails: some class appears too late"
        guesses = [Guess(guess.key, guess.value, why, suggested=True) if guess.key == "time_column" else guess for guess in guesses]
        case = _case_of(guesses)
        split = _split(rows, case)
    training = rows[(split["split"] == assignment.TRAIN).to_numpy()]
    checks = detection.columns(training, case, contracts.infer(rows, case))
    broken = [check for check in checks if check.severity == "stop" and not check.passed and check.column is not None]
    proxies = {str(check.column): check.message.split(". If it", 1)[0] for check in broken if check.rule != "no identifier"}
    names = {
        str(check.column): check.message.split(": ", 1)[-1].split(".", 1)[0] for check in broken if check.column not in proxies
    }
    guesses = _extended(guesses, "id_columns", {name: f"{name!r}: {why}" for name, why in names.items()})
    return _extended(guesses, "features.exclude", {name: f"leakage? {why}" for name, why in proxies.items()})


def _split(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
    """Return how the case would split the rows."""
    keyed = rows.set_axis(assignment.row_keys(rows, case.id_columns))
    return assignment.assign(keyed, case)


def _case_of(guesses: Sequence[Guess]) -> Case:
    """Return the case that the guesses make."""
    content: dict[str, Any] = {}
    for guess in guesses:
        if not guess.suggested:
            section, _, key = guess.key.rpartition(".")
            (content.setdefault(section, {}) if section else content)[key] = guess.value
    return Case.model_validate(content)


def _extended(guesses: list[Guess], key: str, more: dict[str, str]) -> list[Guess]:
    """Return the guesses with names added to a list of columns, and the reasons to its comments."""
    if not more:
        return guesses
    old = next((guess for guess in guesses if guess.key == key), Guess(key, [], []))
    new = Guess(key, [*old.value, *more], [*old.reasons, *more.values()])
    if old in guesses:
        return [new if guess is old else guess for guess in guesses]
    return [*guesses, new]


def write_case(table: str, target: str, name: str | None, paths: ProjectPaths, *, replace: bool = False) -> Path:
    """Look at a table, write ``configs/<name>.yaml`` for it and return that path.

    Parameters
    ----------
    table
        A URI, or a path from the working directory.
    target
        Column to predict.
    name
        Name of the case; the table's when None.
    paths
        The project.
    replace
        Whether an existing case file may be overwritten.

    Raises
    ------
    CaseFileError
        The name is not one, or there is such a case already.
    SourceError, DataError
        The table cannot be read, the target cannot be predicted, or nothing is left to predict it from.
    """
    name = name or case_name(table)
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise CaseFileError(
            f"Expected a case name of lower-case letters, digits and underscores, got {name!r}. Give another --name."
        )
    file = paths.case(name).case_file
    if file.exists() and not replace:
        raise CaseFileError(f"configs/{name}.yaml exists already. Give the new case another --name, or replace it with --force.")
    uri = project_uri(table, paths.root)
    frame = open_source(uri, root=paths.root).read()
    text = infer_case(frame, target, name, uri)
    describe(frame, parse_case(text, f"configs/{name}.yaml"), paths.root)
    with replacing(file) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return file


def case_name(table: str) -> str:
    """Return a case name made from the last part of a path or URI."""
    named = re.search(r"://.*[?&]table=([^&]+)", table)
    last = re.split(r"[/\\]", table.rstrip("/"))[-1].split(".")[0] if named is None else unquote_plus(named[1])
    slug = re.sub(r"[^a-z0-9]+", "_", last.lower()).strip("_")
    return slug if slug[:1].isalpha() else f"case_{slug}".rstrip("_")


def project_uri(table: str, root: Path) -> str:
    """Return a path from the working directory as the case file should have it: from the project's root where it lies inside."""
    if "://" in table:
        return table
    path = (Path.cwd() / Path(table).expanduser()).resolve()
    return path.relative_to(root.resolve()).as_posix() if path.is_relative_to(root.resolve()) else path.as_posix()
