"""The compiled form answers as the pipeline does, whatever the family, the task and what is built around it."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline
from tests.compiled_models import FAMILIES, Setting, setting, visits

from gristmill.modeling.choice.calibration import Calibrated, ProbabilityCalibrator
from gristmill.modeling.choice.ensembling import WeightedClassifier, WeightedRegressor
from gristmill.modeling.choice.stacking import MetaModel, StackedClassifier, StackedRegressor
from gristmill.modeling.families.catboost_trees import CatBoostTreesClassifier, CatBoostTreesRegressor
from gristmill.modeling.mitigation.group_thresholds import GroupThresholds
from gristmill.modeling.mitigation.grouping import learn_grouping
from gristmill.serving.compiled.compiling.estimators import compile_estimator
from gristmill.serving.compiled.compiling.symmetric import compile_symmetric_trees
from gristmill.serving.compiled.edge.export import export
from gristmill.serving.compiled.kernels.symmetric import Library, Symmetric
from gristmill.serving.compiled.parity import TOLERANCE, measure_parity
from gristmill.serving.predictor import Predictor

TASKS = ("binary", "multiclass", "regression")
ROWS = 1_200


@pytest.fixture(scope="module")
def settings() -> dict[str, Setting]:
    return {task: setting(task) for task in TASKS}


def require_alike(predictor: Predictor, train: pd.DataFrame) -> None:
    """Hold the compiled form against the pipeline on generated rows."""
    assert predictor.compiled, predictor.why_not_compiled
    found = measure_parity(predictor, train, ROWS, random_state=1)
    assert found.largest is not None
    assert found.largest <= TOLERANCE, found.sentence()
    assert (found.rows, found.alone) == (ROWS, ROWS // 20)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_alone(settings: dict[str, Setting], name: str, task: str) -> None:
    made = settings[task]
    require_alike(made.predictor(made.fitted(made.member(name))), made.frame)


@pytest.mark.parametrize("task", TASKS)
def test_a_weighted_ensemble(settings: dict[str, Setting], task: str) -> None:
    made = settings[task]
    members = [(name, made.member(name)) for name in ("linear", "lightgbm", "catboost", "random forest", "network")]
    kind = WeightedClassifier if made.classes else WeightedRegressor
    require_alike(made.predictor(made.fitted(kind(members, [0.3, 0.25, 0.2, 0.15, 0.1]))), made.frame)


@pytest.mark.parametrize("task", TASKS)
def test_a_stack(settings: dict[str, Setting], task: str) -> None:
    made = settings[task]
    rng, n_rows, n_classes = np.random.default_rng(2), len(made.target), len(made.classes)
    oof = [rng.dirichlet(np.ones(n_classes), n_rows) if n_classes else rng.normal(size=n_rows) for _ in range(2)]
    meta = MetaModel(len(made.classes)).fit(oof, made.target)
    meta.weights_ = np.array([0.7, 0.4])
    kind = StackedClassifier if made.classes else StackedRegressor
    members = [(name, made.member(name)) for name in ("linear", "histogram trees")]
    require_alike(made.predictor(made.fitted(kind(members, meta))), made.frame)


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
@pytest.mark.parametrize("task", TASKS[:2])
def test_calibrated_probabilities(settings: dict[str, Setting], task: str, method: str) -> None:
    made = settings[task]
    said = np.random.default_rng(3).dirichlet(np.ones(len(made.classes)), len(made.target))
    calibrator = ProbabilityCalibrator(method).fit(said, made.target)
    require_alike(made.predictor(made.fitted(Calibrated(made.member("extra trees"), calibrator))), made.frame)


@pytest.mark.parametrize("name", ["linear on splines", "lightgbm", "network"])
def test_what_the_case_asks_of_features(name: str) -> None:
    asked = (
        "date_cycles: true, proposals: 2, selection: correlation, max_correlation: 0.3, rare_level_share: 0.05, outliers: {numeric:"
        " clip}, missing: {numeric: mean, categorical: most_frequent}, aggregations: [{by: [plan], of: amount, statistics: [mean, "
        "count, difference]}, {by: [plan, calls], statistics: [count]}]"
    )
    made = setting("binary", asked, frame=visits(420))
    require_alike(made.predictor(made.fitted(made.member(name))), made.frame)


def test_augmented_training_rows() -> None:
    made = setting("multiclass", "augmentation: smote, augmentation_share: 0.8")
    require_alike(made.predictor(made.fitted(made.member("lightgbm"))), made.frame)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_what_all_trees_of_a_forest_are_sure_of_is_no_more_than_certain(n_classes: int) -> None:
    X = np.arange(60.0)[:, None]
    forest = RandomForestClassifier(n_estimators=100, random_state=0).fit(X, X[:, 0] // 20 % n_classes)
    compiled = compile_estimator(forest)
    said, alone = compiled.answer(X), np.vstack([compiled.answer(row[None, :]) for row in X])
    assert compiled.kernel.answer(X).max() > 1  # a hundred times 0.01, one after the other
    assert (said.min(), said.max()) == (0.0, 1.0)
    assert np.array_equal(said, alone)
    assert np.allclose(said, forest.predict_proba(X), rtol=0, atol=1e-14)


def test_a_target_that_is_learnt_as_its_logarithm(settings: dict[str, Setting]) -> None:
    made = settings["regression"]
    member = made.member("histogram trees")
    member.set_params(model__scale="log")
    require_alike(made.predictor(made.fitted(member)), made.frame)


def test_a_class_that_no_training_row_has(settings: dict[str, Setting]) -> None:
    made = settings["multiclass"]
    present = made.target != 1
    fewer = Setting(made.task, made.frame[present], made.contract, made.plan, made.target[present])
    require_alike(made.predictor(fewer.fitted(made.member("lightgbm"))), made.frame)


def test_training_rows_of_one_class(settings: dict[str, Setting]) -> None:
    made = settings["binary"]
    one = Setting(made.task, made.frame, made.contract, made.plan, np.ones_like(made.target))
    require_alike(made.predictor(one.fitted(made.member("random forest"))), made.frame)


@pytest.mark.parametrize("names", [["plan"], ["paperless", "amount"]])
def test_thresholds_by_group(settings: dict[str, Setting], names: list[str]) -> None:
    made = settings["binary"]
    grouping = learn_grouping(made.frame, names)
    groups = sorted(set(grouping.of(made.frame)))
    by_group = {group: 0.3 + 0.4 * place / len(groups) for place, group in enumerate(groups)}
    moved = GroupThresholds(grouping, by_group, 0.5, 0.5)
    plain = made.predictor(made.fitted(made.member("linear")))
    predictor = made.predictor(plain.model.pipeline, group_thresholds=moved)
    require_alike(predictor, made.frame)
    assert not np.allclose(predictor.frame_values(made.frame), plain.frame_values(made.frame))


def test_statistics_of_single_columns_are_looked_up_and_those_of_several_are_left_to_catboost(settings: dict[str, Setting]) -> None:
    def kernel(name: str) -> Any:
        made = settings["binary"]
        ready = made.predictor(made.fitted(made.member(name))).compiled_model
        assert ready is not None
        return ready.plan.answer.inner.kernel

    assert isinstance(kernel("catboost"), Symmetric)
    assert isinstance(kernel("catboost of two columns"), Symmetric | Library)


@pytest.mark.parametrize("kind", [CatBoostTreesClassifier, CatBoostTreesRegressor])
def test_catboost_trees_that_ask_nothing_among_others_that_do(kind: Any) -> None:
    rng = np.random.default_rng(0)
    X = np.hstack([rng.integers(0, 2, (400, 1)).astype(float), np.ones((400, 2))])
    model = kind(rounds=50, depth=2, rows=0.5, columns=0.5).fit(X, rng.integers(0, 2, 400))  # draws columns that tell nothing
    kernel = compile_symmetric_trees(model)
    assert isinstance(kernel, Symmetric)
    assert {0, 1} <= set((kernel.questions < len(kernel.columns)).sum(axis=0))
    np.testing.assert_allclose(kernel.answer(X), model._raw(X), rtol=0, atol=1e-12)


def test_a_defect_in_compiling_costs_no_build(settings: dict[str, Setting]) -> None:
    made = settings["binary"]
    pipeline = made.fitted(made.member("linear"))
    del pipeline[-1][-1].estimator_.coef_  # as another release of the library might have it
    predictor = made.predictor(pipeline)
    assert not predictor.compiled
    assert "please report it" in predictor.why_not_compiled


def with_members(made: Setting, members: int = 3) -> Pipeline:
    """Return a pipeline whose network is an ensemble in single precision, as PyTorch trains it, its weights drawn at random."""
    pipeline = made.fitted(made.member("network"))
    network, rng = pipeline[-1][-1].estimator_, np.random.default_rng(5)
    n_in, n_out = network.weights_["w_0"].shape[0], network.weights_["head_b"].shape[-1]

    def drawn(*shape: int) -> np.ndarray:
        return rng.normal(0, 0.4, shape).astype(np.float32)

    network.weights_ = {
        "r_0": drawn(members, n_in), "w_0": drawn(n_in, 8), "s_0": drawn(members, 8), "b_0": drawn(members, 8),
        "head_w": drawn(members, 8, n_out), "head_b": drawn(members, n_out),
    }  # fmt: skip
    return pipeline


@pytest.mark.parametrize("task", TASKS)
def test_an_ensemble_of_networks_in_single_precision(settings: dict[str, Setting], task: str, tmp_path: Path) -> None:
    made = settings[task]
    predictor = made.predictor(with_members(made))
    found = measure_parity(predictor, made.frame, ROWS, random_state=1)
    assert found.tolerance == 1e-6
    assert found.largest is not None
    assert found.largest <= 1e-6
    assert export(predictor, tmp_path / "model.onnx").tolerance == 1e-4
