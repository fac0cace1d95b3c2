"""What the page of predictions shows of one row, on small models of two classes, several and numbers."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.models import FEATURES, TARGETS, case_of, conformity_of, customers, describe, fit

from gristmill.config.sections.operation import Serving
from gristmill.config.sections.showing import App, ShownColumn
from gristmill.evaluation.explanation.effects import value_text
from gristmill.modeling.artifact.drift_reference import drift_reference
from gristmill.modeling.artifact.model_directory import save_candidate
from gristmill.modeling.mitigation.group_thresholds import GroupThresholds
from gristmill.modeling.mitigation.grouping import learn_grouping
from gristmill.paths import ProjectPaths
from gristmill.serving.served.versions import ServedVersion
from gristmill.views.predict import words
from gristmill.views.predict.answers import answer_of
from gristmill.views.predict.asking import possible_level
from gristmill.views.predict.embedded import EmbeddedService
from gristmill.views.predict.exploring import SAID, VALUE, Explorer
from gristmill.views.predict.form import fields_of
from gristmill.views.predict.sample import training_sample

ROW = {"tenure": 20, "charge": 70.0, "plan": "01"}
APP = App(columns={"tenure": ShownColumn(unit="months", help="How long."), "charge": ShownColumn(fixed=True)})


def explorer_of(root: Path, task: str = "binary", most: int = 1_000, app: App = APP) -> Explorer:
    paths = ProjectPaths(root).case("small")
    model, contract = describe(task, threshold=0.5 if task == "binary" else None)
    values = np.zeros(60) if task == "regression" else np.zeros((60, len(contract["classes"])))
    reference = drift_reference(customers(), contract, FEATURES, values, bins=10)
    save_candidate(paths.model, fit(task), model, contract, reference, "small", conformity_of(task).as_record())
    customers(300, 1).to_parquet(paths.artifacts / "train.parquet", row_group_size=50)
    version = ServedVersion.load("small", 1, paths.model, None, Serving())
    return Explorer(version, training_sample(paths, version.predictor.model, most), app)


@pytest.fixture(scope="module")
def binary(tmp_path_factory: pytest.TempPathFactory) -> Explorer:
    return explorer_of(tmp_path_factory.mktemp("binary"))


def body(task: str, values: Any) -> dict[str, Any]:
    """Return the body of a service's answer."""
    made = {"predictions": ["Yes"], "probabilities": [{"No": 0.3, "Yes": 0.7}], "prediction_sets": [["No", "Yes"]]}
    if task == "regression":
        made = {"predictions": [values], "intervals": [{"lower": values - 8, "upper": values + 8}]}
    return {**made, "model": {"name": "small", "version": "1"}, "prediction_ids": ["p"], "request_id": "r"}


def test_the_form_starts_with_usual_values_says_ranges_and_units_and_offers_the_levels(binary: Explorer):
    fields = {field.name: field for field in fields_of(binary.version.predictor.model, binary.sample, APP)}
    rows = customers(300, 1)
    assert list(fields) == [*FEATURES, "customer"]
    assert fields["tenure"].kind == "whole"
    assert fields["tenure"].label == "tenure (months)"
    assert fields["tenure"].value == rows["tenure"].sort_values().iloc[150]
    assert "How long. In the training rows from" in fields["tenure"].help
    assert fields["plan"].options == ("01", "02", "10", None)
    assert fields["plan"].value == rows["plan"].mode().iloc[0]
    assert fields["plan"].shown(None) == "(not known)"
    assert fields["customer"].kind == "name"


def test_without_training_rows_the_form_starts_with_the_examples_of_the_contract(binary: Explorer):
    fields = {field.name: field for field in fields_of(binary.version.predictor.model, None, App())}
    assert fields["tenure"].value == customers()["tenure"].iloc[0]
    assert fields["plan"].options == ("01", "02", "10", None)


def test_a_curve_is_what_the_model_says_of_the_row_with_that_value_and_nothing_else_changed(binary: Explorer):
    curve = binary.curve(ROW, "tenure")
    predictor = binary.version.predictor
    at = curve.set_index(VALUE)[SAID]
    assert at[20.0] == predictor.predict_proba(pd.DataFrame([ROW]))[0, 1]
    assert at[0.0] == predictor.predict_proba(pd.DataFrame([{**ROW, "tenure": 0}]))[0, 1]
    assert at.index.min() == 0
    assert at.index.max() == customers(300, 1)["tenure"].max()
    assert sorted(binary.curve({**ROW, "plan": "02"}, "plan")[VALUE]) == ["01", "02", "10"]
    assert "answers Yes" in words.moved_sentence(curve, "tenure", 0.0, predictor.model)


def test_changes_flip_the_decision_of_this_very_model_and_leave_fixed_columns_alone(binary: Explorer):
    said = binary.version.predictor.predict(pd.DataFrame([ROW]))["prediction"].iloc[0]
    other = {"Yes": "No", "No": "Yes"}[said]
    found = binary.other_decisions(ROW, binary.other_class(other))
    assert found
    for one in found:
        assert "charge" not in one.changes
        changed = {**ROW, **{name: after for name, (_, after) in one.changes.items()}}
        assert binary.version.predictor.predict(pd.DataFrame([changed]))["prediction"].iloc[0] == other
    assert binary.left_alone == ["charge"]
    assert f": {other}, with a probability of Yes of" in words.change_sentence(found[0], binary.version.predictor.model)
    assert binary.other_decisions(ROW, binary.other_class(said)) == []


def test_reasons_add_up_and_are_sentences(binary: Explorer):
    explanation = binary.reasons(ROW)
    parts = sum(one["contribution"] for one in explanation["reasons"]) + explanation["rest"]
    assert explanation["base"] + parts == pytest.approx(explanation["value"])
    first, *others = words.reason_sentences(explanation)
    assert first.startswith("Without knowing anything of the row, the probability of Yes would be")
    assert any("tenure = 20" in one and "percentage points" in one for one in others)
    assert list(words.reasons_table(explanation)["direction"]) == [
        "raises" if one["contribution"] >= 0 else "lowers" for one in explanation["reasons"]
    ]


def test_similar_rows_come_with_their_outcomes_and_what_they_differ_in(binary: Explorer):
    past = customers(300, 1).iloc[42]
    row = {name: past[name] for name in FEATURES}
    found = binary.similar(row)
    assert binary.sample is not None
    table = words.similar_table(found, binary.frame(row), binary.sample.ids, "churn")
    assert table["customer"].iloc[0] == "0042"
    assert table.iloc[0][["churn", "alike", "differs in"]].tolist() == [past["churn"], "100 %", "nothing"]
    assert words.outcome_sentence(found, "churn").startswith("What became of these 5 rows: churn = ")


def test_a_sample_is_bounded_even_and_in_whatever_row_groups_the_table_lies(tmp_path: Path):
    sample = explorer_of(tmp_path, most=100).sample
    assert sample is not None
    assert (len(sample.rows), sample.n_rows) == (100, 300)
    assert sample.ids["customer"].tolist() == [f"{int(place):04d}" for place in np.linspace(0, 299, 100)]
    assert words.sample_sentence(sample).startswith("Looked for among 100 of 300 training rows")


def test_numbers_have_intervals_curves_and_changes_to_a_number_that_is_wanted(tmp_path: Path):
    explorer = explorer_of(tmp_path, "regression")
    model, value = explorer.version.predictor.model, float(explorer.said(ROW)[0])
    answer = answer_of(body("regression", value), 0.9)
    assert words.range_words(answer, model).startswith("Of 90 % of all rows the truth lies within such an interval")
    assert words.decision_words(answer, model) == ""
    (found, *_) = explorer.other_decisions(ROW, explorer.beyond(value + 30, above=True))
    assert found.changes["tenure"][1] >= 30
    assert float(found.value) >= value + 30
    assert words.change_sentence(found, model).startswith("If tenure were 3")
    assert "spend is" in words.moved_sentence(explorer.curve(ROW, "plan"), "plan", "02", model)
    assert TARGETS["regression"] in words.curve_sentence(explorer.curve(ROW, "tenure"), "tenure", model)


def test_of_several_classes_any_can_be_sought_and_all_are_in_the_curve(tmp_path: Path):
    explorer = explorer_of(tmp_path, "multiclass")
    model = explorer.version.predictor.model
    assert len(explorer.curve(ROW, "plan")) == 3 * 3
    wanted = model.classes[int(explorer.said(ROW).argmin())]
    for one in explorer.other_decisions(ROW, explorer.other_class(wanted)):
        assert model.classes[int(one.value.argmax())] == wanted
    assert words.moved_sentence(explorer.curve(ROW, "plan"), "plan", "02", model).count("%") == 3


def test_words_of_two_classes_name_the_threshold_and_what_cannot_be_ruled_out(binary: Explorer):
    model, answer = binary.version.predictor.model, answer_of(body("binary", None), 0.9)
    assert words.decision_words(answer, model) == (
        "The probability of Yes is 70.0 %, at least the 50.0 % from which on the model answers Yes."
    )
    assert words.range_words(answer, model) == "At a level of 90 % the model cannot rule out any class."
    assert answer.confidence == 0.7


def test_thresholds_by_group_and_an_answer_of_another_version_are_told(binary: Explorer):
    model, answer = binary.version.predictor.model, answer_of(body("binary", None), 0.9)
    found = GroupThresholds(learn_grouping(customers(), ["plan"]), {"01": 0.3}, others=0.5, common=0.5)
    said = words.decision_words(answer, replace(model, group_thresholds=found))
    assert "Thresholds differ by group (plan): 0.300 for 01, 0.500 for all others." in said
    assert "Version 7 gave this answer, and version 1 is" in words.other_version_words(replace(answer, version="7"), binary.version)


def test_a_change_holds_for_the_numbers_as_they_are_told(tmp_path: Path):
    frame = customers(400, seed=3)
    frame = frame.assign(charge=500_000 + frame["charge"].fillna(70) / 100)
    frame = frame.assign(spend=(frame["charge"] - 500_000) * 1_000)  # told to six digits, the charge is a whole number
    paths = ProjectPaths(tmp_path).case("small")
    save_candidate(paths.model, fit("regression", frame), *describe("regression"), {"columns": {}}, "small", None)
    paths.artifacts.joinpath("train.parquet").write_bytes(frame.to_parquet())
    version = ServedVersion.load("small", 1, paths.model, None, Serving())
    explorer = Explorer(version, training_sample(paths, version.predictor.model, 1_000), App())
    row = {"tenure": 20, "charge": 500_000.2, "plan": "01"}
    goal = explorer.beyond(float(explorer.said(row)[0]) + 150, above=True)
    for one in explorer.other_decisions(row, goal):
        told = {name: float(value_text(after)) if name != "plan" else after for name, (_, after) in one.changes.items()}
        assert explorer.reached({**row, **told}, goal), one.changes
    assert explorer.reached(row, explorer.beyond(0.0, above=True))


def test_what_fails_in_the_service_of_the_app_is_said_and_not_waited_for():
    service = EmbeddedService(Path("no\0folder"), case_of())
    assert service.settled(60)
    assert not service.loading
    assert "The model could not be served (ValueError)" in service.failure


def test_a_level_that_the_model_cannot_vouch_for_is_not_asked_for(binary: Explorer):
    assert possible_level(binary.version, 0.9) == 0.9
    assert possible_level(binary.version, 0.999) is None
