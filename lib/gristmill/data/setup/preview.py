"""What a build of a case will do, said before it is done; nothing is written."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from gristmill.config.case import Case
from gristmill.config.loading import load_case
from gristmill.data.contract import acceptance, behaviour, quality, terms_file
from gristmill.data.contract import schema as contracts
from gristmill.data.contract.checks import Check, require
from gristmill.data.contract.schema import Contract
from gristmill.data.contract.validation import validate
from gristmill.data.leakage import detection
from gristmill.data.products import ROW_KEY
from gristmill.data.setup.table import Table, spooled, stored
from gristmill.data.snapshots import history, snapshot
from gristmill.data.sources.opening import open_case_source, open_test_source
from gristmill.data.splits.assignment import TEST, TRAIN, assign, row_keys
from gristmill.data.splits.line import Line
from gristmill.data.splits.stored import open_line
from gristmill.data.targets import class_text
from gristmill.paths import CasePaths

WIDTH = 12
"""Characters of the column with the names of the facts."""


def preview(paths: CasePaths) -> str:
    """Return what a build of the case will do, as lines of text; reads the table, and writes nothing.

    Of a large table, as many rows as :data:`gristmill.data.setup.table.LOOKED_AT` are judged, drawn evenly.

    Raises
    ------
    CaseFileError
        The case file is wrong.
    SourceError, DataError, LeakageError
        The build would stop in its first stages, for the same reason.
    """
    case = load_case(paths.name, paths.root)
    terms_file.read(paths)  # a wrong contract is said before a large table is read
    kept = history.restored(paths)
    if kept is not None:
        with stored(snapshot.verified(paths.root / kept.path)) as table:
            return describe(table, case, paths.root, kept, open_line(paths, case, kept.uri))
    source = open_case_source(case, paths.root)
    with spooled(source) as table:
        return describe(table, case, paths.root, line=open_line(paths, case, source.uri))


def describe(
    whole: Table, case: Case, root: Path, kept: snapshot.Snapshot | None = None, line: Line | None = None
) -> str:  # fmt: skip
    """Return what a build of the case on a table will do, as lines of text.

    ``root`` is the project's; ``kept`` is the restored snapshot that the rows are of, if they are not the source's; ``line`` is
    what earlier snapshots have decided about the split.

    Raises
    ------
    SourceError, DataError, LeakageError
        The build would stop in its first stages, for the same reason.
    """
    contracts.check_columns(whole.columns, case)
    agreement = acceptance.in_force(CasePaths(root, case.name), whole.path, case, kept.digest if kept else None)
    checks = validate(whole.path, agreement.terms, case, kept.ingested_at if kept else datetime.now(UTC).isoformat())
    require(checks)
    rows = _keyed(quality.usable_rows(whole.rows(case.target), case), case)
    contract = contracts.infer(rows, case, agreement.declared(checks))
    behaviour.require(case.behaviour, contract, sampled=whole.is_sampled)
    rows = contracts.coerce(rows, contract)
    test = _test_rows(case, root, contract)
    split = assign(rows, case, test, line)
    checks += detection.check(rows, split, case, contract, test)
    facts = list(_facts(case, whole, rows, split, contract))
    facts.insert(2, ("Contract", agreement.sentence.replace("`", "")))
    if kept is not None:
        facts.insert(2, ("Version", f"{kept.digest[: history.SHOWN]}, restored: the source is not read"))
    lines = [f"{name:<{WIDTH}}{fact}" for name, fact in facts]
    return "\n".join([*lines, *_warnings(checks), "", f"Build it: ploomber build --env--case {case.name}"])


def _keyed(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
    return rows.set_index(pd.Index(row_keys(rows, case.id_columns), name=ROW_KEY))


def _test_rows(case: Case, root: Path, contract: Contract) -> pd.DataFrame | None:
    """Return the rows of the case's own test table, if it names one; of its restored snapshot, if one is restored."""
    kept = history.restored(CasePaths(root, case.name).own_test) if case.split.test_source else None
    if kept is not None:
        opened = stored(root / kept.path)
    elif (source := open_test_source(case, root)) is not None:
        opened = spooled(source)
    else:
        return None
    with opened as table:
        given = table.rows(case.target if case.target in table.columns else None)
    rows = contracts.coerce(quality.usable_test_rows(given, case), contract, require_target=True)
    return rows.set_index(pd.Index(row_keys(rows, case.id_columns, prefix="test-"), name=ROW_KEY))


def _facts(case: Case, whole: Table, rows: pd.DataFrame, split: pd.DataFrame, contract: Contract) -> Iterator[tuple[str, str]]:
    """Give name and sentence of each fact."""
    positive = f"; probabilities are those of {case.positive_class!r}" if case.positive_class else ""
    yield "Case", f"{case.name}: {case.task}, predicts {case.target!r}{positive}"
    table = whole.rows(case.target)
    size = f"{whole.n_rows:,} rows, {len(whole.columns)} columns"
    yield "Table", f"{case.source.uri}: {size}, {quality.completeness(table):.1%} complete"
    if whole.is_sampled:
        yield (
            "Looked at",
            f"{len(table):,} rows, drawn evenly, for the split, the classes and leakage; the contract is held against all",
        )
    n_test, n_train = (int((split["split"] == side).sum()) for side in (TEST, TRAIN))
    idle = f", {len(split) - n_test - n_train:,} not used" if len(split) > n_test + n_train else ""
    folds = split["fold"].dropna().loc[lambda fold: fold >= 0].nunique()
    way = f"{folds} folds" if folds > 1 else "one hold-out set"
    yield "Rows", f"{n_train:,} for training ({case.split_strategy}, {way}), {n_test:,} kept for the test{idle}"
    if contract["classes"]:
        shares = class_text(rows[case.target]).value_counts(normalize=True)
        yield "Classes", ", ".join(f"{name} {share:.1%}" for name, share in shares.head(6).items())
    yield "Features", _features(case, contract)
    yield "Training", _training(case)
    goals = ", ".join(f"{metric} {value:g}" for metric, value in case.evaluation.success_criteria.items()) or "none stated"
    yield "Selection", f"by {case.primary_metric} out of fold; success criteria: {goals}"
    groups = ", ".join(case.sensitive_features) or "no sensitive features named, so fairness is not audited"
    yield "Fairness", groups
    yield "Products", f"artifacts/{case.name}/, reports/{case.name}/index.html, registered model {case.name!r}"


def _features(case: Case, contract: Contract) -> str:
    """Say how many columns of which kind the model sees, and which it does not."""
    used = [column for column in contract["columns"] if column["used"] and column["name"] != case.target]
    kinds = pd.Series([column["kind"] for column in used], dtype=object).value_counts()
    hidden = [column["name"] for column in contract["columns"] if not column["used"] and column["name"] != case.target]
    unused = f"; not seen by the model: {', '.join(hidden)}" if hidden else ""
    return f"{len(used)} columns ({', '.join(f'{count} {kind}' for kind, count in kinds.items())}){unused}"


def _training(case: Case) -> str:
    """Say which families are trained, and for how long."""
    families = ", ".join(case.training.families)
    if case.training.trials is not None:
        return f"{families}: {case.training.trials} trials each"
    return f"{families}: {case.training.budget_seconds:g} s together"


def _warnings(checks: list[Check]) -> list[str]:
    """Return a line for each broken rule that only warns."""
    broken: list[Any] = [check for check in checks if not check.passed]
    return ["", *(f"Warning: {check.message}" for check in broken)] if broken else []
