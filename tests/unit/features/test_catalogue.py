"""The catalogue says what each feature means (R15)."""

import numpy as np
import pandas as pd
import pytest
from tests.unit.features.conftest import contract_of, make_case

from gristmill.features.builder import make_plan
from gristmill.features.catalogue import as_table, catalogue
from gristmill.features.rows import RowFeatures


@pytest.fixture
def pages(nasty: pd.DataFrame) -> dict:
    case = make_case()
    plan = make_plan(nasty, case, contract_of(nasty, case))
    return catalogue(plan, RowFeatures(plan).fit_transform(nasty), nasty[case.target])


def page(pages: dict, name: str) -> dict:
    return next(entry for entry in pages["features"] if entry["name"] == name)


def test_every_feature_has_a_page_with_the_version_of_the_plan(pages: dict):
    assert {entry["version"] for entry in pages["features"]} == {pages["version"]}
    assert page(pages, "when: month")["meaning"] == "the month of when"
    assert page(pages, "when: month")["source_columns"] == ["when"]


def test_numbers_have_quantiles_and_levels_have_shares(pages: dict, nasty: pd.DataFrame):
    whole = page(pages, "whole")["statistics"]
    assert whole["mean"] == pytest.approx(nasty["whole"].mean())
    assert whole["missing_share"] == pytest.approx(nasty["whole"].isna().mean())
    smile = page(pages, "🙂")
    assert smile["type"] == "category"
    assert sum(smile["statistics"]["most_frequent"].values()) == pytest.approx(1)


def test_what_was_left_out_is_in_it_too(pages: dict):
    assert {"column": "empty", "reason": "it is missing in every row"} in pages["dropped"]


def test_what_all_rows_propose_is_in_it_with_what_it_explains():
    random = np.random.default_rng(0)
    table = pd.DataFrame({name: random.uniform(1, 9, 800) for name in ("debt", "income", "age")})
    table["late"] = np.where(table["debt"] / table["income"] + random.normal(0, 0.1, 800) > 1, "yes", "no")
    case = make_case(target="late", positive_class="yes", features={"proposals": 1})
    plan = make_plan(table, case, contract_of(table, case))
    pages = catalogue(plan, RowFeatures(plan).fit_transform(table), table["late"])
    proposed = pages["features"][-1]
    assert set(proposed["source_columns"]) == {"debt", "income"}
    assert "proposed inside the folds; on all training rows it explains" in proposed["meaning"]
    assert "of what the columns one by one leave to linear models and networks" in proposed["meaning"]
    assert proposed["statistics"]["missing_share"] == 0


def test_figures_are_told_in_words(pages: dict, nasty: pd.DataFrame):
    table = as_table(pages)
    assert list(table.index) == [entry["name"] for entry in pages["features"]]
    assert "{" not in "".join(table["figures"])
    assert f"median {nasty['whole'].median():g}" in table.loc["whole", "figures"]
    assert f"{100 * nasty['whole'].isna().mean():.1f} % missing" in table.loc["whole", "figures"]
    assert "levels: " in table.loc["🙂", "figures"]
