"""CSV that a spreadsheet program shows and does not run.

A text that begins with ``=``, ``+``, ``-``, ``@`` (their wide forms included), a tab or the end of a line is a formula to such
programs, whoever wrote it into the table (CWE-1236). An apostrophe before it makes it a text. Plain numbers are left as they are.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from gristmill.serving.batch.writing import writer

if TYPE_CHECKING:
    import pyarrow as pa

_FORMULA = "^[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
_BLOCK_BYTES = 1 << 20
"""How much of a file is looked at together; a row that is longer needs more."""
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


def escape_csv(source: Path, target: Path, numbers: Iterable[str] = ()) -> int:
    """Write a CSV file anew with cells that are formulas as texts, batch by batch, and return how many there were.

    Parameters
    ----------
    source
        As :func:`gristmill.serving.batch.writing.writer` has written it.
    target
        The new file.
    numbers
        Columns that hold nothing but numbers.
    """
    import pyarrow as pa  # noqa: PLC0415

    try:
        return _escaped_file(source, target, frozenset(numbers), _BLOCK_BYTES)
    except pa.ArrowInvalid:  # a row is longer than that
        return _escaped_file(source, target, frozenset(numbers), max(_BLOCK_BYTES, source.stat().st_size + 1))


def _escaped_file(source: Path, target: Path, kept: frozenset[str], block_bytes: int) -> int:
    """Write a file anew as :func:`escape_csv` does, looking at so many bytes together."""
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import csv  # noqa: PLC0415

    escaped = 0
    reading_by, parsing = csv.ReadOptions(block_size=block_bytes), csv.ParseOptions(newlines_in_values=True)
    with csv.open_csv(source, read_options=reading_by, parse_options=parsing) as opened:
        names = opened.schema.names
    types = csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False)
    reading = csv.open_csv(source, read_options=reading_by, parse_options=parsing, convert_options=types)
    with reading, writer(".csv", target, pa.schema([(escape_text(name), pa.string()) for name in names])) as write:
        for batch in reading:
            columns = [column if name in kept else _escaped(column) for name, column in zip(names, batch.columns, strict=True)]
            escaped += sum(_differ(new, old) for new, old in zip(columns, batch.columns, strict=True))
            write(pa.RecordBatch.from_arrays(columns, names=[escape_text(name) for name in names]))
    return escaped


def escape_text(text: str) -> str:
    """Return one cell, as a text if it is a formula."""
    import pyarrow as pa  # noqa: PLC0415

    return str(_escaped(pa.array([text], pa.string()))[0].as_py())


def _escaped(column: "pa.Array") -> "pa.Array":
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.compute as pc  # noqa: PLC0415

    formula = pc.and_not(pc.match_substring_regex(column, _FORMULA), pc.match_substring_regex(column, _NUMBER))
    return pc.if_else(formula, pc.binary_join_element_wise(pa.scalar("'"), column, pa.scalar("")), column)


def _differ(new: "pa.Array", old: "pa.Array") -> int:
    import pyarrow.compute as pc  # noqa: PLC0415

    return int(pc.sum(pc.not_equal(new, old)).as_py() or 0)
