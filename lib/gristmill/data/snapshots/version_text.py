"""Versions of a source, their columns and their differences, as lines of text."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from gristmill.config.loading import load_case
from gristmill.data.snapshots.description import ColumnSummary, describe
from gristmill.data.snapshots.differences import ColumnDifference, Difference, Point, compare
from gristmill.data.snapshots.history import SHOWN, SOURCE, Version, current, find, pair, versions
from gristmill.data.snapshots.parquet_queries import TYPES
from gristmill.paths import CasePaths

LONGEST = 32
"""Characters of a value that are shown in a line."""

WORDS = ((0.25, "moved far"), (0.1, "moved"), (0.02, "moved a little"), (1e-12, "hardly moved"))
"""Distance from which a column is said to have moved so."""


def log_lines(paths: CasePaths) -> list[str]:
    """Return a line for each version of a case's source, the newest first.

    Raises
    ------
    CaseFileError, ArtifactError
        As :func:`gristmill.data.snapshots.history.versions`.
    """
    known = versions(paths)
    table = [("version", "taken", "rows", "columns", "source", "")]
    for version in reversed(known):
        about = version.snapshot
        state = ", ".join(_states(version, paths.root))
        table.append(
            (about.digest[:SHOWN], _minute(about.ingested_at), f"{about.rows:,}", f"{len(about.columns):,}", about.uri, state)
        )
    return [*aligned(table, right=(2, 3)), *_hints(paths, known)]


def _states(version: Version, root: Path) -> Iterator[str]:
    """Give what is to be said about a version besides its size."""
    if version.current:
        yield "current"
    if version.restored:
        yield "restored"
    if not (root / version.snapshot.path).is_file():
        yield "its file is missing"


def _hints(paths: CasePaths, known: Sequence[Version]) -> Iterator[str]:
    """Say how to have the source read again, if it is not."""
    kept = next((version for version in known if version.restored), None)
    if kept is not None:
        yield ""
        yield (
            f"Builds use {kept.digest[:SHOWN]} and do not read the source; `gristmill data restore {paths.argument} {SOURCE}` has "
            "them read it again."
        )


def show_lines(paths: CasePaths, beginning: str | None = None) -> list[str]:
    """Return the columns of a version, the current one unless another is named, with what they hold.

    Raises
    ------
    CaseFileError, ArtifactError
        As :func:`gristmill.data.snapshots.history.find`; or the snapshot is missing or damaged.
    """
    version = current(paths) if beginning is None else find(paths, beginning)
    about, file = version.snapshot, paths.root / version.snapshot.path
    columns = describe(about, paths.root)
    table: list[tuple[str, ...]] = [("column", "type", "missing", "distinct", "mean", "minimum", "median", "maximum", "commonest")]
    table += [_summary(column) for column in columns]
    return [
        f"Version   {about.digest}",
        f"Source    {about.uri} ({about.source_version}), taken {_minute(about.ingested_at)}",
        f"File      {about.path}, {file.stat().st_size / 1e6:,.1f} MB; its content is what its name says",
        f"Rows      {about.rows:,} in {len(about.columns):,} columns",
        "",
        *aligned(table, right=range(2, 8)),
    ]


def _summary(column: ColumnSummary) -> tuple[str, ...]:
    """Return the cells of one column."""
    ends = (_value(one) for one in (column.mean, column.minimum, column.median, column.maximum))
    commonest = _short(repr(column.commonest)) if column.commonest is not None else ""
    return (_short(column.name), column.kind, f"{column.missing:.1%}", f"{column.distinct:,}", *ends, commonest)


def diff_lines(paths: CasePaths, old: str | None = None, new: str | None = None) -> list[str]:
    """Return what is different between two versions, by default the last two.

    Raises
    ------
    CaseFileError, ArtifactError
        As :func:`gristmill.data.snapshots.history.pair`; or a snapshot is missing or damaged.
    """
    before, after = pair(paths, old, new)
    found = compare(before.snapshot, after.snapshot, paths.root, load_case(paths.name, paths.root).id_columns)
    return [
        f"From {_named(before)}",
        f"to   {_named(after)}",
        "",
        *(f"{name:<10}{fact}" for name, fact in schema_facts(found)),
        f"{'Rows':<10}{rows_fact(found)}",
        "",
        *_distributions(found),
    ]


def _named(version: Version) -> str:
    """Return a version in a line."""
    about = version.snapshot
    return f"{about.digest[:SHOWN]}, taken {_minute(about.ingested_at)}: {about.rows:,} rows, {len(about.columns):,} columns"


def _minute(moment: str) -> str:
    """Return a moment in ISO form to the minute."""
    return moment.replace("T", " ")[:16]


def schema_facts(found: Difference) -> Iterator[tuple[str, str]]:
    """Give the differences of the columns themselves."""
    if found.added:
        yield "Added", ", ".join(f"{name} ({TYPES.get(kind, kind)})" for name, kind in found.added.items())
    if found.removed:
        yield "Removed", ", ".join(f"{name} ({TYPES.get(kind, kind)})" for name, kind in found.removed.items())
    for name, (was, is_now) in found.retyped.items():
        yield "Retyped", f"{name}, from {TYPES.get(was, was)} to {TYPES.get(is_now, is_now)}"
    if not (found.added or found.removed or found.retyped):
        yield "Columns", "the same, with the same types"


def rows_fact(found: Difference) -> str:
    """Say how many rows are shared."""
    if found.rows is None:
        return "cannot be compared: the versions have no column in common"
    only = " (compared in the columns that both have)" if found.added or found.removed else ""
    changed = "" if found.rows.changed is None else f" {found.rows.changed:,} changed,"
    by_id = "" if found.rows.changed is None else ", told apart by their identifiers"
    return f"{found.rows.added:,} added, {found.rows.removed:,} removed,{changed} {found.rows.unchanged:,} unchanged{by_id}{only}"


def _distributions(found: Difference) -> Iterator[str]:
    """Give a line for each column whose values moved, the farthest first, and one for the rest."""
    moved = [column for column in found.columns if column.distance is not None and column.distance >= WORDS[-1][0]]
    unknown = [column.name for column in found.columns if column.distance is None]
    if moved:
        yield "How far the values of a column moved, from 0 (the same) to 1 (nothing in common):"
        yield from aligned([(f"{column.distance:.3f}", _short(column.name), moved_text(column)) for column in moved], right=(0,))
    same = len(found.columns) - len(moved) - len(unknown)
    if same:
        yield f"{same:,} {'column has' if same == 1 else 'columns have'} the same distribution in both."
    if unknown:
        yield f"Not compared, because nearly every text is different: {', '.join(unknown)}."


def moved_text(column: ColumnDifference) -> str:
    """Return in plain words how a column has moved."""
    distance = column.distance or 0.0
    word = next((word for limit, word in WORDS if distance >= limit), "did not move")
    return f"{word}: {'; '.join(_changes(column)) or 'the shape differs'}"


def _changes(column: ColumnDifference) -> Iterator[str]:
    """Give what changed, in values that a person can check."""
    if column.mean is not None and column.quartiles is not None:
        before, after = (_value(one) for one in column.mean)
        low, high, new_low, new_high = (_value(one) for one in column.quartiles)
        if before != after:
            yield f"{_direction(*column.mean)}, mean from {before} to {after}"
        elif (low, high) != (new_low, new_high):
            yield f"the mean stays at {before}, the middle half goes from {low} .. {high} to {new_low} .. {new_high}"
    if column.level is not None and column.level[1] != column.level[2]:
        name, before_share, after_share = column.level
        how = "is new, with" if before_share == 0 else "is gone, from" if after_share == 0 else f"from {before_share:.1%} to"
        yield f"{_short(repr(name))} {how} {after_share or before_share:.1%} of the rows"
    if f"{column.missing[0]:.1%}" != f"{column.missing[1]:.1%}":
        yield f"missing from {column.missing[0]:.1%} to {column.missing[1]:.1%}"


def _direction(before: Point, after: Point) -> str:
    """Return which way a mean went."""
    if isinstance(before, datetime) and isinstance(after, datetime):
        return "later" if after > before else "earlier"
    return "larger" if after > before else "smaller"  # type: ignore[operator]


def _value(value: float | datetime | None) -> str:
    """Return a number or a moment as short as it can be read."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds").removesuffix(" 00:00:00")
    return f"{value:,.0f}" if value == round(value, 0) and abs(value) < 1e15 else f"{value:,.4g}"


def _short(text: str) -> str:
    """Return a text that does not break a line."""
    plain = "".join(sign if sign.isprintable() else " " for sign in text)
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 3]}..."


def aligned(table: Sequence[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Return the rows of a table as lines with its columns under each other.

    Parameters
    ----------
    table
        Rows of cells, as many in each.
    right
        Positions of the columns whose cells end under each other.
    """
    widths = [max(len(cells[place]) for cells in table) for place in range(len(table[0]))]
    return [
        "  ".join(
            cell.rjust(width) if place in right else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ).rstrip()
        for cells in table
    ]
