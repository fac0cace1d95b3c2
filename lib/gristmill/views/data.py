"""The data of a case: its snapshots, what their columns hold, how the checks went, its contract, and what changed in between."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import pandas as pd

from gristmill.config.loading import load_case
from gristmill.data.contract import acceptance, terms_file, terms_table
from gristmill.data.contract.checks import Check, broken
from gristmill.data.contract.schema import as_table as schema_table
from gristmill.data.snapshots import history
from gristmill.data.snapshots.description import describe
from gristmill.data.snapshots.differences import compare
from gristmill.data.snapshots.history import SHOWN, Version
from gristmill.data.snapshots.version_text import moved_text, rows_fact, schema_facts
from gristmill.errors import ArtifactError
from gristmill.paths import CasePaths
from gristmill.reporting.wording import UNKNOWN, count, moment, share


@dataclass(frozen=True)
class Quality:
    """How the checks of the last build went.

    Attributes
    ----------
    sentence
        In words.
    broken
        ``rule``, ``column``, ``verdict``, ``rows``, ``finding``: the rules that rows break, those that stop a build first.
    passed
        How many rules they keep.
    leaks
        The rules about leakage that they do not keep, in the same columns.
    """

    sentence: str
    broken: pd.DataFrame
    passed: int
    leaks: pd.DataFrame


def versions(paths: CasePaths) -> list[Version]:
    """Return the versions of a case's source, the newest first; none where no build has taken one."""
    try:
        return list(reversed(history.versions(paths)))
    except ArtifactError:
        if paths.history.is_file():
            raise
        return []


def title(version: Version) -> str:
    """Return what a version is called in a chooser."""
    about = version.snapshot
    return f"{about.digest[:SHOWN]}, {moment(about.ingested_at)}{', current' if version.current else ''}"


def version_table(found: list[Version], paths: CasePaths) -> pd.DataFrame:
    """Return a line a version: digest, when it was taken, its size, from where, and how it stands."""
    rows = [
        (one.digest[:SHOWN], moment(one.snapshot.ingested_at), count(one.snapshot.rows), count(len(one.snapshot.columns)),
         one.snapshot.uri, ", ".join(_states(one, paths)) or UNKNOWN)
        for one in found
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["version", "taken", "rows", "columns", "source", "state"])


def _states(version: Version, paths: CasePaths) -> list[str]:
    """Return what is to be said of a version."""
    missing = not (paths.root / version.snapshot.path).is_file()
    said = {"current": version.current, "restored: builds use it": version.restored, "its file is missing": missing}
    return [words for words, so in said.items() if so]


def column_table(version: Version, paths: CasePaths) -> pd.DataFrame:
    """Return what the columns of a version hold, over all of its rows.

    Raises
    ------
    ArtifactError
        Its file is missing or damaged.
    """
    rows = [
        (one.name, one.kind, share(one.missing, 1), one.distinct, _plain(one.mean), _plain(one.minimum), _plain(one.median),
         _plain(one.maximum), one.commonest or "")
        for one in describe(version.snapshot, paths.root)
    ]  # fmt: skip
    names = ["column", "type", "missing", "distinct", "mean", "minimum", "median", "maximum", "commonest"]
    return pd.DataFrame(rows, columns=names)


def _plain(value: Any) -> str:
    """Return a number or a moment as short as it can be read."""
    if value is None:
        return ""
    return f"{value:,.6g}" if isinstance(value, int | float) else str(value)


def difference(old: Version, new: Version, paths: CasePaths) -> tuple[list[str], pd.DataFrame]:
    """Return what is different between two versions: sentences on columns and rows, and how far each column's values moved.

    Raises
    ------
    ArtifactError
        A file is missing or damaged.
    """
    found = compare(old.snapshot, new.snapshot, paths.root, load_case(paths.name, paths.root).id_columns)
    words = [f"**{name}**: {fact}." for name, fact in schema_facts(found)]
    moved = [one for one in found.columns if one.distance is not None and one.distance > 0]
    rows = [(one.name, one.distance, moved_text(one)) for one in moved]
    words += [f"**Rows**: {rows_fact(found)}.", f"**Values**: {_how_many_moved(len(moved), len(found.columns))}."]
    return words, pd.DataFrame(rows, columns=["column", "moved", "how"])


def _how_many_moved(moved: int, columns: int) -> str:
    """Say how many columns are distributed otherwise."""
    if not moved:
        return f"distributed the same in {'the one column' if columns == 1 else f'all {count(columns)} columns'}"
    return f"distributed otherwise in {count(moved)} of {count(columns)} columns"


def quality(paths: CasePaths) -> Quality | None:
    """Return how the checks of the last build went; None if there was none.

    Raises
    ------
    ArtifactError
        The build's product cannot be read.
    """
    record = _product(paths, "quality.json")
    if record is None:
        return None
    checks, leaks = ([_check(one) for one in record.get(name, ())] for name in ("checks", "leakage"))
    passed = sum(one.passed for one in checks)
    stops, warns = (sum(not one.passed and one.severity == kind for one in checks) for kind in ("stop", "warn"))
    words = (
        f"{count(passed)} of {count(len(checks))} rules hold on {count(record['rows'])} rows; {_verb(warns, 'warn')} and "
        f"{_verb(stops, 'stop')} a build. {share(record['completeness'], 2)} of the values are there."
    )
    return Quality(words, broken(checks), passed, broken(leaks))


def _verb(number: int, verb: str) -> str:
    """Return how many do something."""
    return f"{count(number)} {verb}{'s' if number == 1 else ''}"


def _check(record: Mapping[str, Any]) -> Check:
    """Return a verdict as the build wrote it."""
    known = {one.name for one in fields(Check)}
    return Check(**{name: value for name, value in record.items() if name in known})


def _product(paths: CasePaths, name: str) -> dict[str, Any] | None:
    """Return a product of the last build; None if there is none."""
    path = paths.artifacts / name
    if not path.is_file():
        return None
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise ArtifactError(f"{path} is not what a build writes: {error}. Build the case again.") from error


def contract(paths: CasePaths) -> tuple[str, pd.DataFrame]:
    """Return how the case's contract stands, in words, and what it says of each column.

    Raises
    ------
    CaseFileError
        The contract's file is wrong.
    """
    terms = terms_file.read(paths)
    if terms is not None:
        return _accepted(paths, terms.snapshot), terms_table.as_table(terms).rename_axis("column").reset_index()
    inferred = _product(paths, "contract.json")
    advice = f"`gristmill contract accept {paths.name}` keeps one for the rows to come."
    if inferred is None:
        return f"There is no data contract yet. {advice}", pd.DataFrame()
    words = f"No contract was accepted yet: the one below was inferred from the rows of the last build, which keep it. {advice}"
    return words, schema_table(inferred).rename_axis("column").reset_index()


def _accepted(paths: CasePaths, snapshot: str | None) -> str:
    """Return which rows the accepted contract was accepted for, and whether they are the current ones."""
    words = f"The contract is `{terms_file.shown(paths)}`."
    current = next((one for one in versions(paths) if one.current), None)
    if snapshot is None or current is None:
        return words
    if current.digest.startswith(snapshot) or snapshot.startswith(current.digest):
        return f"{words} It was last accepted for the current rows, version {current.digest[:SHOWN]}."
    return f"{words} It was last accepted for version {snapshot[:SHOWN]}; the current rows are version {current.digest[:SHOWN]}."


def proposal(paths: CasePaths) -> list[str]:
    """Return what accepting the current rows would change in the contract, as ``gristmill contract diff`` says it; writes nothing.

    Raises
    ------
    CaseFileError, SourceError, DataError
        The case, its contract or its table cannot be used.
    """
    return acceptance.change_lines(acceptance.propose(paths), written=False, file=terms_file.shown(paths))
