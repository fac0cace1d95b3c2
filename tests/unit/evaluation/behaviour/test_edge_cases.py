"""Built-in tests of behaviour: good models of each task pass them, and models spoilt in one way fail one of them (R28)."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from gristmill.evaluation.behaviour import edge_cases
from gristmill.evaluation.behaviour.answers import BUILT_IN, Outcome, Subject, conclusion, outcome_table
from gristmill.evaluation.behaviour.contradictions import contradictions


class Spoilt(BaseEstimator):
    """A fitted pipeline whose answers are changed by a function of the rows and the answers."""

    def __init__(self, pipeline, spoil):
        self.pipeline, self.spoil = pipeline, spoil

    def predict_proba(self, rows):
        """Return spoilt probabilities."""
        return self.spoil(rows, self.pipeline.predict_proba(rows))


def subject(evaluated, task="binary", spoil=None):
    found = evaluated(task)
    if spoil is None:
        return Subject(found.model, found.test, found.scored)
    model = replace(found.model, open_pipeline=lambda: Spoilt(found.model.pipeline, spoil), compiled={})
    scored = replace(found.scored, predicted=model.predict_values(found.test))
    return Subject(model, found.test, scored)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_good_model_passes_every_test_that_counts(evaluated, task):
    outcomes = edge_cases.built_in(subject(evaluated, task), evaluated(task).test, 0.05)
    assert [one.name for one in outcomes if one.hard and one.passed is not True] == []
    assert len([one for one in outcomes if one.hard]) == 7
    assert all(one.tried > 0 for one in outcomes if one.hard)


def by_rank(rows, proba):
    first = (np.arange(len(rows)) < len(rows) / 2)[:, None]
    return np.where(first, proba, proba[:, ::-1])


def not_a_number_where(held):
    return lambda rows, proba: np.where(held(rows).to_numpy()[:, None], np.nan, proba)


def raising(rows, proba):
    if rows["plan"].eq(edge_cases.UNSEEN).any():
        raise KeyError(edge_cases.UNSEEN)
    return proba


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("row_order", by_rank),
        ("rows_alone", lambda rows, proba: proba if len(rows) > 1 else proba[:, ::-1]),
        ("missing_values", not_a_number_where(lambda rows: rows["tenure"].isna())),
        ("extreme_values", not_a_number_where(lambda rows: rows["charge"] > 500)),
        ("unseen_levels", raising),
        ("finite_answers", lambda _, proba: proba * 1.1),
    ],
)
def test_a_model_spoilt_in_one_way_fails_the_test_of_it(evaluated, name, spoil):
    outcome = getattr(edge_cases, name)(subject(evaluated, spoil=spoil))
    assert outcome.hard
    assert outcome.passed is False
    assert 0 < outcome.broke <= outcome.tried
    assert outcome.worst["broke"]


def test_a_model_that_takes_columns_by_position_fails(evaluated, monkeypatch):
    found = subject(evaluated)
    names = list(found.model.feature_columns)

    def by_position(self, frame):
        return found.model.predict_values(frame[[one for one in frame.columns if one in names]].set_axis(names, axis=1))

    turned = Subject(found.model, found.rows[["tenure", "charge", "plan"]].assign(plan="01", charge=1.0), found.scored)
    same = replace(turned, scored=replace(found.scored, predicted=by_position(found.model, turned.rows)))
    assert edge_cases.column_order(same).passed
    monkeypatch.setattr(type(found.model), "predict_values", by_position)
    monkeypatch.setattr(type(found.model), "features", lambda self, frame: frame)
    assert edge_cases.column_order(same).passed is False


def test_what_was_raised_is_told(evaluated):
    outcome = edge_cases.unseen_levels(subject(evaluated, spoil=raising))
    assert outcome.note.startswith("KeyError")
    assert "a level that no row had" in outcome.note


def test_absurd_numbers_are_reported_and_decide_nothing(evaluated):
    spoil = not_a_number_where(lambda rows: rows["tenure"].abs() > 1e20)
    outcome = edge_cases.absurd_numbers(subject(evaluated, spoil=spoil))
    assert (outcome.hard, outcome.passed) == (False, False)
    assert "FAILED (reported)" in outcome_table([outcome])["verdict"].tolist()


def test_a_test_without_a_column_to_try_is_neither_passed_nor_failed(evaluated):
    found = subject(evaluated)
    narrow = replace(found, model=replace(found.model, feature_columns=("plan",)))
    assert edge_cases.extreme_values(narrow).passed is None
    assert edge_cases.extreme_values(narrow).note == "the model sees no such column"


def test_near_duplicates_with_another_label_are_counted_and_shown(evaluated):
    found = subject(evaluated)
    rows = found.rows.copy()
    twins = rows.head(10).assign(charge=lambda part: part["charge"] * 1.0001)
    twins["churn"] = np.where(twins["churn"] == "Yes", "No", "Yes")
    train = pd.concat([twins.head(4), rows.iloc[4:10]]).set_axis([f"t{i}" for i in range(10)])
    outcome = contradictions(replace(found, rows=rows), train, 0.05)
    assert outcome.tried >= 10
    assert (outcome.broke, outcome.passed, outcome.hard) == (4, False, False)
    assert (outcome.worst["row_key"], outcome.worst["twin"]) == ("row 0", "t0")
    assert {outcome.worst["before"], outcome.worst["after"]} == {"churn Yes", "churn No"}


def test_the_conclusion_counts_by_whom_a_test_is_stated():
    def one(name, source, passed, *, hard=True):
        return Outcome(name, "claim", source, hard=hard, tried=10, broke=0 if passed else 3, tolerance=0, passed=passed)

    said = conclusion([one("a", "case file", True), one("b", "case file", False), one("c", BUILT_IN, False, hard=False)])
    assert said == (
        "**1** of 2 tests of the case file passed, **0** of 1 tests built in passed. Failed: **b** (3 of 10 rows); **c** (3 of 10 "
        "rows, reported only)."
    )
    assert "states none of its own" in conclusion([one("c", BUILT_IN, True)])


def test_of_wide_tables_some_columns_are_changed_and_that_is_told(evaluated, monkeypatch):
    monkeypatch.setattr(edge_cases, "MOST_COLUMNS", 2)
    outcome = edge_cases.missing_values(subject(evaluated))
    assert outcome.tried == 2 * edge_cases.MOST_ROWS + 1
    assert outcome.note == "at most 2 columns were changed, one at a time"
