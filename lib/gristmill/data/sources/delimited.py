"""CSV and its relatives: encoding, delimiter, header and column types found out, then read by DuckDB.

All columns are first read as text. A column becomes numeric or boolean only if every value in it is, so that no row far down
the file can contradict a guess, and codes with leading zeros (``01234``) stay the text they are.
"""

import codecs
import csv
import gzip
import io
import itertools
import re
import shutil
import tempfile
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gristmill.data.sources.compressed import check_gzip, damaged, open_bytes
from gristmill.data.sources.plain import check_names
from gristmill.data.sources.progress_bars import hide_bars
from gristmill.errors import SourceError

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

DELIMITERS = (",", ";", "\t", "|")
MISSING = ("", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null", "<NA>")
"""Texts that mean "no value"; ``None`` and ``?`` are not among them: some tables use them as a level."""

_SAMPLE_BYTES = 1 << 18
_CHUNK_BYTES = 1 << 22
_COLUMNS_A_QUERY = 100
_MEMORY = "1GB"
"""What DuckDB may hold; a larger table waits on the disk while it is read."""

_ROWS_A_BATCH = 65_536
_FIRST_ROWS = 10_000
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True)
class Dialect:
    """How a delimited file is written."""

    delimiter: str
    quote: str
    header: tuple[str, ...]
    skipped_lines: int
    has_header: bool


def find_encoding(path: Path) -> str:
    """Return the encoding of a text file: by its byte-order mark, UTF-8 if it is that, else Windows-1252.

    Raises
    ------
    SourceError
        The file is empty, is not text, or mixes UTF-8 with another encoding.
    """
    with open_bytes(path) as file:
        start = file.read(_SAMPLE_BYTES)
        if not start.strip(b"\xef\xbb\xbf\xff\xfe \t\r\n"):
            raise SourceError(f"{path} is empty; expected a header line and rows. Name a file that has data.")
        for mark, encoding in _MARKS:
            if start.startswith(mark):
                return encoding
        if b"\0" in start:
            raise SourceError(f"{path} is not text (it holds zero bytes); expected CSV. Is it a spreadsheet or a Parquet file?")
        return _utf8_or_windows(path, itertools.chain([start], iter(lambda: file.read(_CHUNK_BYTES), b"")))


def _utf8_or_windows(path: Path, chunks: Iterator[bytes]) -> str:
    """Return ``utf-8`` or ``cp1252``; refuse a file that is partly one and partly the other."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    line, accented = 1, False
    for chunk in chunks:
        try:
            text = decoder.decode(chunk)
        except UnicodeDecodeError as error:
            before = error.object[: error.start]
            if accented or not before.isascii():
                place = line + before.count(b"\n")
                raise SourceError(
                    f"{path}, line {place}: expected UTF-8 as in the lines before it, got the byte "
                    f"{error.object[error.start]:#04x}. The file mixes encodings; save it as UTF-8, "
                    "or name one encoding in `source.options.encoding`."
                ) from error
            return "cp1252"
        line += chunk.count(b"\n")
        accented = accented or not text.isascii()
    return "utf-8"


def _as_utf8(path: Path, encoding: str, folder: Path) -> Path:
    """Return a path in ``folder`` under which DuckDB finds the file as UTF-8 text."""
    if encoding in ("utf-8", "utf8", "utf-8-sig", "ascii"):
        link = folder / ("input.csv.gz" if path.suffix.lower() == ".gz" else "input.csv")
        link.symlink_to(path.resolve())
        return link
    converted = folder / "input.csv"
    try:
        with (
            open_bytes(path) as raw,
            io.TextIOWrapper(raw, encoding=encoding, newline="") as text,
            converted.open("w", encoding="utf-8", newline="") as out,
        ):
            shutil.copyfileobj(text, out, _CHUNK_BYTES)
    except LookupError as error:
        raise SourceError(
            f"{path}: no encoding is called {encoding!r}; `source.options.encoding` takes utf-8, cp1252, ..."
        ) from error
    except UnicodeError as error:
        raise SourceError(f"{path}: expected {encoding} text, but {error}. Name the right encoding in `source.options`.") from error
    return converted


def _first_records(text: str, delimiter: str, quote: str, limit: int = 200) -> list[list[str]]:
    """Return the first records of a sample; the last one, which may be cut off, is left out when there are others."""
    csv.field_size_limit(1 << 24)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar=quote)
    records = [record for record in itertools.islice(reader, limit) if record]
    return records[:-1] if len(records) > 2 else records


def find_delimiter(text: str, quote: str = '"') -> str:
    """Return the delimiter under which most records of ``text`` have as many fields as the header, and more than one."""
    best, best_score = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        records = _first_records(text, delimiter, quote)
        fields = len(records[0]) if records else 1
        if fields > 1:
            score = (sum(len(record) == fields for record in records) / len(records), fields)
            if score > best_score:
                best, best_score = delimiter, score
    return best


def find_dialect(path: Path, options: dict[str, Any]) -> Dialect:
    """Return how the UTF-8 file at ``path`` is written; ``options`` override what would be found out."""
    with open_bytes(path) as file:
        text = file.read(_SAMPLE_BYTES).decode("utf-8-sig", errors="ignore")
    quote = str(options.get("quote", '"'))
    delimiter = str(options.get("delimiter") or find_delimiter(text, quote)).replace("\\t", "\t")
    body = text.lstrip("\r\n")
    skipped = text[: len(text) - len(body)].replace("\r\n", "\n").count("\n")
    first = next(csv.reader(io.StringIO(body, newline=""), delimiter=delimiter, quotechar=quote), [])
    has_header = bool(options.get("header", True))
    header = first if has_header else [f"column_{position}" for position in range(1, len(first) + 1)]
    return Dialect(delimiter, quote, tuple(header), skipped, has_header)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _load_as_text(connection: "duckdb.DuckDBPyConnection", file: Path, dialect: Dialect, missing: tuple[str, ...]) -> None:
    """Read the file into the table ``raw``, every column text, named ``c0``, ``c1``, ..."""
    columns = ", ".join(f"'c{position}': 'VARCHAR'" for position in range(len(dialect.header)))
    connection.execute(
        f"CREATE TABLE raw AS SELECT * FROM read_csv({_quoted(str(file))}, delim={_quoted(dialect.delimiter)}, "  # noqa: S608
        f"quote={_quoted(dialect.quote)}, escape={_quoted(dialect.quote)}, header={str(dialect.has_header).lower()}, "
        f"skip={dialect.skipped_lines}, columns={{{columns}}}, auto_detect=false, strict_mode=true, null_padding=false, "
        f"nullstr=[{', '.join(map(_quoted, missing))}], max_line_size=16777216)"
    )


_WHOLE = ("regexp_full_match({0}, '\\s*[+-]?(0|[1-9][0-9]{{0,17}})\\s*')", "CAST(trim({0}) AS BIGINT)")
_NUMBER = ("try_cast({0} AS DOUBLE) IS NOT NULL AND NOT regexp_matches({0}, '^\\s*[+-]?0[0-9]')", "CAST({0} AS DOUBLE)")
_COMMA = (
    "regexp_full_match({0}, '\\s*[+-]?([1-9][0-9]{{0,2}}(\\.[0-9]{{3}})+|0|[1-9][0-9]*)(,[0-9]+)?\\s*')",
    "CAST(replace(replace({0}, '.', ''), ',', '.') AS DOUBLE)",
)
_TRUTH = ("lower({0}) IN ('true', 'false')", "CAST({0} AS BOOLEAN)")
"""Whether a text is of a type, and the text as that type, both as SQL; the first type that fits every text is the column's."""


def _misfits(connection: "duckdb.DuckDBPyConnection", questions: dict[str, str], table: str) -> dict[str, tuple[int, int]]:
    """Return for each column how many texts it has, and how many of them its question is not true of."""
    found: dict[str, tuple[int, int]] = {}
    names = list(questions)
    for start in range(0, len(names), _COLUMNS_A_QUERY):
        some = names[start : start + _COLUMNS_A_QUERY]
        asked = ", ".join(f"count({name}), count_if({name} IS NOT NULL AND NOT ({questions[name]}))" for name in some)
        row = connection.execute(f"SELECT {asked} FROM {table}").fetchall()[0]  # noqa: S608
        found.update({name: row[2 * at : 2 * at + 2] for at, name in enumerate(some)})
    return found


def _typed_columns(connection: "duckdb.DuckDBPyConnection", n_columns: int, decimal: str) -> list[str]:
    """Return the select list that types all columns of ``raw``, and leaves text where a single value does not fit.

    The first rows rule most types out; what they leave is held against all rows.
    """
    typed = {f"c{position}": f"c{position}" for position in range(n_columns)}
    first = f"(FROM raw LIMIT {_FIRST_ROWS})"
    waiting = list(typed)
    for fits, cast in (_WHOLE, _NUMBER, _COMMA, _TRUTH) if decimal == "," else (_WHOLE, _NUMBER, _TRUTH):
        questions = {name: fits.format(name) for name in waiting}
        likely = [name for name, (_, wrong) in _misfits(connection, questions, first).items() if not wrong]
        sure = _misfits(connection, {name: questions[name] for name in likely}, "raw")
        typed.update({name: cast.format(name) for name, (filled, wrong) in sure.items() if filled and not wrong})
        waiting = [name for name in waiting if name not in sure or (sure[name][0] and sure[name][1])]
    return list(typed.values())


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
        return SourceError(f"{path}: its {len(dialect.header):,} columns need more than {_MEMORY} as text. Save it as Parquet.")
    if "invalid state" in message:
        return SourceError(
            f"{place}: lines end in different ways (as on Windows and as on Unix). Save the file with one kind of end."
        )
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


def read_delimited(path: Path, options: dict[str, Any], text_columns: Collection[str] = ()) -> "Iterator[pa.RecordBatch]":
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

    Raises
    ------
    SourceError
        The file is empty or has only a header, is not text, two columns share a name, or a line is ragged.
    """
    import duckdb  # noqa: PLC0415 - only CSV and JSON need it

    encoding = _encoding(path, options)
    with tempfile.TemporaryDirectory(prefix="gristmill-") as folder:
        file = _as_utf8(path, encoding, Path(folder))
        dialect = find_dialect(file, options)
        names = check_names(dialect.header, str(path))
        missing = ("", *str(options["missing"]).split(",")) if "missing" in options else MISSING
        decimal = str(options.get("decimal") or ("," if dialect.delimiter != "," else "."))
        with duckdb.connect(config={"temp_directory": folder, "memory_limit": _MEMORY}) as connection:
            hide_bars(connection)
            try:
                _load_as_text(connection, file, dialect, missing)
                yield from _typed_batches(connection, names, decimal, path, text_columns)
            except duckdb.Error as error:
                raise _explain(path, file, dialect, error) from error


def _typed_batches(
    connection: "duckdb.DuckDBPyConnection", names: list[str], decimal: str, path: Path, text_columns: Collection[str]
) -> "Iterator[pa.RecordBatch]":
    """Yield the rows of ``raw`` with the columns typed and named."""
    import pyarrow as pa  # noqa: PLC0415

    n_rows = connection.execute("SELECT count(*) FROM raw").fetchall()[0][0]
    if not n_rows:
        raise SourceError(f"{path} has a header and no rows. Name a file that has data.")
    typed = _typed_columns(connection, len(names), decimal)
    select = [f"c{place}" if name in text_columns else typed[place] for place, name in enumerate(names)]
    for batch in connection.sql(f"SELECT {', '.join(select)} FROM raw").to_arrow_reader(_ROWS_A_BATCH):  # noqa: S608
        yield pa.RecordBatch.from_arrays(batch.columns, names=names)
