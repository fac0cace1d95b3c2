import numpy as np
import pytest
from tests.models import customers
from tests.unit.evaluation.conftest import scored_classes

from gristmill.config.sections import Threshold
from gristmill.evaluation import curves, figures, measure
from gristmill.evaluation.explain import raw_predict
from gristmill.evaluation.predictions import encode_truth
from gristmill.metrics.intervals import Bootstrap
from gristmill.metrics.paired import Answers
from gristmill.metrics.scores import all_scores
from gristmill.reporting.plots.style import HouseFigure

FEW = Bootstrap(resamples=100)
TASKS = ("binary", "multiclass", "regression")
PROFIT = Threshold(rule="profit", value_true_positive=10, cost_contact=4)


@pytest.mark.parametrize("task", TASKS)
def test_all_metrics_are_measured_at_the_models_threshold(evaluated, task):
    found = evaluated(task)
    expected = all_scores(task, found.scored.y_true, found.scored.predicted, threshold=found.model.threshold, n_features=3)
    scores = measure.measure(found.model, found.scored, FEW)
    assert {name: one["value"] for name, one in scores.items()} == pytest.approx(expected, abs=1e-12)


def test_the_baseline_knows_the_training_targets_alone(evaluated):
    found = evaluated("binary")
    naive = measure.baseline_scored("prior", np.array([0, 0, 0, 1]), found.scored, 2)
    assert naive.predicted[0].tolist() == [0.75, 0.25]
    assert (naive.y_true == found.scored.y_true).all()


def test_profit_counts_what_acting_brings_and_costs(evaluated):
    model = evaluated("binary").model  # its threshold is 0.4
    scored = scored_classes([1, 0, 1, 0], [0.9, 0.5, 0.1, 0.2])
    found = measure.profit(PROFIT, model, scored, FEW)
    assert found["value"] == 1000 * (10 - 4 - 4) / 4
    assert found["everyone"] == 1000 * (20 - 16) / 4
    assert found["low"] <= found["value"] <= found["high"]


def test_cost_counts_both_kinds_of_mistakes(evaluated):
    asked = Threshold(rule="cost", cost_false_positive=3, cost_false_negative=7)
    scored = scored_classes([1, 0, 1, 0, 1], [0.9, 0.5, 0.1, 0.2, 0.3])
    found = measure.profit(asked, evaluated("binary").model, scored, FEW)  # its threshold is 0.4
    assert found["name"] == "cost of mistakes per 1,000 rows"
    assert found["value"] == 1000 * (1 * 3 + 2 * 7) / 5
    assert found["everyone"] == 1000 * 2 * 3 / 5


def test_profit_is_measured_only_where_it_decides(evaluated):
    found = evaluated("binary")
    assert measure.profit(Threshold(rule="f1"), found.model, found.scored) is None
    assert measure.profit(PROFIT, evaluated("regression").model, evaluated("regression").scored) is None


@pytest.mark.parametrize("task", TASKS)
def test_a_learning_curve_is_drawn_without_a_test_row(evaluated, task):
    model, train = evaluated(task).model, customers(300, seed=5)
    y = encode_truth(task, train[model.target], model.classes)
    folds = (np.arange(240), np.arange(240, 300))
    metric = "rmse" if task == "regression" else "log_loss"
    points = measure.learning_curve(model, train, y, folds, metric, budget_seconds=60)
    assert points["n_rows"].tolist()[-3:] == [96, 168, 240]
    assert np.isfinite(points.to_numpy()).all()
    assert isinstance(figures.learning_figure(points, metric), HouseFigure)


def test_cells_hold_a_value_and_its_interval_where_it_is_known():
    assert measure.cell({"value": 0.5, "low": 0.4, "high": 0.6}) == "0.500 (0.400\u20130.600)"
    assert measure.cell({"value": 0.5}) == "0.500"
    table = measure.score_table({"test": {"roc_auc": {"value": 0.5}}, "training": {"roc_auc": {"value": 0.75}}})
    assert table.loc["ROC-AUC"].tolist() == ["0.500", "0.750"]


@pytest.mark.parametrize(("task", "expected"), [
    ("binary", ["roc_curve", "pr_curve", "confusion_matrix", "calibration_curve", "gains", "threshold_curve"]),
    ("multiclass", ["roc_curve", "pr_curve", "confusion_matrix", "calibration_curve"]),
    ("regression", ["predicted_vs_actual", "residuals"]),
])  # fmt: skip
def test_each_task_has_the_figures_that_fit_it(evaluated, task, expected):
    found = evaluated(task)
    drawn = figures.fit_figures(found.model, found.scored) | figures.error_figures(found.model, found.scored)
    drawn |= figures.decision_figures(found.model, found.scored, PROFIT)
    assert list(drawn) == expected
    assert figures.data_uri(drawn[expected[0]]).startswith("data:image/png;base64,iVBOR")


@pytest.mark.parametrize("task", TASKS)
def test_baseline_and_champion_are_drawn_beside_the_candidate(evaluated, task):
    found = evaluated(task)
    others = {"baseline": Answers(found.scored.predicted[::-1], 0.5), "champion": Answers(found.scored.predicted, 0.5)}
    drawn = figures.fit_figures(found.model, found.scored, others) | figures.error_figures(found.model, found.scored, others)
    drawn |= figures.decision_figures(found.model, found.scored, PROFIT, others)
    if task == "regression":
        assert {text.get_text() for text in drawn["residuals"].axes[0].texts} >= {"baseline", "champion"}
        return
    assert {"confusion_matrix", "confusion_matrix_baseline", "confusion_matrix_champion"} <= set(drawn)
    if task == "binary":
        labels = [axes.get_ylabel() for axes in drawn["threshold_curve"].axes]
        assert labels == ["Profit", "Profit, baseline", "Profit, champion"]


@pytest.mark.parametrize("task", TASKS)
def test_curves_hold_the_points_behind_the_figures(evaluated, task):
    found = evaluated(task)
    points = curves.curve_points(found.scored, found.model.classes, found.model.threshold, PROFIT)
    if task == "regression":
        assert set(points) == {"residuals"}
        return
    assert np.sum(points["confusion"]["counts"]) == 200
    assert set(points["roc"]) == set(found.model.classes[1:] if task == "binary" else found.model.classes)
    assert ("thresholds" in points) == (task == "binary")


def test_a_model_answers_raw_rows_as_it_answers_any(evaluated):
    found = evaluated("binary")
    assert raw_predict(found.model)(found.model.features(found.test)) == pytest.approx(found.scored.predicted, abs=1e-12)


def test_a_case_that_names_prices_is_told_its_profit_whatever_decides(evaluated):
    model, scored = evaluated("binary").model, scored_classes([1, 0, 1, 0], [0.9, 0.5, 0.1, 0.2])
    found = measure.profit(Threshold(rule="f1", value_true_positive=10, cost_contact=4), model, scored, FEW)
    assert found["name"] == "profit per 1,000 rows"
    assert found["value"] == 1000 * (10 - 4 - 4) / 4
