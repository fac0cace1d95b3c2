"""From members to candidates, with a truth that is known."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from tests.unit.modeling.conftest import make_frame

from gristmill.metrics.scores import score
from gristmill.modeling.choice.assembling import candidates, plan_milliseconds
from gristmill.modeling.choice.candidates import choose
from gristmill.modeling.choice.members import Member
from gristmill.modeling.choice.selection import final_estimator
from gristmill.modeling.choice.stacking import MetaModel, StackedClassifier, StackedRegressor
from gristmill.modeling.families.catalogue import portfolio
from gristmill.modeling.families.problem import Problem
from gristmill.modeling.latency import COMPILED, PIPELINE
from gristmill.modeling.training_rows import TrainingRows

N = 1500


def planted(y: np.ndarray, n_folds: int = 5) -> TrainingRows:
    """Return rows of which only the truth and the folds matter."""
    fold = pd.Series(np.arange(len(y)) % n_folds)
    folds = [(np.flatnonzero(fold != number), np.flatnonzero(fold == number)) for number in range(n_folds)]
    n_classes = 0 if y.dtype.kind == "f" else int(y.max()) + 1
    classes = tuple("abc"[:n_classes])
    return TrainingRows(pd.DataFrame(index=fold.index), y, fold, folds, classes, Problem({"n_classes": n_classes}, len(y), 100))


def member(name: str, oof: np.ndarray, row_ms: float = 10.0, form: str = PIPELINE) -> Member:
    return Member(name, name.partition(" #")[0], {}, row_ms, form, oof)


def members_of(**oof: np.ndarray) -> dict[str, Member]:
    return {name: member(name, values) for name, values in oof.items()}


def proba(positive: np.ndarray) -> np.ndarray:
    return np.column_stack([1 - positive, positive])


def test_models_that_complement_each_other_are_stacked():
    random = np.random.default_rng(0)
    views = random.normal(size=(2, N)) * 2
    y = (random.random(N) < expit(views.sum(axis=0))).astype(int)
    found = candidates(planted(y), "log_loss", members_of(linear=proba(expit(views[0])), forest=proba(expit(views[1]))), 1.0)
    choice = choose("log_loss", found)
    assert choice.candidate.name == "stack of 2"
    blended = next(one for one in found if one.name == "ensemble of 2")
    alone = min(one.score for one in found if len(one.weights) == 1)
    assert choice.candidate.score < blended.score - 0.02 < alone - 0.04


def test_numbers_that_complement_each_other_are_stacked():
    random = np.random.default_rng(0)
    parts = random.normal(size=(2, N))
    y = parts.sum(axis=0) + 0.1 * random.normal(size=N)
    found = candidates(planted(y), "rmse", members_of(linear=parts[0], boosting=parts[1]), 1.0)
    assert choose("rmse", found).candidate.name == "stack of 2"
    assert found[0].score == pytest.approx(0.1, abs=0.02)


def test_three_classes_are_stacked_and_blended():
    random = np.random.default_rng(0)
    truth = random.dirichlet([1, 1, 1], N)
    y = np.array([random.choice(3, p=row) for row in truth])
    noisy = [truth * random.uniform(0.3, 3, truth.shape) for _ in range(2)]
    first, second = (part / part.sum(axis=1, keepdims=True) for part in noisy)
    found = candidates(planted(y), "log_loss", members_of(linear=first, forest=second), 1.0)
    assert {one.name for one in found} == {"linear", "forest", "ensemble of 2", "stack of 2"}
    assert all(one.oof.sum(axis=1) == pytest.approx(1) for one in found)
    assert len(choose("log_loss", found).candidate.weights) == 2


def test_of_models_that_are_equally_good_the_simplest_is_chosen():
    random = np.random.default_rng(0)
    view = random.normal(size=N) * 2
    y = (random.random(N) < expit(view)).astype(int)
    same = {name: proba(expit(view + 0.01 * random.normal(size=N))) for name in ("forest", "boosting", "neural", "linear")}
    assert choose("roc_auc", candidates(planted(y), "roc_auc", members_of(**same), 1.0)).candidate.name == "linear"


def test_a_stack_is_judged_on_folds_that_its_weights_were_not_fitted_on():
    random = np.random.default_rng(0)
    y = random.normal(size=60)
    noise = {name: 0.05 * random.normal(size=60) for name in ("linear", "forest", "boosting", *(f"neural #{n}" for n in range(9)))}
    noise["neural"] = 0.05 * random.normal(size=60)
    rows = planted(y)
    stack = next(one for one in candidates(rows, "rmse", members_of(**noise), 1.0) if one.meta is not None)
    in_sample = stack.meta.transform([noise[name] for name in stack.weights])
    assert score("rmse", y, stack.oof) > score("rmse", y, in_sample) + 0.02
    assert stack.score == pytest.approx(np.mean([score("rmse", y[valid], stack.oof[valid]) for _, valid in rows.folds]))


def test_times_add_up_and_a_model_is_compiled_only_if_all_its_members_are():
    random = np.random.default_rng(0)
    y = random.integers(0, 2, 200)
    oof = [proba(np.clip(y + random.normal(0, 0.6, 200), 0.01, 0.99)) for _ in range(2)]
    fast = {"boosting": member("boosting", oof[0], 0.2, COMPILED), "linear": member("linear", oof[1], 8.0)}
    found = {one.name: one for one in candidates(planted(y), "log_loss", fast, 1.0, plan_ms=0.5)}
    assert (found["boosting"].row_ms, found["boosting"].form) == (0.7, COMPILED)
    assert (found["ensemble of 2"].row_ms, found["ensemble of 2"].form) == (8.7, PIPELINE)
    compiled = {name: replace(one, form=COMPILED) for name, one in fast.items()}
    assert {one.form for one in candidates(planted(y), "log_loss", compiled, 1.0)} == {COMPILED}


def test_another_configuration_stands_alone_only_where_it_alone_is_fast_enough():
    random = np.random.default_rng(0)
    y = random.integers(0, 2, 200)
    good, weaker = (proba(np.clip(y + random.normal(0, noise, 200), 0.01, 0.99)) for noise in (0.5, 0.7))
    kept = {"boosting": member("boosting", good, 1.5), "boosting #4": member("boosting #4", weaker, 0.4)}
    found = {limit: candidates(planted(y), "log_loss", kept, limit) for limit in (0.1, 1, 9)}
    alone = {limit: {one.name for one in several if len(one.weights) == 1} for limit, several in found.items()}
    assert alone == {0.1: {"boosting"}, 1: {"boosting", "boosting #4"}, 9: {"boosting"}}
    assert choose("log_loss", candidates(planted(y), "log_loss", kept, 1.0), 1.0).candidate.name == "boosting #4"


def test_one_member_makes_no_combination():
    y = np.arange(40) % 2
    assert [one.name for one in candidates(planted(y), "log_loss", members_of(linear=proba(y * 0.5 + 0.2)), 1.0)] == ["linear"]


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_stack_becomes_an_estimator_that_answers_as_its_parts_do(task: str, request: pytest.FixtureRequest):
    rows: TrainingRows = request.getfixturevalue(f"{task}_rows")
    n_classes, names = rows.problem.n_classes, ["linear", "linear #1"]
    answers = [np.full((len(rows.y), n_classes), 1 / n_classes) if n_classes else rows.y * 1.0 for _ in names]
    weights = MetaModel(n_classes).fit(answers, rows.y)
    params = dict(zip(names, portfolio("linear", rows.problem), strict=False))
    fitted = final_estimator(dict.fromkeys(names, 0.5), params, rows.problem, None, weights).fit(rows.X, rows.y)
    assert isinstance(fitted, StackedClassifier if n_classes else StackedRegressor)
    method = "predict_proba" if n_classes else "predict"
    parts = [getattr(part, method)(rows.X) for part in fitted.estimators_]
    assert getattr(fitted, method)(rows.X) == pytest.approx(weights.transform(parts))
    assert not np.allclose(parts[0], parts[1])


def test_the_row_wise_features_are_timed(binary_rows: TrainingRows):
    assert plan_milliseconds(binary_rows.problem.plan, make_frame()) > 0
