"""Why a model got worse, with one known fault put in."""

import json
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pandas as pd
import pytest
from tests.models import customers, save_model

from gristmill.errors import DataError
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.monitoring.diagnosis.account import CONCEPT, as_page
from gristmill.monitoring.diagnosis.diagnosing import diagnose
from gristmill.monitoring.diagnosis.suspects import BROKEN_JOIN, MISSING, NEW_LEVEL, STUCK, UNIT, unit_factor


@cache
def model(task: str = "binary") -> FittedModel:
    """Return a model of the customers, whose tenure decides."""
    directory = Path(mkdtemp()) / "model"
    save_model(directory, task, frame=customers(3000, seed=5))
    return FittedModel.load(directory)


def found_in(window: pd.DataFrame, task: str = "binary"):
    return diagnose(model(task), customers(1500, seed=1), window)


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_changed_unit_is_the_first_cause_with_its_factor(task: str):
    window = customers(1200, seed=2)
    found = found_in(window.assign(tenure=window["tenure"] * 12), task)
    assert (found.causes[0].kind, found.causes[0].columns) == (UNIT, ("tenure",))
    assert "multiplied by 12" in found.sentence
    assert found.causes[0].explained == pytest.approx(1, abs=0.3)
    assert found.causes[-1].kind == CONCEPT
    assert found.causes[-1].explained < 0.3


def test_columns_missing_together_are_a_broken_join():
    window = customers(1200, seed=2)
    lost = np.arange(1200) % 10 < 8
    window = window.assign(tenure=window["tenure"].mask(lost), charge=window["charge"].mask(lost | window["charge"].isna() & lost))
    first = found_in(window).causes[0]
    assert first.kind == BROKEN_JOIN
    assert set(first.columns) == {"tenure", "charge"}


def test_columns_that_hold_defaults_in_the_same_rows_are_a_broken_join():
    window = customers(1200, seed=2)
    lost = np.arange(1200) % 10 < 6
    first = found_in(window.assign(tenure=window["tenure"].mask(lost, -1), charge=window["charge"].mask(lost, 0.0))).causes[0]
    assert (first.kind, set(first.columns)) == (BROKEN_JOIN, {"tenure", "charge"})
    assert "filled with defaults" in first.words


def test_a_key_that_is_written_otherwise_is_named_with_the_column_that_lost_its_values():
    """An id is always new; that it has another form only where the join found nothing is what tells."""
    window = customers(1200, seed=2)
    lost = np.arange(1200) % 10 < 5
    strange = window["customer"].astype(str).where(~lost, "K/" + window["customer"].astype(str))
    first = found_in(window.assign(charge=window["charge"].mask(lost), customer=strange)).causes[0]
    assert (first.kind, first.columns) == (BROKEN_JOIN, ("charge",))
    assert "'customer' holds what was never seen before, such as 'K/" in first.words


def test_missing_values_without_a_key_that_fits_are_only_missing():
    window = customers(1200, seed=2)
    first = found_in(window.assign(charge=window["charge"].mask(np.arange(1200) % 2 == 0))).causes[0]
    assert (first.kind, first.columns) == (MISSING, ("charge",))


def test_a_stuck_value_is_named():
    window = customers(1200, seed=2)
    first = found_in(window.assign(tenure=window["tenure"].where(np.arange(1200) < 200, 71))).causes[0]
    assert (first.kind, first.columns) == (STUCK, ("tenure",))
    assert "is 71 in" in first.words


def test_a_new_level_is_named_even_if_it_costs_little():
    window = customers(1200, seed=2)
    found = found_in(window.assign(plan=window["plan"].replace("01", "1")))
    assert (found.causes[0].kind, found.causes[0].columns) == (NEW_LEVEL, ("plan",))
    assert "'1'" in found.causes[0].words


def test_labels_that_mean_something_else_are_a_concept_change():
    window = customers(1200, seed=2)
    found = found_in(window.assign(churn=window["churn"].map({"Yes": "No", "No": "Yes"})))
    assert [one.kind for one in found.causes] == [CONCEPT]
    assert found.segments[0].z > 5


def test_a_window_like_the_reference_has_no_cause():
    found = found_in(customers(1200, seed=2))
    assert not found.worse
    assert found.causes == ()
    assert "not worse" in found.sentence


def test_the_diagnosis_can_be_written_as_data_and_as_a_page():
    window = customers(1200, seed=2)
    found = found_in(window.assign(plan=window["plan"].replace("01", "<script>"), tenure=window["tenure"] * 12))
    assert json.loads(json.dumps(found.to_record(), allow_nan=False))["worse"] is True
    page = as_page(found)
    assert "First cause: unit change" in page
    assert "<script>" not in page


@pytest.mark.parametrize(
    ("window", "message"),
    [
        (customers(1200).drop(columns="churn"), "The window lacks the column 'churn'"),
        (customers(1200).assign(churn=None), "No row of the window has a label"),
        (customers(100), "at least 200 labelled rows on each side, got 1,500 of the reference and 100"),
        (customers(1200).assign(churn="maybe"), "the label 'maybe'"),
    ],
)
def test_a_window_that_cannot_be_diagnosed_is_refused(window: pd.DataFrame, message: str):
    with pytest.raises(DataError, match=message):
        found_in(window)


def test_a_factor_is_told_from_another_shape():
    rng = np.random.default_rng(0)
    old = rng.lognormal(1, 0.5, 2000)
    assert unit_factor(old, rng.lognormal(1, 0.5, 1000) * 2.54) == pytest.approx(2.54, rel=0.05)
    assert unit_factor(old, rng.lognormal(1, 0.5, 1000)) is None
    assert unit_factor(old, np.full(1000, 8.0)) is None
