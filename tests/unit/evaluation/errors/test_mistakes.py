"""The rows a model is most wrong about, with the reasons."""

import numpy as np
import pytest

from gristmill.evaluation.errors.mistakes import mistake_table, most_wrong
from gristmill.metrics.paired import Answers
from gristmill.reporting.wording import figure


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_worst_rows_come_first_with_what_spoke_for_the_answer(evaluated, task, monkeypatch):
    monkeypatch.setattr("gristmill.evaluation.explanation.local_reasons.SAMPLES", 100)
    found = evaluated(task)
    wrong = most_wrong(found.model, found.scored, found.test, found.test, suspects={"row 3"}, most=3)
    errors = [one["error"] for one in wrong]
    assert errors == sorted(errors, reverse=True)
    if task == "regression":
        assert errors[0] == pytest.approx(np.abs(found.scored.y_true - found.scored.predicted).max())
    else:
        assert wrong[0]["truth"] == str(found.test.loc[wrong[0]["row_key"], found.model.target])
        assert wrong[0]["output"] in found.model.classes
    assert wrong[0]["row"]["tenure"] == str(found.test.loc[wrong[0]["row_key"], "tenure"])
    assert {reason["feature"] for reason in wrong[0]["reasons"]} == {"tenure", "charge", "plan"}
    assert mistake_table(wrong).index.tolist() == [one["row_key"] for one in wrong]


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_what_others_say_of_the_worst_rows_stands_beside_it(evaluated, task, monkeypatch):
    monkeypatch.setattr("gristmill.evaluation.explanation.local_reasons.SAMPLES", 50)
    found = evaluated(task)
    champion = Answers(found.scored.predicted[::-1], 0.9 if task == "binary" else None)
    (one,) = most_wrong(found.model, found.scored, found.test, found.test, most=1, others={"champion": champion})
    said = champion.predicted[found.test.index.get_loc(one["row_key"])]
    if task == "regression":
        assert one["others"] == {"champion": figure(float(said))}
    else:
        decided = int(said[1] >= 0.9) if task == "binary" else int(said.argmax())
        assert one["others"] == {"champion": f"{found.model.classes[decided]} (probability {figure(float(said[decided]))})"}
    assert mistake_table([one])["champion"].tolist() == [one["others"]["champion"]]


def test_a_row_whose_label_is_a_suspect_is_marked(evaluated, monkeypatch):
    monkeypatch.setattr("gristmill.evaluation.explanation.local_reasons.SAMPLES", 50)
    found = evaluated("binary")
    first = most_wrong(found.model, found.scored, found.test, found.test, most=1)[0]["row_key"]
    marked = most_wrong(found.model, found.scored, found.test, found.test, suspects={first}, most=1)
    assert marked[0]["suspect"]
    assert mistake_table(marked)["label a suspect"].tolist() == ["yes"]
