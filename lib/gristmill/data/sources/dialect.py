"""How a delimited text file is written, found out from its bytes: encoding, delimiter, quotes, header, line ends."""

import codecs
import csv
import io
import itertools
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gristmill.data.sources.compressed import open_bytes
from gristmill.errors import MixedEncodingError, SourceError

DELIMITERS = (",", ";", "\t", "|")

LONGEST_FIELD = 1 << 24
"""Characters of the longest line, and so of the longest field, that is read."""

_SAMPLE_BYTES = 1 << 18
_CHUNK_BYTES = 1 << 22
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
        The file is empty or is not text.
    MixedEncodingError
        It mixes UTF-8 with another encoding.
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
        if chunk.isascii() and not decoder.getstate()[0]:  # most chunks of most files, and far cheaper than decoding them
            line += chunk.count(b"\n")
            continue
        try:
            text = decoder.decode(chunk)
        except UnicodeDecodeError as error:
            before = error.object[: error.start]
            if accented or not before.isascii():
                place = line + before.count(b"\n")
                raise MixedEncodingError(
                    f"{path}, line {place}: expected UTF-8 as in the lines before it, got the byte "
                    f"{error.object[error.start]:#04x}. The file mixes encodings; save it as UTF-8, "
                    "or name one encoding in `source.options.encoding`."
                ) from error
            return "cp1252"
        line += chunk.count(b"\n")
        accented = accented or not text.isascii()
    return "utf-8"


def as_utf8(path: Path, encoding: str, folder: Path) -> Path:
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
    csv.field_size_limit(LONGEST_FIELD)
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


def with_one_line_end(file: Path, dialect: Dialect, path: Path) -> Path:
    """Write a UTF-8 file whose lines end in several ways again, beside it, with one kind of end; line ends in quotes stay.

    ``path`` is what the user calls the file.

    Raises
    ------
    SourceError
        A quotation mark stands where none can, so that it cannot be told which line ends are inside quotes.
    """
    csv.field_size_limit(LONGEST_FIELD)
    rewritten = file.parent / "one-line-end.csv"
    with (
        open_bytes(file) as raw,
        io.TextIOWrapper(raw, encoding="utf-8-sig", errors="surrogateescape", newline="") as text,
        rewritten.open("w", encoding="utf-8", errors="surrogateescape", newline="") as out,
    ):
        reader = csv.reader(text, delimiter=dialect.delimiter, quotechar=dialect.quote, strict=True)
        writer = csv.writer(out, delimiter=dialect.delimiter, quotechar=dialect.quote, lineterminator="\n")
        try:
            writer.writerows(reader)
        except csv.Error as error:
            raise SourceError(
                f"{path}, line {reader.line_num}: lines end in different ways (as on Windows and as on Unix), and {error}. Mend "
                "that line, or save the file with one kind of line end."
            ) from error
    return rewritten
