"""The rows of a CSV file, portion by portion, from any position; what cannot be read is told, row by row.

A portion is a fixed number of rows, so that an interrupted run and an undisturbed one predict the same rows together.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gristmill.data.sources.delimited import MISSING
from gristmill.data.sources.dialect import as_utf8, find_dialect, find_encoding, with_one_line_end
from gristmill.data.sources.plain import check_names
from gristmill.errors import MixedEncodingError, SourceError
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.serving.batch.number_text import misfits, numbers_of
from gristmill.serving.batch.portions import BadRow, Portion, Position
from gristmill.serving.batch.records import MISQUOTED, Records, split

if TYPE_CHECKING:
    import pyarrow as pa

BLOCK_BYTES = 1 << 22
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class DelimitedRows:
    """A CSV file that is being read.

    Parameters
    ----------
    source
        The file.
    folder
        Where a copy may be written, if the file is not UTF-8 with one kind of line end.

    Raises
    ------
    SourceError
        It is empty, is not text, or two columns share a name.
    """

    def __init__(self, source: Path, folder: Path) -> None:
        self.file = _readable(source, folder)
        self.dialect = find_dialect(self.file, {})
        self.names = check_names(self.dialect.header, str(source))
        self.size = self.file.stat().st_size
        self._comma: frozenset[str] = frozenset()

    def select(self, wanted: Sequence[str], model: FittedModel) -> None:
        """Choose the columns that are read; those of numbers become numbers, all others stay as they are written."""
        self._wanted = list(wanted)
        kinds = {c["name"]: c for c in model.contract["columns"] if c["kind"] == "numeric" and c["name"] not in model.id_columns}
        self._numbers = {name: kinds[name]["dtype"].lower().startswith(("int", "uint")) for name in wanted if name in kinds}

    def find_commas(self, rows: int) -> None:
        """Look through the file for columns whose fractions are written with a comma; only where fields are not."""
        if self.dialect.delimiter == "," or not self._numbers:
            return
        wrong = {name: [0, 0] for name in self._numbers}
        for content, records, _ in self._read(Position(), rows):
            good, _ = self._sorted_out(content, records, 0, 0)
            batch = self._texts(content, records, good)
            for name, counts in wrong.items():
                column = batch.column(name)
                counts[0] += misfits(column, comma=False)
                counts[1] += misfits(column, comma=True)
        self._comma = frozenset(name for name, (point, comma) in wrong.items() if comma < point)

    def portions(self, start: Position, rows: int) -> Iterator[Portion]:
        """Yield portions of ``rows`` rows each, the last one shorter, from a position that a portion has given."""
        for content, records, position in self._read(start, rows):
            n_rows = len(records.starts)
            good, bad = self._sorted_out(content, records, position.rows, position.lines)
            batch, misfit = self._typed(content, records, good)
            lines = position.lines + content.count(b"\n", 0, records.after)
            behind = Position(position.rows + n_rows, position.offset + records.after, lines)
            describe = partial(_described, content, records, position.lines)
            unfit = np.searchsorted(good, np.array(sorted(misfit), dtype=np.int64))
            portion = Portion(n_rows, batch, good, tuple(bad), behind, describe, unfit)
            more = [portion.bad_row(place, column, reason) for place, (column, reason) in misfit.items()]
            yield replace(portion, bad=tuple(sorted([*bad, *more], key=lambda row: row.row))) if more else portion

    def _read(self, start: Position, rows: int) -> Iterator[tuple[bytes, Records, Position]]:
        """Yield bytes with the next records in them, and where they begin."""
        position, content, final = start, b"", False
        separators = self.dialect.delimiter, self.dialect.quote
        with self.file.open("rb") as file:
            if not start.offset:
                position = self._behind_header()
            file.seek(position.offset)
            while True:
                records = split(content, *separators, rows, final=final)
                if records is None:
                    more = file.read(max(BLOCK_BYTES, len(content)))
                    content, final = content + more, not more
                    continue
                if not len(records.starts):
                    return
                yield content, records, position
                lines = content.count(b"\n", 0, records.after)
                position = Position(position.rows + len(records.starts), position.offset + records.after, position.lines + lines)
                content = content[records.after :]

    def _behind_header(self) -> Position:
        """Return where the first row begins."""
        with self.file.open("rb") as file:
            mark = len(_BYTE_ORDER_MARK) if file.read(len(_BYTE_ORDER_MARK)) == _BYTE_ORDER_MARK else 0
            file.seek(mark)
            content, records = b"", None
            while records is None:
                more = file.read(BLOCK_BYTES)
                content += more
                records = split(content, self.dialect.delimiter, self.dialect.quote, 1, final=not more)
        return Position(0, mark + records.after, content.count(b"\n", 0, records.after))

    def _sorted_out(self, content: bytes, records: Records, row: int, line: int) -> tuple[NDArray[np.int64], list[BadRow]]:
        """Return the places of the records that can be read, and those that cannot."""
        width = len(self.names)
        trailing = records.n_fields == width + 1
        for place in np.flatnonzero(trailing):
            trailing[place] = content[records.ends[place] - 1 : records.ends[place]] == self.dialect.delimiter.encode()
        reasons = dict.fromkeys(records.misquoted, MISQUOTED)
        for place in np.flatnonzero((records.n_fields != width) & ~trailing).tolist():
            reasons.setdefault(place, f"expected {width} fields as in the header, got {records.n_fields[place]}")
        for found in (_not_utf8(content, records), _stray_returns(content, records, self.dialect.quote)):
            reasons |= {place: reason for place, reason in found.items() if place not in reasons}
        bad = []
        for place in sorted(reasons):
            at, text = _described(content, records, line, place)
            bad.append(BadRow(row + place + 1, at, None, reasons[place], text))
        good = np.setdiff1d(np.arange(len(records.starts)), np.fromiter(reasons, dtype=np.int64, count=len(reasons)))
        return good, bad

    def _typed(
        self, content: bytes, records: Records, good: NDArray[np.int64]
    ) -> tuple["pa.RecordBatch", dict[int, tuple[str, str]]]:
        """Return the records at some places as typed columns, and those places at which a number is none, with the reason."""
        import pyarrow as pa  # noqa: PLC0415

        plain = {name: pa.int64() if whole else pa.float64() for name, whole in self._numbers.items() if name not in self._comma}
        try:
            batch = self._parsed(content, records, good, plain)
            doubtful = list(self._comma)
        except pa.ArrowInvalid:  # a value does not fit: one by one
            batch = self._texts(content, records, good)
            doubtful = list(self._numbers)
        misfit: dict[int, tuple[str, str]] = {}
        for name in doubtful:
            texts = batch.column(name)
            values, bad = numbers_of(texts, comma=name in self._comma)
            for index in bad.tolist():
                reason = f"expected a number in the column {name!r}, got {texts[index].as_py()!r}"
                misfit.setdefault(int(good[index]), (name, reason))
            batch = batch.set_column(batch.schema.get_field_index(name), name, values)
        return batch, misfit

    def _texts(self, content: bytes, records: Records, good: NDArray[np.int64]) -> "pa.RecordBatch":
        return self._parsed(content, records, good, {})

    def _parsed(self, content: bytes, records: Records, good: NDArray[np.int64], types: dict[str, Any]) -> "pa.RecordBatch":
        """Return the records at some places as columns, text where ``types`` names no other type."""
        import pyarrow as pa  # noqa: PLC0415
        from pyarrow import csv  # noqa: PLC0415

        kinds = {name: types.get(name, pa.string()) for name in self._wanted}
        if not len(good):
            return pa.RecordBatch.from_pylist([], schema=pa.schema(list(kinds.items())))
        text = self._joined(content, records, good)
        delimiter, quote = self.dialect.delimiter, self.dialect.quote
        quoted = quote.encode() in text
        table = csv.read_csv(
            pa.BufferReader(text),
            csv.ReadOptions(column_names=self.names, block_size=len(text) + 1),
            csv.ParseOptions(delimiter=delimiter, quote_char=quote, newlines_in_values=quoted),
            csv.ConvertOptions(
                column_types=kinds, include_columns=self._wanted, null_values=MISSING, strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )  # fmt: skip
        if table.num_rows != len(good):
            raise SourceError(
                f"{self.file} cannot be read as CSV: {len(good)} records were found, {table.num_rows} read. Mend its quotes."
            )
        return table.combine_chunks().to_batches()[0]

    def _joined(self, content: bytes, records: Records, good: NDArray[np.int64]) -> bytes:
        """Return the records at some places as bytes, without delimiters behind the last field."""
        width = len(self.names)
        if len(good) == len(records.starts) and not (records.n_fields > width).any():
            return content[: records.after]
        ends = records.ends - (records.n_fields == width + 1)
        return b"\n".join(content[records.starts[place] : ends[place]] for place in good) + b"\n"


def _readable(source: Path, folder: Path) -> Path:
    """Return the file, or a copy of it in UTF-8 whose lines end in one way; broken bytes are left to be found row by row."""
    try:
        encoding = find_encoding(source)
    except MixedEncodingError:
        return source
    if encoding != "utf-8":
        (folder / "input.csv").unlink(missing_ok=True)
        source = as_utf8(source, encoding, folder)
    with source.open("rb") as file:
        start = file.read(BLOCK_BYTES)
    if b"\n" not in start and b"\r" in start.rstrip(b"\r"):  # as old Macs wrote them
        return with_one_line_end(source if source.parent == folder else _linked(source, folder), find_dialect(source, {}), source)
    return source


def _linked(source: Path, folder: Path) -> Path:
    link = folder / "input.csv"
    link.unlink(missing_ok=True)
    link.symlink_to(source.resolve())
    return link


def _not_utf8(content: bytes, records: Records) -> dict[int, str]:
    """Return the places of records that are not UTF-8, with the reason."""
    if content.isascii():
        return {}
    try:
        content[: records.after].decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return {}
    found = {}
    for place, (start, end) in enumerate(zip(records.starts.tolist(), records.ends.tolist(), strict=True)):
        try:
            content[start:end].decode("utf-8")
        except UnicodeDecodeError as error:
            found[place] = f"expected UTF-8 text, got the byte {error.object[error.start]:#04x}"
    return found


def _stray_returns(content: bytes, records: Records, quote: str) -> dict[int, str]:
    """Return the places of records with a carriage return outside quotes and before their end, with the reason."""
    if content.count(b"\r") == content.count(b"\r\n"):
        return {}
    mark = re.escape(quote.encode())
    quoted = re.compile(mark + b"(?:[^" + mark + b"]|" + mark * 2 + b")*" + mark)
    bounds = enumerate(zip(records.starts.tolist(), records.ends.tolist(), strict=True))
    found = [place for place, (start, end) in bounds if b"\r" in quoted.sub(b"", content[start:end])]
    return dict.fromkeys(found, "a carriage return stands where none can")


def _described(content: bytes, records: Records, lines: int, place: int) -> tuple[int, str]:
    """Return the line on which a record begins, from 1, and its text, with bytes that are not UTF-8 escaped."""
    start = int(records.starts[place])
    return lines + content.count(b"\n", 0, start) + 1, content[start : int(records.ends[place])].decode("utf-8", "backslashreplace")
