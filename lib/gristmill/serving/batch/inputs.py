"""What is to be scored: a file as it lies there, or what a database answers, which is read once and then lies in a file."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gristmill.data.products import replacing
from gristmill.data.sources.databases import SCHEMES
from gristmill.data.sources.opening import open_source
from gristmill.errors import SourceError
from gristmill.serving.batch.tables import SUFFIXES

ROWS = "rows.parquet"
_ROWS_A_GROUP = 65_536


@dataclass(frozen=True)
class Input:
    """A table to be scored.

    Attributes
    ----------
    uri
        Path of a file, or URI of a database.
    query
        What is asked of it; None for the whole table.
    """

    uri: str
    query: str | None = None

    @property
    def is_file(self) -> bool:
        """Whether the rows are read from the file as it is."""
        return self.query is None and self.uri.partition("://")[0] not in SCHEMES

    def check(self, target: Path) -> None:
        """Refuse what cannot be read, and an output that is the input.

        Raises
        ------
        SourceError
            There is no such file, it has another suffix, is the output, or the URI names no table.
        """
        if not self.is_file:
            with _as_it_was_asked():
                open_source(self.uri, root=Path.cwd(), query=self.query)
            return
        path = Path(self.uri)
        check_suffix(path)
        if not path.is_file():
            raise SourceError(f"There is no file {self.uri!r} to score.")
        if target.exists() and path.samefile(target):
            raise SourceError(f"The output {str(target)!r} is the input itself, which would be lost. Name another output.")

    def identity(self) -> dict[str, Any]:
        """Return what tells whether it is the same table as before: a file's content, or what is asked of a database."""
        if not self.is_file:
            return {"uri": self.uri, "query": self.query}
        with Path(self.uri).open("rb") as content:
            return {"sha256": hashlib.file_digest(content, "sha256").hexdigest(), "format": Path(self.uri).suffix.lower()}

    def file(self, folder: Path) -> Path:
        """Return the file that holds the rows; those of a database are read into ``folder`` unless they are there already.

        Raises
        ------
        SourceError
            The database does not answer, or its answer has no row.
        """
        if self.is_file:
            return Path(self.uri)
        import pyarrow as pa  # noqa: PLC0415
        import pyarrow.parquet as pq  # noqa: PLC0415

        spooled = folder / ROWS
        if spooled.is_file():
            return spooled
        with _as_it_was_asked(), replacing(spooled) as temporary:
            batches = open_source(self.uri, root=Path.cwd(), query=self.query).batches()
            first = next(batches)
            with pq.ParquetWriter(temporary, first.schema) as rows:
                rows.write_table(pa.Table.from_batches([first]), row_group_size=_ROWS_A_GROUP)
                for batch in batches:
                    rows.write_batch(batch)
        return spooled


@contextmanager
def _as_it_was_asked() -> Iterator[None]:
    """Let the refusal of a source name the option of the command line, where for a build it names the key of the case file."""
    try:
        yield
    except SourceError as error:
        if "`source.query`" not in str(error):
            raise
        raise SourceError(str(error).replace("`source.query`", "`--query`")) from error


def check_suffix(path: Path) -> None:
    """Refuse a file that is neither CSV nor Parquet by its name.

    Raises
    ------
    SourceError
        It has another suffix.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise SourceError(f"Expected a file called *.csv or *.parquet, got {str(path)!r}. Convert it, or correct its name.")
