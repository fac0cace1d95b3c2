"""The estimate before labels come: near the truth under covariate shift, wrong under concept change, and it says how sure it is."""

import numpy as np
import pandas as pd
import pytest

from gristmill.errors import DataError
from gristmill.metrics.scores import all_scores, score
from gristmill.monitoring.performance.estimate.confidence import Draws, expected_scores
from gristmill.monitoring.performance.estimate.estimating import Estimating, estimate
from gristmill.monitoring.performance.estimate.recalibration import recalibrated
from gristmill.monitoring.performance.estimate.reference import Reference, as_numbers
from gristmill.monitoring.performance.estimate.shift import shift

QUICK = Draws(draws=50)
METRICS = ("roc_auc", "accuracy", "f1", "log_loss", "brier")


def world(n_rows: int, seed: int, moved: float = 0.0, *, turned: bool = False) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Return columns, labels, and what a model that sees one of two causes, and is too sure of it, says."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame({"a": rng.normal(moved, 1, n_rows), "b": rng.normal(moved, 1, n_rows), "c": rng.choice(["x", "y"], n_rows)})
    odds = (-1 if turned else 1) * (1.4 * X["a"] + 0.8 * X["b"] - 0.4)
    y = (rng.random(n_rows) < 1 / (1 + np.exp(-odds))).astype(np.int64).to_numpy()
    said = 1 / (1 + np.exp(-(2.0 * X["a"] - 0.5))).to_numpy()
    return X, y, np.column_stack([1 - said, said])


def estimated(moved: float, *, turned: bool = False, metrics: tuple[str, ...] = METRICS):
    X, y, said = world(6_000, 0)
    new, truth, answers = world(6_000, 1, moved, turned=turned)
    kinds = {"a": "numeric", "b": "numeric", "c": "categorical"}
    how = Estimating(list(X), kinds, metrics, draws=QUICK)
    found = estimate(Reference("binary", y, said, X), answers, new, how)
    return found, {name: score(name, truth, answers) for name in metrics}


def test_every_metric_is_estimated_where_nothing_moved_although_the_model_is_too_sure():
    found, truth = estimated(0.0)
    assert not found.weighted
    for name in METRICS:
        assert abs(found.metrics[name]["value"] - truth[name]) < 0.02, name
        assert found.metrics[name]["low"] <= truth[name] <= found.metrics[name]["high"], name


@pytest.mark.slow
def test_under_covariate_shift_the_estimate_is_near_and_nearer_than_without_weights():
    found, truth = estimated(0.8)
    assert found.weighted
    assert found.separation > 0.7
    _, y, said = world(6_000, 0)
    _, _, answers = world(6_000, 1, 0.8)
    unweighted = expected_scores(answers, recalibrated(y, said, np.ones(len(y)), answers), METRICS)
    for name in METRICS:
        assert abs(found.metrics[name]["value"] - truth[name]) < 0.02, name
    assert abs(found.metrics["log_loss"]["value"] - truth["log_loss"]) < abs(unweighted["log_loss"][0] - truth["log_loss"])


@pytest.mark.slow
def test_under_concept_change_the_estimate_is_wrong_and_does_not_know_it():
    found, truth = estimated(0.0, turned=True)
    assert found.metrics["roc_auc"]["value"] > 0.75
    assert truth["roc_auc"] < 0.25
    assert not found.weighted


@pytest.mark.slow
def test_rows_far_from_all_reference_rows_are_warned_of():
    found, _ = estimated(4.0, metrics=("roc_auc",))
    assert any("not to be relied on" in sentence for sentence in found.warnings)
    assert any("nothing is known of them" in sentence for sentence in found.warnings)
    assert estimated(0.0, metrics=("roc_auc",))[0].warnings == ()


@pytest.mark.slow
def test_the_expectation_is_the_mean_over_all_labels_that_could_be_drawn():
    rng = np.random.default_rng(0)
    positive = rng.random(400)
    predicted = np.column_stack([1 - positive, positive])
    expected = expected_scores(predicted, predicted, METRICS, 0.4)
    drawn = [all_scores("binary", (rng.random(400) < positive).astype(int), predicted, threshold=0.4) for _ in range(400)]
    for name in METRICS:
        values = [one[name] for one in drawn]
        assert expected[name][0] == pytest.approx(np.mean(values), abs=4 * np.std(values) / 20 + 0.002), name


@pytest.mark.slow
def test_several_classes_are_estimated():
    rng = np.random.default_rng(0)

    def rows(n_rows: int) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
        X = rng.normal(size=(n_rows, 3))
        proba = np.exp(1.5 * X) / np.exp(1.5 * X).sum(axis=1, keepdims=True)
        y = (rng.random(n_rows)[:, None] > proba.cumsum(axis=1)[:, :-1]).sum(axis=1)
        sure = proba**2 / (proba**2).sum(axis=1, keepdims=True)
        return pd.DataFrame(X, columns=list("abc")), y, sure

    X, y, said = rows(4_000)
    new, truth, answers = rows(4_000)
    how = Estimating(list("abc"), {}, ("log_loss", "accuracy", "roc_auc"), draws=QUICK)
    found = estimate(Reference("multiclass", y, said, X), answers, new, how)
    for name, interval in found.metrics.items():
        assert abs(interval["value"] - score(name, truth, answers)) < 0.02, name


def numbers_world(n_rows: int, seed: int, low: float, high: float) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Return columns, numbers whose noise grows with the column, and what a model says of them."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame({"a": rng.uniform(low, high, n_rows), "b": rng.normal(size=n_rows)})
    y = (5 * X["a"] + X["a"] * rng.normal(size=n_rows)).to_numpy()
    return X, y, (5 * X["a"]).to_numpy()


@pytest.mark.slow
def test_errors_of_numbers_are_estimated_where_rows_move_to_where_they_are_large():
    X, y, said = numbers_world(8_000, 0, 1, 4)
    new, truth, answers = numbers_world(4_000, 1, 3, 4)
    found = estimate(Reference("regression", y, said, X), answers, new, Estimating(["a", "b"], {}, ("rmse", "mae", "r2")))
    assert set(found.metrics) == {"rmse", "mae"}
    for name, interval in found.metrics.items():
        true, before = score(name, truth, answers), score(name, y, said)
        assert abs(interval["value"] - true) < 0.25 * abs(before - true), name
        assert interval["low"] < true < interval["high"], name


def test_weights_follow_the_ratio_of_the_densities():
    rng = np.random.default_rng(0)
    old, new = rng.normal(0, 1, (6_000, 2)), rng.normal(0.7, 1, (6_000, 2))
    found = shift(old, new, np.array([False, False]))
    true = np.exp(0.7 * old.sum(axis=1))
    assert found.found
    assert np.corrcoef(np.log(found.weights), np.log(true))[0, 1] > 0.9
    assert found.weights.mean() == pytest.approx(1)
    assert 300 < found.effective_rows < 6_000


def test_like_rows_have_no_weights():
    rng = np.random.default_rng(0)
    found = shift(rng.normal(size=(2_000, 3)), rng.normal(size=(2_000, 3)), np.zeros(3, dtype=bool))
    assert not found.found
    assert np.array_equal(found.weights, np.ones(2_000))


def test_levels_that_one_table_alone_has_and_missing_values_are_numbers_too():
    old = pd.DataFrame({"plan": ["a", "a", None], "day": ["2026-01-01", None, "2026-01-02"], "note": ["one two", None, ""]})
    new = pd.DataFrame({"plan": ["b"], "day": ["1970-01-01"], "note": ["x"]})
    (first, second), is_level = as_numbers([old, new], {"plan": "categorical", "day": "date", "note": "text"})
    assert list(is_level) == [True, False, False]
    assert first[0, 0] == first[1, 0] != first[2, 0]
    assert second[0, 0] not in first[:, 0]
    assert (second[0, 1], first[0, 2]) == (0.0, 2.0)
    assert np.isnan(first[1, 1])


def test_too_few_rows_and_absent_columns_are_refused():
    X, y, said = world(200, 0)
    reference = Reference("binary", y, said, X)
    how = Estimating(["a", "z"], {}, ("roc_auc",))
    with pytest.raises(DataError, match="at least 50 served rows"):
        estimate(reference, said[:10], X[:10], how)
    with pytest.raises(DataError, match="'z'"):
        estimate(reference, said, X, how)
