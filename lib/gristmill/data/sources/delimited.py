"""CSV and its relatives, read by DuckDB after :mod:`dialect` has found out how they are written.

Rows stream from the file to whoever takes them, typed on the way (:mod:`column_types`); no table of them is ever made.
"""

import csv
import gzip
import io
import re
import tempfile
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gristmill.data.progress_bars import hide_bars
from gristmill.data.sources.column_types import MISFIT, WIDE, ColumnTypes
from gristmill.data.sources.compressed import check_gzip, damaged, open_bytes
from gristmill.data.sources.dialect import LONGEST_FIELD, Dialect, as_utf8, find_dialect, find_encoding, with_one_line_end
from gristmill.data.sources.plain import check_names
from gristmill.data.sources.table_source import GuessError
from gristmill.errors import NoRowsError, SourceError

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

MISSING = ("", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null", "<NA>")
"""Texts that mean "no value"; ``None`` and ``?`` are not among them: some tables use them as a level."""

_SETTINGS: dict[str, Any] = {"memory_limit": "1GB"}
"""What DuckDB may hold of a table that is being read."""

_WIDE_SETTINGS: dict[str, Any] = {"memory_limit": "1500MB", "threads": 1}
"""Of a wide table each thread holds two thousand rows of all columns at a time, in more than one form."""

_BUFFER_BYTES = 1 << 25
_ROWS_A_BATCH = 65_536
_CELLS_A_BATCH = 1 << 21
_UNEVEN = "invalid state"
"""What DuckDB says of a file whose lines end in several ways."""


def read_delimited(
    path: Path, options: dict[str, Any], text_columns: Collection[str] = (), *, guess: bool = False
) -> "Iterator[pa.RecordBatch]":
    """Yield the rows of a CSV file in order, in batches of one schema; memory does not grow with the file.

    Parameters
    ----------
    path
        The file, plain or gzipped.
    options
        ``delimiter``, ``encoding``, ``quote``, ``decimal``, ``header`` (true or false) and ``missing`` (texts that mean "no
        value", separated by commas) where they should not be found out.
    text_columns
        Columns that stay text whatever they hold.
    guess
        Whether to give out rows on the types that the first of them have, before all have been looked at: half the work.

    Raises
    ------
    SourceError
        The file is empty or has only a header, is not text, two columns share a name, or a line is ragged.
    GuessError
        Only where ``guess`` is true: a later row is not as the first ones promised; rows given out before are void.
    """
    import duckdb  # noqa: PLC0415 - only CSV and JSON need it

    encoding = _encoding(path, options)
    with tempfile.TemporaryDirectory(prefix="gristmill-") as folder:
        file = as_utf8(path, encoding, Path(folder))
        dialect = find_dialect(file, options)
        names = check_names(dialect.header, str(path))
        settings = {"temp_directory": folder} | (_WIDE_SETTINGS if len(names) > WIDE else _SETTINGS)
        with duckdb.connect(config=settings) as connection:
            hide_bars(connection)
            try:
                try:
                    query = _query(connection, file, dialect, options, text_columns, sure=not guess)
                except duckdb.Error as error:
                    if _UNEVEN not in str(error):
                        raise
                    file = with_one_line_end(file, dialect, path)
                    query = _query(connection, file, dialect, options, text_columns, sure=not guess)
                if query is None:
                    raise NoRowsError(f"{path} has a header and no rows. Name a file that has data.")
                yield from _batches(connection, query, names)
            except duckdb.Error as error:
                if guess and (MISFIT in str(error) or _UNEVEN in str(error)):
                    raise GuessError(str(error)) from error
                raise _explain(path, file, dialect, error) from error


def _query(
    connection: "duckdb.DuckDBPyConnection",
    file: Path,
    dialect: Dialect,
    options: dict[str, Any],
    text_columns: Collection[str],
    *,
    sure: bool,
) -> str | None:
    """Return the query that reads the file with typed columns, or None if it has no rows; ``sure`` looks at all of them first."""
    missing = ("", *str(options["missing"]).split(",")) if "missing" in options else MISSING
    decimal = str(options.get("decimal") or ("," if dialect.delimiter != "," else "."))
    columns = ", ".join(f"'c{position}': 'VARCHAR'" for position in range(len(dialect.header)))
    table = (
        f"read_csv({_quoted(str(file))}, delim={_quoted(dialect.delimiter)}, quote={_quoted(dialect.quote)}, "
        f"escape={_quoted(dialect.quote)}, header={str(dialect.has_header).lower()}, skip={dialect.skipped_lines}, "
        f"columns={{{columns}}}, auto_detect=false, strict_mode=true, null_padding=false, "
        f"nullstr=[{', '.join(map(_quoted, missing))}], max_line_size={LONGEST_FIELD}, buffer_size={_BUFFER_BYTES})"
    )
    kept_text = [place for place, name in enumerate(dialect.header) if name in text_columns]
    types = ColumnTypes(connection, table, len(dialect.header), decimal, kept_text)
    if not types.n_rows:
        return None
    if sure:
        types.survey()
    return f"SELECT {', '.join(types.select())} FROM {table}"  # noqa: S608


def _batches(connection: "duckdb.DuckDBPyConnection", query: str, names: list[str]) -> "Iterator[pa.RecordBatch]":
    """Yield the rows of a query with its columns named."""
    import duckdb  # noqa: PLC0415
    import pyarrow as pa  # noqa: PLC0415

    rows = max(1_024, min(_ROWS_A_BATCH, _CELLS_A_BATCH // len(names)))
    reader = iter(connection.sql(query).to_arrow_reader(rows))
    while True:
        try:
            batch = next(reader, None)
        except (pa.ArrowException, OSError) as error:  # DuckDB's own, after the first row Arrow hands it on as one of these
            raise duckdb.InvalidInputException(str(error)) from error
        if batch is None:
            return
        yield pa.RecordBatch.from_arrays(batch.columns, names=names)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _explain(path: Path, file: Path, dialect: Dialect, error: Exception) -> SourceError:
    """Say what DuckDB found wrong with the file; it counts records, people count lines."""
    message = str(error)
    record = re.search(r"CSV Error on Line: (\d+)", message)
    place = f"{path}, line {_line_of(file, dialect, int(record[1]))}" if record else str(path)
    fields = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", message)
    if fields:
        return SourceError(f"{place}: expected {fields[1]} fields as in the header, got {fields[2]}. Mend that line of the file.")
    if "nterminated quote" in message:
        return SourceError(f"{place}: a quotation mark is opened and never closed. Mend that line, or set `source.options.quote`.")
    if "Out of Memory" in message:
        return SourceError(f"{path}: its {len(dialect.header):,} columns need more memory than is set aside. Save it as Parquet.")
    if "unicode" in message:
        return SourceError(f"{place}: expected UTF-8 text. Name the right encoding in `source.options.encoding`.")
    reason = next((text for text in message.splitlines() if text.strip() and "Original Line" not in text), message)
    return SourceError(f"{place} cannot be read as CSV: {reason} Mend the file, or describe it in `source.options`.")


def _line_of(file: Path, dialect: Dialect, record: int) -> int:
    """Return the line on which a record begins: the first ragged one, or the one of that number."""
    with open_bytes(file) as raw:
        text = io.TextIOWrapper(raw, encoding="utf-8-sig", errors="replace", newline="")
        reader, begins = csv.reader(text, delimiter=dialect.delimiter, quotechar=dialect.quote), 1
        for number, fields in enumerate(reader, start=1):
            ragged = len(fields) not in (0, len(dialect.header)) and not (
                fields[-1] == "" and len(fields) == len(dialect.header) + 1
            )
            if ragged or number == record:
                return begins
            begins = reader.line_num + 1
    return record


def _encoding(path: Path, options: dict[str, Any]) -> str:
    """Return the encoding that is stated or found; a compressed file is unfolded once to its end in either case."""
    try:
        if "encoding" in options and path.suffix.lower() == ".gz":
            check_gzip(path)
        return str(options.get("encoding") or find_encoding(path)).lower()
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise damaged(path, error) from error
