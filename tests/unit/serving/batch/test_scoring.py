"""Scoring of whole files (R36): every row once, in order, whatever the format."""

from pathlib import Path

import pandas as pd
import pytest
from tests.models import case_of, customers, describe, fit, save_model

from gristmill import tracking
from gristmill.data.contract.schema import infer
from gristmill.errors import ArtifactError, DataError, RegistryError, SourceError
from gristmill.modeling.artifact.model_directory import save_candidate
from gristmill.paths import ProjectPaths
from gristmill.registry import versions
from gristmill.serving.batch import scoring as batch
from gristmill.serving.batch import tables
from gristmill.serving.predictor import Predictor


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("model")
    save_model(folder / "model")
    return str(folder / "model")


def scored(
    tmp_path: Path, frame: pd.DataFrame, model: str, *, read: str = ".csv", write: str = ".csv", **csv: object
) -> pd.DataFrame:
    """Write a table, score it, and read what came out; CSV as text."""
    source, target = tmp_path / f"in{read}", tmp_path / f"out{write}"
    frame.to_csv(source, index=False, **csv) if read == ".csv" else frame.to_parquet(source, index=False)
    assert batch.score(source, target, model, ProjectPaths(tmp_path)).rows == len(frame)
    return pd.read_csv(target, dtype=str, keep_default_na=False) if write == ".csv" else pd.read_parquet(target)


@pytest.mark.parametrize("read", [".csv", ".parquet"])
@pytest.mark.parametrize("write", [".csv", ".parquet"])
def test_every_pair_of_formats_gives_the_predictors_answers(tmp_path: Path, model: str, read: str, write: str) -> None:
    answers = scored(tmp_path, customers(), model, read=read, write=write)
    expected = Predictor.load(model).predict(customers())
    assert list(answers.columns) == ["customer", "prediction", "probability"]
    assert answers["customer"].tolist() == expected["customer"].tolist()  # leading zeros and all
    assert answers["prediction"].tolist() == expected["prediction"].tolist()
    assert answers["probability"].astype(float).tolist() == pytest.approx(expected["probability"].tolist(), abs=1e-15)


def test_chunks_are_joined_in_order(tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "ROWS_A_PORTION", 7)
    answers = scored(tmp_path, customers(100), model, read=".parquet")
    assert answers["customer"].tolist() == customers(100)["customer"].tolist()


def test_codes_stay_text_even_when_the_file_holds_only_digits(tmp_path: Path, model: str) -> None:
    rows = customers().assign(plan="10")  # a file in which the column looks like a number
    answers = scored(tmp_path, rows, model)
    expected = Predictor.load(model).predict(rows)["probability"].tolist()
    assert answers["probability"].astype(float).tolist() == pytest.approx(expected)


def test_codes_with_a_decimal_point_stay_as_they_are_written(tmp_path: Path) -> None:
    trained = customers().assign(plan=customers()["plan"].map({"01": "1.10", "02": "2.0", "10": "other"}))
    made = describe()[0], infer(trained, case_of())
    save_candidate(tmp_path / "codes", fit(frame=trained), *made, {}, "small")
    answers = scored(tmp_path, trained.assign(plan="1.10"), str(tmp_path / "codes"))
    expected = Predictor.load(tmp_path / "codes").predict(trained.assign(plan="1.10"))["probability"].tolist()
    assert answers["probability"].astype(float).tolist() == pytest.approx(expected)


def test_missing_numbers_are_predicted_as_missing(tmp_path: Path, model: str) -> None:
    rows = customers().assign(charge=None)
    expected = Predictor.load(model).predict(rows)["probability"].tolist()
    assert scored(tmp_path, rows, model)["probability"].astype(float).tolist() == pytest.approx(expected)


def test_a_model_without_a_plan_says_nothing_of_the_rows(tmp_path: Path, model: str) -> None:
    customers().to_csv(tmp_path / "in.csv", index=False)
    done = batch.score(tmp_path / "in.csv", tmp_path / "out.csv", model, ProjectPaths(tmp_path))
    assert (done.rows, done.counts, done.sentence) == (60, None, "")


def test_semicolons_and_decimal_commas_are_read(tmp_path: Path, model: str) -> None:
    answers = scored(tmp_path, customers(), model, sep=";", decimal=",")
    expected = Predictor.load(model).predict(customers())["probability"].tolist()
    assert answers["probability"].astype(float).tolist() == pytest.approx(expected)


def test_other_encodings_are_read(tmp_path: Path, model: str) -> None:
    rows = customers().assign(customer="Zoë", weather="naß")
    assert set(scored(tmp_path, rows, model, encoding="cp1252")["customer"]) == {"Zoë"}
    assert set(scored(tmp_path, rows, model, encoding="utf-8-sig")["customer"]) == {"Zoë"}


@pytest.mark.parametrize("read", [".csv", ".parquet"])
@pytest.mark.parametrize("write", [".csv", ".parquet"])
def test_a_table_without_rows_gives_one_without_rows(tmp_path: Path, model: str, read: str, write: str) -> None:
    answers = scored(tmp_path, customers().head(0), model, read=read, write=write)
    assert answers.shape == (0, 3)


def test_identifiers_keep_their_type_in_parquet(tmp_path: Path, model: str) -> None:
    rows = customers().assign(customer=pd.array([2**62 + 1, None, *range(58)], dtype="Int64"))
    answers = scored(tmp_path, rows, model, read=".parquet", write=".parquet")
    assert answers["customer"].astype("Int64").iloc[0] == 2**62 + 1 or str(answers["customer"].dtype) == "float64"
    assert scored(tmp_path, rows, model, read=".parquet")["customer"].tolist()[:2] == [str(2**62 + 1), ""]


def test_a_file_without_identifiers_is_scored(tmp_path: Path, model: str) -> None:
    answers = scored(tmp_path, customers().drop(columns=["customer", "churn"]), model)
    assert list(answers.columns) == ["prediction", "probability"]


@pytest.mark.parametrize("read", [".csv", ".parquet"])
def test_a_missing_column_is_named_and_nothing_is_written(tmp_path: Path, model: str, read: str) -> None:
    with pytest.raises(DataError, match=r"lacks 'tenure'.*did you mean 'tenur'"):
        scored(tmp_path, customers().rename(columns={"tenure": "tenur"}), model, read=read)
    assert [path.name for path in tmp_path.iterdir()] == [f"in{read}"]


def test_a_bad_value_in_a_later_chunk_leaves_the_old_output(tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "ROWS_A_PORTION", 10)
    (tmp_path / "out.csv").write_text("old")
    rows = customers().astype({"tenure": str})
    rows.loc[33, "tenure"] = "soon"
    rows.to_parquet(tmp_path / "in.parquet", index=False)
    with pytest.raises(DataError, match=r"Row 34: expected a number in the column 'tenure', got 'soon'"):
        batch.score(tmp_path / "in.parquet", tmp_path / "out.csv", model, ProjectPaths(tmp_path), strict=True)
    assert (tmp_path / "out.csv").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.parquet", "out.csv"]


def test_the_input_is_never_overwritten(tmp_path: Path, model: str) -> None:
    customers().to_csv(tmp_path / "in.csv", index=False)
    (tmp_path / "same.csv").hardlink_to(tmp_path / "in.csv")
    for target in (tmp_path / "in.csv", tmp_path / "same.csv", tmp_path / "." / "in.csv"):
        with pytest.raises(SourceError, match="input itself"):
            batch.score(tmp_path / "in.csv", target, model, ProjectPaths(tmp_path))


@pytest.mark.parametrize(("source", "target"), [("in.xlsx", "out.csv"), ("in.csv", "out.txt"), ("in.csv", "out")])
def test_another_suffix_is_refused(tmp_path: Path, model: str, source: str, target: str) -> None:
    with pytest.raises(SourceError, match=r"\*\.csv or \*\.parquet"):
        batch.score(tmp_path / source, tmp_path / target, model, ProjectPaths(tmp_path))


def test_files_that_are_not_there_are_named(tmp_path: Path, model: str) -> None:
    with pytest.raises(SourceError, match=r"no file .*in\.csv"):
        batch.score(tmp_path / "in.csv", tmp_path / "out.csv", model, ProjectPaths(tmp_path))
    customers().to_csv(tmp_path / "in.csv", index=False)
    with pytest.raises(SourceError, match="folder does not exist"):
        batch.score(tmp_path / "in.csv", tmp_path / "no" / "out.csv", model, ProjectPaths(tmp_path))


@pytest.mark.parametrize(("name", "content"), [("in.parquet", b"PAR1 cut off"), ("in.csv", b""), ("in.csv", b"\0\1\2")])
def test_a_damaged_file_is_a_sentence(tmp_path: Path, model: str, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=name):
        batch.score(tmp_path / name, tmp_path / "out.csv", model, ProjectPaths(tmp_path))
    assert not (tmp_path / "out.csv").exists()


def test_a_ragged_line_is_named(tmp_path: Path, model: str) -> None:
    (tmp_path / "in.csv").write_text("tenure,charge,plan\n1,2,01\n3,4\n")
    with pytest.raises(DataError, match=r"Row 2 \(line 3\): expected 3 fields as in the header, got 2"):
        batch.score(tmp_path / "in.csv", tmp_path / "out.csv", model, ProjectPaths(tmp_path), strict=True)


def test_models_are_found_by_alias_version_and_folder(tmp_path: Path, tracked: ProjectPaths) -> None:
    save_model(tmp_path / "model")
    with tracking.build_run("batch", tracked.root) as run:
        number = versions.register(
            run, "batch", tmp_path / "model", ({"tenure": True}, {"prediction": "string"}), tags={}, description=""
        )
        versions.set_alias(run.client, "batch", "champion", number)
    customers().to_csv(tmp_path / "in.csv", index=False)
    answers = []
    for reference in ("batch@champion", "batch/1", "models:/batch@champion", str(tmp_path / "model")):
        batch.score(tmp_path / "in.csv", tmp_path / "out.csv", reference, tracked)
        answers.append((tmp_path / "out.csv").read_text())
    assert len(set(answers)) == 1


@pytest.mark.parametrize("reference", ["nothing@champion", "nothing/3"])
def test_a_model_that_is_not_registered_is_a_sentence(tmp_path: Path, tracked: ProjectPaths, reference: str) -> None:
    customers().to_csv(tmp_path / "in.csv", index=False)
    with pytest.raises(RegistryError, match="ploomber build --env--case nothing"):
        batch.score(tmp_path / "in.csv", tmp_path / "out.csv", reference, tracked)


@pytest.mark.parametrize("reference", ["", "churn", "churn@", "Churn@champion", "../churn/1", "churn/x", "churn'@champion"])
def test_a_reference_of_another_form_is_refused(tmp_path: Path, tracked: ProjectPaths, reference: str) -> None:
    customers().to_csv(tmp_path / "in.csv", index=False)
    with pytest.raises(RegistryError, match=r"NAME@alias"):
        batch.score(tmp_path / "in.csv", tmp_path / "out.csv", reference, tracked)


def test_an_altered_model_scores_nothing(tmp_path: Path) -> None:
    save_model(tmp_path / "model")
    (tmp_path / "model" / "pipeline.skops").write_bytes(b"PK")
    with pytest.raises(ArtifactError, match="altered"):
        scored(tmp_path, customers(), str(tmp_path / "model"))
    assert not (tmp_path / "out.csv").exists()
