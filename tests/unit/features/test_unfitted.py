"""A plan of features that holds something fitted is refused, by the name of the step (R11)."""

import copy

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gristmill.config.case import Case
from gristmill.data.contract.schema import infer
from gristmill.errors import LeakageError
from gristmill.features import unfitted
from gristmill.features.builder import make_plan
from gristmill.features.preparation import preprocessor
from gristmill.features.unfitted import fitted_steps, require_unfitted
from gristmill.modeling.training_rows import training_rows

FITTED = StandardScaler().fit(np.arange(6.0).reshape(-1, 1))


@pytest.fixture
def rows() -> pd.DataFrame:
    return pd.DataFrame({"age": np.arange(40.0) % 11, "plan": ["p", "q"] * 20, "y": np.arange(40.0)})


@pytest.fixture
def plan(rows) -> dict:
    case = Case.model_validate({"name": "small", "task": "regression", "source": "x", "target": "y"})
    return make_plan(rows, case, infer(rows, case))


def test_the_plan_that_04_makes_is_unfitted(plan):
    require_unfitted(plan)


def test_a_column_may_be_called_like_something_fitted(rows):
    case = Case.model_validate({"name": "small", "task": "regression", "source": "x", "target": "y"})
    named = rows.rename(columns={"age": "mean_"})
    require_unfitted(make_plan(named, case, infer(named, case)))


def test_a_planted_fitted_scaler_is_refused_with_the_name_of_its_step(plan):
    planted = copy.deepcopy(plan)
    planted["features"][0]["scaler"] = FITTED
    with pytest.raises(LeakageError, match=r"fitted: 'n_features_in_' in the step 'age > StandardScaler'"):
        require_unfitted(planted)


def test_what_a_fitted_scaler_leaves_in_plan_json_is_refused_with_the_name_of_the_feature(plan):
    planted = copy.deepcopy(plan)
    planted["features"][0]["mean_"] = 4.2
    with pytest.raises(LeakageError, match=r"'mean_' in the step 'age'.*fitted inside each fold"):
        require_unfitted(planted)


def test_a_fitted_step_of_a_family_is_refused_with_its_name(plan, monkeypatch):
    def with_fitted_scaler(plan, family):
        made = preprocessor(plan, family)
        return ColumnTransformer([("numbers", make_pipeline(FITTED), [0])]) if family == "neural" else made

    monkeypatch.setattr(unfitted, "preprocessor", with_fitted_scaler)
    with pytest.raises(LeakageError, match="step 'numbers > standardscaler > StandardScaler of the neural family'"):
        require_unfitted(plan)


def test_the_training_stages_refuse_it_where_they_take_the_plan_in(plan, rows):
    planted = {**plan, "scale_": [1.0]}
    fold = pd.Series(np.arange(40) % 2, index=rows.index)
    with pytest.raises(LeakageError, match="'scale_' in the step 'plan'"):
        training_rows(rows[["age"]], rows["y"], fold, [], planted, classes=None, random_state=0)


def test_an_unfitted_estimator_has_no_fitted_steps():
    assert list(fitted_steps(make_pipeline(StandardScaler(), StandardScaler()))) == []
    assert next(fitted_steps(make_pipeline(StandardScaler(), FITTED)))[0] == "standardscaler-2 > StandardScaler"
