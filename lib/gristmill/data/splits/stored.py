"""Lines of splits on the disk: ``data/splits/<case>/<line>/``.

``line.json`` says what the line depends on and how it began; ``0001.parquet``, ``0002.parquet``, ... hold the places that one
snapshot after the other added. Every file is written under a temporary name, renamed and never written again.
"""

import fcntl
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from gristmill.config.case import GROUP_STRATEGIES
from gristmill.data.products import read_json, replacing
from gristmill.data.splits.chronology import block_starts, clock
from gristmill.data.splits.line import Line, Part, begun, new_part
from gristmill.errors import ArtifactError
from gristmill.paths import CasePaths

LINE_FILE = "line.json"

_COLUMNS = b"columns"
_READ_ONLY = 0o444


def settings(case: Any, uri: str) -> dict[str, Any]:
    """Return what a row's place depends on beside the rows themselves: another value begins another line.

    Parameters
    ----------
    case
        The case.
    uri
        Where its table comes from.
    """
    split, strategy = case.split, case.split_strategy
    named = {"source": uri, "task": case.task, "target": case.target, "strategy": strategy, "random_state": split.random_state}
    named |= {"test_size": None if split.test_source else split.test_size, "validation_size": split.validation_size}
    named |= {"folds": split.folds, "id_columns": list(case.id_columns)}
    if strategy == "time":
        return named | {"time_column": case.time_column}
    groups = {"group_column": case.group_column} if strategy in GROUP_STRATEGIES else {}
    return named | groups | {"not_features": sorted(case.non_feature_columns)}


def line_name(case: Any, uri: str) -> str:
    """Return the digest of :func:`settings`, twelve characters."""
    return hashlib.sha256(json.dumps(settings(case, uri), sort_keys=True).encode()).hexdigest()[:12]


def open_line(paths: CasePaths, case: Any, uri: str) -> Line:
    """Return the line that a case's snapshots belong to, with the places given so far.

    Raises
    ------
    ArtifactError
        A file of it is missing, or pushed but not here, or cannot be read.
    """
    return _read_line(paths.splits / line_name(case, uri))


def files_of_all_lines(paths: CasePaths) -> list[Path]:
    """Return the files of every line of a case, each line's in order.

    Raises
    ------
    ArtifactError
        A file is missing or cannot be read.
    """
    drawn = [folder for folder in sorted(paths.splits.glob("*/")) if _read_line(folder).drawn]
    return [file for folder in drawn for file in (folder / LINE_FILE, *_parts(folder))]


def _read_line(folder: Path) -> Line:
    """Return the line of a folder, which need not exist."""
    files = _parts(folder)
    absent = sorted(pointer.stem for pointer in folder.glob("*.dvc") if not pointer.with_suffix("").exists())
    if absent:
        raise ArtifactError(
            f"The stored split in {folder} is not all here: {absent[0]} was pushed to a remote, and without it rows would change "
            f"sides. Bring it back: `gristmill data pull {folder.parent.name}`; or draw a new line, with new test rows, by another "
            "`split.random_state`."
        )
    if not (folder / LINE_FILE).exists() and not files:
        return Line(folder.name)
    if [int(file.stem) for file in files] != list(range(1, len(files) + 1)):
        raise _lost(folder)
    try:
        begin = read_json(folder / LINE_FILE)
        starts = None if begin["starts"] is None else tuple(begin["starts"])
        return Line(folder.name, begin["together"], begin["n_folds"], starts, tuple(map(_read, files)))
    except (ArtifactError, KeyError, TypeError, OSError, ValueError) as error:
        raise _lost(folder) from error


def is_readable(file: Path) -> bool:
    """Return whether a file of a line can be read as one; a pull or a copy that was killed leaves some that cannot."""
    try:
        _ = read_json(file)["together"] if file.name == LINE_FILE else _read(file)
    except (ArtifactError, KeyError, TypeError, OSError, ValueError):
        return False
    return True


def _parts(folder: Path) -> list[Path]:
    return sorted(folder.glob("[0-9][0-9][0-9][0-9].parquet"))


def _lost(folder: Path) -> ArtifactError:
    pushed = any(folder.glob("*.dvc"))
    back = f"Bring it back: `gristmill data pull {folder.parent.name}`" if pushed else "Bring it back from a copy"
    return ArtifactError(
        f"The stored split in {folder} is not whole: a file is missing or damaged, and rows could change sides. {back}; or draw a "
        "new line, with new test rows, by another `split.random_state`."
    )


def _read(file: Path) -> Part:
    """Return the places of one file."""
    table = pq.read_table(file)
    return Part(tuple(json.loads((table.schema.metadata or {})[_COLUMNS])), table.to_pandas())


def keep(
    paths: CasePaths, case: Any, uri: str, line: Line, frame: pd.DataFrame, split: pd.DataFrame, *, product: Path | str
) -> list[str]:
    """Store the places that a snapshot adds to its line, and return the files the line now consists of, relative to the project.

    Parameters
    ----------
    paths, case, uri
        The case, and where its table comes from.
    line
        The line as :func:`open_line` returned it.
    frame
        The rows of the source, indexed by row key.
    split
        What :func:`gristmill.data.splits.assignment.assign` returned for them.
    product
        Where the stage writes its account of the split. Of a notebook run by hand, which writes to the scratch folder, nothing is
        stored: what is tried out there shall bind no build.

    Raises
    ------
    ArtifactError
        Another process has gone on with the line since it was read.
    """
    folder = paths.splits / line.name
    if paths.scratch in Path(product).absolute().parents:
        return []
    with locked(folder):
        if len(_parts(folder)) != len(line.parts):
            raise ArtifactError(f"Another process has added to the stored split in {folder} in the meantime. Build the case again.")
        if not line.drawn:
            begin = begun(frame, split, case, line, _starts(frame, case))
            content: dict[str, Any] = {"settings": settings(case, uri), "together": begin.together, "n_folds": begin.n_folds}
            content |= {"starts": begin.starts}
            with replacing(folder / LINE_FILE) as temporary:
                temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        part = None if case.split_strategy == "time" else new_part(frame, split, case, line)
        if part is not None and len(part.rows):
            _write(folder / f"{len(line.parts) + 1:04d}.parquet", part)
        return [str(file.relative_to(paths.root)) for file in (folder / LINE_FILE, *_parts(folder))]


def _starts(frame: pd.DataFrame, case: Any) -> tuple[float, ...] | None:
    """Return where the blocks of a split by time begin; None for any other."""
    if case.split_strategy != "time":
        return None
    return block_starts(clock(frame[case.time_column]), case, with_test=case.split.test_source is None)


def _write(file: Path, part: Part) -> None:
    """Write the places of one snapshot."""
    table = pa.Table.from_pandas(part.rows, preserve_index=False)
    table = table.replace_schema_metadata({_COLUMNS: json.dumps(part.columns).encode()})
    with replacing(file) as temporary:
        pq.write_table(table, temporary, compression="zstd")
    file.chmod(_READ_ONLY)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a line for one writer until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with folder.parent.joinpath(f".{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
