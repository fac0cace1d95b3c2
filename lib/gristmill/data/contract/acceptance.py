"""Which contract applies to a case, and accepting what its rows have become."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gristmill.config.case import Case
from gristmill.config.loading import load_case
from gristmill.data.contract import departures, evolution, inference, terms_file, validation
from gristmill.data.contract.checks import Check
from gristmill.data.contract.evolution import Change
from gristmill.data.contract.terms import KINDS, Terms
from gristmill.data.snapshots import history, snapshot
from gristmill.data.sources.opening import open_case_source
from gristmill.errors import ArtifactError
from gristmill.paths import CasePaths


@dataclass(frozen=True)
class Agreement:
    """The contract that rows are held against.

    Attributes
    ----------
    terms
        What it says.
    file
        The file it stands in, relative to the project's root; None if it was inferred from the very rows.
    case
        Name of the case.
    """

    terms: Terms
    file: str | None
    case: str

    @property
    def sentence(self) -> str:
        """Where it comes from, and how to keep it."""
        if self.file is not None:
            return f"The data contract is `{self.file}`."
        return (
            "There is no data contract yet: one was inferred from these very rows, so that its limits hold by construction. "
            f"`gristmill contract accept {self.case}` keeps it for the rows to come."
        )

    def declared(self, checks: Sequence[Check]) -> dict[str, tuple[str, str | None]]:
        """Return kind and date format of the columns whose type a file states and the rows keep, for the schema."""
        if self.file is None:
            return {}
        lost = {check.column for check in checks if check.rule == "type" and not check.passed}
        return {name: (KINDS[one.type], one.format) for name, one in self.terms.columns.items() if name not in lost}


def in_force(paths: CasePaths, rows: Path, case: Any, digest: str | None = None) -> Agreement:
    """Return the contract of a case: that of its file, or one inferred from the rows if there is none.

    Parameters
    ----------
    paths, case
        The case.
    rows
        Parquet file of the snapshot.
    digest
        Of the snapshot.

    Raises
    ------
    CaseFileError
        The file is wrong.
    """
    written = terms_file.read(paths)
    if written is not None:
        return Agreement(written, terms_file.shown(paths), case.name)
    return Agreement(inference.infer(rows, case, digest), None, case.name)


@dataclass(frozen=True)
class Proposal:
    """What accepting the rows of a case would do to its contract.

    Attributes
    ----------
    old, new
        The contract there is, None without a file; and the one that follows.
    changes
        What is different.
    broken
        What the rows still break in ``new`` and stops a build: rules that only people change.
    rows
        Which rows were looked at, in words.
    """

    old: Terms | None
    new: Terms
    changes: list[Change]
    broken: list[Check]
    rows: str


def propose(paths: CasePaths) -> Proposal:
    """Return what accepting the current rows of a case would change; writes nothing.

    Raises
    ------
    CaseFileError, SourceError, DataError
        The case, its contract or its table cannot be used.
    """
    case = load_case(paths.name, paths.root)
    old = terms_file.read(paths)
    with current_rows(paths, case) as (rows, digest, said):
        suggested = inference.infer(rows, case, digest, tolerant=True)
        found = validation.validate(rows, old, case) if old is not None else []
        new = evolution.merged(old, suggested, [check for check in found if not check.passed])
        changes = evolution.differences(old, new)
        if old is not None:
            changes = departures.explained(rows, case, old, new, found, changes)
        left = [check for check in validation.validate(rows, new, case) if not check.passed and check.severity == "stop"]
    return Proposal(old, new, changes, left, said)


def accept(paths: CasePaths) -> Proposal:
    """Write the contract that follows from the current rows of a case, and return what was changed.

    Raises
    ------
    CaseFileError, SourceError, DataError
        As :func:`propose`; nothing is written.
    """
    proposal = propose(paths)
    if proposal.old is None or proposal.changes:
        terms_file.write(paths, proposal.new, proposal.old)
    return proposal


@contextmanager
def current_rows(paths: CasePaths, case: Case) -> Iterator[tuple[Path, str | None, str]]:
    """Give the Parquet file of the rows a case has now, its digest, and in words which they are.

    They are those of the current snapshot; if no build has taken one, the source is read.
    """
    try:
        taken = history.current(paths).snapshot
    except ArtifactError:
        if paths.history.is_file():
            raise
        source = open_case_source(case, paths.root)
        with snapshot.borrowed(source) as file:
            yield file, None, f"the rows of {source.uri}, of which no build has taken a snapshot yet"
        return
    yield snapshot.verified(paths.root / taken.path), taken.digest, f"snapshot {taken.digest[: history.SHOWN]} of {taken.uri}"


def change_lines(proposal: Proposal, *, written: bool, file: str) -> list[str]:
    """Return what is said of a proposal: the differences, and what the rows still break."""
    lines = [f"From {proposal.rows}:"]
    width = max((len(change.place) for change in proposal.changes), default=0)
    for change in proposal.changes:
        lines.append(f"  {change.place:<{width}}  {change.what}")
        lines += [f"  {'':<{width}}    {change.note}"] if change.note else []
    if not proposal.changes:
        lines = [f"{file} agrees with {proposal.rows}; nothing to change."]
    elif written:
        lines.append(f"Wrote {file}. Read it, edit it, commit it.")
    if proposal.broken:
        lines += ["", "Still broken, and for a person to decide, since a person wrote it; a build stops:"]
        lines += [f"  {check.message}" for check in proposal.broken]
    return lines
