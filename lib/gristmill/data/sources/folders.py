"""Several files as one table: a folder, or a pattern such as ``data/2024-*.csv``.

Columns are united by name, in the order of the first file that has them; a column that a file lacks is missing in its rows. Whole
numbers and numbers become numbers; any other difference of kind is refused, because guessing would change values.
"""

import hashlib
import itertools
import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gristmill.data.sources.files import SUFFIXES, FileSource, ParquetFile, base_folder, open_file, unreadable
from gristmill.data.sources.table_source import Source
from gristmill.errors import NoRowsError, SourceError

if TYPE_CHECKING:
    import pyarrow as pa

_LOG = logging.getLogger(__name__)

_WORDS = {
    "string": "text",
    "int64": "whole numbers",
    "double": "numbers",
    "bool": "true or false",
    "timestamp[us]": "moments in time",
}
"""Plain type -> what a person calls it."""


def table_files(path: Path) -> list[Path]:
    """Return the files that a path, a folder or a pattern stands for, sorted; none if there are none.

    In a folder, and in the folders below it, files count whose suffix says that they are tables; names that begin with ``.`` or
    ``_`` are other programs' marks.
    """
    if path.is_file():
        return [path]
    if path.is_dir():
        return sorted(file for file in path.rglob("*") if file.is_file() and _is_table(file.relative_to(path)))
    if any(sign in str(path) for sign in "*?["):
        anchor = Path(path.anchor)
        return sorted(file for file in anchor.glob(str(path.relative_to(anchor))) if file.is_file())
    return []


def _is_table(file: Path) -> bool:
    """Return whether a file below a folder is one of its tables."""
    suffixes = [suffix.lower() for suffix in file.suffixes if suffix.lower() != ".gz"]
    return bool(suffixes) and suffixes[-1] in SUFFIXES and not any(part.startswith((".", "_", "~$")) for part in file.parts)


def open_path(uri: str, path: Path, options: Mapping[str, Any], root: Path | None) -> Source:
    """Open the file, folder or pattern at ``path``.

    Parameters
    ----------
    uri
        What the case file calls it.
    path
        Where it is; a relative path starts at ``root``, ``~`` at the user's home.
    options
        Options of the reader; each file takes them.
    root
        As in :func:`gristmill.data.sources.opening.open_source`.

    Raises
    ------
    SourceError
        Nothing is there, or it cannot be read.
    """
    path = base_folder(root) / path.expanduser()
    try:
        files = table_files(path)
    except OSError as error:
        raise unreadable(path, error) from error
    if path.is_dir():
        if not files:
            raise SourceError(
                f"The folder {path} has no table: no file ends in {', '.join(SUFFIXES)}. Name a file or another folder."
            )
    elif not files and any(sign in str(path) for sign in "*?["):
        raise SourceError(f"No file matches {path}. Mend the pattern; `*` stands for any text within one name, `**/` for folders.")
    elif len(files) < 2 and not (files and files[0] != path):
        return open_file(uri, path, options)
    partition = next((part for file in files for part in file.relative_to(_fixed_part(path)).parts[:-1] if "=" in part), None)
    if partition is not None:
        raise SourceError(
            f"{path} keeps values in the names of its folders ({partition!r}), which would be lost. Write it as files with that "
            "column, or name the files of one folder."
        )
    return ManyFiles(uri, path, [open_file(str(file), file, options) for file in files])


def _fixed_part(path: Path) -> Path:
    """Return the folder below which a folder's or pattern's files lie."""
    while not path.is_dir():
        path = path.parent
    return path


class ManyFiles(Source):
    """Files that together are one table, one after the other in the order of their names.

    Parameters
    ----------
    uri
        What the case file calls it.
    path
        The folder or pattern.
    members
        The files.
    """

    def __init__(self, uri: str, path: Path, members: Sequence[FileSource]) -> None:
        super().__init__(uri)
        self.members = members
        self._folder = _fixed_part(path)

    def version(self) -> str:
        """Return a SHA-256 over the names and contents of all files."""
        lines = [f"{member.path.relative_to(self._folder)} {member.version()}\n" for member in self.members]
        return f"{len(lines)} files, sha256:" + hashlib.sha256("".join(lines).encode()).hexdigest()

    def _batches(self) -> "Iterator[pa.RecordBatch]":
        import pyarrow as pa  # noqa: PLC0415
        import pyarrow.parquet as pq  # noqa: PLC0415

        from gristmill.data.sources.plain import plain_batches  # noqa: PLC0415

        with tempfile.TemporaryDirectory(prefix="gristmill-") as folder:
            kept = []
            for number, member in enumerate(self.members):
                try:
                    kept.append((member, *_as_parquet(member, Path(folder) / f"{number}.parquet")))
                except NoRowsError:
                    _LOG.warning("%s has a header and no rows; it was left out.", member.path)
            if not kept:
                raise NoRowsError(f"None of the {len(self.members)} files of {self.uri} has a row. Name files that have data.")
            schema = unite([(str(member.path), found) for member, _, found in kept])
            for member, file, _ in kept:
                with pq.ParquetFile(file) as opened:
                    for batch in plain_batches(opened.iter_batches(), str(member.path)):
                        columns = [
                            batch.column(field.name).cast(field.type, safe=False)
                            if field.name in batch.schema.names
                            else pa.nulls(batch.num_rows, field.type)
                            for field in schema
                        ]
                        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _as_parquet(member: FileSource, spool: Path) -> "tuple[Path, pa.Schema]":
    """Return a Parquet file with the rows of ``member``, and its schema in plain types; a column without a value has type null.

    The types of a text file are known only when all of it was read, and those of all files are needed before the first row is
    given out: what is not Parquet yet waits on the disk.
    """
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    from gristmill.data.sources.plain import check_names, plain_type  # noqa: PLC0415

    if isinstance(member, ParquetFile):
        try:
            stated = pq.read_schema(member.path)
        except (pa.ArrowException, OSError):
            next(member.batches())  # says what is wrong
            raise
        names = check_names(stated.names, str(member.path))
        kinds = [kind if pa.types.is_null(kind) else plain_type(kind) for kind in stated.types]
        return member.path, pa.schema(list(zip(names, kinds, strict=True)))
    filled: set[str] = set()

    def spooled(batches: "Iterator[pa.RecordBatch]") -> "pa.Schema":
        filled.clear()
        first = next(batches)
        with pq.ParquetWriter(spool, first.schema, compression="zstd") as writer:
            for batch in itertools.chain([first], batches):
                writer.write_batch(batch)
                filled.update(name for name in batch.schema.names if batch.column(name).null_count < batch.num_rows)
        return first.schema

    schema = member.consumed(spooled)
    return spool, pa.schema([field if field.name in filled else pa.field(field.name, pa.null()) for field in schema])


def unite(schemas: "Sequence[tuple[str, pa.Schema]]") -> "pa.Schema":
    """Return the schema that holds the rows of all files.

    Parameters
    ----------
    schemas
        Name and schema of each file, in plain types; a column of type null has no value in its file.

    Raises
    ------
    SourceError
        A column is of different kinds in two files.
    """
    import pyarrow as pa  # noqa: PLC0415

    united: dict[str, tuple[str, pa.DataType]] = {}
    for file, schema in schemas:
        for field in schema:
            first, kind = united.setdefault(field.name, (file, field.type))
            if kind == field.type or pa.types.is_null(field.type):
                continue
            if pa.types.is_null(kind) or {kind, field.type} == {pa.int64(), pa.float64()}:
                united[field.name] = (file, field.type if pa.types.is_null(kind) else pa.float64())
                continue
            raise SourceError(
                f"The column {field.name!r} holds {_WORDS[str(kind)]} in {first}, but {_WORDS[str(field.type)]} in {file}. Write "
                "both files with one kind of value in it, or name the files that agree."
            )
    return pa.schema([(name, pa.string() if pa.types.is_null(kind) else kind) for name, (_, kind) in united.items()])
