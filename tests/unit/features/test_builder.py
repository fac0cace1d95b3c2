"""The plan of features, and the unfitted steps that carry it out."""

import json

import numpy as np
import pandas as pd
import pytest
from tests.unit.features.conftest import contract_of, make_case

from gristmill.errors import DataError
from gristmill.features.builder import make_plan
from gristmill.features.preparation import NATIVE_LEVELS, native_categories, preprocessor
from gristmill.features.rows import RowFeatures

FAMILIES = ("linear", "forest", "boosting", "neural")


def plan_for(frame: pd.DataFrame, **changes) -> dict:
    case = make_case(**changes)
    return make_plan(frame, case, contract_of(frame, case))


def reasons(plan: dict) -> dict[str, str]:
    return {item["column"]: item["reason"] for item in plan["dropped"]}


def test_a_plan_survives_json(nasty: pd.DataFrame):
    plan = plan_for(nasty)
    assert json.loads(json.dumps(plan)) == plan


def test_columns_that_say_nothing_are_dropped_with_the_reason(nasty: pd.DataFrame):
    found = reasons(plan_for(nasty.assign(twin=nasty["kind"].map({"u": "A", "v": "B", "w": "C"}))))
    assert found["empty"] == "it is missing in every row"
    assert found["constant"] == "it has the same value, '5.0', in every row"
    assert found["twin"] == "it repeats 'kind'"


def test_the_target_identifiers_and_excluded_columns_are_no_features(nasty: pd.DataFrame):
    plan = plan_for(nasty.assign(id=range(60)), id_columns=["id"], features={"exclude": ["whole"]})
    sources = {feature["source"] for feature in plan["features"]}
    assert not sources & {"label", "id", "whole"}
    assert reasons(plan)["whole"] == "the case file keeps it from the model"


def test_sensitive_features_are_kept_from_the_model_on_request(nasty: pd.DataFrame):
    seen = {feature["source"] for feature in plan_for(nasty, sensitive_features=["kind"])["features"]}
    hidden = plan_for(nasty, sensitive_features=["kind"], fairness={"exclude_from_model": True})
    assert "kind" in seen
    assert "kind" not in {feature["source"] for feature in hidden["features"]}


def test_names_of_rows_are_not_features():
    frame = pd.DataFrame({"name": [f"n{row}" for row in range(40)], "x": np.arange(40) % 7, "label": [0, 1] * 20})
    assert reasons(plan_for(frame))["name"] == "nearly every row has a value of its own"


def test_dates_are_expanded_or_kept_as_one_number(nasty: pd.DataFrame):
    parts = [feature["step"] for feature in plan_for(nasty)["features"] if feature["source"] == "when"]
    whole = [feature for feature in plan_for(nasty, features={"date_parts": False})["features"] if feature["source"] == "when"]
    assert parts == ["day number", "year", "month", "day", "weekday"]
    assert [(feature["name"], feature["step"]) for feature in whole] == [("when", "day number")]


def test_hours_are_a_feature_only_where_dates_have_some(nasty: pd.DataFrame):
    later = nasty.assign(when=nasty["when"] + pd.to_timedelta(np.arange(60) % 24, "h"))
    assert "hour" in [feature["step"] for feature in plan_for(later)["features"]]


def test_a_made_name_never_hides_a_column(nasty: pd.DataFrame):
    plan = plan_for(nasty.assign(**{"when: year": np.arange(60.0)}))
    names = [feature["name"] for feature in plan["features"]]
    assert len(set(names)) == len(names)
    assert {"when: year", "when: year (2)"} <= set(names)


def test_equal_plans_have_equal_versions_and_other_plans_others(nasty: pd.DataFrame):
    assert plan_for(nasty)["version"] == plan_for(nasty.iloc[::-1])["version"]
    assert plan_for(nasty)["version"] != plan_for(nasty, features={"exclude": ["whole"]})["version"]


def test_a_table_without_a_usable_column_is_refused():
    frame = pd.DataFrame({"constant": [1] * 30, "label": [0, 1] * 15})
    with pytest.raises(DataError, match="'constant': it has the same value"):
        plan_for(frame)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("numeric", ["standard", "quantile", "spline"])
def test_every_family_gets_numbers_only_from_any_table(nasty: pd.DataFrame, family: str, numeric: str):
    plan = plan_for(nasty)
    X, y = RowFeatures(plan).fit_transform(nasty), nasty["label"].to_numpy()
    matrix = preprocessor(plan, family, numeric).fit_transform(X, y)
    assert matrix.dtype == np.float64
    assert np.isfinite(matrix).all() == (family in ("linear", "neural"))


@pytest.mark.parametrize("family", FAMILIES)
def test_levels_never_seen_and_missing_everything_are_answered(nasty: pd.DataFrame, family: str):
    plan = plan_for(nasty)
    rows = RowFeatures(plan)
    prepare = preprocessor(plan, family).fit(rows.fit_transform(nasty), nasty["label"].to_numpy())
    strange = nasty.iloc[:2].assign(**{"🙂": ["unheard of", None], "many": "new", "a b": np.nan, "flag": None, "when": pd.NaT})
    matrix = prepare.transform(rows.transform(strange))
    assert matrix.shape == (2, len(prepare.get_feature_names_out()))
    assert not np.isinf(matrix).any()


def test_a_fold_in_which_a_column_is_all_missing_fits(nasty: pd.DataFrame):
    plan = plan_for(nasty)
    X = RowFeatures(plan).fit_transform(nasty)
    whole = preprocessor(plan, "linear").fit(X, nasty["label"])
    part = preprocessor(plan, "linear").fit(X.assign(**{"a b": np.nan}), nasty["label"])
    assert np.isfinite(part.transform(X)).all()
    assert len(part.get_feature_names_out()) == len(whole.get_feature_names_out())


def test_many_levels_become_means_for_most_families_and_codes_for_boosting():
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"city": [f"c{n}" for n in random.integers(0, 100, 400)], "x": random.normal(size=400), "label": [0, 1] * 200}
    )
    plan = plan_for(frame)
    X = RowFeatures(plan).fit_transform(frame)
    linear = preprocessor(plan, "linear").fit(X, frame["label"])
    assert linear.get_feature_names_out().tolist() == [
        "many_levels__city: mean target",
        "many_levels__city: log count",
        "numbers__x",
    ]
    assert preprocessor(plan, "boosting").fit_transform(X, frame["label"]).shape == (400, 2)
    assert native_categories(plan) == 1


def test_ten_thousand_levels_are_no_category_of_boosting():
    frame = pd.DataFrame({"id": [f"c{n}" for n in range(10_000)] * 2, "x": range(20_000), "label": [0, 1] * 10_000})
    plan = plan_for(frame)
    assert native_categories(plan) == 0
    assert plan["features"][0]["levels"] == 10_000 > NATIVE_LEVELS


def test_rare_levels_are_pooled():
    frame = pd.DataFrame({"c": ["a"] * 50 + ["b"] * 45 + ["r", "s", "t", "u", "v"], "x": range(100), "label": [0, 1] * 50})
    plan = plan_for(frame, features={"rare_level_share": 0.03})
    names = preprocessor(plan, "linear").fit(RowFeatures(plan).fit_transform(frame), frame["label"]).get_feature_names_out()
    assert [name for name in names if name.startswith("levels")] == ["levels__c_a", "levels__c_b", "levels__c_infrequent_sklearn"]
