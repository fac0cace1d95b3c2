"""The tracking store that a project keeps in its own folder: one SQLite file and a folder of artifacts.

MLflow creates its tables on first use, and two processes that do so at once break each other; it also writes absolute paths into
them, so that a project that was moved would lose its runs. Both are mended here.
"""

import fcntl
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from gristmill.environment import embedded_tracking_uri

LOCATIONS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)
"""Table and column of every place in which MLflow's database keeps the address of artifacts."""


@dataclass(frozen=True)
class EmbeddedStore:
    """The tracking store of the project at ``root``."""

    root: Path

    @property
    def folder(self) -> Path:
        """Where it all lies."""
        return self.root / "mlruns"

    @property
    def database(self) -> Path:
        """MLflow's SQLite file."""
        return self.folder / "mlflow.db"

    @property
    def uri(self) -> str:
        """The tracking URI of this store."""
        return embedded_tracking_uri(str(self.root))

    @property
    def artifacts_uri(self) -> str:
        """Where the artifacts of all experiments lie."""
        return (self.folder / "artifacts").as_uri()

    @property
    def _mark(self) -> Path:
        """A file that says the tables are complete, and where the artifacts lay when they were last used."""
        return self.folder / ".artifacts"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the store's lock, across threads and processes, for the length of the block."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def prepare(self, create_tables: Callable[[], object]) -> None:
        """Make the store ready: tables created once, write-ahead logging on, artifact addresses those of this folder."""
        if self._is_ready():
            return
        with self.locked():
            if self._is_ready():
                return
            create_tables()
            with closing(sqlite3.connect(self.database)) as connection, connection:
                connection.execute("PRAGMA journal_mode=WAL")
                if self._mark.exists():
                    _move(connection, self._mark.read_text(encoding="utf-8"), self.artifacts_uri)
            self._mark.write_text(self.artifacts_uri, encoding="utf-8")

    def _is_ready(self) -> bool:
        """Return whether the tables are there and speak of this folder."""
        return self.database.exists() and self._mark.exists() and self._mark.read_text(encoding="utf-8") == self.artifacts_uri


def _move(connection: sqlite3.Connection, old: str, new: str) -> None:
    """Replace the beginning ``old`` by ``new`` in every artifact address."""
    for table, column in LOCATIONS:
        connection.execute(
            f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column}, 1, ?) = ?",  # noqa: S608 - names of ours
            (new, len(old) + 1, len(old), old),
        )
