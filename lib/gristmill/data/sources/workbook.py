"""Excel workbooks: one sheet, read row by row.

The sheet is gone through twice, in chunks: a column's type is known only when its last cell is, and a workbook of a million rows
need not fit into memory. What a formula last computed is its value.
"""

import datetime as dt
import itertools
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError

from gristmill.data.sources.compressed import check_zip
from gristmill.data.sources.delimited import MISSING
from gristmill.data.sources.plain import MOMENT, check_names
from gristmill.data.sources.table_source import nearest
from gristmill.errors import NoRowsError, SourceError

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS_A_BATCH = 20_000
_ERRORS = {"#DIV/0!", "#REF!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!"}
_CHUNK = 1 << 20
_OVERLAP = 1 << 14
_UNCOMPUTED = re.compile(rb'<c r="([A-Z]+\d+)"[^>]*><f[^>]*(?:/>|>[^<]*</f>)(?:<v\s*/>|<v></v>)?</c>')
_DAMAGE = (zipfile.BadZipFile, KeyError, ValueError, EOFError, ParseError, OSError, IndexError, TypeError, AttributeError)
"""What openpyxl lets through when the archive or the XML in it is not what it should be."""

Row = tuple[Any, ...]
Sheet = Any
"""openpyxl's read-only sheet, whose type stubs do not know what it can do."""


def read_workbook(path: Path, options: Mapping[str, Any]) -> "Iterator[pa.RecordBatch]":
    """Yield the rows of a sheet in order, in batches of one schema.

    Parameters
    ----------
    path
        The workbook, ``.xlsx`` or ``.xlsm``.
    options
        ``sheet``: name of the sheet; the first one if not given.

    Raises
    ------
    SourceError
        It is no workbook or damaged, has no such sheet, a row is longer than the header, two columns share a name, or a cell
        holds an error or a formula that was never computed.
    """
    try:
        import openpyxl  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise SourceError(f"{path} needs the package openpyxl. Install it: `uv pip install 'gristmill[excel]'`.") from error
    try:
        check_zip(path)
        with path.open("rb") as file:  # opened here: openpyxl judges a path by its suffix
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # styles and other features that a table does not have
                book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            yield from _batches(_sheet(book, path, options.get("sheet")), path)
    except _DAMAGE as error:
        raise SourceError(
            f"{path} cannot be read as an Excel workbook: {error}. It is damaged, protected by a password, or of another kind; "
            "save it again as .xlsx without a password, or as CSV."
        ) from error


def _sheet(book: Any, path: Path, name: object) -> Sheet:
    """Return the sheet of that name, or the first."""
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    if name is None and sheets:
        return next(iter(sheets.values()))
    if name not in sheets:
        raise SourceError(
            f"{path} has no sheet {name!r}, only {', '.join(map(repr, sheets)) or 'charts'}" + nearest(str(name), sheets)
        )
    return sheets[name]


def _batches(sheet: Sheet, path: Path) -> "Iterator[pa.RecordBatch]":
    """Yield the rows of a sheet below its header."""
    import pyarrow as pa  # noqa: PLC0415

    place = f"{path}, sheet {sheet.title!r}"
    _refuse_uncomputed(sheet, path, place)
    header, kinds = _survey(sheet, place)
    names = check_names(["" if name is None else str(name) for name in header], place)
    schema = pa.schema([(name, _column_type(kind)) for name, kind in zip(names, kinds, strict=True)])
    for position, chunk in enumerate(_chunks(sheet)):
        rows = [row for _, row in chunk[position == 0 :]]  # the first is the header
        if rows:
            columns = itertools.islice(itertools.zip_longest(*rows), len(names))
            arrays = [_column(values, field.type) for values, field in zip(columns, schema, strict=False)]
            arrays += [pa.nulls(len(rows), field.type) for field in list(schema)[len(arrays) :]]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _chunks(sheet: Sheet) -> Iterator[list[tuple[int, Row]]]:
    """Yield lists of the rows that are not empty, each with its number in the sheet."""
    sheet.reset_dimensions()  # what some programs state of a sheet's size is wrong
    rows = enumerate(sheet.iter_rows(values_only=True), start=1)
    while True:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            chunk = list(itertools.islice(rows, _ROWS_A_BATCH))
        if not chunk:
            return
        filled = [(number, cleaned) for number, row in chunk if (cleaned := _clean(row))]
        if filled:
            yield filled


def _clean(row: Sequence[Any]) -> Row:
    """Return a row with texts that mean "no value" as None, and without what is empty at its end."""
    values = [None if isinstance(value, str) and value in MISSING else value for value in row]
    while values and values[-1] is None:
        values.pop()
    return tuple(values)


def _survey(sheet: Sheet, place: str) -> tuple[Row, list[set[str]]]:
    """Return the header, and for each column the kinds of value in it."""
    header: Row | None = None
    kinds: list[set[str]] = []
    n_rows = 0
    for number, row in itertools.chain.from_iterable(_chunks(sheet)):
        if header is None:
            header, kinds = row, [set() for _ in row]
            continue
        n_rows += 1
        if len(row) > len(header):
            raise SourceError(
                f"{place}, row {number}: expected {len(header)} cells as in the header, got {len(row)}. Mend that row."
            )
        for position, value in enumerate(row):
            if isinstance(value, str) and value in _ERRORS:
                raise SourceError(
                    f"{place}, row {number}: the cell of column {header[position]!r} holds the error {value}. Mend its formula, or "
                    "empty the cell."
                )
            if value is not None:
                kinds[position].add(_kind(value))
    if header is None:
        raise SourceError(f"{place} is empty; expected a header row and rows. Name another in `source.options.sheet`.")
    if not n_rows:
        raise NoRowsError(f"{place} has a header and no rows. Name another in `source.options.sheet`.")
    return header, kinds


def _kind(value: object) -> str:
    """Return the kind of a cell's value."""
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, int):
        return "whole" if abs(value) < 2**63 else "number"
    if isinstance(value, float):
        return "number"
    return "moment" if isinstance(value, dt.date) else "text"


def _column_type(kinds: set[str]) -> "pa.DataType":
    """Return the type that holds all these kinds; text holds any."""
    import pyarrow as pa  # noqa: PLC0415

    if kinds == {"truth"}:
        return pa.bool_()
    if kinds == {"whole"}:
        return pa.int64()
    if kinds and kinds <= {"whole", "number"}:
        return pa.float64()
    return MOMENT if kinds == {"moment"} else pa.string()


def _column(values: Sequence[Any], kind: "pa.DataType") -> "pa.Array":
    """Return the cells of a column as one type."""
    import pyarrow as pa  # noqa: PLC0415

    if kind == pa.string():
        return pa.array([None if value is None else str(value) for value in values], type=kind)
    if kind == pa.float64():
        return pa.array([None if value is None else float(value) for value in values], type=kind)
    if kind == MOMENT:
        return pa.array([dt.datetime(*value.timetuple()[:6]) if type(value) is dt.date else value for value in values], type=kind)
    return pa.array(values, type=kind)


def _refuse_uncomputed(sheet: Sheet, path: Path, place: str) -> None:
    """Stop at a formula that no program has computed: it would be read as an empty cell."""
    with zipfile.ZipFile(path) as archive, archive.open(str(sheet._worksheet_path)) as xml:
        before = b""
        while chunk := xml.read(_CHUNK):
            found = _UNCOMPUTED.search(before + chunk)
            if found:
                raise SourceError(
                    f"{place}, cell {found[1].decode()}: a formula that was never computed has no value. Open the workbook in a "
                    "spreadsheet program and save it, or replace formulas by values."
                )
            before = chunk[-_OVERLAP:]
