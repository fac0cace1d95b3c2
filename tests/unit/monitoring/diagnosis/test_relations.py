"""Columns that each look as before and no longer belong together, and features made of them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from gristmill.config.loading import parse_case
from gristmill.data.contract.schema import infer
from gristmill.features.builder import make_plan
from gristmill.features.rows import RowFeatures
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.modeling.artifact.model_directory import save_candidate
from gristmill.monitoring.diagnosis.account import CONCEPT
from gristmill.monitoring.diagnosis.diagnosing import diagnose
from gristmill.monitoring.diagnosis.relations import broken_relations
from gristmill.monitoring.diagnosis.suspects import RELATION

KINDS = {"income": "numeric", "distance": "numeric", "charge": "numeric", "region": "categorical", "age": "numeric"}


def homes(n_rows: int, seed: int) -> pd.DataFrame:
    """Return rows of which income, distance and region come from one other table, and charge goes with them."""
    rng = np.random.default_rng(seed)
    wealth = rng.normal(size=n_rows)
    frame = pd.DataFrame(
        {
            "income": np.exp(wealth + 0.3 * rng.normal(size=n_rows)),
            "distance": -wealth + 0.5 * rng.normal(size=n_rows),
            "region": np.where(wealth + rng.normal(size=n_rows) > 0, "north", "south"),
            "charge": wealth + rng.normal(size=n_rows),
            "age": rng.integers(18, 90, n_rows).astype(float),
        }
    )
    frame.loc[::9, "distance"] = np.nan
    return frame


def to_wrong_rows(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return rows with some columns' values of other rows."""
    order = np.random.default_rng(0).permutation(len(frame))
    return frame.assign(**{name: frame[name].to_numpy()[order] for name in columns})


def test_what_came_to_wrong_rows_is_on_the_other_side_of_what_it_went_with():
    window = to_wrong_rows(homes(1500, 2), ["income", "distance", "region"])
    (found,) = broken_relations(homes(2000, 1), window, KINDS, 0.05)
    assert {frozenset(side) for side in found.sides} == {frozenset({"income", "distance", "region"}), frozenset({"charge"})}
    assert "no longer go together (correlation 0.0" in found.words.replace("-0.0", "0.0")


def test_rows_like_the_reference_have_no_broken_relation():
    reference = homes(2000, 1)
    assert [seed for seed in range(2, 22) if broken_relations(reference, homes(600, seed), KINDS, 0.05)] == []


def test_a_column_without_values_or_with_one_value_is_no_relation():
    window = homes(600, 2).assign(distance=np.nan, region="north")
    assert broken_relations(homes(600, 1), window, KINDS, 0.05) == []


def pairs(n_rows: int, seed: int) -> pd.DataFrame:
    """Return two readings of one thing whose signs differ at random, so that only their sizes go together, and what follows."""
    rng = np.random.default_rng(seed)
    size = rng.gamma(2, 1, n_rows)
    signs = rng.choice([-1, 1], (2, n_rows))
    age = rng.normal(size=n_rows)
    one, two = signs * (size + 0.1 * rng.normal(size=(2, n_rows)))
    label = np.where(size + age + 0.5 * rng.normal(size=n_rows) > 2, "yes", "no")
    return pd.DataFrame({"one": one, "two": two, "age": age, "income": size, "charge": size * 2 + age, "label": label})


@pytest.fixture
def fitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return what fits a model of some columns, with a feature of the user's own made of the two readings."""
    (tmp_path / "configs").mkdir()
    (tmp_path / "pipeline.yaml").touch()
    (tmp_path / "configs" / "own.py").write_text(
        "def add(rows):\n    return rows.assign(gap=rows['one'].abs() - rows['two'].abs())[['gap']]\n"
    )
    monkeypatch.chdir(tmp_path)

    def fit(columns: list[str]) -> FittedModel:
        rows = pairs(3000, 5)[[*columns, "label"]]
        custom = ", features: {custom: 'own:add'}" if "two" in columns else ""
        case = parse_case(
            "{name: pairs, task: binary, source: rows.csv, target: label, positive_class: 'yes'" + custom + "}", "here"
        )
        contract = infer(rows, case)
        plan = make_plan(rows, case, contract)
        pipeline = make_pipeline(RowFeatures(plan), LogisticRegression(C=0.1))
        pipeline.fit(rows[columns], (rows["label"] == "yes").astype(int))
        model = {"task": "binary", "classes": contract["classes"], "target": "label", "feature_columns": columns, "threshold": None}
        save_candidate(tmp_path / "model", pipeline, model, contract, {"columns": {}}, "pairs")
        return FittedModel.load(tmp_path / "model")

    return fit


def test_of_what_no_longer_goes_together_the_part_that_explains_the_loss_is_named(fitted):
    window = to_wrong_rows(pairs(1500, 2), ["charge"])
    first = diagnose(fitted(["age", "income", "charge"]), pairs(2000, 1), window).causes[0]
    assert (first.kind, first.columns) == (RELATION, ("charge",))
    assert first.explained > 0.5


def test_a_feature_that_changed_names_the_columns_it_is_made_of(fitted):
    model = fitted(["one", "two", "age"])
    found = diagnose(model, pairs(2000, 1), to_wrong_rows(pairs(1500, 2), ["two"]))
    (torn,) = (one for one in found.causes if one.kind == RELATION)
    assert torn.columns == ("one", "two")
    assert "the feature 'gap' changed for" in torn.words
    assert "'one', 'two' each look as before" in torn.words
    quiet = diagnose(model, pairs(2000, 1), pairs(1500, 3))
    assert [one.kind for one in quiet.causes if one.kind != CONCEPT] == []
