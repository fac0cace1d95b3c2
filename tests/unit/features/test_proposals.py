"""Combinations of columns are added where they explain what the columns one by one do not, and nowhere else."""

import numpy as np
import pandas as pd
import pytest

from gristmill.features.choices import choices
from gristmill.features.preparation import preprocessor
from gristmill.features.proposals import Proposals
from gristmill.features.unfitted import require_unfitted
from gristmill.modeling.artifact.persistence import dump_pipeline, load_pipeline_bytes


def table(n_rows: int = 800, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    columns = {name: random.uniform(1, 9, n_rows) for name in ("debt", "income", "age")}
    return pd.DataFrame({**columns, "group": random.choice(list("abcd"), n_rows).astype(object)})


def outcome(X: pd.DataFrame, signal: pd.Series) -> np.ndarray:
    return (signal + np.random.default_rng(1).normal(size=len(X)) * signal.std() * 0.5).to_numpy()


def names(fitted: Proposals) -> list[str]:
    return [recipe["name"] for recipe in fitted.recipes_]


def test_a_ratio_or_a_product_that_the_target_is_made_of_is_found():
    X = table()
    assert names(Proposals(1).fit(X, outcome(X, X["debt"] / X["income"])))[0] in {"debt / income", "income / debt"}
    assert names(Proposals(1).fit(X, outcome(X, X["debt"] * X["age"])))[0] in {"debt × age", "age × debt"}  # noqa: RUF001


def test_trees_get_what_betters_trees():
    X = table()
    fitted = Proposals(1, first_model="trees").fit(X, outcome(X, np.cos(4 * X["debt"] / X["income"]) + X["debt"] / X["income"]))
    assert names(fitted)[0] in {"debt / income", "income / debt"}
    assert fitted.recipes_[0]["gain"] > 0.05


def test_what_each_column_tells_by_itself_is_no_reason_to_add_anything():
    X = table()
    assert names(Proposals(5).fit(X, outcome(X, np.sqrt(X["debt"]) + (X["income"] - 5) ** 2 / 4 + (X["group"] == "a")))) == []


def test_noise_gives_nothing():
    X = table()
    for seed in range(5):
        assert names(Proposals(5).fit(X, np.random.default_rng(seed).integers(0, 2, len(X)))) == []


def test_classes_are_explained_as_numbers_are():
    X = table()
    y = (X["debt"] * X["income"] > 25).to_numpy().astype(int)
    assert {"debt", "income"} == {Proposals(1, n_classes=2).fit(X, y).recipes_[0][key] for key in ("of", "with")}
    three = np.digitize(X["debt"] / X["income"], [0.6, 1.6])
    assert {"debt", "income"} == {Proposals(1, n_classes=3).fit(X, three).recipes_[0][key] for key in ("of", "with")}


def test_the_same_rows_give_the_same_features_alone_and_stored():
    X = table()
    fitted = Proposals(2).fit(X, outcome(X, X["debt"] / X["income"]))
    assert names(fitted) == names(Proposals(2).fit(X, outcome(X, X["debt"] / X["income"])))
    whole = fitted.transform(X)
    again = load_pipeline_bytes(dump_pipeline(fitted))
    pd.testing.assert_frame_equal(pd.concat([again.transform(X.iloc[[row]]) for row in range(3)]), whole.head(3))
    assert fitted.get_feature_names_out().tolist() == list(whole.columns)


def test_values_stay_in_the_range_that_was_seen_and_a_level_never_seen_has_the_mean_of_all():
    X = table()
    fitted = Proposals(1).fit(X, outcome(X, X["debt"] / X["income"]))
    strange = pd.DataFrame({"debt": [1e9, np.nan], "income": [0.0, 1.0], "age": [1.0, 1.0], "group": ["new", "a"]})
    made = fitted.transform(strange)[names(fitted)[0]]
    seen = fitted.transform(X)[names(fitted)[0]]
    assert made.isna().iloc[1]
    assert not made.iloc[0] > seen.max()


@pytest.mark.parametrize("columns", [101, 1])
def test_wide_and_tiny_tables_are_left_alone(columns: int):
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(300 if columns > 1 else 50, columns))).add_prefix("c")
    assert Proposals(3).fit(X, X["c0"].to_numpy()).transform(X) is X


def test_a_family_gets_them_as_numbers_and_says_why():
    X = table()
    features = [{"name": name, "source": name, "step": "number", "levels": 800} for name in ("debt", "income", "age")]
    features.append({"name": "group", "source": "group", "step": "level", "levels": 4, "has_gaps": False})
    settings = {"rare_level_share": 0.005, "max_levels": 30, "proposals": 1}
    plan = {"features": features, "settings": settings, "n_classes": 0, "rows": 800}
    require_unfitted(plan)
    prepare = preprocessor(plan, "linear", "quantile").fit(X, outcome(X, X["debt"] / X["income"]))
    (choice,) = choices({"linear": prepare})
    assert choice["choice"] == "added"
    assert choice["reason"].startswith("it explains ")
    assert prepare.get_feature_names_out().tolist()[-1] == f"added__{choice['feature']}"
    assert np.isfinite(prepare.transform(X.assign(income=0.0))).all()
