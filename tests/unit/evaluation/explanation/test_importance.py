import numpy as np
import pandas as pd
from tests.unit.evaluation.conftest import scored_classes, scored_numbers

from gristmill.evaluation.explanation.importance import permutation_importance
from gristmill.metrics.intervals import Bootstrap

FEW = Bootstrap(resamples=100)


def numbers(n_rows=300):
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(rng.normal(size=(n_rows, 3)), columns=["strong", "weak", "idle"])
    return rows, rng.normal(0, 0.1, n_rows)


def predict(rows):
    return 3 * rows["strong"].to_numpy() + 0.5 * rows["weak"].to_numpy()


def test_columns_are_ranked_by_what_shuffling_them_costs():
    rows, noise = numbers()
    found = permutation_importance(predict, rows, scored_numbers(predict(rows) + noise, predict(rows)), "rmse", bootstrap=FEW)
    assert found["feature"].tolist() == ["strong", "weak", "idle"]
    assert (found["low"] <= found["mean"]).all()
    assert (found["mean"] <= found["high"]).all()
    assert found["low"].iloc[1] > 0


def test_a_column_the_model_ignores_costs_exactly_nothing():
    rows, noise = numbers()
    found = permutation_importance(predict, rows, scored_numbers(predict(rows) + noise, predict(rows)), "r2", bootstrap=FEW)
    assert found.iloc[-1].tolist() == ["idle", 0.0, 0.0, 0.0]


def test_importance_of_a_score_is_its_loss():
    rows, _ = numbers()
    positive = 1 / (1 + np.exp(-predict(rows)))
    y_true = (np.random.default_rng(1).random(300) < positive).astype(int)

    def proba(frame):
        value = 1 / (1 + np.exp(-predict(frame)))
        return np.column_stack([1 - value, value])

    found = permutation_importance(proba, rows, scored_classes(y_true, positive), "roc_auc", bootstrap=FEW)
    assert 0.25 < found["mean"].iloc[0] < 0.5


def test_wide_tables_get_fewer_repeats():
    asked = []
    rows, noise = numbers(50)

    def counted(frame):
        asked.append(len(frame))
        return predict(frame)

    permutation_importance(
        counted, rows, scored_numbers(predict(rows) + noise, predict(rows)), "mae", bootstrap=FEW, max_evaluations=300
    )
    assert sum(asked) == 2 * 3 * 50
