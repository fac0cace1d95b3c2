"""Tables that are uploaded: scored, escaped, and told what is wrong with them."""

import io
from pathlib import Path

import pandas as pd
import pytest
from tests.models import customers, save_model

from gristmill.config.sections.operation import Serving
from gristmill.errors import DataError
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
