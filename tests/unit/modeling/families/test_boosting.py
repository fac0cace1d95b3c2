"""The boosting libraries: they repeat themselves, watch themselves, can be shortened and stored, and take any rows."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.metrics import log_loss, root_mean_squared_error
from tests.unit.modeling.conftest import make_rows

from gristmill.errors import ArtifactError
from gristmill.modeling.artifact.persistence import dump_pipeline, load_pipeline_bytes
from gristmill.modeling.families import boosting
from gristmill.modeling.families.catboost_trees import CatBoostTreesClassifier, CatBoostTreesRegressor
from gristmill.modeling.families.grown_trees import patience_of
from gristmill.modeling.families.histogram_trees import HistogramTreesClassifier, HistogramTreesRegressor
from gristmill.modeling.families.lightgbm_trees import LightGBMTreesClassifier, LightGBMTreesRegressor
from gristmill.modeling.threads import one_core

LIBRARIES = {
    "lightgbm": (LightGBMTreesClassifier, LightGBMTreesRegressor),
    "catboost": (CatBoostTreesClassifier, CatBoostTreesRegressor),
    "histogram": (HistogramTreesClassifier, HistogramTreesRegressor),
}
TASKS = ("binary", "multiclass", "regression")
each_library = pytest.mark.parametrize("library", LIBRARIES)
each_task = pytest.mark.parametrize("task", TASKS)
Table = tuple[NDArray[np.float64], NDArray[Any]]


@pytest.fixture(autouse=True)
def _alone() -> Iterator[None]:
    """Keep every fit on one core, as training does."""
    with one_core():
        yield


def table(task: str = "binary", n_rows: int = 240, seed: int = 0) -> Table:
    """Return a matrix of one column of codes and three of numbers, with gaps, and a target that codes and numbers make."""
    random = np.random.default_rng(seed)
    X = np.column_stack([random.integers(0, 12, n_rows), random.normal(size=(n_rows, 3))]).astype(np.float64)
    signal = 2 * X[:, 1] + 2 * np.isin(X[:, 0], (2, 7)) + 0.5 * random.normal(size=n_rows)
    X[random.random(X.shape) < 0.05] = np.nan
    return X, {"binary": (signal > 0.5) * 1, "multiclass": np.digitize(signal, [-1, 1]), "regression": signal}[task]


def model(library: str, task: str, **settings: Any) -> Any:
    settings = {"rounds": 12, "learning_rate": 0.3, "min_samples_leaf": 5, "categories": 1, **settings}
    if library == "catboost":
        settings.pop("min_samples_leaf")
    return LIBRARIES[library][task == "regression"](**settings)


def answer(fitted: Any, X: NDArray[np.float64]) -> NDArray[np.float64]:
    return fitted.predict_proba(X) if hasattr(fitted, "predict_proba") else fitted.predict(X)


def watched(library: str, task: str, **settings: Any) -> tuple[Any, Table, Table]:
    X, y = table(task)
    train, valid = (X[:160], y[:160]), (X[160:], y[160:])
    return model(library, task, **settings).fit_watched(*train, *valid), train, valid


@each_library
@each_task
def test_what_was_learnt_is_better_than_nothing(library: str, task: str) -> None:
    X, y = table(task)
    fitted = model(library, task, rounds=30).fit(X[:160], y[:160])
    if task == "regression":
        assert root_mean_squared_error(y[160:], fitted.predict(X[160:])) < 0.6 * np.std(y)
    else:
        assert (fitted.predict(X[160:]) == y[160:]).mean() > 0.75
        assert fitted.predict_proba(X).sum(axis=1) == pytest.approx(1)


@each_library
@each_task
def test_a_truncated_model_is_the_one_that_was_grown_so_far_and_no_further(library: str, task: str) -> None:
    fitted, train, _ = watched(library, task)
    plain = clone(fitted).set_params(rounds=5).fit(*train)
    assert np.array_equal(answer(fitted.truncated(5), train[0]), answer(plain, train[0]))
    assert not np.array_equal(answer(fitted, train[0]), answer(plain, train[0]))


@each_library
@each_task
def test_the_curve_is_the_loss_of_the_validation_rows_after_each_round(library: str, task: str) -> None:
    fitted, _, (X_valid, y_valid) = watched(library, task)
    for stages in (1, 4, len(fitted.curve_)):
        predicted = answer(fitted.truncated(stages), X_valid)
        loss = root_mean_squared_error(y_valid, predicted) if task == "regression" else log_loss(y_valid, predicted)
        assert fitted.curve_[stages - 1] == pytest.approx(loss, rel=1e-5)
        assert len(fitted.truncated(stages).curve_) == stages


@each_library
def test_growing_ends_when_the_validation_rows_gain_nothing(library: str) -> None:
    fitted, _, _ = watched(library, "binary", rounds=3_000, learning_rate=0.3)
    best = int(np.argmin(fitted.curve_)) + 1
    assert len(fitted.curve_) == best + patience_of(0.3)
    assert clone(fitted).set_params(rounds=2).fit(*table()).truncated(9).rounds == 9  # more than there are gives all


@each_library
def test_no_rounds_at_all_are_refused(library: str) -> None:
    with pytest.raises(ValueError, match="at least one round"):
        model(library, "binary").fit(*table()).truncated(0)


@each_library
def test_a_second_fit_forgets_the_curve_of_the_first(library: str) -> None:
    fitted, train, _ = watched(library, "binary")
    assert not hasattr(fitted.fit(*train), "curve_")


@each_library
@each_task
def test_the_same_rows_give_the_same_bytes_and_these_the_same_answers(library: str, task: str) -> None:
    X, y = table(task)
    first, second = (dump_pipeline(model(library, task, columns=0.5).fit(X, y)) for _ in range(2))
    assert first == second
    again = load_pipeline_bytes(first)
    assert np.array_equal(answer(again, X), answer(model(library, task, columns=0.5).fit(X, y), X))


@pytest.mark.parametrize("library", ["lightgbm", "catboost"])
def test_another_process_grows_the_same_bytes(library: str, repository: Path) -> None:
    code = (
        "import hashlib; from tests.unit.modeling.families.test_boosting import *;"
        f"print(hashlib.sha256(dump_pipeline(model('{library}', 'multiclass').fit(*table('multiclass')))).hexdigest())"
    )
    run = [sys.executable, "-c", code]
    other = subprocess.run(
        run, cwd=repository, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONHASHSEED": "7"}
    )

    mine = dump_pipeline(model(library, "multiclass").fit(*table("multiclass")))
    assert other.stdout.strip() == hashlib.sha256(mine).hexdigest()


@each_library
@each_task
def test_any_row_is_answered(library: str, task: str) -> None:
    fitted = model(library, task).fit(*table(task))
    for row in ([np.nan] * 4, [249.0, 1e300, -1e300, 0.0], [np.nan, 1e39, 0.0, np.nan], [3.0, 0.0, 0.0, 0.0]):
        assert np.isfinite(answer(fitted, np.array([row]))).all()


@each_library
@each_task
def test_one_row_is_answered_as_among_others(library: str, task: str) -> None:
    X, y = table(task)
    fitted = model(library, task).fit(X, y)
    alone = np.concatenate([answer(fitted, X[place : place + 1]) for place in range(30)])
    assert np.array_equal(alone, answer(fitted, X)[:30])


@each_library
@each_task
@pytest.mark.parametrize("filled", [0.0, np.nan])
def test_columns_that_never_vary_give_the_shares_or_the_mean(library: str, task: str, filled: float) -> None:
    X, y = np.full((60, 4), filled), table(task, 60)[1]
    fitted = model(library, task).fit_watched(X, y, X[:20], y[:20])
    shares = np.bincount(y) / 60 if task != "regression" else np.mean(y)
    assert answer(fitted, X[:3]) == pytest.approx(np.tile(shares, (3, 1)).reshape(answer(fitted, X[:3]).shape), abs=1e-6)
    assert answer(load_pipeline_bytes(dump_pipeline(fitted.truncated(1))), X[:1]) == pytest.approx(answer(fitted, X[:1]))
    assert np.ptp(fitted.curve_) == pytest.approx(0, abs=1e-6)


@each_library
@each_task
def test_a_column_without_a_value_beside_others_is_nothing(library: str, task: str) -> None:
    X, y = table(task)
    with_gaps = np.column_stack([X, np.full(len(X), np.nan), np.full(len(X), 3.0)])
    assert np.isfinite(answer(model(library, task).fit(with_gaps, y), with_gaps)).all()


@each_library
def test_two_rows_of_a_class_are_enough(library: str) -> None:
    X, y = table("multiclass", 40)
    y = np.where(np.arange(40) < 2, 2, (X[:, 1] > 0) * 1)
    assert model(library, "multiclass").fit(X, y).predict_proba(X).shape == (40, 3)


@each_library
def test_a_table_of_codes_alone_is_learnt(library: str) -> None:
    X = np.arange(80.0).reshape(-1, 1) % 4
    fitted = model(library, "binary", rounds=30).fit(X, (X[:, 0] == 2) * 1)
    assert fitted.predict(np.arange(4.0).reshape(-1, 1)).tolist() == [0, 0, 1, 0]


@pytest.mark.parametrize("library", ["lightgbm", "catboost"])
def test_another_number_of_columns_is_refused(library: str) -> None:
    fitted = model(library, "binary").fit(*table())
    with pytest.raises(ValueError, match="matrix of 4 columns"):
        fitted.predict_proba(np.zeros((2, 3)))


@pytest.mark.parametrize("library", ["lightgbm", "catboost"])
def test_classes_that_are_no_codes_without_gaps_are_refused(library: str) -> None:
    with pytest.raises(ValueError, match=r"class codes 0, 1"):
        model(library, "binary").fit(np.zeros((4, 2)), [0, 2, 0, 2])


@pytest.mark.parametrize("library", ["lightgbm", "catboost"])
@pytest.mark.parametrize("damage", ["cut", "changed", "foreign", "no text"])
def test_a_forged_model_ends_in_a_sentence(library: str, damage: str) -> None:
    fitted = model(library, "binary").fit(*table())
    content = fitted.model_.copy()
    content[len(content) // 2] ^= 8
    foreign = model(library, "regression").fit(np.random.default_rng(0).normal(size=(50, 9)), np.arange(50.0)).model_
    forged = {"cut": fitted.model_[: len(content) // 2], "changed": content, "foreign": foreign, "no text": content[::-1]}
    fitted.model_ = np.ascontiguousarray(forged[damage])
    with pytest.raises(ArtifactError, match="cannot be rebuilt"):
        load_pipeline_bytes(dump_pipeline(fitted))


@pytest.mark.parametrize("library", ["lightgbm", "catboost"])
def test_training_writes_no_file_and_no_word(library: str, tmp_path: Path, monkeypatch: Any, capfd: Any) -> None:
    monkeypatch.chdir(tmp_path)
    watched(library, "binary")
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("library", "wrong"), [("lightgbm", {"learning_rate": -1.0}), ("catboost", {"depth": 99})])
def test_what_a_library_cannot_learn_is_a_value_error(library: str, wrong: dict[str, Any]) -> None:
    broken = model(library, "regression", **wrong)
    with pytest.raises(ValueError, match="cannot learn from these rows"):
        broken.fit(*table("regression"))


@each_task
def test_the_portfolio_begins_with_the_quickest_library_and_names_all(task: str) -> None:
    problem = make_rows(task).problem
    for n_rows in (100, 50_000, 3_000_000):
        libraries = [params["library"] for params in boosting.portfolio(replace(problem, n_rows=n_rows))]
        assert libraries[0] == "lightgbm"
        assert set(libraries) == set(LIBRARIES)


def test_huge_tables_are_sampled_in_few_bins_and_few_large_steps() -> None:
    problem = replace(make_rows("binary").problem, n_rows=3_000_000)
    params = boosting.portfolio(problem)[0]
    large = boosting.estimator(params, problem)
    assert large.rows == pytest.approx(1 / 6)
    assert (large.max_bins, large.rounds) == (63, 120)
    assert large.learning_rate > boosting.portfolio(replace(problem, n_rows=5_000))[0]["learning_rate"]
    small = boosting.estimator(params, replace(problem, n_rows=1_000))
    assert (small.rows, small.max_bins) == (params["rows"], 255)


def test_many_classes_get_fewer_rounds_and_larger_steps_within_bounds() -> None:
    problem = replace(make_rows("multiclass").problem, n_rows=5_000)
    few, ten, hundred, none = (
        boosting.portfolio(replace(problem, plan={**problem.plan, "n_classes": n_classes}))[0] for n_classes in (3, 10, 100, 0)
    )
    assert few["rounds"] * 3 == pytest.approx(ten["rounds"] * 10, rel=0.01)  # trees of all classes together
    assert few["learning_rate"] < ten["learning_rate"] < hundred["learning_rate"] <= 0.3
    assert (hundred["rounds"], none["rounds"]) == (60, few["rounds"])
