import numpy as np
import pytest
from tests.models import customers
from tests.unit.evaluation.conftest import scored_classes

from gristmill.config.sections.training import Threshold
from gristmill.evaluation import curves, figures, measure
from gristmill.evaluation.explanation.explain import raw_predict
from gristmill.evaluation.predictions import encode_truth
from gristmill.metrics.intervals import Bootstrap
from gristmill.metrics.paired import Answers
from gristmill.metrics.scores import all_scores, score
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


def test_profit_counts_what_acting_brings_and_costs():
    scored = scored_classes([1, 0, 1, 0], [0.9, 0.5, 0.1, 0.2])
    found = measure.profit(PROFIT, scored, Answers(scored.predicted, 0.4), FEW)
    assert found["value"] == 1000 * (10 - 4 - 4) / 4
    assert found["everyone"] == 1000 * (20 - 16) / 4
    assert found["low"] <= found["value"] <= found["high"]


def test_cost_counts_both_kinds_of_mistakes():
    asked = Threshold(rule="cost", cost_false_positive=3, cost_false_negative=7)
    scored = scored_classes([1, 0, 1, 0, 1], [0.9, 0.5, 0.1, 0.2, 0.3])
    found = measure.profit(asked, scored, Answers(scored.predicted, 0.4), FEW)
    assert found["name"] == "cost of mistakes per 1,000 rows"
    assert found["value"] == 1000 * (1 * 3 + 2 * 7) / 5
    assert found["everyone"] == 1000 * 2 * 3 / 5


def test_profit_is_measured_only_where_it_decides(evaluated):
    scored, numbers = evaluated("binary").scored, evaluated("regression").scored
    assert measure.profit(Threshold(rule="f1"), scored, Answers(scored.predicted, 0.4)) is None
    assert measure.profit(PROFIT, numbers, Answers(numbers.predicted)) is None
    assert measure.profits(PROFIT, numbers, {"candidate": Answers(numbers.predicted)}) == {}
    assert measure.profits_in_words({}) == ""


def test_profits_of_several_models_are_each_taken_at_their_own_threshold():
    scored = scored_classes([1, 0, 1, 0], [0.9, 0.5, 0.1, 0.2])
    models = {"candidate": Answers(scored.predicted, 0.4), "champion": Answers(scored.predicted, 0.6)}
    found = measure.profits(PROFIT, scored, models, FEW)
    assert {name: amount["value"] for name, amount in found.items()} == {"candidate": 500.0, "champion": 1500.0}
    words = measure.profits_in_words(found)
    assert words.startswith("Profit per 1,000 rows: candidate **500")
    assert "champion **1,500" in words
    assert words.endswith("Acting on every row would give 1,000.")


@pytest.mark.parametrize("task", TASKS)
def test_other_models_are_measured_on_the_same_rows_at_their_own_threshold(evaluated, task):
    found = evaluated(task)
    threshold = 0.7 if task == "binary" else None
    other = Answers(found.scored.predicted, threshold, 2)
    expected = all_scores(task, found.scored.y_true, found.scored.predicted, threshold=threshold, n_features=2)
    scores = measure.measure_others(found.scored, {"champion": other}, FEW)
    assert {name: one["value"] for name, one in scores["champion"].items()} == pytest.approx(expected, abs=1e-12)
    assert all(one["low"] <= one["value"] <= one["high"] for one in scores["champion"].values())


def test_rows_in_bags_are_told_of():
    assert measure.sampling_in_words({"rows": 80, "resamples": 1000, "bags": 0, "in_bags": 0}) == ""
    words = measure.sampling_in_words({"rows": 1_000_000, "resamples": 1000, "bags": 10, "in_bags": 64_990})
    assert words == (
        "Scores are those of all 1,000,000 rows; intervals come from 1,000 resamples of 10 bags that hold 64,990 of them."
    )


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


@pytest.mark.parametrize("task", TASKS)
def test_others_are_scored_on_the_rows_that_the_learning_curve_is_validated_on(evaluated, task):
    found = evaluated(task)
    model, train = found.model, customers(300, seed=5)
    y = encode_truth(task, train[model.target], model.classes)
    folds = (np.arange(240), np.arange(240, 300))
    metric, baseline = ("mae", "median") if task == "regression" else ("log_loss", "prior")
    held = measure.score_held_out(model, train, y, folds, metric, baseline=baseline, champion=model)
    predicted = model.predict_values(train.iloc[240:])
    assert held.scores["champion"] == pytest.approx(score(metric, y[240:], predicted, threshold=model.threshold))
    if task == "regression":
        assert held.scores["baseline"] == pytest.approx(np.abs(y[240:] - np.median(y[:240])).mean())
    else:
        shares = np.bincount(y[:240]) / 240
        assert held.scores["baseline"] == pytest.approx(-np.log(shares[y[240:]]).mean())
    assert "may have learnt from these very rows" in held.sentence()
    alone = measure.score_held_out(model, train, y, folds, metric, baseline=baseline)
    assert (list(alone.scores), "champion" in alone.sentence()) == (["baseline"], False)


def test_a_champion_that_cannot_be_scored_on_held_out_rows_is_told_with_the_reason(evaluated):
    model, train = evaluated("binary").model, customers(60, seed=5)
    y = encode_truth("binary", train["churn"], model.classes)
    lacking = train.drop(columns="plan")
    held = measure.score_held_out(
        model, lacking, y, (np.arange(40), np.arange(40, 60)), "log_loss", baseline="prior", champion=model
    )
    assert list(held.scores) == ["baseline"]
    assert "The champion cannot be scored on these rows: " in held.sentence()
    assert "'plan'" in held.sentence()


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
        named = {name: {text.get_text() for text in drawn[name].axes[0].texts} for name in drawn}
        assert named["predicted_vs_actual"] >= {"candidate", "baseline", "champion"}
        assert named["residuals"] >= {"candidate", "baseline (right)", "champion (right)"}
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


def test_a_case_that_names_prices_is_told_its_profit_whatever_decides():
    scored = scored_classes([1, 0, 1, 0], [0.9, 0.5, 0.1, 0.2])
    asked = Threshold(rule="f1", value_true_positive=10, cost_contact=4)
    found = measure.profit(asked, scored, Answers(scored.predicted, 0.4), FEW)
    assert found["name"] == "profit per 1,000 rows"
    assert found["value"] == 1000 * (10 - 4 - 4) / 4


def test_a_baseline_that_flags_nobody_at_a_threshold_earns_nothing_there(evaluated, monkeypatch):
    found = evaluated("binary")
    naive = Answers(np.tile([0.7, 0.3], (len(found.scored), 1)), found.model.threshold)
    drawn = {}
    monkeypatch.setattr(figures.decisions, "threshold_curve", lambda at, curves, **_: drawn.update(at=np.asarray(at), **curves))
    figures.decision_figures(found.model, found.scored, PROFIT, {"baseline": naive})
    everyone = 10 * (found.scored.y_true == 1).sum() - 4 * len(found.scored)
    assert (drawn["profit, baseline"][drawn["at"] > 0.3] == 0).all()
    assert drawn["profit, baseline"][drawn["at"] <= 0.3] == pytest.approx(everyone)
    assert (drawn["at"] > 0.3).any()
    assert (drawn["at"] <= 0.3).any()
