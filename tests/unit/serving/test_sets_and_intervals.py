"""Sets and intervals as they are served: by the predictor, in batches, and on the command line."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.models import case_of, conformity_of, customers, describe, fit, save_model
from typer.testing import CliRunner

from gristmill import cli
from gristmill.config.loading import parse_case
from gristmill.errors import ArtifactError, CaseFileError, DataError, LevelError
from gristmill.modeling.artifact.model_directory import CONFORMITY, save_candidate, write_manifest
from gristmill.paths import ProjectPaths
from gristmill.serving.batch import scoring as batch
from gristmill.serving.batch import tables
from gristmill.serving.predictor import Predictor


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for task in ("binary", "multiclass", "regression"):
        save_model(folder / task, task, threshold=0.6 if task == "binary" else None, conformity=conformity_of(task))
    save_model(folder / "old")
    save_model(folder / "young", conformity=conformity_of(n_rows=30))
    return folder


def scored(tmp_path: Path, model: Path, interval: float | None, *, read: str = ".csv", write: str = ".csv", rows: int = 60) -> Path:
    source, target = tmp_path / f"in{read}", tmp_path / f"out{write}"
    customers(rows).to_csv(source, index=False) if read == ".csv" else customers(rows).to_parquet(source, index=False)
    batch.score(source, target, str(model), ProjectPaths(tmp_path), interval=interval)
    return target


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_case_refuses_an_id_column_with_the_name_of_any_column_of_an_answer(models: Path, task: str):
    positive = "positive_class: Yes\n" if task == "binary" else ""
    for name in Predictor.load(models / task).columns_with(0.9):
        text = f"name: small\ntask: {task}\nsource: table.csv\ntarget: left\n{positive}id_columns: ['{name}']\n"
        with pytest.raises(CaseFileError, match="has the name of a column of predictions"):
            parse_case(text, "test")


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_classes_come_with_a_set_of_their_names(models: Path, task: str):
    predictor = Predictor.load(models / task)
    answers = predictor.predict(customers(), interval=0.9)
    assert list(answers.columns) == ["customer", *predictor.columns, "prediction_set"]
    expected = predictor.model.conformity.sets(predictor.predict_proba(customers()), 0.9)
    names = np.array(predictor.model.classes)
    assert answers["prediction_set"].tolist() == [tuple(names[row]) for row in expected]
    assert len({len(one) for one in answers["prediction_set"]}) > 1
    assert answers.drop(columns="prediction_set").equals(predictor.predict(customers()))


def test_numbers_come_with_two_ends(models: Path):
    answers = Predictor.load(models / "regression").predict(customers(), interval=0.8)
    assert list(answers.columns) == ["customer", "prediction", "lower", "upper"]
    limit = conformity_of("regression").limit(0.8)
    assert np.allclose(answers["upper"] - answers["prediction"], limit)
    assert np.allclose(answers["prediction"] - answers["lower"], limit)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_truth_of_new_rows_is_held_as_often_as_asked(models: Path, task: str):
    rows, model = customers(4000, seed=77), Predictor.load(models / task)
    answers = model.predict(rows, interval=0.9)
    truth = rows[model.model.target]
    if task == "regression":
        held = truth.between(answers["lower"], answers["upper"])
    else:
        held = pd.Series([one in some for one, some in zip(truth, answers["prediction_set"], strict=True)])
    assert held.mean() == pytest.approx(0.9, abs=4 * np.sqrt(0.09 / 300 + 0.09 / 4000))


def test_a_higher_level_never_takes_a_class_away(models: Path):
    predictor = Predictor.load(models / "multiclass")
    narrow, wide = (predictor.predict(customers(), interval=level)["prediction_set"] for level in (0.6, 0.95))
    assert all(set(some) <= set(more) for some, more in zip(narrow, wide, strict=True))
    assert not narrow.equals(wide)


def test_rows_keep_their_index_and_no_rows_give_none(models: Path):
    predictor = Predictor.load(models / "multiclass")
    shuffled = customers().sample(frac=1, random_state=1)
    assert predictor.predict(shuffled, interval=0.9).index.equals(shuffled.index)
    for task in ("binary", "regression"):
        empty = Predictor.load(models / task).predict(customers().head(0), interval=0.9)
        assert len(empty) == 0
        assert set(empty.columns) & {"prediction_set", "upper"}


@pytest.mark.parametrize("level", [0.2, 1, 95, "0.9", True, float("nan")])
def test_what_is_no_level_is_refused(models: Path, level: float):
    with pytest.raises(LevelError, match="Expected a level"):
        Predictor.load(models / "binary").predict(customers(), interval=level)


def test_a_model_of_an_earlier_build_still_predicts_and_says_why_it_has_no_sets(models: Path):
    predictor = Predictor.load(models / "old")
    assert len(predictor.predict(customers())) == 60
    with pytest.raises(ArtifactError, match=r"built before Gristmill kept this\. Build the case again"):
        predictor.predict(customers(), interval=0.9)


def test_a_model_of_few_rows_says_which_level_it_can_vouch_for(models: Path):
    predictor = Predictor.load(models / "young")
    with pytest.raises(LevelError, match=r"the 30 out-of-fold rows .* needs 99\. Ask for 0\.967 at most"):
        predictor.predict(customers(), interval=0.99)
    assert len(predictor.predict(customers(), interval=0.967)) == 60


@pytest.mark.parametrize("content", ["{}", "[]", "null", "no json", '{"format": 1, "method": "absolute_residual"}'])
def test_damaged_scores_are_refused_with_the_model(tmp_path: Path, content: str):
    save_model(tmp_path / "model", conformity=conformity_of())
    (tmp_path / "model" / CONFORMITY).write_text(content)
    with pytest.raises(ArtifactError, match=r"conformity\.json.*altered"):
        Predictor.load(tmp_path / "model")
    write_manifest(tmp_path / "model", "small")
    with pytest.raises(ArtifactError, match=r"conformity\.json in .* holds no conformity scores"):
        Predictor.load(tmp_path / "model")


def test_scores_of_another_task_are_refused(tmp_path: Path):
    save_model(tmp_path / "model", conformity=conformity_of("regression"))
    with pytest.raises(ArtifactError, match="another task than 'binary'"):
        Predictor.load(tmp_path / "model")


@pytest.mark.parametrize("task", ["binary", "multiclass"])
@pytest.mark.parametrize("read", [".csv", ".parquet"])
def test_sets_are_written_as_lists_to_parquet_and_as_json_to_csv(tmp_path: Path, models: Path, task: str, read: str):
    expected = Predictor.load(models / task).predict(customers(), interval=0.9)["prediction_set"].tolist()
    parquet = pd.read_parquet(scored(tmp_path, models / task, 0.9, read=read, write=".parquet"))
    assert [tuple(one) for one in parquet["prediction_set"]] == expected
    csv = pd.read_csv(scored(tmp_path, models / task, 0.9, read=read), dtype=str)
    assert [tuple(json.loads(one)) for one in csv["prediction_set"]] == expected


@pytest.mark.parametrize("write", [".csv", ".parquet"])
def test_intervals_are_written_as_two_numbers(tmp_path: Path, models: Path, write: str):
    target = scored(tmp_path, models / "regression", 0.9, write=write)
    answers = pd.read_csv(target) if write == ".csv" else pd.read_parquet(target)
    expected = Predictor.load(models / "regression").predict(customers(), interval=0.9)
    assert np.allclose(answers[["lower", "upper"]], expected[["lower", "upper"]])


def test_batches_are_joined_in_order_and_say_the_same(tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch):
    whole = scored(tmp_path, models / "multiclass", 0.9, read=".parquet").read_text()
    monkeypatch.setattr(tables, "ROWS_A_PORTION", 7)
    assert scored(tmp_path, models / "multiclass", 0.9, read=".parquet").read_text() == whole


@pytest.mark.parametrize("write", [".csv", ".parquet"])
def test_a_table_without_rows_has_the_column_too(tmp_path: Path, models: Path, write: str):
    target = scored(tmp_path, models / "binary", 0.9, write=write, rows=0)
    answers = pd.read_csv(target) if write == ".csv" else pd.read_parquet(target)
    assert list(answers.columns) == ["customer", "prediction", "probability", "prediction_set"]


def test_without_a_level_the_output_is_as_before(tmp_path: Path, models: Path):
    header = scored(tmp_path, models / "binary", None).read_text().splitlines()[0]
    assert header == "customer,prediction,probability"


def test_an_id_column_called_like_an_end_is_refused_only_when_both_are_wanted(tmp_path: Path):
    model, contract = describe("regression")
    model["id_columns"] = ["upper"]
    save_candidate(
        tmp_path / "m", fit("regression"), model, contract, {}, case_of("regression").name, conformity_of("regression").as_record()
    )
    rows, predictor = customers().rename(columns={"customer": "upper"}), Predictor.load(tmp_path / "m")
    assert list(predictor.predict(rows).columns) == ["upper", "prediction"]
    with pytest.raises(DataError, match="'upper' has the name of a column of predictions"):
        predictor.predict(rows, interval=0.9)


@pytest.mark.parametrize(
    ("model", "level", "says"),
    [
        ("binary", "1.5", "Expected a level from 0.5 to 0.999"),
        ("binary", "0.3", "Expected a level from 0.5 to 0.999"),
        ("binary", "nan", "Expected a level from 0.5 to 0.999"),
        ("young", "0.99", "which needs 99"),
        ("old", "0.9", "built before"),
    ],
)
def test_the_command_exits_2_with_one_sentence_and_leaves_the_old_output(
    tmp_path: Path,
    models: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    model: str,
    level: str,
    says: str,
):
    customers().to_csv(tmp_path / "in.csv", index=False)
    (tmp_path / "out.csv").write_text("old")
    asked = ["gristmill", "score", str(tmp_path / "in.csv"), str(tmp_path / "out.csv"), "--model", str(models / model)]
    monkeypatch.setattr("sys.argv", [*asked, "--interval", level])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1
    assert (tmp_path / "out.csv").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv"]


def test_the_command_writes_sets(tmp_path: Path, models: Path):
    customers().to_csv(tmp_path / "in.csv", index=False)
    asked = ["score", str(tmp_path / "in.csv"), str(tmp_path / "out.csv"), "--model", str(models / "binary"), "--interval", "0.9"]
    assert CliRunner().invoke(cli.app, asked, catch_exceptions=False).exit_code == 0
    assert pd.read_csv(tmp_path / "out.csv")["prediction_set"].isin(['["No"]', '["Yes"]', '["No", "Yes"]']).all()


def test_a_level_is_refused_before_the_model_is_looked_for(tmp_path: Path):
    customers().to_csv(tmp_path / "in.csv", index=False)
    with pytest.raises(LevelError):
        batch.score(tmp_path / "in.csv", tmp_path / "out.csv", "nosuch@champion", ProjectPaths(tmp_path), interval=2)
