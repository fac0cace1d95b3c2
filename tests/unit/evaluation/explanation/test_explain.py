import numpy as np
import pandas as pd
import pytest
from tests.unit.evaluation.conftest import scored_classes, scored_numbers

from gristmill.errors import ArtifactError
from gristmill.evaluation.explanation import explain
from gristmill.evaluation.explanation.local_reasons import LocalReasons
from gristmill.evaluation.explanation.shapley import shapley_values
from gristmill.evaluation.predictions import Scored


def test_a_sample_keeps_the_shares_of_the_classes():
    scored = scored_classes(np.repeat([0, 1], [900, 100]), np.full(1000, 0.5))
    picked = explain.sample_rows(scored, 50)
    assert len(picked) == 50
    assert 4 <= scored.y_true[picked].sum() <= 6
    assert (np.diff(picked) > 0).all()


def test_a_sample_never_loses_a_class():
    scored = scored_classes(np.repeat([0, 1], [999, 1]), np.full(1000, 0.5))
    assert scored.y_true[explain.sample_rows(scored, 10)].sum() == 1


def test_few_rows_are_taken_whole():
    assert explain.sample_rows(scored_numbers([1, 2], [1, 2]), 10).tolist() == [0, 1]
    assert len(explain.sample_rows(scored_numbers(range(20), range(20)), 10)) == 10


def test_rows_worth_a_look_are_the_surely_right_the_surely_wrong_and_the_closest_call():
    scored = scored_classes([1, 0, 1, 0, 1, 1], [0.99, 0.01, 0.52, 0.9, 0.1, 0.995])
    assert explain.chosen_rows(scored, 0.5) == {
        "most confident right positive": 5, "most confident right negative": 1, "most confident wrong positive": 3,
        "most confident wrong negative": 4, "nearest to the threshold": 2,
    }  # fmt: skip


def test_the_nearest_row_is_the_nearest_to_the_threshold_of_the_model():
    scored = scored_classes([1, 0, 1, 0], [0.99, 0.01, 0.5, 0.22])
    assert explain.chosen_rows(scored, 0.2)["nearest to the threshold"] == 2
    assert explain.chosen_rows(scored, 0.2)["most confident wrong positive"] == 3


def test_a_row_is_chosen_once_and_what_does_not_exist_not_at_all():
    chosen = explain.chosen_rows(scored_classes([1, 0], [0.9, 0.1]), 0.5)
    assert list(chosen) == ["most confident right positive", "most confident right negative"]


def test_numbers_and_several_classes_have_rows_worth_a_look():
    assert explain.chosen_rows(scored_numbers([1, 2, 30], [1, 5, 9])) == {
        "highest prediction": 2, "lowest prediction": 0, "nearest to the truth": 1,
    }  # fmt: skip
    proba = np.array([[0.9, 0.05, 0.05], [0.4, 0.35, 0.25], [0.1, 0.1, 0.8]])
    scored = Scored("multiclass", pd.Index(range(3)), np.array([0, 0, 1]), proba)
    assert explain.chosen_rows(scored) == {"most confident right": 0, "most confident wrong": 2, "nearest to another class": 1}
    assert [explain.explained_class(scored, row) for row in range(3)] == [0, 0, 2]


def test_another_candidate_than_the_evaluated_one_is_refused():
    explain.require_same("abc", "abc")
    with pytest.raises(ArtifactError, match="replaced after"):
        explain.require_same("abc", "xyz")


def test_importance_is_measured_by_log_loss_where_a_class_is_absent():
    assert explain.measurable("roc_auc", scored_classes([1, 1], [0.5, 0.6])) == "log_loss"
    assert explain.measurable("roc_auc", scored_classes([0, 1], [0.5, 0.6])) == "roc_auc"


def test_records_hold_reasons_and_contributions_in_the_columns_of_the_table(evaluated):
    found = evaluated("multiclass")
    rows = found.model.features(found.test.head(5))
    values = shapley_values(explain.raw_predict(found.model), rows, rows, max_rounds=2)
    reasons = LocalReasons([("plan", "plan = 01", 0.2), ("tenure", "tenure ≤ 9", -0.1)], 2, 1.0)
    record = explain.reasons_record(reasons, "row 0", "surest", "silver", found.model.classes)
    (local,) = explain.with_contributions([record], values, rows, found.model.classes)
    assert record["output"] == "silver"
    assert {part["feature"] for part in local["shap"]} == {"tenure", "charge", "plan"}
    total = local["base"] + sum(part["contribution"] for part in local["shap"])
    assert total == pytest.approx(values.predicted[0, 2])
    tenure = next(part for part in local["shap"] if part["feature"] == "tenure")
    assert tenure["reason"] == f"tenure = {rows['tenure'].iloc[0]}"
    assert explain.local_table([local]).loc["surest", "first reasons (LIME)"] == "plan = 01; tenure ≤ 9"
    assert explain.mean_local_weight([local, local]).to_dict() == {"plan": 0.2, "tenure": 0.1}
