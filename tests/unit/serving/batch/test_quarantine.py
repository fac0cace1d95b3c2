"""Rows that cannot be read or predicted: in their place without a prediction, and listed with the reason."""

import json
import sqlite3
from pathlib import Path

import pandas as pd
import pytest
from tests.models import customers, save_model
from typer.testing import CliRunner

from gristmill import cli
from gristmill.errors import DataError, NoRowsError, SourceError
from gristmill.paths import ProjectPaths
from gristmill.serving.batch import scoring, tables
from gristmill.serving.predictor import Predictor

TENURE = list(customers().columns).index("tenure")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("model")
    save_model(folder / "model")
    return str(folder / "model")


def score(tmp_path: Path, source: Path | str, model: str, target: str = "out.csv", **options: object) -> scoring.Scored:
    return scoring.score(source, tmp_path / target, model, ProjectPaths(tmp_path), **options)  # type: ignore[arg-type]


def spoiled(tmp_path: Path) -> Path:
    """Write a table with every kind of bad row among 40."""
    lines = customers(40).to_csv(index=False).encode().splitlines()
    lines[3] += b",extra"
    lines[5] = b'"open' + lines[5]
    lines[8] = b"caf\xe9" + lines[8]
    lines[9] = "é".encode() + lines[9]
    lines[2] = "ü".encode() + lines[2]
    fields = lines[10].split(b",")
    lines[10] = b",".join([*fields[:TENURE], b"soon", *fields[TENURE + 1 :]])
    lines[12] = b"only one"
    lines[20] = lines[20].replace(b",", b",\r", 1)
    (tmp_path / "in.csv").write_bytes(b"\n".join(lines))
    return tmp_path / "in.csv"


BAD = {
    3: (4, "expected 7 fields as in the header, got 8"),
    5: (6, "a quotation mark is opened and never closed, or stands where none can"),
    8: (9, "expected UTF-8 text, got the byte 0xe9"),
    10: (11, "expected a number in the column 'tenure', got 'soon'"),
    12: (13, "expected 7 fields as in the header, got 1"),
    20: (21, "a carriage return stands where none can"),
}


def test_every_bad_row_keeps_its_place_and_is_listed_with_its_line(tmp_path: Path, model: str) -> None:
    scored = score(tmp_path, spoiled(tmp_path), model)
    answers = pd.read_csv(tmp_path / "out.csv", dtype=str, keep_default_na=False)
    listed = pd.read_csv(tmp_path / "out.quarantine.csv", dtype={"content": str})
    assert {row.row: (row.line, row.reason) for row in listed.itertuples()} == BAD
    assert listed["content"][2].startswith("caf\\xe9")
    assert (scored.rows, scored.quarantined, scored.quarantine) == (40, 6, tmp_path / "out.quarantine.csv")
    empty = answers.index[answers["prediction"] == ""] + 1
    assert empty.tolist() == sorted(BAD)
    assert answers["customer"][9] == "0009"  # the row whose number is none can be named all the same
    good = [place for place in range(40) if place + 1 not in BAD]
    expected = Predictor.load(model).predict(customers(40))["probability"][good]
    assert answers["probability"][good].astype(float).tolist() == pytest.approx(expected.tolist(), abs=1e-15)


def test_portions_of_any_size_say_the_same(tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source, said = spoiled(tmp_path), set()
    for rows in (1, 7, 40, 100):
        monkeypatch.setattr(tables, "ROWS_A_PORTION", rows)
        score(tmp_path, source, model)
        said.add((tmp_path / "out.quarantine.csv").read_bytes())
        answers = pd.read_csv(tmp_path / "out.csv", dtype=str, keep_default_na=False)
        assert (len(answers), (answers["prediction"] == "").sum()) == (40, 6)
    assert len(said) == 1


def test_a_bad_value_in_parquet_is_listed_with_the_row_as_json(tmp_path: Path, model: str) -> None:
    rows = customers(30).astype({"tenure": str})
    rows.loc[21, "tenure"] = "soon"
    rows.to_parquet(tmp_path / "in.parquet", index=False)
    score(tmp_path, tmp_path / "in.parquet", model, "out.parquet")
    listed = pd.read_parquet(tmp_path / "out.quarantine.parquet")
    assert listed[["row", "column"]].to_numpy().tolist() == [[22, "tenure"]]
    assert json.loads(listed["content"][0])["tenure"] == "soon"
    answers = pd.read_parquet(tmp_path / "out.parquet")
    assert answers["prediction"].isna().tolist() == [place == 21 for place in range(30)]
    assert answers["customer"][21] == rows["customer"][21]


def test_strict_refuses_the_first_bad_row_and_writes_nothing(tmp_path: Path, model: str) -> None:
    with pytest.raises(DataError, match=r"Row 3 \(line 4\): expected 7 fields"):
        score(tmp_path, spoiled(tmp_path), model, strict=True)
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_a_table_of_which_no_row_can_be_predicted_is_refused(tmp_path: Path, model: str) -> None:
    customers(3).assign(tenure="soon").to_csv(tmp_path / "in.csv", index=False)
    with pytest.raises(DataError, match="None of the 3 rows"):
        score(tmp_path, tmp_path / "in.csv", model)
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_the_list_of_a_former_run_does_not_outlive_it(tmp_path: Path, model: str) -> None:
    score(tmp_path, spoiled(tmp_path), model)
    customers(40).to_csv(tmp_path / "in.csv", index=False)
    assert score(tmp_path, tmp_path / "in.csv", model).quarantine is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv"]


def test_texts_that_csv_must_quote_come_back(tmp_path: Path, model: str) -> None:
    names = ['a "b"', "c,d", "e\nf", "", "plain"]
    customers(5).assign(customer=names).to_parquet(tmp_path / "in.parquet")
    score(tmp_path, tmp_path / "in.parquet", model)
    assert pd.read_csv(tmp_path / "out.csv", keep_default_na=False)["customer"].tolist() == names


def test_numbers_come_back_exactly(tmp_path: Path, model: str) -> None:
    score(tmp_path, spoiled(tmp_path), model)
    score(tmp_path, spoiled(tmp_path), model, "out.parquet")
    written = pd.read_csv(tmp_path / "out.csv", float_precision="round_trip")["probability"]
    assert written.dropna().tolist() == pd.read_parquet(tmp_path / "out.parquet")["probability"].dropna().tolist()


def test_a_query_of_a_database_is_scored(tmp_path: Path, model: str) -> None:
    with sqlite3.connect(tmp_path / "shop.db") as database:
        customers(60).to_sql("customers", database, index=False)
    database.close()
    uri = f"sqlite:///{tmp_path}/shop.db"
    score(tmp_path, uri, model, query="SELECT * FROM customers WHERE plan = '01' ORDER BY customer")
    rows = customers(60).query("plan == '01'").sort_values("customer")
    answers = pd.read_csv(tmp_path / "out.csv", dtype={"customer": str})
    assert answers["customer"].tolist() == rows["customer"].tolist()
    assert answers["probability"].tolist() == pytest.approx(Predictor.load(model).predict(rows)["probability"].tolist())
    assert score(tmp_path, f"{uri}?table=customers", model).rows == 60
    with pytest.raises(NoRowsError):
        score(tmp_path, uri, model, query="SELECT * FROM customers WHERE 0")
    with pytest.raises(SourceError, match="names no table"):
        score(tmp_path, uri, model)


def test_the_command_says_how_many_rows_have_no_prediction(tmp_path: Path, model: str) -> None:
    arguments = ["score", str(spoiled(tmp_path)), str(tmp_path / "out.csv"), "--model", model]
    done = CliRunner().invoke(cli.app, arguments, catch_exceptions=False)
    assert "Wrote 34 predictions" in done.stdout
    assert "6 rows have no prediction" in done.stdout
    assert done.stderr == ""  # no bar: this is no terminal


def test_answers_are_the_same_without_counts(tmp_path: Path, model: str) -> None:
    score(tmp_path, spoiled(tmp_path), model)
    scored = score(tmp_path, spoiled(tmp_path), model, "quick.csv", counted=False)
    assert (tmp_path / "quick.csv").read_bytes() == (tmp_path / "out.csv").read_bytes()
    assert (scored.counts, scored.quarantined) == (None, 6)
