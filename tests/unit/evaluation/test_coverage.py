"""How often sets and intervals held the truth, measured on rows the model has not seen."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mapie.metrics.classification import classification_coverage_score, classification_mean_width_score
from mapie.metrics.regression import regression_coverage_score, regression_mean_width_score
from tests.models import TARGETS, conformity_of, customers, save_model

from gristmill.evaluation.coverage import (
    LEVELS,
    Coverage,
    baseline_coverage,
    coverage_table,
    measure_coverage,
    missing_in_words,
)
from gristmill.evaluation.figures import coverage_figure
from gristmill.evaluation.measure import baseline_scored
from gristmill.evaluation.predictions import Scored, encode_truth
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.modeling.conformal.conformity import LAC, Conformity
from gristmill.reporting.wording import figure

TASKS = ("binary", "multiclass", "regression")


def model_of(folder: Path, task: str, n_rows: int = 300) -> FittedModel:
    save_model(folder / task, task, conformity=conformity_of(task, n_rows) if n_rows else None)
    return FittedModel.load(folder / task)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, FittedModel]:
    return {task: model_of(tmp_path_factory.mktemp(task), task) for task in TASKS}


def measured(model: FittedModel, n_rows: int = 1000, **options: object) -> tuple[Coverage, Scored]:
    rows = customers(n_rows, seed=33)
    truth = encode_truth(model.task, rows[TARGETS[model.task]], model.classes)
    scored = Scored(model.task, rows.index, truth, model.predict_values(rows))
    return measure_coverage(model, scored, rows, **options), scored


@pytest.mark.parametrize("task", TASKS)
def test_coverage_and_size_are_mapies_measures(models: dict[str, FittedModel], task: str):
    covered, scored = measured(models[task])
    assert tuple(covered.levels) == LEVELS
    for level, found in covered.levels.items():
        conformity = models[task].conformity
        if task == "regression":
            ends = np.stack(conformity.interval(scored.predicted, level), axis=1)[:, :, None]
            assert found["coverage"] == pytest.approx(regression_coverage_score(scored.y_true, ends)[0])
            assert found["width"] == pytest.approx(regression_mean_width_score(ends)[0])
        else:
            sets = conformity.sets(scored.predicted, level)[:, :, None]
            assert found["coverage"] == pytest.approx(classification_coverage_score(scored.y_true, sets)[0])
            assert found["size"] == pytest.approx(classification_mean_width_score(sets)[0])


@pytest.mark.parametrize("task", TASKS)
def test_the_interval_of_coverage_lies_around_it_and_the_level_is_not_far(models: dict[str, FittedModel], task: str):
    covered, _ = measured(models[task], 2000)
    for level, found in covered.levels.items():
        assert found["low"] < found["coverage"] < found["high"]
        assert found["coverage"] == pytest.approx(level, abs=0.08)


@pytest.mark.parametrize("task", TASKS)
def test_parts_add_up_to_the_whole(models: dict[str, FittedModel], task: str):
    covered, _ = measured(models[task], sensitive_features=["plan", "charge", "nosuch"])
    for found in covered.levels.values():
        kinds = [found["by_prediction" if task == "regression" else "by_class"], *found["by_group"].values()]
        assert list(found["by_group"]) == ["plan", "charge"]
        for parts in kinds:
            assert sum(part["n"] for part in parts.values()) == found["n"] == 1000
            assert sum(part["n"] * part["coverage"] for part in parts.values()) == pytest.approx(1000 * found["coverage"])
    assert list(found["by_group"]["plan"]) == ["01", "02", "10"]
    assert "missing" in found["by_group"]["charge"]


def test_a_class_that_is_held_less_often_shows(models: dict[str, FittedModel]):
    model = models["multiclass"]
    predicted = np.tile([0.75, 0.2, 0.05], (100, 1))
    truth = np.array([0] * 90 + [2] * 10)
    found = measure_coverage(model, Scored("multiclass", pd.RangeIndex(100), truth, predicted), customers(100), levels=[0.5])
    record = found.levels[0.5]
    assert {name: part["coverage"] for name, part in record["by_class"].items()} == {"gold": 1.0, "silver": 0.0}
    assert (record["coverage"], record["single"], record["size"]) == (0.9, 1.0, 1.0)


def test_what_is_written_is_plain_json(models: dict[str, FittedModel]):
    covered, _ = measured(models["binary"], sensitive_features=["plan"])
    product = json.loads(json.dumps(covered.as_product(), allow_nan=False))
    assert list(product) == ["method", "rows", "confidence", "levels", "refused"]
    assert (product["method"], product["rows"], list(product["levels"])) == ("lac", 300, ["0.8", "0.9", "0.95"])
    assert {"coverage", "low", "high", "n", "size", "single", "by_class", "by_group"} == set(product["levels"]["0.9"])
    assert set(product["levels"]["0.9"]["by_class"]) == {"No", "Yes"}


@pytest.mark.parametrize("task", TASKS)
def test_baseline_and_champion_stand_beside_the_candidate_on_the_same_rows(
    models: dict[str, FittedModel], task: str, tmp_path: Path
):
    covered, scored = measured(models[task])
    champion, _ = measured(model_of(tmp_path, task, n_rows=15))
    y_train = encode_truth(task, customers(400, seed=8)[TARGETS[task]], models[task].classes)
    name = "mean" if task == "regression" else "prior"
    naive = baseline_scored(name, y_train, scored, len(models[task].classes))
    others = {"baseline": baseline_coverage(name, y_train, naive, models[task].classes), "champion": champion}
    table = coverage_table({"candidate": covered, **others})
    assert (table.index.tolist(), table.columns.tolist()) == (["80 %", "90 %", "95 %"], ["candidate", *others])
    record = champion.levels[0.9]
    size = "width" if task == "regression" else "size"
    assert table.loc["90 %", "champion"].startswith(f"{100 * record['coverage']:.1f} % (")
    assert table.loc["90 %", "champion"].endswith(f", {size} {figure(record[size])}")
    assert table.loc["95 %", "champion"] == "too few rows to vouch for it"
    assert missing_in_words(others) == "The champion learnt from 15 rows, too few to vouch for 95 %."
    product = json.loads(json.dumps(covered.as_product(others), allow_nan=False))
    assert product["others"]["champion"]["levels"]["0.9"]["coverage"] == record["coverage"]
    whole, first, *_ = covered.parts(others=others)
    assert whole["others"]["champion"][0.9] == record["coverage"]
    assert set(first["others"]) == (set() if task == "regression" else {"champion"})
    assert coverage_figure(covered, others).get_supxlabel() == "grey: baseline; purple: champion"


def test_a_baseline_keeps_its_promise_by_sets_and_intervals_that_tell_little(models: dict[str, FittedModel]):
    for task in TASKS:
        covered, scored = measured(models[task], 2000)
        classes = models[task].classes
        y_train = encode_truth(task, customers(2000, seed=8)[TARGETS[task]], classes)
        for name in ("mean", "median") if task == "regression" else ("prior", "majority"):
            found = baseline_coverage(name, y_train, baseline_scored(name, y_train, scored, len(classes)), classes)
            for level, record in found.levels.items():
                assert record["coverage"] > level - 0.03
                if task == "regression":
                    assert record["width"] > 3 * covered.levels[level]["width"]
                    assert record["width"] == pytest.approx(2 * np.quantile(np.abs(y_train - np.mean(y_train)), level), rel=0.1)


def test_a_champion_without_conformity_scores_is_told_with_the_reason(models: dict[str, FittedModel], tmp_path: Path):
    covered, _ = measured(models["binary"])
    champion, _ = measured(model_of(tmp_path, "binary", n_rows=0))
    assert coverage_table({"candidate": covered, "champion": champion})["champion"].tolist() == ["no sets or intervals"] * 3
    assert missing_in_words({"champion": champion}) == (
        "The champion was built without conformity scores: it answers no sets and no intervals."
    )
    assert covered.as_product({"champion": champion})["others"] == {"champion": None}
    assert covered.parts(others={"champion": champion})[0]["others"] == {"champion": {}}
    assert coverage_figure(covered, {"champion": champion}).title.startswith("Truths held")


def test_levels_that_few_rows_cannot_vouch_for_are_told(tmp_path: Path):
    covered, _ = measured(model_of(tmp_path, "binary", n_rows=10))
    assert list(covered.levels) == [0.8, 0.9]
    assert "needs 19" in covered.as_product()["refused"]["0.95"]
    assert "needs 19" in covered.sentence()
    assert coverage_figure(covered).title.startswith("Truths held")


def test_a_model_of_too_few_rows_for_any_level_has_a_figure_that_says_so(tmp_path: Path):
    save_model(tmp_path / "model", conformity=Conformity.of(LAC, np.array([0.1, 0.5])))
    covered, _ = measured(FittedModel.load(tmp_path / "model"))
    assert covered.levels == {}
    assert covered.sentence().count("Expected a level") == 3
    assert coverage_figure(covered).title == "Sets and intervals"


def test_a_model_of_an_earlier_build_has_nothing_to_measure(tmp_path: Path):
    covered, _ = measured(model_of(tmp_path, "binary", n_rows=0))
    assert covered.as_product() is None
    assert "answers no sets" in covered.sentence()
    assert coverage_figure(covered).title == "Sets and intervals"


def test_the_sentence_says_when_less_is_held_than_was_asked_for(models: dict[str, FittedModel]):
    model = models["regression"]
    far = Scored("regression", pd.RangeIndex(50), np.full(50, 1e6), np.zeros(50))
    sentence = measure_coverage(model, far, customers(50), levels=[0.9]).sentence()
    assert sentence.startswith("Intervals asked to hold 90 % hold **0.0 %**")
    assert "**fewer than asked for**" in sentence
    near = Scored("regression", pd.RangeIndex(50), np.zeros(50), np.zeros(50))
    assert "fewer" not in measure_coverage(model, near, customers(50), levels=[0.9]).sentence()


@pytest.mark.parametrize("task", TASKS)
def test_the_figure_names_what_was_held(models: dict[str, FittedModel], task: str):
    covered, _ = measured(models[task])
    drawn = coverage_figure(covered)
    labels = [text.get_text() for text in drawn.axes[0].get_yticklabels()]
    assert labels[0] == "all test rows  n = 1,000"
    assert labels[1].startswith("predicted " if task == "regression" else ("No", "gold"))
    assert len(labels) == {"binary": 3, "multiclass": 4, "regression": 5}[task]
    assert [axes.get_xlabel() for axes in drawn.axes] == [f"asked: {level} % (dashed)" for level in (80, 90, 95)]
    assert drawn._repr_mimebundle_()[0]["image/png"]


def test_of_many_classes_the_least_covered_are_shown():
    part = {"low": 0.1, "high": 0.9, "n": 3, "size": 1.0}
    by_class = {f"class {number}": {**part, "coverage": number / 30} for number in range(30)}
    covered = Coverage("lac", 90, 0.95, {0.9: {**part, "coverage": 0.5, "by_class": by_class, "by_group": {}}}, {})
    assert [one["part"] for one in covered.parts(most=2)] == ["all test rows", "class 0", "class 1"]
