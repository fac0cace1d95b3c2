"""Features that tell nothing, or nothing more, are left out, each with a reason."""

import numpy as np
import pandas as pd
import pytest
from tests.unit.features.conftest import contract_of, make_case

from gristmill.features.builder import make_plan
from gristmill.features.choices import choices
from gristmill.features.preparation import native_categories, preprocessor
from gristmill.features.rows import MISSING_LEVEL, RowFeatures
from gristmill.features.selecting import FeatureSelection
from gristmill.features.treated import count
from gristmill.modeling.artifact.persistence import dump_pipeline, load_pipeline_bytes

METHODS = ("correlation", "importance", "recursive", "l1")


def table(n_rows: int = 400, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    x = random.normal(size=n_rows)
    frame = pd.DataFrame({"x": x, "twin": x + random.normal(size=n_rows) * 0.1, "gaps": np.where(x > 1.5, np.nan, x)})
    frame["group"] = random.choice(list("abc"), n_rows).astype(object)
    for number in range(4):
        frame[f"noise {number}"] = random.normal(size=n_rows)
    frame["idle"] = random.choice(list("uvw"), n_rows).astype(object)
    return frame


def target(X: pd.DataFrame) -> np.ndarray:
    return (2 * X["x"] + 2 * (X["group"] == "a") + np.random.default_rng(1).normal(size=len(X))).to_numpy()


def dropped(fitted: FeatureSelection) -> dict[str, str]:
    return {item["name"]: item["reason"] for item in fitted.dropped_}


@pytest.mark.parametrize("method", ["importance", "recursive", "l1"])
def test_what_tells_about_the_target_stays_and_noise_goes(method: str):
    X = table()
    found = dropped(FeatureSelection(method).fit(X, target(X)))
    assert not {"x", "group"} & set(found)
    assert len({name for name in found if name.startswith("noise")}) >= 3


@pytest.mark.parametrize("method", ["importance", "recursive", "l1"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_classes_are_told_by_the_same_features(method: str, n_classes: int):
    X = table().drop(columns=["twin", "gaps"])
    y = np.digitize(target(X), np.quantile(target(X), np.arange(1, n_classes) / n_classes))
    assert not {"x", "group"} & set(dropped(FeatureSelection(method, n_classes).fit(X, y)))


def test_of_two_numbers_that_say_the_same_the_one_that_tells_less_goes():
    X = table()
    found = dropped(FeatureSelection("correlation").fit(X, target(X)))
    assert found == {"x": "its correlation with 'twin', which tells more, is 0.995"}
    assert dropped(FeatureSelection("correlation", max_correlation=1.0).fit(X, target(X))) == {}


@pytest.mark.parametrize("method", METHODS)
def test_no_more_stay_than_the_case_allows_and_never_none(method: str):
    X = table()
    assert X.shape[1] - len(dropped(FeatureSelection(method, max_features=2).fit(X, target(X)))) <= 2
    nothing = np.random.default_rng(5).normal(size=len(X))
    assert len(dropped(FeatureSelection(method, max_features=1).fit(X, nothing))) == X.shape[1] - 1


@pytest.mark.parametrize("method", METHODS)
def test_tiny_constant_and_empty_columns_break_nothing(method: str):
    X = pd.DataFrame({"a": [1.0, 2.0, 3.0], "same": [1.0] * 3, "empty": [np.nan] * 3, "c": ["u", "u", "v"]})
    made = FeatureSelection(method).fit(X, np.array([0, 1, 0])).transform(X)
    assert made.shape == X.shape


def test_what_is_left_out_has_one_value_for_every_row_and_text_is_never_left_out():
    X = table().assign(words="some words")
    fitted = load_pipeline_bytes(dump_pipeline(FeatureSelection("l1", max_features=1, texts=["words"]).fit(X, target(X))))
    made = fitted.transform(X.head(3))
    assert set(made["noise 1"]) == {0.0}
    assert set(made["idle"]) == {MISSING_LEVEL}
    assert made["words"].tolist() == ["some words"] * 3
    assert made["x"].tolist() == X["x"].head(3).tolist()


@pytest.mark.parametrize("family", ["linear", "boosting"])
def test_a_family_keeps_its_categories_where_they_were_and_says_what_it_left_out(nasty: pd.DataFrame, family: str):
    case = make_case(features={"selection": "importance", "max_features": 2})
    plan = make_plan(nasty, case, contract_of(nasty, case))
    X = RowFeatures(plan).transform(nasty)
    prepare = preprocessor(plan, family).fit(X, nasty["label"].to_numpy())
    matrix = prepare.transform(X)
    assert matrix.shape[1] == len(prepare.get_feature_names_out())
    assert (np.ptp(np.nan_to_num(matrix), axis=0) > 0).any()
    if family == "boosting":
        assert all("level" in name for name in prepare.get_feature_names_out()[: native_categories(plan)])
    left_out = [choice for choice in choices({family: prepare}) if choice["choice"] == "left out"]
    assert len(left_out) >= X.shape[1] - 2
    assert all(choice["family"] == family and choice["reason"] for choice in left_out)


def test_a_limit_without_a_method_is_refused():
    with pytest.raises(ValueError, match="`max_features` needs a `selection`"):
        make_case(features={"max_features": 3})


def test_levels_of_a_feature_that_is_left_out_are_not_counted_as_unseen(nasty: pd.DataFrame):
    case = make_case(features={"selection": "importance", "max_features": 1})
    plan = make_plan(nasty, case, contract_of(nasty, case))
    X = RowFeatures(plan).transform(nasty)
    counted = count(X, plan, {"linear": preprocessor(plan, "linear").fit(X, nasty["label"].to_numpy())})
    assert counted.totals["unseen_levels"] == 0
    assert len(counted.choices_table) >= X.shape[1] - 1
    assert counted.as_product()["features"][0]["choice"] == "left out"
