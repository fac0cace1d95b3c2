"""Drift of the rows as a whole, of what they mean, and of what they matter."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from tests.models import FEATURES, describe, fit
from tests.models import customers as small_customers
from tests.unit.monitoring.drift.windows import COLUMNS, CONTRACT, customers, reference

from gristmill.errors import DataError
from gristmill.modeling.artifact.drift_reference import drift_reference
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.modeling.artifact.model_directory import save_candidate
from gristmill.monitoring.drift.concept import concept_drift
from gristmill.monitoring.drift.domain import delong, separation
from gristmill.monitoring.drift.importance import explained_importances, own_importances
from gristmill.monitoring.drift.measuring import measure
from gristmill.monitoring.drift.reference import Reference
from gristmill.monitoring.drift.window import Window


def related(n_rows: int, seed: int, sign: float) -> pd.DataFrame:
    """Return customers whose age goes with, or against, what they pay: each column alone looks the same."""
    rows, rng = customers(n_rows, seed), np.random.default_rng(seed + 50)
    amount = rng.normal(size=n_rows)
    return rows.assign(amount=np.exp(amount), age=(sign * amount + 0.3 * rng.normal(size=n_rows)) * 10 + 50)


def test_rows_of_one_distribution_cannot_be_told_apart():
    found = separation(customers(1500, 1), customers(1500, 2), reference())
    assert found.low < 0.5 < found.high or found.auc < 0.53
    assert not found.drifted(0.6)


def test_a_broken_relation_between_columns_is_seen_only_by_the_classifier_which_names_them():
    training, window = related(3000, 1, 1.0), related(3000, 2, -1.0)
    held = Reference.from_record(drift_reference(training, CONTRACT, COLUMNS, np.zeros((3000, 2)), 10), CONTRACT)
    found = separation(training, window, held)
    assert found.low > 0.8
    assert set(list(found.columns)[:2]) == {"amount", "age"}
    counted = Window.of(window, held)
    assert not measure(held, counted).alarm
    report = measure(held, counted, separation=found)
    assert report.alarm
    assert "a classifier tells" in report.sentence
    assert json.loads(json.dumps(report.to_record()))["multivariate"]["auc"] == found.auc


def test_too_few_rows_teach_a_classifier_nothing():
    with pytest.raises(DataError, match="at least 50 rows"):
        separation(customers(100), customers(20), reference())


def test_delong_gives_the_area_of_scikit_learn_and_the_spread_of_a_bootstrap():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 400)
    score = np.round(rng.normal(size=400) + 0.7 * y, 1)
    auc, variance = delong(y, score)
    assert auc == pytest.approx(roc_auc_score(y, score), abs=1e-12)
    places = rng.integers(0, 400, (500, 400))
    assert np.sqrt(variance) == pytest.approx(np.std([roc_auc_score(y[one], score[one]) for one in places]), rel=0.15)


def test_a_lasting_rise_of_the_loss_is_seen_and_placed():
    rng = np.random.default_rng(0)
    steady, risen = rng.exponential(0.3, 2000), rng.exponential(0.6, 1500)
    assert not concept_drift(steady).detected
    found = concept_drift(np.concatenate([steady, risen]))
    assert found.detected
    assert abs((found.at or 0) - 2000) < 200
    assert (found.before, found.after) == pytest.approx((0.3, 0.6), rel=0.1)
    assert "rose from 0.3" in found.sentence


def test_a_fall_of_the_loss_is_no_alarm():
    rng = np.random.default_rng(0)
    assert not concept_drift(np.concatenate([rng.exponential(0.6, 2000), rng.exponential(0.2, 2000)])).detected


def test_importances_are_shares_of_what_the_explanation_says():
    explanation = {"shap": [{"feature": "a", "mean_abs": 0.3}, {"feature": "b", "mean_abs": 0.1}]}
    assert explained_importances(explanation, ["a", "b", "c"]) == {"a": pytest.approx(0.75), "b": pytest.approx(0.25), "c": 0.0}
    assert explained_importances({}, ["a"]) is None


def test_a_model_says_itself_what_matters_to_it(tmp_path):
    rows = small_customers(400)
    model, contract = describe("binary")
    stored = drift_reference(rows, contract, FEATURES, fit(frame=rows).predict_proba(rows[FEATURES]), 10)
    save_candidate(tmp_path / "model", fit(frame=rows), model, contract, stored, "small")
    found = own_importances(FittedModel.load(tmp_path / "model"), tmp_path / "model")
    assert found is not None
    assert sum(found.values()) == pytest.approx(1)
    assert max(found, key=lambda name: found[name]) == "tenure"
