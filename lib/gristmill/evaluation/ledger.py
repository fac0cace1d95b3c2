"""How often a set of test rows was used.

Each look at the test rows spends some of their honesty: a candidate chosen after many looks is partly chosen *for* those rows.
The ledger holds one entry per candidate and set of test rows; evaluating the same candidate again adds nothing. The test rows of a
later snapshot hold those of the earlier ones of its line of splits, so a look at any of them counts for all.
"""

import fcntl
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from gristmill.data.products import replacing
from gristmill.errors import ArtifactError

LEDGER_FILE = "test_ledger.jsonl"


def rows_digest(row_keys: pd.Index) -> str:
    """Return the SHA-256 of a set of rows: the same whatever their order."""
    return hashlib.sha256("\n".join(sorted(map(str, row_keys))).encode()).hexdigest()


@contextmanager
def _locked(state: Path) -> Iterator[Path]:
    """Hold the ledger for one writer, and give its path."""
    state.mkdir(parents=True, exist_ok=True)
    with (state / f"{LEDGER_FILE}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield state / LEDGER_FILE


def read_ledger(state: Path) -> list[dict[str, Any]]:
    """Return the entries of the ledger in the folder ``state``, oldest first.

    Raises
    ------
    ArtifactError
        A line is not an entry.
    """
    path = state / LEDGER_FILE
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    try:
        return [{"rows": entry["rows"], "candidate": entry["candidate"], **entry} for entry in map(json.loads, lines)]
    except (ValueError, KeyError, TypeError) as error:
        raise ArtifactError(
            f"Expected one JSON entry a line in {path}, but {error!r}. The ledger is never edited by hand: restore it from a copy, "
            "or remove the broken line and note in the model card that test-set uses may be more than counted."
        ) from error


def uses(state: Path, rows: str, line: str | None = None) -> int:
    """Return how many different candidates were evaluated on the rows with digest ``rows``, or on any of the line of splits."""
    seen = (entry for entry in read_ledger(state) if entry["rows"] == rows or (line is not None and entry.get("line") == line))
    return len({entry["candidate"] for entry in seen})


def record_use(state: Path, *, case: str, row_keys: pd.Index, candidate: str, at: datetime, line: str | None = None) -> int:
    """Enter that ``candidate`` is evaluated on some test rows, and return how many candidates have been so far.

    Parameters
    ----------
    state
        Folder of the ledger.
    case
        Name of the case.
    row_keys
        Keys of the test rows.
    candidate
        Digest of the candidate; one that is in the ledger already is not counted twice.
    at
        When; timezone-aware.
    line
        The line of splits that the rows are the test rows of, by name; None if the case brings its own.

    Raises
    ------
    ArtifactError
        The ledger holds a line that is not an entry.
    """
    rows = rows_digest(row_keys)
    with _locked(state) as path:
        entries = read_ledger(state)
        if not any(entry["rows"] == rows and entry["candidate"] == candidate for entry in entries):
            entry = {"rows": rows, "candidate": candidate, "case": case, "n_rows": len(row_keys), "at": at.isoformat()}
            entry |= {} if line is None else {"line": line}
            entries.append(entry)
            with replacing(path) as temporary:
                temporary.write_text("".join(json.dumps(line) + "\n" for line in entries), encoding="utf-8")
        return uses(state, rows, line)
