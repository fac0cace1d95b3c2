"""Policies for missing values and outliers, carried out by each family's steps inside the folds."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler
from tests.unit.features.conftest import contract_of, make_case

from gristmill.features.builder import make_plan
from gristmill.features.preparation import native_categories, preprocessor
from gristmill.features.rows import RowFeatures, plain_array
from gristmill.features.scaling import EvenScaler
from gristmill.features.target_means import TargetMeans

FAMILIES = ("linear", "forest", "boosting", "neural")
EVERYTHING_FILLED = {
    "missing": {
        "numeric": "mean", "categorical": "most_frequent", "boolean": "most_frequent", "date": "median", "text": "constant",
        "fill_values": {"text": "nothing said"},
    },
    "outliers": {"numeric": "clip"},
}  # fmt: skip
CONSTANTS = {
    "missing": {
        "numeric": "constant", "categorical": "constant", "boolean": "constant", "date": "constant",
        "fill_values": {"numeric": -1, "categorical": "unknown", "boolean": False, "date": "2021-03-04"},
    },
    "outliers": {"numeric": "missing", "method": "quantile", "lower": 0.05, "upper": 0.95},
}  # fmt: skip


def with_words(frame: pd.DataFrame) -> pd.DataFrame:
    words = [f"the customer said thing number {row} to us" for row in range(len(frame))]
    return frame.assign(words=pd.Series(words, dtype=object).where(np.arange(len(frame)) % 5 > 0))


def plan_for(frame: pd.DataFrame, **features) -> dict:
    case = make_case(features=features)
    return make_plan(frame, case, contract_of(frame, case))


def fitted(frame: pd.DataFrame, plan: dict, family: str = "linear", numeric: str = "standard") -> ColumnTransformer:
    X = RowFeatures(plan).fit_transform(frame)
    return preprocessor(plan, family, numeric).fit(X, frame["label"].to_numpy())


def column(prepare: ColumnTransformer, X: pd.DataFrame, name: str) -> np.ndarray:
    """Return one column of the matrix by its name without the part before the two underscores."""
    names = [str(full).partition("__")[2] for full in prepare.get_feature_names_out()]
    return np.asarray(prepare.transform(X))[:, names.index(name)]


def former(plan: dict, family: str) -> ColumnTransformer:
    """Return the steps as they were before there were policies, written out."""
    steps = {feature["name"]: feature["step"] for feature in plan["features"]}
    array = FunctionTransformer(plain_array, feature_names_out="one-to-one")
    levels = [name for name, step in steps.items() if step == "level" and name != "many"]
    numbers = [name for name, step in steps.items() if step != "level"]
    if family == "linear":
        one_hot = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=0.005, sparse_output=False)
        impute = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
        parts = one_hot, make_pipeline(TargetMeans(2), StandardScaler()), make_pipeline(array, impute, EvenScaler())
    else:
        codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, min_frequency=0.005, max_categories=250)
        parts = codes, TargetMeans(2), "passthrough"
    chosen = zip(("levels", "many_levels", "numbers"), parts, (levels, ["many"], numbers), strict=True)
    return ColumnTransformer(list(chosen), sparse_threshold=0.0)


@pytest.mark.parametrize("family", ["linear", "forest"])
def test_a_case_that_says_nothing_is_prepared_as_it_was_before_there_were_policies(nasty: pd.DataFrame, family: str):
    plan = plan_for(nasty, max_levels=10, date_cycles=False)
    X, y = RowFeatures(plan).fit_transform(nasty), nasty["label"].to_numpy()
    now, then = preprocessor(plan, family), former(plan, family)
    assert np.array_equal(now.fit_transform(X, y), then.fit_transform(X, y), equal_nan=True)
    assert now.get_feature_names_out().tolist() == then.get_feature_names_out().tolist()


def test_a_default_that_is_spelt_out_does_not_change_the_version_of_the_plan(nasty: pd.DataFrame):
    plain = plan_for(nasty)
    assert plan_for(nasty, missing={"numeric": "native"}, outliers={"factor": 9.0})["version"] == plain["version"]
    assert plan_for(nasty, missing={"numeric": "mean"})["version"] != plain["version"]
    assert plan_for(nasty, columns={"a b": {"outliers": "clip"}})["version"] != plain["version"]


def test_a_plan_with_policies_survives_json(nasty: pd.DataFrame):
    plan = plan_for(with_words(nasty), **CONSTANTS)
    again = json.loads(json.dumps(plan))
    frame = with_words(nasty)
    one, other = (np.asarray(fitted(frame, made).transform(RowFeatures(made).transform(frame))) for made in (plan, again))
    assert np.array_equal(one, other)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("numeric", ["standard", "quantile", "spline"])
@pytest.mark.parametrize("policy", [EVERYTHING_FILLED, CONSTANTS], ids=["filled", "constants"])
def test_filled_in_everywhere_no_family_sees_a_gap(nasty: pd.DataFrame, family: str, numeric: str, policy: dict):
    frame = with_words(nasty)
    plan = plan_for(frame, **policy)
    X = RowFeatures(plan).fit_transform(frame)
    prepare = clone(preprocessor(plan, family, numeric))
    matrix = np.asarray(prepare.fit_transform(X, frame["label"].to_numpy()), dtype=np.float64)
    assert np.isfinite(matrix).all()
    assert matrix.shape == (60, len(prepare.get_feature_names_out()))


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [({"missing": "median"}, 2.0), ({"missing": "mean"}, 3.0), ({"missing": "constant", "fill_value": -7}, -7.0)],
)
def test_trees_get_the_number_that_the_case_asks_for(strategy: dict, expected: float):
    frame = pd.DataFrame({"x": [1.0, 2.0, 2.0, 7.0, np.nan] * 12, "z": range(60), "label": [0, 1] * 30})
    plan = plan_for(frame, columns={"x": strategy})
    prepare = fitted(frame, plan, "forest")
    X = RowFeatures(plan).transform(frame)
    assert column(prepare, X, "x")[4] == expected
    assert column(prepare, X, "missingindicator_x")[:5].tolist() == [0, 0, 0, 0, 1]


def test_without_an_indicator_nothing_is_told(nasty: pd.DataFrame):
    plan = plan_for(nasty, missing={"indicator": False, "numeric": "median", "categorical": "most_frequent"})
    for family in FAMILIES:
        assert not [name for name in fitted(nasty, plan, family).get_feature_names_out() if "missing" in name]


def test_native_is_a_gap_to_trees_and_the_median_to_linear_models(nasty: pd.DataFrame):
    plan = plan_for(nasty)
    X = RowFeatures(plan).transform(nasty)
    gaps = nasty["a b"].isna().to_numpy()
    for family in ("forest", "boosting"):
        assert np.isnan(column(fitted(nasty, plan, family), X, "a b")[gaps]).all()
    linear = column(fitted(nasty, plan, "linear"), X, "a b")
    assert len(np.unique(linear[gaps])) == 1
    assert np.isfinite(linear).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_missing_level_is_the_commonest_one_or_a_constant_for_every_family(nasty: pd.DataFrame, family: str):
    commonest = nasty["🙂"].value_counts().sort_index().idxmax()
    for own, level in (({"missing": "most_frequent"}, commonest), ({"missing": "constant", "fill_value": "z"}, "z")):
        plan = plan_for(nasty, columns={"🙂": {**own, "indicator": False}})
        prepare, rows = fitted(nasty, plan, family), RowFeatures(plan)
        row = nasty.head(1)
        gap, filled = (prepare.transform(rows.transform(row.assign(**{"🙂": value}))) for value in (None, level))
        assert np.array_equal(gap, filled, equal_nan=True)


def test_a_level_that_was_filled_in_is_told_apart_and_leaves_boosting_its_categories(nasty: pd.DataFrame):
    plan = plan_for(nasty, columns={"🙂": {"missing": "most_frequent"}})
    prepare = fitted(nasty, plan, "boosting")
    names = prepare.get_feature_names_out()
    assert [name.startswith("levels") for name in names] == [place < native_categories(plan) for place in range(len(names))]
    flags = prepare.transform(RowFeatures(plan).transform(nasty))[:, [name.startswith("level_missing") for name in names]]
    assert flags.astype(bool).ravel().tolist() == nasty["🙂"].isna().tolist()


def test_a_column_of_levels_without_a_gap_gets_no_flag(nasty: pd.DataFrame):
    plan = plan_for(nasty, missing={"categorical": "most_frequent"})
    flags = [name for name in fitted(nasty, plan, "boosting").get_feature_names_out() if name.startswith("level_missing")]
    assert flags == ["level_missing__missingindicator_🙂"]


def test_many_levels_are_filled_in_before_their_means_are_learnt(nasty: pd.DataFrame):
    frame = nasty.assign(many=nasty["many"].where(nasty.index % 4 > 0))
    plan = plan_for(frame, max_levels=5, columns={"many": {"missing": "constant", "fill_value": "level 1"}})
    prepare = fitted(frame, plan, "forest")
    names = prepare.get_feature_names_out().tolist()
    made = prepare.transform(RowFeatures(plan).transform(frame))[:, names.index("many_levels__many: log count")]
    filled = (frame["many"].isna() | (frame["many"] == "level 1")).sum()
    assert made[frame["many"].isna()].tolist() == pytest.approx([np.log1p(filled)] * int(frame["many"].isna().sum()))


def test_a_missing_date_becomes_one_coherent_date(nasty: pd.DataFrame):
    plan = plan_for(nasty, columns={"when": {"missing": "constant", "fill_value": "2021-03-04"}})
    prepare, X = fitted(nasty, plan, "forest"), RowFeatures(plan).transform(nasty)
    parts = {part: column(prepare, X, f"when: {part}")[0] for part in ("year", "month", "day", "weekday", "day number")}
    assert parts == {"year": 2021, "month": 3, "day": 4, "weekday": 3, "day number": 18690}


def test_a_missing_boolean_becomes_the_commonest_value(nasty: pd.DataFrame):
    plan = plan_for(nasty, columns={"flag": {"missing": "most_frequent"}})
    made = column(fitted(nasty, plan, "boosting"), RowFeatures(plan).transform(nasty), "flag")
    assert set(made[nasty["flag"].isna().to_numpy()]) == {float(nasty["flag"].dropna().mode().iloc[0])}


def test_a_missing_text_is_filled_in_with_words():
    frame = with_words(pd.DataFrame({"x": range(60), "label": [0, 1] * 30}))
    plan = plan_for(frame, columns={"words": {"missing": "constant", "fill_value": "the customer said thing"}})
    prepare, rows = fitted(frame, plan, "forest"), RowFeatures(plan)
    row = frame.head(1)
    texts = [prepare.transform(rows.transform(row.assign(words=text))) for text in (None, "the customer said thing")]
    topics = [name.startswith("text_0") for name in prepare.get_feature_names_out()]
    assert np.array_equal(texts[0][:, topics], texts[1][:, topics])
    assert not np.array_equal(texts[0], texts[1])  # the flag tells them apart


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("policy", [EVERYTHING_FILLED, CONSTANTS], ids=["filled", "constants"])
def test_a_fold_in_which_columns_are_all_missing_fits_and_answers(nasty: pd.DataFrame, family: str, policy: dict):
    plan = plan_for(nasty, **policy)
    X = RowFeatures(plan).fit_transform(nasty)
    empty = X.assign(**{"a b": np.nan, "flag": np.nan, "🙂": "(missing)"})
    prepare = preprocessor(plan, family).fit(empty, nasty["label"].to_numpy())
    matrix = np.asarray(prepare.transform(X), dtype=np.float64)
    start = native_categories(plan) if family == "boosting" else 0  # to boosting, a level never seen is a gap
    assert np.isfinite(matrix[:, start:]).all()


def test_outliers_of_one_column_leave_the_others_alone(nasty: pd.DataFrame):
    frame = nasty.assign(x=np.r_[np.arange(59.0), 1e6], y2=np.r_[1e6, np.arange(59.0)])
    plan = plan_for(frame, columns={"x": {"outliers": "clip"}})
    prepare, X = fitted(frame, plan, "forest"), RowFeatures(plan).transform(frame)
    assert column(prepare, X, "x").max() < 200
    assert column(prepare, X, "y2").max() == 1e6


@pytest.mark.parametrize("family", FAMILIES)
def test_limits_and_fill_values_come_from_the_training_rows_alone(nasty: pd.DataFrame, family: str):
    plan = plan_for(nasty, missing={"numeric": "mean"}, outliers={"numeric": "clip"})
    X, y = RowFeatures(plan).fit_transform(nasty), nasty["label"].to_numpy()
    changed = X.copy()
    changed.iloc[40:, [list(X.columns).index(name) for name in ("a b", "whole")]] = 1e9
    one, other = (preprocessor(plan, family).fit(rows.iloc[:40], y[:40]) for rows in (X, changed))
    assert np.array_equal(one.transform(X), other.transform(X), equal_nan=True)
    everything = preprocessor(plan, family).fit(changed, y)
    assert not np.array_equal(one.transform(X), everything.transform(X), equal_nan=True)  # so that the former could have failed
