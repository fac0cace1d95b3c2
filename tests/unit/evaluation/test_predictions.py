import numpy as np
import pandas as pd
import pytest

from gristmill.errors import ArtifactError, DataError
from gristmill.evaluation.predictions import encode_truth, predicted_values, scored_rows, with_truth


def test_one_probability_becomes_one_of_each_class():
    frame = pd.DataFrame({"probability": [0.25, 1.0]})
    assert predicted_values("binary", frame, ("No", "Yes")).tolist() == [[0.75, 0.25], [0.0, 1.0]]


def test_out_of_fold_tables_name_each_class():
    frame = pd.DataFrame({"fold": [0], "probability_b": [0.7], "probability_a": [0.3]})
    assert predicted_values("binary", frame, ("a", "b")).tolist() == [[0.3, 0.7]]


def test_a_class_without_a_column_is_named():
    with pytest.raises(ArtifactError, match="probability_c"):
        predicted_values("multiclass", pd.DataFrame({"probability_a": [1.0]}), ("a", "c"))


def test_truth_and_predictions_are_joined_by_row_key():
    target = pd.Series({"x": 1.0, "y": 2.0, "z": 3.0})
    frame = pd.DataFrame({"prediction": [30.0, 10.0]}, index=["z", "x"])
    scored = scored_rows("regression", frame, target, None)
    assert scored.y_true.tolist() == [3.0, 1.0]
    assert scored.take(np.array([1])).row_keys.tolist() == ["x"]


def test_a_predicted_row_without_a_truth_is_refused():
    with pytest.raises(ArtifactError, match="'w'"):
        scored_rows("regression", pd.DataFrame({"prediction": [1.0]}, index=["w"]), pd.Series({"x": 1.0}), None)


def test_truth_is_stored_as_it_stands_in_the_table():
    predictions = pd.DataFrame({"id": [1, 2], "prediction": ["1", "0"], "probability": [0.9, 0.2]})
    stored = with_truth("binary", predictions, pd.Series([1.0, 0.0]))
    assert list(stored.columns) == ["id", "truth", "prediction", "probability"]
    assert stored["truth"].tolist() == ["1", "0"]


def test_an_unknown_class_is_refused():
    with pytest.raises(DataError, match="Maybe"):
        encode_truth("binary", pd.Series(["Maybe"], name="churn"), ("No", "Yes"))
