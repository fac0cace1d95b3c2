import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestRegressor

from gristmill.evaluation.explanation.hybrids import RowPool, as_columns
from gristmill.evaluation.explanation.shapley import MAX_EVALUATIONS, affordable_rows, shapley_values


def table(n_rows, seed):
    rng = np.random.default_rng(seed)
    plan = pd.Categorical(rng.choice(["x", "y"], n_rows), categories=["x", "y"])
    return pd.DataFrame(
        {"a": rng.normal(size=n_rows), "plan": plan, "c": rng.choice([1.0, np.nan], n_rows), "idle": rng.normal(size=n_rows)}
    )


def predict(rows):
    plan, known = (rows["plan"] == "x").to_numpy(), rows["c"].notna().to_numpy()
    return rows["a"].to_numpy() * plan + 2.0 * known + known * plan


def test_values_and_base_add_up_to_the_prediction():
    rows, background = table(20, 0), table(30, 1)
    found = shapley_values(predict, rows, background, max_rounds=2)
    assert found.base[:, 0] + found.contributions[:, :, 0].sum(axis=1) == pytest.approx(predict(rows), abs=1e-12)


def test_a_column_the_model_ignores_has_exactly_no_value():
    found = shapley_values(predict, table(20, 0), table(30, 1), max_rounds=2)
    assert (found.contributions[:, 3] == 0).all()
    assert found.importance().index[-1] == "idle"


def test_an_additive_model_is_explained_by_its_terms():
    rng = np.random.default_rng(0)
    rows, background = (pd.DataFrame(rng.normal(size=(12, 3)), columns=list("abc")) for _ in range(2))
    found = shapley_values(lambda X: X.to_numpy() @ [1.0, -2.0, 0.5], rows, background, max_rounds=12)
    terms = (rows - background.mean()).to_numpy() * [1.0, -2.0, 0.5]
    assert np.corrcoef(found.contributions[:, :, 0].ravel(), terms.ravel())[0, 1] > 0.9


def test_values_are_those_of_the_exact_tree_explainer_of_shap():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import shap  # noqa: PLC0415 - seconds that only this test pays
    rng = np.random.default_rng(0)
    X, background, rows = (rng.normal(size=(n_rows, 3)) for n_rows in (300, 8, 5))
    forest = RandomForestRegressor(5, max_depth=4, random_state=0).fit(X, X[:, 0] * X[:, 1] + np.abs(X[:, 2]))
    exact = shap.TreeExplainer(forest, background, feature_perturbation="interventional").shap_values(rows)
    frames = (pd.DataFrame(part, columns=list("abc")) for part in (rows, background))
    found = shapley_values(lambda frame: forest.predict(frame.to_numpy()), *frames, max_rounds=2000, max_evaluations=10**9)
    assert found.contributions[:, :, 0] == pytest.approx(exact, abs=0.05)


def test_more_rounds_bring_the_values_nearer_to_each_other():
    def spread(rounds):
        found = [shapley_values(predict, table(5, 0), table(40, 1), max_rounds=rounds, random_state=seed) for seed in range(8)]
        return np.std([one.contributions for one in found], axis=0).mean()

    assert spread(256) < spread(1) / 4


def test_every_class_is_explained_but_of_two_only_the_positive():
    def probabilities(rows):
        positive = 1 / (1 + np.exp(-predict(rows)))
        return np.column_stack([1 - positive, positive / 2, positive / 2])

    assert shapley_values(probabilities, table(4, 0), table(9, 1), max_rounds=1).contributions.shape == (4, 4, 3)
    assert as_columns(probabilities(table(4, 0))[:, :2]).shape == (4, 1)


def test_work_is_bounded_by_evaluations_and_by_time():
    rows, background = table(200, 0), table(50, 1)
    assert shapley_values(predict, rows, background, max_rounds=50, max_evaluations=8000).evaluations <= 8000 + 250
    big = pd.concat([rows] * 40)
    assert shapley_values(predict, big, background, max_seconds=0).rounds == 1


def test_wide_tables_are_explained_on_fewer_rows():
    assert affordable_rows(10, 500) == 500
    assert affordable_rows(1001, 500) == MAX_EVALUATIONS // 2000
    assert affordable_rows(10**6, 500) == 10
    assert affordable_rows(1, 5) == 5


def test_rows_put_together_keep_the_types_of_their_columns():
    one, other = table(3, 0), table(3, 1)
    frame = RowPool(one, other).frame(np.array([[0, 3, 1, 5], [5, 0, 3, 2]]))
    assert frame.dtypes.tolist() == one.dtypes.tolist()
    assert frame["plan"].tolist() == [other["plan"][0], one["plan"][0]]
    assert frame["a"].tolist() == [one["a"][0], other["a"][2]]
