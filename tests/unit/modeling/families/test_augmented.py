"""Made-up rows are seen by a model that is fitted, and by nothing else."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsRegressor
from tests.unit.modeling.conftest import make_case, make_rows

from gristmill.modeling.artifact.persistence import dump_pipeline, load_pipeline_bytes
from gristmill.modeling.families.augmented import Augmented, between, noisy
from gristmill.modeling.families.catalogue import build, portfolio
from gristmill.modeling.families.problem import Problem


class Watched(LogisticRegression):
    """An estimator that watches itself."""

    stages_param = "rounds"

    def fit_watched(self, X, y, X_valid, y_valid):
        self.seen_ = len(X), len(X_valid)
        self.curve_ = [1.0, 0.5]
        return self.fit(X, y)

    def truncated(self, stages):
        return self if stages else None


def table(n_rows: int = 100) -> np.ndarray:
    random = np.random.default_rng(0)
    return np.column_stack([random.normal(size=n_rows), random.integers(0, 3, n_rows), random.normal(size=n_rows) * 1000])


def test_noise_moves_numbers_by_their_own_spread_and_leaves_codes_alone():
    X = table()
    sources, rows = noisy(X, 300, np.random.default_rng(1))
    moved = rows - X[sources]
    assert (moved[:, 1] == 0).all()
    assert moved[:, 2].std() / moved[:, 0].std() == pytest.approx(1000, rel=0.3)


def test_a_rare_class_is_filled_up_with_rows_between_its_own():
    X, y = table(), np.array([1] * 10 + [0] * 90)
    sources, rows = between(X, y, 0.5, np.random.default_rng(0))
    assert (y[sources] == 1).all()
    assert len(rows) == 35
    assert (rows.min(axis=0) >= X[:10].min(axis=0)).all()
    assert (rows.max(axis=0) <= X[:10].max(axis=0)).all()
    assert set(rows[:, 1]) <= {0.0, 1.0, 2.0}


def test_a_class_of_one_row_and_gaps_break_nothing():
    X = table(20)
    X[::3, 0] = np.nan
    sources, rows = between(X, np.array([1] + [2] * 4 + [0] * 15), 1.0, np.random.default_rng(0))
    assert len(sources) == len(rows) == 11


@pytest.mark.parametrize("method", ["noise", "smote"])
def test_predictions_are_those_of_a_model_that_saw_more_rows(method: str):
    X, y = table(), np.array([1] * 10 + [0] * 90)
    model = Augmented(LogisticRegression(), method).fit(X, y)
    assert not np.allclose(model.predict_proba(X), LogisticRegression().fit(X, y).predict_proba(X))
    assert np.array_equal(model.predict_proba(X), Augmented(LogisticRegression(), method).fit(X, y).predict_proba(X))
    assert model.coef_.shape == (1, 3)


def test_what_a_model_can_do_its_wrapper_can_and_what_it_cannot_it_cannot():
    X, y = table(), np.array([1, 0] * 50)
    model = Augmented(Watched(), share=0.5)
    assert model.stages_param == "rounds"
    fitted = model.fit_watched(X, y, X[:7], y[:7])
    assert fitted.seen_ == (150, 7)
    assert fitted.curve_ == [1.0, 0.5]
    assert fitted.truncated(3) is fitted.estimator_
    plain = Augmented(KNeighborsRegressor())
    assert not any(hasattr(plain, name) for name in ("fit_watched", "truncated", "predict_proba", "stages_param", "coef_"))


@pytest.mark.parametrize(("task", "method"), [("binary", "smote"), ("multiclass", "smote"), ("regression", "noise")])
def test_a_pipeline_of_a_case_that_asks_for_it_is_stored_and_answers_the_same(task: str, method: str):
    rows = make_rows(task)
    settings = {**rows.problem.plan["settings"], "augmentation": {"method": method, "share": 1.0}}
    problem = Problem({**rows.problem.plan, "settings": settings}, len(rows.y), 10)
    params = portfolio("linear", problem)[0]
    fitted = build("linear", params, problem).fit(rows.X, rows.y)
    assert np.array_equal(load_pipeline_bytes(dump_pipeline(fitted)).predict(rows.X), fitted.predict(rows.X))
    assert fitted[1].estimator_.estimator_.n_features_in_ == fitted[0].transform(rows.X).shape[1]


def test_smote_needs_classes():
    with pytest.raises(ValueError, match="needs classes; use `noise`"):
        make_case("regression", features={"augmentation": "smote"})
