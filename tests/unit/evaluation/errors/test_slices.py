import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from tests.unit.evaluation.conftest import scored_classes, scored_numbers

from gristmill.evaluation.errors.slices import (
    Grown,
    adjusted_p_values,
    expected_losses,
    find_segments,
    row_losses,
    score_segments,
    shown,
)
from gristmill.metrics.intervals import Bootstrap
from gristmill.metrics.paired import Answers
from gristmill.metrics.scores import score
from gristmill.reporting.wording import figure, metric_label


def table(n_rows, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"plan": rng.choice(["a", "b", "c"], n_rows), "age": rng.integers(18, 90, n_rows)})


def test_the_loss_of_a_row_is_its_log_loss_or_absolute_error():
    assert row_losses(scored_classes([1, 0], [0.5, 0.25])) == pytest.approx([np.log(2), -np.log(0.75)])
    assert row_losses(scored_numbers([1, 5], [3, 5])).tolist() == [2, 0]


def test_a_segment_that_is_worse_is_found_and_others_are_not_accused():
    frame = table(600)
    rng = np.random.default_rng(1)
    error = rng.normal(0, 1, 600) + np.where(frame["plan"] == "b", 2.0, 0.0)
    found = find_segments(scored_numbers(error, np.zeros(600)), frame, ["plan", "age"], permutations=300)
    assert found.table.loc[0, ["feature", "segment", "worse"]].tolist() == ["plan", "plan = b", True]
    assert found.n_worse == 1
    assert found.table.loc[0, "loss"] > found.table.loc[0, "rest_loss"]
    assert (found.segments[0].members(frame) == (frame["plan"] == "b")).all()


def noise(n_rows, seed):
    return scored_numbers(np.random.default_rng(seed + 1000).exponential(size=n_rows), np.zeros(n_rows))


def test_pure_noise_raises_an_alarm_in_about_one_run_of_twenty_at_most():
    alarms, from_tree = 0, 0
    for seed in range(40):
        grown = Grown(noise(400, seed + 100), table(400, seed + 500))
        found = find_segments(noise(200, seed), table(200, seed), ["plan", "age"], grown=grown, permutations=99, random_state=seed)
        from_tree += found.from_tree
        alarms += found.n_worse > 0
    assert from_tree > 40
    assert alarms / 40 <= 0.1


def test_a_bad_segment_of_two_columns_is_found_by_the_tree_and_confirmed_on_other_rows():
    def rows(n_rows, seed):
        frame = table(n_rows, seed)
        error = np.random.default_rng(seed).normal(size=n_rows) * np.where((frame["plan"] == "b") & (frame["age"] > 60), 4, 1)
        return scored_numbers(error, np.zeros(n_rows)), frame

    scored, frame = rows(800, 1)
    found = find_segments(scored, frame, ["plan", "age"], grown=Grown(*rows(3000, 2)), permutations=200)
    assert found.segments[0].feature in ("plan, age", "age, plan")
    assert found.table.loc[0, "worse"]
    assert f"({found.from_tree} of them found by the tree)" in found.sentence()


def test_a_segment_that_the_tree_finds_anew_is_tested_once():
    frame = table(400)
    scored = scored_numbers(np.where(frame["plan"] == "b", 5.0, 1.0) + np.random.default_rng(0).random(400), np.zeros(400))
    found = find_segments(scored, frame, ["plan"], grown=Grown(scored, frame), permutations=50)
    assert found.table["segment"].tolist().count("plan = b") == 1


def test_a_table_too_large_to_permute_whole_is_tested_on_a_sample_that_is_told(monkeypatch):
    monkeypatch.setattr("gristmill.evaluation.errors.slices.MAX_OPERATIONS", 100_000)
    frame = table(2000)
    error = np.where(frame["plan"] == "c", 5.0, 0.0) + np.random.default_rng(0).normal(size=2000)
    scored = scored_numbers(error, np.zeros(2000))
    found = find_segments(scored, frame, ["plan"], permutations=100)
    assert found.table.loc[0, ["segment", "worse"]].tolist() == ["plan = c", True]
    assert (found.rows, found.of, int(found.table["n"].sum())) == (1000, 2000, 1000)
    assert "1,000 test rows were looked at, drawn at random from 2,000." in found.sentence()
    assert score_segments(found, scored, frame, "rmse", bootstrap=Bootstrap(resamples=100))["n"].sum() == 2000


def test_the_loss_that_a_model_expects_is_the_entropy_of_its_probabilities():
    assert expected_losses(scored_classes([1, 0], [0.5, 1.0])) == pytest.approx([np.log(2), 0.0])
    assert np.isnan(expected_losses(scored_numbers([1.0], [1.0]))).all()


def test_equal_losses_accuse_nobody():
    frame = table(100)
    members = sparse.csr_matrix(np.array([frame["plan"] == plan for plan in "abc"], dtype=float))
    assert adjusted_p_values(np.ones(100), members, permutations=10, random_state=0).tolist() == [1.0, 1.0, 1.0]


def test_a_table_without_segments_gives_an_empty_answer():
    scored, frame = scored_numbers([1.0] * 40, [0.0] * 40), pd.DataFrame({"same": ["x"] * 40})
    found = find_segments(scored, frame, ["same"])
    assert (found.table.empty, found.n_worse) == (True, 0)
    assert score_segments(found, scored, frame, "rmse").empty
    assert shown(score_segments(found, scored, frame, "rmse")).empty


def test_the_metric_of_a_segment_is_that_of_its_rows():
    frame = pd.DataFrame({"plan": ["a"] * 50 + ["b"] * 50})
    scored = scored_numbers(np.arange(100), np.r_[np.arange(50) + 1.0, np.arange(50, 100) + 3.0])
    found = score_segments(
        find_segments(scored, frame, ["plan"], permutations=50), scored, frame, "rmse", bootstrap=Bootstrap(resamples=100)
    )
    assert dict(zip(found["segment"], found["value"], strict=True)) == {"plan = b": 3.0, "plan = a": 1.0}
    assert shown(found).loc["plan = b", ["rows", "mean loss", "elsewhere"]].tolist() == ["50 (50.0 %)", "3.000", "1.000"]


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_other_models_are_scored_on_the_rows_of_each_segment(evaluated, task):
    found = evaluated(task)
    classes = len(found.model.classes)
    metric = {"binary": "recall", "multiclass": "accuracy", "regression": "mae"}[task]
    naive = np.tile(np.eye(classes)[0], (200, 1)) if classes else np.full(200, 7.0)
    others = {"baseline": Answers(naive), "champion": Answers(found.scored.predicted, 0.8 if task == "binary" else None)}
    search = find_segments(found.scored, found.test, ["plan"], permutations=20)
    table = score_segments(search, found.scored, found.test, metric, bootstrap=Bootstrap(resamples=50), others=others)
    assert len(table) == 3
    for one in table.to_dict("records"):
        inside = (found.test["plan"] == one["segment"].removeprefix("plan = ")).to_numpy()
        for name, answers in others.items():
            expected = score(metric, found.scored.y_true[inside], answers.predicted[inside], threshold=answers.threshold)
            assert one["others"][name] == pytest.approx(expected)
    lines = shown(table)
    assert lines.columns.tolist()[1:4] == [metric_label(metric), "baseline", "champion"]
    assert lines["champion"].tolist() == [figure(one["champion"]) for one in table["others"]]


def test_a_metric_that_is_not_defined_in_a_segment_is_a_dash_of_others_as_well():
    frame = pd.DataFrame({"plan": ["a"] * 50 + ["b"] * 50})
    scored = scored_classes([1] * 50 + [0, 1] * 25, np.linspace(0.1, 0.9, 100))
    search = find_segments(scored, frame, ["plan"], permutations=20)
    others = {"champion": Answers(scored.predicted)}
    table = shown(score_segments(search, scored, frame, "roc_auc", bootstrap=Bootstrap(resamples=50), others=others))
    assert table.loc["plan = a", ["ROC-AUC", "champion"]].tolist() == ["\u2013", "\u2013"]
    assert table.loc["plan = b", "champion"] != "\u2013"


def test_of_segments_that_are_nearly_the_same_rows_only_the_surest_is_shown():
    frame = pd.DataFrame({"plan": ["a"] * 50 + ["b"] * 50, "again": ["x"] * 49 + ["y"] * 51})
    scored = scored_numbers(np.r_[np.zeros(50), np.ones(50)] + np.random.default_rng(0).random(100), np.zeros(100))
    found = find_segments(scored, frame, ["plan", "again"], permutations=50)
    assert len(found.table) == 4
    listed = score_segments(found, scored, frame, "mae", bootstrap=Bootstrap(resamples=100))["segment"].tolist()
    assert listed == [found.table["segment"][0], found.table["segment"][2]]
