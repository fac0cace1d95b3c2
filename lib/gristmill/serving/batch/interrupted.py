"""What a run that is interrupted leaves, so that the same command goes on where it stopped.

Beside the output, ``.NAME.unfinished/`` holds the answers of each portion in a file of its own, written whole or not at all, and
``job.json``, which says of what input, model and options they are. Parts of another job are removed and never mixed in.
"""

import fcntl
import importlib.metadata
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gristmill.data.products import replacing, write_json
from gristmill.errors import SourceError

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = 1
JOB = "job.json"
LIBRARIES = ("gristmill", "catboost", "lightgbm", "numpy", "pandas", "pyarrow", "scikit-learn", "treelite")
"""With another version of these, a row may be answered otherwise."""

_META = b"gristmill"


class Unfinished:
    """The folder of one job.

    Parameters
    ----------
    folder
        The folder; it exists.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def parts(self) -> int:
        """Return how many parts there are, from the first on without a gap."""
        number = 0
        while self._part(number).is_file():
            number += 1
        return number

    def add(self, number: int, answers: "pa.RecordBatch", facts: Mapping[str, Any]) -> None:
        """Keep the answers of a portion, and what is to be known of it (JSON-able)."""
        import pyarrow as pa  # noqa: PLC0415

        schema = answers.schema.with_metadata({_META: json.dumps(facts).encode()})
        with (
            replacing(self._part(number)) as temporary,
            pa.OSFile(str(temporary), "wb") as sink,
            pa.ipc.new_file(sink, schema) as writer,
        ):
            writer.write_batch(pa.RecordBatch.from_arrays(answers.columns, schema=schema))

    def facts(self, number: int) -> dict[str, Any]:
        """Return what was said of a part."""
        import pyarrow as pa  # noqa: PLC0415

        with pa.memory_map(str(self._part(number))) as source:
            found: dict[str, Any] = json.loads(pa.ipc.open_file(source).schema.metadata[_META])
        return found

    def answers(self, number: int) -> "pa.RecordBatch":
        """Return the answers of a part."""
        import pyarrow as pa  # noqa: PLC0415

        with pa.OSFile(str(self._part(number)), "rb") as source:
            batch = pa.ipc.open_file(source).get_batch(0)
        return batch.replace_schema_metadata(None)

    def remove(self) -> None:
        """Remove the folder and all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _part(self, number: int) -> Path:
        return self.folder / f"part-{number:07}.arrow"


def unfinished_folder(target: Path) -> Path:
    """Return where the parts of an output are kept until it is whole."""
    return target.with_name(f".{target.name}.unfinished")


@contextmanager
def unfinished(target: Path, job: Mapping[str, Any]) -> Iterator[Unfinished]:
    """Give the folder of a job, with the parts that an interrupted run of the very same job has left.

    Parameters
    ----------
    target
        The output.
    job
        What decides the answers (JSON-able): input, model, options.

    Raises
    ------
    SourceError
        Another run is writing the same output.
    """
    folder = unfinished_folder(target)
    folder.mkdir(exist_ok=True)
    lock = (folder / "lock").open("w")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SourceError(f"{str(target)!r} is being written by another run. Wait for it, or name another output.") from error
        wanted = json.loads(json.dumps({"format": FORMAT, **job, "versions": _versions()}))
        if _read(folder / JOB) != wanted:
            for path in folder.iterdir():
                if path.name != "lock":
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
            write_json(folder / JOB, wanted)
        for path in folder.glob(".*"):  # what was being written when a run was killed
            path.unlink()
        yield Unfinished(folder)


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None


def _versions() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
