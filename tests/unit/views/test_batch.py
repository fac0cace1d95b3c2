"""Tables that are uploaded: scored, escaped, and told what is wrong with them."""

import io
import shutil
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.models import customers, save_model

from gristmill.config.sections.operation import Serving
from gristmill.errors import ArtifactError, DataError
from gristmill.serving.served.versions import ServedVersion
from gristmill.views.batch.formula_cells import escape_csv, escape_text
from gristmill.views.batch.uploads import ScoredUpload, VisitFolder, head, score_upload, template


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> ServedVersion:
    directory = tmp_path_factory.mktemp("model") / "model"
    save_model(directory, "binary", 0.5)
    return ServedVersion.load("small", 1, directory, None, Serving())


def scored(version: ServedVersion, folder: Path, table: bytes, name: str = "my rows.csv", suffix: str = ".csv") -> ScoredUpload:
    return score_upload(io.BytesIO(table), name, folder, version, suffix, level=None, progress=lambda share, rows: None)


def test_a_bad_row_keeps_its_place_and_is_named_with_line_and_reason(version: ServedVersion, tmp_path: Path):
    table = customers(5).astype({"tenure": object})
    table.loc[2, "tenure"] = "long"
    done = scored(version, tmp_path, table.to_csv(index=False).encode())
    assert (done.rows, done.bad) == (5, 1)
    assert done.summary == "4 of 5 rows of my rows.csv have a prediction; 1 could not be read or predicted."
    shown = head(done.output, 10)
    assert shown["customer"].tolist() == [f"{number:04d}" for number in range(5)]
    assert [bool(text) for text in shown["prediction"]] == [True, True, False, True, True]
    assert done.quarantine is not None
    (bad,) = head(done.quarantine, 10).to_dict("records")
    assert (bad["row"], bad["line"], bad["column"]) == ("3", "4", "tenure")
    assert "expected a number" in bad["reason"]
    assert (done.output_name, done.quarantine_name) == ("my rows.scored.csv", "my rows.scored.quarantine.csv")


def test_an_identifier_that_is_a_formula_cannot_run_and_others_stay_as_they_are(version: ServedVersion, tmp_path: Path):
    table = customers(6).assign(customer=['=HYPERLINK("http://x")', "@a", "\tb", "-1", "+1.5", "-1+1"])
    done = scored(version, tmp_path, table.to_csv(index=False).encode())
    assert head(done.output, 10)["customer"].tolist() == ['\'=HYPERLINK("http://x")', "'@a", "'\tb", "-1", "+1.5", "'-1+1"]
    assert done.escaped == 4


def test_parquet_goes_in_and_out_with_values_as_they_are(version: ServedVersion, tmp_path: Path):
    content = io.BytesIO()
    customers(4).assign(customer=["=1", "b", "c", "d"]).to_parquet(content)
    done = scored(version, tmp_path, content.getvalue(), "rows.parquet", ".parquet")
    assert pd.read_parquet(done.output)["customer"].tolist() == ["=1", "b", "c", "d"]
    assert head(done.output, 2).shape[0] == 2
    assert done.output_name == "rows.scored.parquet"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (b"customer,tenure\n1,2\n", "my rows.csv lacks 'charge', 'plan'"),
        (b"customer,tenure,charge,plan\n1,x,2,01\n", "None of the 1 rows of my rows.csv can be predicted"),
        (b"", "my rows.csv"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_by_its_own_name_and_leaves_nothing(
    version: ServedVersion, tmp_path: Path, table: bytes, said: str
):
    with pytest.raises(DataError, match=said) as refused:
        scored(version, tmp_path, table)
    assert str(tmp_path) not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_cells_over_several_lines_and_names_of_columns_are_escaped_as_well(tmp_path: Path):
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text('"=name",number\n"two\nlines, ""quoted""",-3\n=sum,-4\n')
    assert escape_csv(source, target, numbers=["number"]) == 1
    read = pd.read_csv(target, dtype=str)
    assert list(read.columns) == ["'=name", "number"]
    assert read.to_numpy().tolist() == [['two\nlines, "quoted"', "-3"], ["'=sum", "-4"]]
    assert escape_text("plain") == "plain"


def test_a_row_longer_than_a_block_is_written_and_shown_in_short(version: ServedVersion, tmp_path: Path):
    table = customers(3).assign(customer=["=1", "a" * 1_500_000, "\uff1d1"]).astype({"tenure": object})
    table.loc[0, "tenure"] = "x" * 1_500_000
    done = scored(version, tmp_path, table.to_csv(index=False).encode())
    assert (done.rows, done.bad, done.escaped) == (3, 1, 2)
    shown = head(done.output, 10)
    assert shown["customer"].tolist() == ["'=1", "a" * 300 + "…", "'\uff1d1"]
    assert done.quarantine is not None
    assert head(done.quarantine, 10)["content"].str.len().tolist() == [301]


def test_parquet_that_is_too_long_or_names_a_column_twice_is_refused(version: ServedVersion, tmp_path: Path):
    content, twice = io.BytesIO(), io.BytesIO()
    customers(4).to_parquet(content)
    content.seek(0)
    with pytest.raises(DataError, match=r"long\.parquet has 4 rows, and 3 are allowed here"):
        score_upload(content, "long.parquet", tmp_path, version, ".csv", level=None, progress=lambda *_: None, most=3)
    table = pa.Table.from_pandas(customers(4))
    pq.write_table(table.append_column("tenure", table["tenure"]), twice)
    with pytest.raises(DataError, match=r"t\.parquet has 2 columns called 'tenure'"):
        scored(version, tmp_path, twice.getvalue(), "t.parquet")


def test_a_model_that_was_exchanged_on_the_disk_does_not_answer_in_the_name_of_the_one_in_production(tmp_path: Path):
    save_model(tmp_path / "model", "binary", 0.5)
    version = ServedVersion.load("small", 1, tmp_path / "model", None, Serving())
    shutil.rmtree(tmp_path / "model")
    with pytest.raises(ArtifactError, match="files of version 1 are gone"):
        scored(version, tmp_path, customers(4).to_csv(index=False).encode())
    save_model(tmp_path / "model", "binary", 0.9)
    with pytest.raises(ArtifactError, match="files of version 1 are not those that it was loaded from"):
        scored(version, tmp_path, customers(4).to_csv(index=False).encode())


def test_the_files_of_a_visit_go_with_it():
    folder = VisitFolder()
    path = folder.path
    assert path.is_dir()
    del folder
    assert not path.exists()


def test_the_example_has_the_columns_a_table_needs_and_can_be_scored(version: ServedVersion, tmp_path: Path):
    example = template(version.predictor.model, {"tenure": 3, "charge": 70.5, "plan": "01"})
    assert example == b"customer,tenure,charge,plan\n,3,70.5,01\n"
    assert scored(version, tmp_path, example).summary == "1 of 1 rows of my rows.csv have a prediction."
