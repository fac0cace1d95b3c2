"""What the report of a batch says of the rows that came in and the answers that went out."""

from pathlib import Path

import pandas as pd
import pytest
from tests.models import customers, save_model

from gristmill.paths import ProjectPaths
from gristmill.serving.batch import glance, scoring, tables
from gristmill.serving.predictor import Predictor


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a model, a table with odd rows, and its answers."""
    folder = tmp_path_factory.mktemp("batch")
    save_model(folder / "model")
    rows = customers(60).astype({"tenure": object})
    rows.loc[3, "tenure"] = 5_000
    rows.loc[4, "tenure"] = "soon"
    rows.loc[[5, 6], "plan"] = "77"
    rows.to_csv(folder / "in.csv", index=False)
    scoring.score(folder / "in.csv", folder / "out.csv", str(folder / "model"), ProjectPaths(folder))
    return folder


def test_values_that_training_has_not_seen_are_counted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Predictor.load(folder / "model").model
    whole = glance.beside_training(folder / "in.csv", model)
    monkeypatch.setattr(tables, "ROWS_A_PORTION", 7)
    pd.testing.assert_frame_equal(glance.beside_training(folder / "in.csv", model), whole)
    assert whole["outside"].to_dict() == {"tenure": 1, "charge": 0, "plan": 2}
    assert whole.loc["tenure", "range"].endswith("to 5,000")
    assert whole.loc["tenure", "missing"] == 0  # the row whose number is none has no prediction, and does not count as a gap
    assert whole.loc["charge", "missing"] == pytest.approx(9 / 60, abs=0.003)
    assert glance.remark(whole, 60) == "Of 60 rows, values that training has not seen: `plan` (2), `tenure` (1)."


def test_reasons_are_counted_by_column(folder: Path) -> None:
    assert glance.reasons(folder / "out.csv").to_numpy().tolist() == [[1, "expected a number in the column 'tenure', got 'soon'"]]
    assert glance.bad_rows(folder / "out.csv").index.tolist() == [5]
    assert glance.reasons(folder / "none.csv").empty


def test_predictions_are_counted_over_all_rows(folder: Path) -> None:
    answers = pd.read_csv(folder / "out.csv")
    spread = glance.predictions(folder / "out.csv")
    assert spread.counts["rows"].to_dict() == answers["prediction"].value_counts().to_dict()
    assert sorted(spread.sample["probability"]) == pytest.approx(sorted(answers["probability"].dropna()))


def test_numbers_are_summed_up(tmp_path: Path) -> None:
    save_model(tmp_path / "model", "regression")
    customers(60).to_parquet(tmp_path / "in.parquet")
    scoring.score(tmp_path / "in.parquet", tmp_path / "out.parquet", str(tmp_path / "model"), ProjectPaths(tmp_path))
    answers = pd.read_parquet(tmp_path / "out.parquet")["prediction"]
    (row,) = glance.predictions(tmp_path / "out.parquet").counts.to_numpy().tolist()
    assert row == pytest.approx([answers.min(), answers.mean(), answers.max()])


@pytest.mark.parametrize(
    ("model", "expected"),
    [("champion", "churn@champion"), ("3", "churn/3"), (3, "churn/3"), ("loans@staging", "loans@staging"), ("loans/2", "loans/2")],
)
def test_a_model_is_named_as_the_registry_does(tmp_path: Path, model: str, expected: str) -> None:
    assert glance.reference("churn", model, tmp_path) == expected
    (tmp_path / "mine").mkdir()
    assert glance.reference("churn", "mine", tmp_path) == str(tmp_path / "mine")
