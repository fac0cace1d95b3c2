"""What is counted is what the fitted steps do: gaps, limits, levels never seen."""

import numpy as np
import pandas as pd
import pytest
from tests.unit.features.conftest import contract_of, make_case

from gristmill.features.builder import make_plan
from gristmill.features.preparation import preprocessor
from gristmill.features.rows import RowFeatures
from gristmill.features.treated import COUNTS, Treated, count, planned


def table(n_rows: int = 100) -> pd.DataFrame:
    """Return rows with a far-out number, gaps of every kind, and dates of several parts."""
    random = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "x": random.normal(size=n_rows),
            "c": random.choice(["a", "b", "c"], n_rows).astype(object),
            "flag": pd.array(random.choice([True, False], n_rows), dtype="boolean"),
            "when": pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 900, n_rows), "D"),
            "label": [0, 1] * (n_rows // 2),
        }
    )
    frame.loc[0, "x"] = 1e6
    frame.loc[1:4, "x"] = np.nan
    frame.loc[5:7, "c"] = None
    frame.loc[8:9, "flag"] = None
    frame.loc[10, "when"] = pd.NaT
    return frame


def made(frame: pd.DataFrame, families: tuple[str, ...], rows: pd.DataFrame | None = None, **features) -> Treated:
    case = make_case(features=features)
    plan = make_plan(frame, case, contract_of(frame, case))
    X, y = RowFeatures(plan).fit_transform(frame), frame["label"].to_numpy()
    fitted = {family: preprocessor(plan, family).fit(X, y) for family in families}
    return count(X if rows is None else RowFeatures(plan).transform(rows), plan, fitted)


def of(counts: Treated, name: str) -> dict:
    return next(column for column in counts.columns if column["column"] == name)


def test_by_default_trees_fill_in_nothing_and_linear_models_all_but_levels():
    trees, linear = made(table(), ("forest", "boosting")), made(table(), ("linear",))
    assert trees.totals == {"missing": 10, "filled": 0, "clipped": 0, "set_missing": 0, "unseen_levels": 0}
    assert {**linear.totals, "filled": 0} == trees.totals
    assert linear.totals["filled"] == 7
    assert of(linear, "c")["filled_by"] == []


def test_an_ensemble_says_which_of_its_members_fill_in():
    counts = made(table(), ("boosting", "linear"))
    assert of(counts, "x")["filled_by"] == ["linear"]
    assert of(counts, "x")["filled"] == 4


def test_a_date_counts_once_whatever_the_number_of_its_parts():
    assert of(made(table(), ("forest",)), "when")["missing"] == 1


def test_clipped_numbers_are_those_that_the_fitted_step_changes():
    frame = table()
    counts = made(frame, ("forest",), outliers={"numeric": "clip", "factor": 1.0})
    entry = of(counts, "x")
    values = frame["x"].to_numpy()
    clipped = np.clip(values, entry["lower"], entry["upper"])
    assert entry["clipped"] == int((clipped != values)[~np.isnan(values)].sum()) >= 1
    assert entry["set_missing"] == 0


def test_outliers_made_missing_are_filled_in_with_the_rest():
    counts = made(table(), ("forest",), outliers={"numeric": "missing", "factor": 5.0}, missing={"numeric": "median"})
    assert {key: of(counts, "x")[key] for key in COUNTS} == {
        "missing": 4, "filled": 5, "clipped": 0, "set_missing": 1, "unseen_levels": 0,
    }  # fmt: skip


@pytest.mark.parametrize("family", ["linear", "forest", "boosting"])
def test_levels_never_seen_are_counted_and_missing_ones_are_not_among_them(family: str):
    rows = table().assign(c=["new", "newer", None, *["a"] * 97])
    entry = of(made(table(), (family,), rows), "c")
    assert (entry["unseen_levels"], entry["missing"]) == (2, 1)


def test_a_level_that_is_missing_only_in_new_rows_is_missing_and_not_unseen():
    frame = table().assign(c=["a", "b"] * 50)
    entry = of(made(frame, ("linear",), table()), "c")
    assert (entry["missing"], entry["unseen_levels"]) == (3, int((table()["c"] == "c").sum()))


def test_levels_encoded_by_the_target_are_counted_too():
    entry = of(made(table(), ("forest",), table().assign(c="new"), max_levels=2), "c")
    assert entry["unseen_levels"] == 100


def test_the_plan_says_beforehand_what_the_model_then_does():
    frame = table()
    policy = {"outliers": {"numeric": "clip"}, "missing": {"numeric": "mean", "categorical": "most_frequent"}}
    case = make_case(features=policy)
    plan = make_plan(frame, case, contract_of(frame, case))
    before = planned(RowFeatures(plan).fit_transform(frame), plan, ["linear"])
    assert before == made(frame, ("linear",), **policy)


def test_chunks_add_up_to_the_whole():
    frame = table()
    whole = made(frame, ("linear",))
    parts = [made(frame, ("linear",), frame.iloc[start : start + 30]) for start in range(0, 100, 30)]
    total = parts[0]
    for part in parts[1:]:
        total = total.with_more(part)
    assert total == whole


def test_the_counts_are_said_in_a_table_in_words_and_as_metrics():
    counts = made(table(), ("linear",), outliers={"numeric": "clip"})
    assert counts.table.loc["x", ["missing", "filled by"]].tolist() == [4, "linear"]
    assert counts.sentence == "Missing values: 10, filled in: 7, outliers clipped: 1, values of a level never seen: 0"
    assert counts.metrics("test")["test_clipped_cells"] == 1.0
    assert counts.as_product()["rows"] == 100
