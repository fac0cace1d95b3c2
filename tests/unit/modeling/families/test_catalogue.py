"""The families: their known-good configurations fit any task, answer unseen values and can be stored without pickle."""

import numpy as np
import optuna
import pandas as pd
import pytest
from sklearn.base import clone
from tests.unit.modeling.conftest import make_rows

from gristmill.modeling.artifact.persistence import dump_pipeline, load_pipeline_bytes
from gristmill.modeling.families.catalogue import build, portfolio, suggest
from gristmill.modeling.threads import one_core

FAMILIES = ("linear", "forest", "boosting", "neural")
TASKS = ("binary", "multiclass", "regression")
each_family = pytest.mark.parametrize("family", FAMILIES)
each_task = pytest.mark.parametrize("task", TASKS)


@each_family
@each_task
def test_every_known_good_configuration_survives_storage(family: str, task: str):
    rows = make_rows(task, n_rows=40)
    for params in portfolio(family, rows.problem):
        short = params | {name: 5 for name in ("trees", "rounds", "epochs") if name in params}
        with one_core():
            fitted = build(family, short, rows.problem).fit(rows.X, rows.y)
        again = load_pipeline_bytes(dump_pipeline(fitted))
        method = "predict" if task == "regression" else "predict_proba"
        assert np.array_equal(getattr(fitted, method)(rows.X), getattr(again, method)(rows.X))


@each_family
def test_levels_never_seen_are_answered(family: str):
    rows = make_rows("binary", n_rows=60)
    with one_core():
        model = build(family, portfolio(family, rows.problem)[0], rows.problem).fit(rows.X, rows.y)
    strange = pd.DataFrame({"x": [np.nan], "c": ["never seen"], "noise": [1e30]})
    proba = model.predict_proba(strange)
    assert np.isfinite(proba).all()
    assert proba.sum() == pytest.approx(1)


@each_family
@each_task
def test_a_search_proposes_what_can_be_built(family: str, task: str):
    rows = make_rows(task, n_rows=40)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    for _ in range(3):
        params = suggest(family, study.ask(), rows.problem)
        known = [one for one in portfolio(family, rows.problem) if one.get("library") == params.get("library")]
        assert set(params) >= set(known[0]) - {"target"}
        clone(build(family, params, rows.problem))


def test_a_skewed_target_is_tried_on_the_logarithmic_scale_first():
    rows = make_rows("regression")
    assert [params["target"] for params in portfolio("forest", rows.problem)[:2]] == ["log", "linear"]


def test_trees_of_large_tables_are_bounded():
    rows = make_rows("binary", n_rows=40)
    problem = type(rows.problem)(rows.problem.plan, 300_000, 1000)
    forest = build("forest", portfolio("forest", problem)[0], problem)["model"].estimator
    assert forest.min_samples_leaf == 60
    assert forest.max_samples == pytest.approx(1 / 6)
