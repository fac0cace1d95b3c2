"""Files of a folder or pattern as one table (R4)."""

from pathlib import Path

import pandas as pd
import pytest

from gristmill.data.sources.opening import open_source
from gristmill.errors import SourceError


def write(folder: Path, **files: str) -> None:
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(content)


def read(folder: Path, uri: str, **options: object) -> pd.DataFrame:
    return open_source(uri, options, root=folder).read()


def test_the_files_of_a_pattern_are_one_table_in_the_order_of_their_names(tmp_path):
    write(tmp_path, b__csv="x,y\n3,c\n", a__csv="x,y\n1,a\n2,b\n", other__txt="x\n9\n")
    assert read(tmp_path, "*.csv")["x"].tolist() == [1, 2, 3]


def test_columns_are_united_by_name_and_what_is_not_there_is_missing(tmp_path):
    write(tmp_path, a__csv="x,y\n1,a\n", b__csv="z,x\n5,2\n")
    frame = read(tmp_path, "*.csv")
    assert frame.columns.tolist() == ["x", "y", "z"]
    assert frame["x"].tolist() == [1, 2]
    assert frame["y"].tolist() == ["a", None]
    assert frame["z"].isna().tolist() == [True, False]


def test_whole_numbers_and_numbers_become_numbers(tmp_path):
    write(tmp_path, a__csv="x\n1\n", b__csv="x\n2.5\n")
    assert read(tmp_path, "*.csv")["x"].tolist() == [1.0, 2.5]


def test_a_column_without_a_value_takes_the_kind_that_other_files_give_it(tmp_path):
    write(tmp_path, a__csv="x,y\n,1\n", b__csv="x,y\n2,2\n")
    frame = read(tmp_path, "*.csv")
    assert frame["x"].dtype == "float64"
    assert frame["x"].isna().tolist() == [True, False]


def test_a_clash_of_kinds_names_both_files_the_column_and_the_kinds(tmp_path):
    write(tmp_path, a__csv="x\n1\n", b__csv="x\nlots\n")
    with pytest.raises(SourceError) as caught:
        read(tmp_path, "*.csv")
    message = str(caught.value)
    assert "'x' holds whole numbers in" in message
    assert "a.csv, but text in" in message
    assert "b.csv" in message


def test_a_folder_may_hold_files_of_several_formats_and_other_programs_marks(tmp_path):
    inner = tmp_path / "export" / "more"
    inner.mkdir(parents=True)
    write(tmp_path / "export", a__csv="x\n1\n", _SUCCESS="", notes__md="# x")
    write(inner, b__jsonl='{"x": 2.5, "day": null}\n')
    pd.DataFrame({"x": [3], "day": [pd.Timestamp("2024-01-01")]}).to_parquet(inner / "c.parquet")
    frame = read(tmp_path, "export")
    assert frame["x"].tolist() == [1.0, 2.5, 3.0]
    assert frame["day"].iloc[2] == pd.Timestamp("2024-01-01")


def test_options_are_those_of_every_file(tmp_path):
    write(tmp_path, a__csv="x:y\n1:2\n", b__csv="x:y\n3:4\n")
    assert read(tmp_path, "*.csv", delimiter=":")["y"].tolist() == [2, 4]


@pytest.mark.parametrize("uri", ["2024-*.csv", "data", "data/*.csv"])
def test_nothing_to_read_is_said(tmp_path, uri):
    (tmp_path / "data").mkdir()
    with pytest.raises(SourceError, match=r"No file matches|has no table"):
        read(tmp_path, uri)


def test_values_in_names_of_folders_are_not_lost_silently(tmp_path):
    (tmp_path / "data" / "year=2024").mkdir(parents=True)
    write(tmp_path / "data" / "year=2024", a__csv="x\n1\n")
    with pytest.raises(SourceError, match="'year=2024'"):
        read(tmp_path, "data")


def test_an_empty_file_among_others_is_named(tmp_path):
    write(tmp_path, a__csv="x\n1\n", b__csv="")
    with pytest.raises(SourceError, match=r"b\.csv is empty"):
        read(tmp_path, "*.csv")


def test_the_version_covers_the_content_and_name_of_every_file(tmp_path):
    write(tmp_path, a__csv="x\n1\n", b__csv="x\n2\n")

    def version() -> str:
        return open_source("*.csv", root=tmp_path).version()

    first = version()
    assert version() == first
    write(tmp_path, b__csv="x\n3\n")
    second = version()
    write(tmp_path, c__csv="x\n3\n")
    assert len({first, second, version()}) == 3


def test_a_file_without_rows_is_left_out_and_said(tmp_path: Path, caplog):
    (tmp_path / "1.csv").write_text("a\n")
    (tmp_path / "2.csv").write_text("a\n1\n")
    assert open_source(str(tmp_path)).read()["a"].tolist() == [1]
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path / '1.csv'} has a header and no rows; it was left out."
    ]
