"""Tables in single files on this machine: CSV and its relatives, Parquet, JSON Lines, Excel."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gristmill.data.progress_bars import hide_bars
from gristmill.data.sources.compressed import check_gzip, open_bytes
from gristmill.data.sources.sql_text import quoted
from gristmill.data.sources.table_source import Source, nearest
from gristmill.environment import find_project_root
from gristmill.errors import SourceError

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIXES = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".parquet": "parquet", ".pq": "parquet",
    ".jsonl": "json", ".ndjson": "json", ".json": "json", ".xlsx": "excel", ".xlsm": "excel", ".xls": "excel",
}  # fmt: skip
"""File suffix -> format."""

OPTIONS = {
    "csv": ("format", "delimiter", "encoding", "quote", "decimal", "header", "missing"),
    "parquet": ("format",),
    "json": ("format",),
    "excel": ("format", "sheet"),
}
"""Format -> keys that ``source.options`` may have."""


class FileSource(Source):
    """A file on this machine; what kind it is, its subclasses know."""

    def __init__(self, uri: str, path: Path, options: Mapping[str, Any]) -> None:
        super().__init__(uri)
        self.path = path
        self.options = dict(options)

    def version(self) -> str:
        """Return the SHA-256 of the file's content."""
        try:
            with self.path.open("rb") as file:
                return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise unreadable(self.path, error) from error


class CsvFile(FileSource):
    """A delimited text file."""

    _guesses = False

    def _guessing(self) -> "CsvFile":
        """Return the same file, its types guessed from the first rows."""
        hasty = CsvFile(self.uri, self.path, self.options)
        hasty._guesses = True
        return hasty

    def _batches(self) -> "Iterator[pa.RecordBatch]":
        from gristmill.data.sources.delimited import read_delimited  # noqa: PLC0415

        return read_delimited(self.path, self.options, guess=self._guesses)


class ParquetFile(FileSource):
    """A Parquet file."""

    def _batches(self) -> "Iterator[pa.RecordBatch]":
        import pyarrow as pa  # noqa: PLC0415
        import pyarrow.parquet as pq  # noqa: PLC0415

        try:
            with pq.ParquetFile(self.path) as file:
                if not file.schema_arrow.names:
                    raise SourceError(f"{self.path} has no columns. Name a table that has data.")
                yield from file.iter_batches()
        except (pa.ArrowException, OSError) as error:
            raise SourceError(
                f"{self.path} cannot be read as Parquet: {error} The file may be cut off or of another kind; write it again."
            ) from error


class JsonLinesFile(FileSource):
    """A file with one JSON object a line, or one JSON array of objects."""

    def _batches(self) -> "Iterator[pa.RecordBatch]":
        import duckdb  # noqa: PLC0415

        with tempfile.TemporaryDirectory(prefix="gristmill-") as folder, duckdb.connect() as connection:
            hide_bars(connection)
            packed = self.path.suffix.lower() == ".gz"
            if packed:
                check_gzip(self.path)
            link = Path(folder) / ("input.json.gz" if packed else "input.json")  # a name without `*` or quotes
            link.symlink_to(self.path.resolve())
            try:
                query = "SELECT * FROM read_json(?, sample_size=-1, maximum_object_size=67108864)"
                rows = connection.sql(query, params=[str(link)])
                columns = ", ".join(map(_without_quotes, rows.columns, map(str, rows.types)))
                yield from rows.project(columns).to_arrow_reader(65_536)
            except duckdb.Error as error:
                raise self._explain(error) from error

    def _explain(self, error: Exception) -> SourceError:
        """Say which line is not JSON; DuckDB counts from another one."""
        with open_bytes(self.path) as file:
            for number, line in enumerate(file, start=1):
                try:
                    json.loads(line or b"null")
                except ValueError as problem:
                    return SourceError(
                        f"{self.path}, line {number}: expected one JSON object, but {problem}. Mend that line of the file."
                    )
        return SourceError(f"{self.path} cannot be read as JSON Lines: {str(error).splitlines()[0]}")


def _without_quotes(name: str, kind: str) -> str:
    """Return the expression of a column; where its values are of several kinds, texts among them lose JSON's quotes."""
    column = quoted(name)
    if kind != "JSON":
        return column
    return f"CASE json_type({column}) WHEN 'VARCHAR' THEN {column} ->> '$' ELSE CAST({column} AS VARCHAR) END AS {column}"


class ExcelFile(FileSource):
    """A sheet of an Excel workbook."""

    def _batches(self) -> "Iterator[pa.RecordBatch]":
        from gristmill.data.sources.workbook import read_workbook  # noqa: PLC0415

        return read_workbook(self.path, self.options)


_FILES: dict[str, type[FileSource]] = {"csv": CsvFile, "parquet": ParquetFile, "json": JsonLinesFile, "excel": ExcelFile}


def open_file(uri: str, path: Path, options: Mapping[str, Any]) -> FileSource:
    """Open a file by what its suffix, or else its first bytes, say it is.

    Raises
    ------
    SourceError
        The file is missing, empty, closed to this user, of a kind that is not read, or takes no such option.
    """
    check_readable(path)
    kind = str(options.get("format") or _format_of(path))
    if kind not in OPTIONS:
        raise SourceError(
            f"Expected `source.options.format` to be one of {', '.join(OPTIONS)}, got {kind!r}" + nearest(kind, OPTIONS)
        )
    if path.suffix.lower() == ".xls":
        raise SourceError(f"{path} is a workbook of Excel 2003 or older, which is not read. Save it as .xlsx or the sheet as CSV.")
    for key in options:
        if key not in OPTIONS[kind]:
            raise SourceError(
                f"A {kind} file takes no option {key!r}, only {', '.join(OPTIONS[kind])}" + nearest(key, OPTIONS[kind])
            )
    return _FILES[kind](uri, path, options)


def base_folder(root: Path | None) -> Path:
    """Return the folder that relative paths start from: ``root``, the project's root, or the working directory."""
    return root if root is not None else Path(find_project_root(os.fspath(Path.cwd())) or Path.cwd())


def check_readable(path: Path) -> None:
    """Refuse a path that is missing, no file, empty or closed to this user.

    Raises
    ------
    SourceError
        It is; the sentence says which.
    """
    try:
        if path.exists() and not path.is_file():
            raise SourceError(f"Expected a file, but {path} is a device, pipe or socket. Write the table to a file and name that.")
        with path.open("rb") as file:
            if not file.read(1):
                raise SourceError(f"{path} is empty; expected a header line and rows. Name a file that has data.")
    except FileNotFoundError as error:
        folder = path.parent
        siblings = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
        missing = f"There is no file {path}" if folder.is_dir() else f"There is no file {path}, nor the folder it would be in"
        raise SourceError(missing + nearest(path.name, siblings)) from error
    except OSError as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: OSError) -> SourceError:
    """Return a sentence that says why the system does not let a file be read."""
    if isinstance(error, PermissionError):
        return SourceError(f"{path} may not be read by this user. Change its permissions (`chmod u+r`) or copy it.")
    return SourceError(f"{path} cannot be read: {error.strerror or error}.")


def _format_of(path: Path) -> str:
    """Return the format that a file's suffix says it has, or else the one its first bytes show."""
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    if suffixes and suffixes[-1] in SUFFIXES:
        return SUFFIXES[suffixes[-1]]
    with path.open("rb") as file:
        start = file.read(4)
    if start == b"PK\x03\x04":
        return "excel"
    return "parquet" if start == b"PAR1" else "json" if start[:1] in b"{[" else "csv"
