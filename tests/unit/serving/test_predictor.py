"""The one predictor (R16, R34): what goes in, what comes out, in the words of the table."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.models import FEATURES, customers, fit, save_model

from gristmill.errors import ArtifactError, DataError
from gristmill.modeling.artifact.model_directory import write_manifest
from gristmill.serving.predictor import Predictor


@pytest.fixture(scope="module")
def directories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for task in ("binary", "multiclass", "regression"):
        save_model(folder / task, task, threshold=0.6 if task == "binary" else None)
    return folder


@pytest.fixture(scope="module")
def churn(directories: Path) -> Predictor:
    return Predictor.load(directories / "binary")


def test_a_binary_answer_has_ids_prediction_and_the_positive_probability(churn: Predictor) -> None:
    answers = churn.predict(customers())
    assert list(answers.columns) == ["customer", "prediction", "probability"]
    assert np.array_equal(answers["probability"], fit().predict_proba(customers()[FEATURES])[:, 1])
    assert answers["customer"].tolist() == customers()["customer"].tolist()


def test_the_threshold_of_the_model_decides(churn: Predictor) -> None:
    answers = churn.predict(customers())
    assert answers["prediction"].eq("Yes").equals(answers["probability"] >= 0.6)
    assert set(answers["prediction"]) == {"Yes", "No"}


def test_several_classes_have_a_probability_each_under_their_own_text(directories: Path) -> None:
    answers = Predictor.load(directories / "multiclass").predict(customers())
    names = ["probability_gold", "probability_plain tin", "probability_silver"]
    assert list(answers.columns) == ["customer", "prediction", *names]
    assert np.allclose(answers[names].sum(axis=1), 1)
    assert (answers["prediction"] == answers[names].idxmax(axis=1).str.removeprefix("probability_")).all()


def test_a_regression_answers_with_a_number_alone(directories: Path) -> None:
    answers = Predictor.load(directories / "regression").predict(customers())
    assert list(answers.columns) == ["customer", "prediction"]
    assert np.array_equal(answers["prediction"], fit("regression").predict(customers()[FEATURES]))


def test_rows_keep_their_order_count_and_index(churn: Predictor) -> None:
    shuffled = pd.concat([customers(), customers().head(5)]).sample(frac=1, random_state=1)
    answers = churn.predict(shuffled)
    assert answers.index.equals(shuffled.index)
    assert answers["customer"].equals(shuffled["customer"])


def test_duplicate_rows_get_equal_answers(churn: Predictor) -> None:
    row = customers().iloc[[3, 3, 3]]
    answers = churn.predict(row)["probability"].tolist()
    assert answers == [answers[0]] * 3


def test_a_row_is_answered_the_same_alone_as_among_others(churn: Predictor) -> None:
    together = churn.predict(customers())
    alone = churn.predict(customers().iloc[[17]])
    assert alone["probability"].iloc[0] == pytest.approx(together["probability"].iloc[17], abs=1e-12)


def test_no_rows_give_no_rows_with_the_same_columns(churn: Predictor) -> None:
    answers = churn.predict(customers().head(0))
    assert answers.shape == (0, 3)
    assert list(answers.columns) == ["customer", "prediction", "probability"]


def test_the_target_identifiers_and_unknown_columns_do_not_matter(churn: Predictor) -> None:
    bare = customers()[["plan", "charge", "tenure"]]
    more = bare.assign(weather="rain", churn="Yes")
    assert list(churn.predict(bare).columns) == ["prediction", "probability"]
    assert churn.predict(bare).equals(churn.predict(more))


def test_a_missing_column_is_named(churn: Predictor) -> None:
    with pytest.raises(DataError, match="'tenure' is missing"):
        churn.predict(customers().drop(columns="tenure"))


def test_a_column_that_stands_twice_is_named(churn: Predictor) -> None:
    rows = customers()
    with pytest.raises(DataError, match="one column called 'charge'"):
        churn.predict(pd.concat([rows, rows[["charge"]]], axis=1))


def test_a_value_of_the_wrong_type_is_named_with_its_column(churn: Predictor) -> None:
    rows = customers().astype({"tenure": object})
    rows.loc[4, "tenure"] = "a while"
    with pytest.raises(DataError, match=r"'tenure'.*'a while' in row 5"):
        churn.predict(rows)


def test_text_numbers_categories_and_unseen_levels_are_taken(churn: Predictor) -> None:
    rows = customers()
    as_text = rows.assign(tenure=rows["tenure"].astype(str), plan=rows["plan"].astype("category"))
    assert churn.predict(as_text).equals(churn.predict(rows))
    assert churn.predict(rows.assign(plan="99"))["probability"].between(0, 1).all()


def test_all_values_missing_still_give_an_answer(churn: Predictor) -> None:
    rows = pd.DataFrame({name: [None, None] for name in FEATURES})
    assert churn.predict(rows)["probability"].between(0, 1).all()


def test_probabilities_of_a_regression_are_refused(directories: Path) -> None:
    with pytest.raises(DataError, match="has no probabilities"):
        Predictor.load(directories / "regression").predict_proba(customers())


def test_probabilities_come_in_the_order_of_the_classes(churn: Predictor) -> None:
    assert churn.model.classes == ("No", "Yes")
    assert np.array_equal(churn.predict_proba(customers())[:, 1], churn.predict(customers())["probability"])


def test_an_altered_directory_is_not_loaded(directories: Path, tmp_path: Path) -> None:
    save_model(tmp_path / "model")
    (tmp_path / "model" / "model.json").write_text((directories / "multiclass" / "model.json").read_text())
    with pytest.raises(ArtifactError, match=r"model\.json.*altered"):
        Predictor.load(tmp_path / "model")


def test_a_directory_without_its_contract_is_no_model(tmp_path: Path) -> None:
    save_model(tmp_path / "model")
    (tmp_path / "model" / "contract.json").unlink()
    write_manifest(tmp_path / "model", "small")
    with pytest.raises(ArtifactError, match=r"contract\.json"):
        Predictor.load(tmp_path / "model")


def test_neither_mlflow_nor_mapie_is_imported_to_predict() -> None:
    code = "import sys, gristmill.serving.predictor; sys.exit(bool({'mlflow', 'mapie'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_rows_as_they_stand_in_json_are_answered_like_a_table(churn: Predictor) -> None:
    frame = customers().head(5)
    rows = json.loads(frame.to_json(orient="records"))
    np.testing.assert_allclose(churn.values_of(rows), churn.predict_proba(frame), rtol=0, atol=1e-12)


def test_a_column_that_a_json_row_lacks_is_named(churn: Predictor) -> None:
    whole, short = json.loads(customers().head(2).to_json(orient="records"))
    del short[churn.model.feature_columns[0]]
    with pytest.raises(DataError, match=churn.model.feature_columns[0]):
        churn.values_of([whole, short])
