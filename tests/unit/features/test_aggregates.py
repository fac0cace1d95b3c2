"""Figures within groups: learnt where it is fitted, looked up for any row."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from tests.unit.features.conftest import contract_of, make_case

from gristmill.errors import DataError
from gristmill.features.aggregates import GroupAggregates
from gristmill.features.builder import make_plan
from gristmill.features.catalogue import catalogue
from gristmill.features.preparation import encoder_of, preprocessor
from gristmill.features.rows import RowFeatures
from gristmill.modeling.artifact.persistence import dump_pipeline, load_pipeline_bytes

FRAME = pd.DataFrame({"g": ["a", "a", "b", "b", "c"], "h": list("uvuvu"), "x": [1.0, 3.0, 5.0, np.nan, np.nan]})


def of(statistic: str, by: tuple[str, ...] = ("g",), x: str | None = "x") -> dict:
    return {"name": "made", "statistic": statistic, "of": x, "by": list(by)}


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [("mean", [2, 2, 5, 5, 3]), ("maximum", [3, 3, 5, 5, 5]), ("median", [2, 2, 5, 5, 3]), ("count", [2, 2, 1, 1, 0])],
)
def test_missing_numbers_do_not_count_and_a_group_without_any_has_the_figure_of_all(statistic: str, expected: list[float]):
    assert GroupAggregates([of(statistic)]).fit_transform(FRAME)["made"].tolist() == expected


def test_the_spread_of_a_single_number_is_that_of_all():
    made = GroupAggregates([of("std")]).fit_transform(FRAME)["made"]
    assert made.tolist() == pytest.approx([2**0.5, 2**0.5, 2, 2, 2])


def test_a_level_never_seen_has_the_figure_of_all_and_the_count_zero():
    fitted = GroupAggregates([of("mean"), {**of("count"), "name": "n"}, {**of("difference"), "name": "d"}]).fit(FRAME)
    made = fitted.transform(pd.DataFrame({"g": ["new"], "h": ["u"], "x": [10.0]}))
    assert made.iloc[0, 3:].tolist() == [3.0, 0.0, 7.0]


def test_several_columns_make_groups_together():
    assert GroupAggregates([of("count", ("g", "h"), None)]).fit_transform(FRAME)["made"].tolist() == [1] * 5


def test_one_row_alone_gets_what_it_gets_among_others():
    fitted = clone(GroupAggregates([of("mean"), {**of("difference"), "name": "d"}])).fit(FRAME)
    whole = fitted.transform(FRAME)
    pd.testing.assert_frame_equal(pd.concat([fitted.transform(FRAME.iloc[[row]]) for row in range(5)]), whole)
    assert fitted.get_feature_names_out().tolist() == list(whole.columns)


def plan_of(frame: pd.DataFrame, **features) -> dict:
    case = make_case(features=features)
    return make_plan(frame, case, contract_of(frame, case))


ASKED = [{"by": "kind", "of": "whole", "statistics": ["mean", "difference"]}, {"by": ["kind", "🙂"], "statistics": ["count"]}]


@pytest.mark.parametrize("family", ["linear", "forest", "boosting", "neural"])
def test_every_family_gets_them_and_its_steps_can_be_stored(nasty: pd.DataFrame, family: str):
    plan = plan_of(nasty, aggregations=ASKED)
    X = RowFeatures(plan).transform(nasty)
    prepare = preprocessor(plan, family).fit(X.iloc[:40], nasty["label"].to_numpy()[:40])
    names = [name for name in prepare.get_feature_names_out() if name.startswith("added__")]
    assert names == [
        "added__mean of whole within kind",
        "added__whole minus its mean within kind",
        "added__count within kind and 🙂",
    ]
    again = load_pipeline_bytes(dump_pipeline(prepare))
    assert np.array_equal(again.transform(X), prepare.transform(X), equal_nan=True)
    assert encoder_of(again).transformers_[-1][0] in ("added", "cycles")


def test_they_are_learnt_on_the_training_rows_of_a_fold_alone(nasty: pd.DataFrame):
    plan = plan_of(nasty, aggregations=ASKED)
    X = RowFeatures(plan).transform(nasty)
    prepare = preprocessor(plan, "forest").fit(X.iloc[:40], nasty["label"].to_numpy()[:40])
    row = X.iloc[[50]]
    train = X.iloc[:40]
    expected = train.loc[train["kind"] == row["kind"].iloc[0], "whole"].mean()
    names = prepare.get_feature_names_out().tolist()
    assert prepare.transform(row)[0, names.index("added__mean of whole within kind")] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"by": "nothing", "of": "whole"}, "`by: nothing`"),
        ({"by": "kind", "of": "🙂"}, "`of: 🙂`"),
        ({"by": "kind", "of": "label"}, "`of: label`"),
    ],
)
def test_what_is_no_feature_is_refused_with_those_that_are(nasty: pd.DataFrame, asked: dict, message: str):
    with pytest.raises(DataError, match=f"{message}, which is not one of the features that it may name: .*whole"):
        plan_of(nasty, aggregations=[asked])


def test_a_statistic_without_a_number_is_refused():
    with pytest.raises(ValueError, match="need a number: add `of: COLUMN`"):
        make_case(features={"aggregations": [{"by": "kind"}]})


def test_they_are_in_the_catalogue_and_in_the_version_of_the_plan(nasty: pd.DataFrame):
    plan = plan_of(nasty, aggregations=ASKED)
    pages = {page["name"]: page for page in catalogue(plan, RowFeatures(plan).transform(nasty), nasty["label"])["features"]}
    page = pages["count within kind and 🙂"]
    assert page["source_columns"] == ["kind", "🙂"]
    assert page["statistics"]["maximum"] == nasty.groupby(["kind", "🙂"], dropna=False, observed=True).size().max()
    assert pages["mean of whole within kind"]["source_columns"] == ["whole", "kind"]
    assert plan["version"] != plan_of(nasty)["version"]
