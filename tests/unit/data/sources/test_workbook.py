"""Sheets of Excel workbooks as tables, and what is said of those that are not (R4)."""

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from gristmill.data.sources import workbook
from gristmill.data.sources.opening import open_source
from gristmill.errors import SourceError


def write(path: Path, *sheets: Iterable[Sequence[object]]) -> Path:
    """Write a workbook whose sheets are called Data, Data1, ..."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for rows in sheets:
        sheet = book.create_sheet("Data")
        for row in rows:
            sheet.append(list(row))
    book.save(path)
    return path


def read(path: Path, **options: str) -> pd.DataFrame:
    return open_source(str(path), options).read()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rows.xlsx"


def test_a_sheet_gives_plain_types(file):
    day = dt.datetime(2024, 2, 29, 12, 30)
    write(file, [("n", "x", "yes", "day", "name"), (1, 1, True, day, "a"), (2, 2.5, False, dt.date(2024, 3, 1), None)])
    frame = read(file)
    assert [str(kind) for kind in frame.dtypes] == ["int64", "float64", "bool", "datetime64[us]", "object"]
    assert frame["x"].tolist() == [1.0, 2.5]
    assert frame["day"].tolist() == [pd.Timestamp(day), pd.Timestamp("2024-03-01")]
    assert frame["name"].tolist() == ["a", None]


def test_a_column_of_several_kinds_is_text(file):
    write(file, [("a", "b"), (1, 1), ("two", True)])
    assert read(file)["a"].tolist() == ["1", "two"]
    assert read(file)["b"].tolist() == ["1", "True"]


def test_texts_that_mean_missing_are_missing(file):
    write(file, [("a", "b"), ("NA", 1), ("", 2), (3, 3)])
    assert read(file)["a"].isna().tolist() == [True, True, False]


def test_the_sheet_is_the_first_or_the_one_named(file):
    write(file, [("a",), (1,)], [("b",), (2,)])
    assert read(file).columns.tolist() == ["a"]
    assert read(file, sheet="Data1")["b"].tolist() == [2]


def test_empty_rows_around_and_between_are_left_out(file):
    write(file, [(), ("a", "b"), (1, 2), (), (3, 4), ()])
    assert read(file)["b"].tolist() == [2, 4]


def test_a_sheet_longer_than_a_batch_keeps_its_order(file, monkeypatch):
    monkeypatch.setattr(workbook, "_ROWS_A_BATCH", 7)
    write(file, [("n", "late"), *((number, None) for number in range(30)), (30, "x")])
    frame = read(file)
    assert frame["n"].tolist() == list(range(31))
    assert frame["late"].tolist() == [None] * 30 + ["x"]


def test_a_sheet_that_is_not_there_is_refused_with_the_nearest(file):
    write(file, [("a",), (1,)])
    with pytest.raises(SourceError, match=r"has no sheet 'data', only 'Data'; did you mean 'Data'\?"):
        read(file, sheet="data")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "sheet 'Data' is empty"),
        ([("a", "b")], "a header and no rows"),
        ([("a", "b"), (1, 2), (3, 4, 5)], "row 3: expected 2 cells as in the header, got 3"),
        ([("a", "a"), (1, 2)], "2 columns called 'a'"),
        ([("a", "b"), (1, "#REF!")], "row 2: the cell of column 'b' holds the error #REF!"),
        ([("a", "b"), (1, "=A2*2")], "cell B2: a formula that was never computed"),
    ],
    ids=["empty", "header only", "ragged", "two of a name", "error", "formula"],
)
def test_a_sheet_that_is_no_table_is_refused_with_the_place(file, rows, said):
    write(file, rows)
    with pytest.raises(SourceError) as caught:
        read(file)
    assert said in str(caught.value)
    assert str(file) in str(caught.value)


def test_an_old_workbook_is_refused_with_a_way_out(tmp_path):
    (tmp_path / "rows.xls").write_bytes(b"\xd0\xcf\x11\xe0")
    with pytest.raises(SourceError, match=r"Save it as \.xlsx"):
        read(tmp_path / "rows.xls")
