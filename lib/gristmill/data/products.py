"""Reading and writing the products of stages, whole or not at all.

Everything is written to a temporary name in the same folder, flushed to the disk and renamed, so that a product that exists
is a product that is complete.
"""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gristmill.errors import ArtifactError

ROW_KEY = "row_key"
"""Name of the index that identifies a row through all products."""


@contextmanager
def replacing(path: Path | str, folder: Path | None = None) -> Iterator[Path]:
    """Give a temporary path to write to, and rename it to ``path`` when the block ends without an error.

    Parameters
    ----------
    path
        What is to be there, whole or not at all.
    folder
        Where the temporary file lies, on the same file system; beside ``path`` if not given.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}-", dir=folder or target.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        temporary.chmod(0o644)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _plain(value: Any) -> Any:
    """Turn what NumPy and pandas produce into what JSON knows; not-a-number becomes null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, str | bytes):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return None if pd.isna(value) else str(value)


def write_json(path: Path | str, content: Mapping[str, Any]) -> None:
    """Write a mapping as indented, key-ordered-as-given JSON."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(_plain(content), indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def read_json(path: Path | str) -> dict[str, Any]:
    """Return the mapping that a JSON product holds.

    Raises
    ------
    ArtifactError
        The file is missing or is not JSON.
    """
    try:
        content: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ArtifactError(f"Expected the product {path}, but it does not exist. Build the case again: `make run`.") from error
    except json.JSONDecodeError as error:
        raise ArtifactError(f"Expected JSON in {path}, but {error}. Delete the file and build the case again.") from error
    return content


def write_rows(path: Path | str, frame: pd.DataFrame) -> None:
    """Write rows as Parquet; an index called ``row_key`` becomes the first column."""
    table = frame.reset_index() if frame.index.name == ROW_KEY else frame
    with replacing(path) as temporary:
        table.to_parquet(temporary, index=False)


def read_rows(path: Path | str, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Return the rows of a Parquet product, indexed by ``row_key`` where it has one.

    Raises
    ------
    ArtifactError
        The file is missing or is not Parquet.
    """
    try:
        frame = pd.read_parquet(path, columns=None if columns is None else list(columns))
    except FileNotFoundError as error:
        raise ArtifactError(f"Expected the product {path}, but it does not exist. Build the case again: `make run`.") from error
    except (OSError, ValueError) as error:
        raise ArtifactError(f"Expected Parquet in {path}, but {error}. Delete the file and build the case again.") from error
    return frame.set_index(ROW_KEY) if ROW_KEY in frame.columns else frame
