from itertools import combinations
from math import factorial

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline
from tests.unit.modeling.conftest import make_frame, make_rows

from gristmill.evaluation.explanation.exact_values import NoExactValues, exact_values
from gristmill.evaluation.explanation.hybrids import as_columns
from gristmill.features.rows import RowFeatures
from gristmill.modeling.choice.calibration import Calibrated, ProbabilityCalibrator
from gristmill.modeling.choice.ensembling import WeightedClassifier, WeightedRegressor
from gristmill.modeling.choice.stacking import MetaModel, StackedClassifier, StackedRegressor
from gristmill.modeling.families.catalogue import build

COLUMNS = ["x", "c", "noise"]
SETTINGS = {
    "linear": {"numeric": "standard", "penalty": 0.1, "l1_ratio": 0.0},
    "spline": {"numeric": "spline", "penalty": 0.1, "l1_ratio": 0.0},
    "forest": {
        "kind": "random", "trees": 10, "max_depth": 4, "min_samples_split": 2, "min_samples_leaf": 3, "max_features": 1.0,
    },
    "lightgbm": {"library": "lightgbm", "rounds": 20, "learning_rate": 0.2, "leaves": 5, "min_samples_leaf": 5, "l2": 1.0},
    "catboost": {"library": "catboost", "rounds": 20, "learning_rate": 0.2, "depth": 3},
    "histogram": {"library": "histogram", "rounds": 10, "learning_rate": 0.2, "leaves": 5, "min_samples_leaf": 5},
}  # fmt: skip
FAMILY = {"linear": "linear", "spline": "linear", "forest": "forest"}
TASKS = ("binary", "multiclass", "regression")
ROWS = {task: make_rows(task, n_rows=600) for task in TASKS}
FRAME = make_frame(n_rows=600)[COLUMNS].astype({"c": "string"})


def unfitted(name, task, target="linear"):
    return build(FAMILY.get(name, "boosting"), {**SETTINGS[name], "target": target}, ROWS[task].problem)


def fitted(model, task):
    rows = ROWS[task]
    return Pipeline([("rows", RowFeatures(rows.problem.plan)), ("model", model.fit(rows.X, rows.y))])


def asked(pipeline):
    answer = pipeline.predict_proba if hasattr(pipeline[-1], "classes_") else pipeline.predict
    return lambda frame: np.asarray(answer(frame), dtype=float)


def explained(model, task):
    pipeline = fitted(model, task)
    return exact_values(pipeline, asked(pipeline), FRAME.iloc[:40], FRAME.iloc[40:])


def log_odds(proba):
    logs = np.log(proba)
    return logs[:, [1]] - logs[:, [0]] if proba.shape[1] == 2 else logs - logs.mean(axis=1, keepdims=True)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", ["linear", "spline", "forest", "lightgbm", "catboost"])
def test_values_add_up_and_the_made_up_columns_come_before_noise(name, task):
    model = unfitted(name, task)
    found = explained(model, task)
    reached = found.shap.base + found.shap.contributions.sum(axis=1)
    pipeline = fitted(model, task)
    answer = asked(pipeline)(FRAME.iloc[:40])
    if found.scale == "log-odds" and task == "multiclass":
        reached = reached - reached.mean(axis=1, keepdims=True)
    wanted = log_odds(answer) if found.scale == "log-odds" else as_columns(answer)
    assert found.scale == ("target" if task == "regression" else "probability" if name == "forest" else "log-odds")
    assert reached == pytest.approx(wanted, abs=1e-3)
    assert found.shap.importance().index[0] == "x"
    assert found.shap.importance().index[-1] == "noise"


def brute_force(value, n_columns):
    """Return Shapley values by their definition: ``value`` of every set of columns, weighed."""
    found = []
    for column in range(n_columns):
        others = [other for other in range(n_columns) if other != column]
        sets = [set(part) for size in range(n_columns) for part in combinations(others, size)]
        weights = [factorial(len(part)) * factorial(n_columns - len(part) - 1) / factorial(n_columns) for part in sets]
        found.append(sum(weight * (value(part | {column}) - value(part)) for weight, part in zip(weights, sets, strict=True)))
    return np.array(found)


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_linear_models_values_are_those_of_the_definition_in_raw_columns(task):
    pipeline = fitted(unfitted("spline", task), task)
    rows, background = FRAME.iloc[:2], FRAME.iloc[40:60]
    found = exact_values(pipeline, asked(pipeline), rows, background)

    def value(known):
        hybrid = background.copy()
        for column in known:
            hybrid[COLUMNS[column]] = rows[COLUMNS[column]].iloc[0]
        answer = asked(pipeline)(hybrid)
        return float((answer if task == "regression" else log_odds(answer)).mean())

    assert found.shap.contributions[0, :, 0] == pytest.approx(brute_force(value, 3), abs=1e-8)


def test_a_trees_values_are_those_of_the_definition_along_its_paths():
    pipeline = fitted(unfitted("lightgbm", "binary"), "binary")
    found = exact_values(pipeline, asked(pipeline), FRAME.iloc[:5], FRAME.iloc[40:])
    trees, matrix = pipeline[-1][-1].estimator_._opened.dump_model()["tree_info"], None
    matrix = pipeline[-1][0].transform(pipeline[0].transform(FRAME.iloc[:5]))

    def walk(node, row, known):
        if "leaf_value" in node:
            return node["leaf_value"]
        sides = [node["left_child"], node["right_child"]]
        if node["split_feature"] in known:
            return walk(sides[0 if goes_left(node, row[node["split_feature"]]) else 1], row, known)
        counts = [side.get("internal_count", side.get("leaf_count")) for side in sides]
        return sum(count * walk(side, row, known) for count, side in zip(counts, sides, strict=True)) / sum(counts)

    def goes_left(node, value):
        if node["decision_type"] == "==":
            return not np.isnan(value) and str(int(value)) in node["threshold"].split("||")
        if np.isnan(value) and node["missing_type"] == "NaN":
            return node["default_left"]
        return np.nan_to_num(value) <= node["threshold"]

    order = [COLUMNS.index(name) for name in ("c", "x", "noise")]
    for row in range(5):
        wanted = brute_force(lambda known, row=row: sum(walk(tree["tree_structure"], matrix[row], known) for tree in trees), 3)
        assert found.shap.contributions[row, order, 0] == pytest.approx(wanted, abs=1e-8)


def test_means_of_members_are_explained_by_means_of_their_values():
    members = [("linear", unfitted("linear", "regression")), ("lightgbm", unfitted("lightgbm", "regression"))]
    parts = [explained(member, "regression").shap.contributions for _, member in members]
    found = explained(WeightedRegressor(members, [1.0, 3.0]), "regression")
    assert found.shap.contributions == pytest.approx(0.25 * parts[0] + 0.75 * parts[1])
    assert found.method == "linear terms and paths through the trees"


def test_a_mean_of_forests_probabilities_is_exact_and_one_with_boosting_is_not():
    forests = [("forest", unfitted("forest", "multiclass")), ("again", unfitted("forest", "multiclass"))]
    assert explained(WeightedClassifier(forests, [1.0, 1.0]), "multiclass").scale == "probability"
    mixed = [forests[0], ("lightgbm", unfitted("lightgbm", "multiclass"))]
    with pytest.raises(NoExactValues, match="combined by probability, and one of them adds up in log-odds"):
        explained(WeightedClassifier(mixed, [1.0, 1.0]), "multiclass")


@pytest.mark.parametrize("task", TASKS)
def test_stacks_of_what_adds_up_are_exact(task):
    members = [(name, unfitted(name, task)) for name in ("linear", "lightgbm")]
    answers = [asked(fitted(member, task))(FRAME) for _, member in members]
    meta = MetaModel(0 if task == "regression" else len(ROWS[task].classes)).fit(answers, ROWS[task].y)
    stack = (StackedRegressor if task == "regression" else StackedClassifier)(members, meta)
    found = explained(stack, task)
    reached = found.shap.base + found.shap.contributions.sum(axis=1)
    answer = asked(fitted(stack, task))(FRAME.iloc[:40])
    assert reached == pytest.approx(answer[:, None] if task == "regression" else log_odds(answer), abs=1e-6)


def test_a_sigmoid_calibration_keeps_values_exact_and_a_step_curve_does_not():
    model, y = unfitted("lightgbm", "binary"), ROWS["binary"].y
    proba = asked(fitted(model, "binary"))(FRAME)
    sigmoid = ProbabilityCalibrator("sigmoid").fit(proba, y)
    raw = explained(model, "binary").shap.contributions
    assert explained(Calibrated(model, sigmoid), "binary").shap.contributions == pytest.approx(raw * sigmoid.inputs_[0][0])
    with pytest.raises(NoExactValues, match="calibration is a curve"):
        explained(Calibrated(model, ProbabilityCalibrator("isotonic").fit(proba, y)), "binary")


def test_a_target_learnt_by_its_logarithm_is_explained_on_that_scale():
    found = explained(unfitted("lightgbm", "regression", target="log"), "regression")
    assert found.scale == "logarithm of the target"


def test_what_has_no_exact_values_says_why():
    with pytest.raises(NoExactValues, match="splits categories as sets"):
        explained(unfitted("histogram", "binary"), "binary")
    with pytest.raises(NoExactValues, match="not one of this library's"):
        exact_values(object(), lambda frame: frame["x"].to_numpy(), FRAME, FRAME)


def test_features_of_several_columns_are_not_split_between_them():
    class Both:
        def transform(self, frame):
            return (frame["x"].fillna(0) + frame["noise"]).to_numpy()[:, None]

    pipeline = fitted(unfitted("linear", "regression"), "regression")
    pipeline[-1].steps[0] = ("prepare", Both())
    pipeline[-1][-1].estimator_.coef_ = np.ones(1)
    with pytest.raises(NoExactValues, match="made from several columns"):
        exact_values(pipeline, lambda frame: np.zeros(len(frame)), pd.DataFrame(FRAME.iloc[:9]), FRAME.iloc[40:])
