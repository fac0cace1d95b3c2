"""Suspected labels: planted mistakes are found, clean labels hardly accused (R28)."""

import numpy as np
import pandas as pd
import pytest
from tests.unit.evaluation.conftest import scored_numbers

from gristmill.evaluation.errors.label_noise import confident_joint, far_out, find_suspects, suspect_rows
from gristmill.evaluation.predictions import Scored


def labelled(n_rows=3000, n_classes=3, noise=0.1, seed=0):
    """Return given labels, true ones, and probabilities of a model that knows the truth well."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, n_classes, n_rows)
    scores = rng.normal(size=(n_rows, n_classes))
    scores[np.arange(n_rows), truth] += 5
    predicted = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    wrong = rng.random(n_rows) < noise
    given = np.where(wrong, (truth + rng.integers(1, n_classes, n_rows)) % n_classes, truth)
    return given, truth, predicted


@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_planted_mistakes_are_found_with_the_class_they_belong_to(n_classes):
    given, truth, predicted = labelled(n_classes=n_classes)
    rows, other = suspect_rows(given, predicted)
    wrong = np.flatnonzero(given != truth)
    assert len(np.intersect1d(rows, wrong)) / len(wrong) > 0.9
    assert len(np.intersect1d(rows, wrong)) / len(rows) > 0.9
    assert (other == truth[rows]).mean() > 0.9


def test_the_estimated_noise_is_about_what_was_planted():
    given, _, predicted = labelled(noise=0.2)
    joint = confident_joint(given, predicted)
    assert joint.sum(axis=1) == pytest.approx(np.bincount(given))
    assert 1 - np.trace(joint) / joint.sum() == pytest.approx(0.2, abs=0.03)


def test_clean_labels_are_hardly_accused():
    given, _, predicted = labelled(noise=0.0)
    assert len(suspect_rows(given, predicted)[0]) / len(given) < 0.02


def test_a_class_that_no_row_has_does_no_harm():
    given, _, predicted = labelled(n_classes=3)
    rows, other = suspect_rows(np.where(given == 2, 1, given), predicted)
    assert np.isfinite(confident_joint(np.where(given == 2, 1, given), predicted)).all()
    assert len(rows) == len(other)


def test_errors_far_out_are_judged_among_rows_with_about_the_same_prediction():
    rng = np.random.default_rng(0)
    predicted = np.linspace(1, 100, 2000)
    truth = predicted * (1 + rng.normal(0, 0.1, 2000))
    truth[100] += 30
    out = far_out(truth, predicted)
    assert out.argmax() == 100
    assert (np.delete(out, 100) < 3).all()


def test_suspects_are_named_by_row_and_side_in_the_words_of_the_table():
    given, truth, predicted = labelled(n_rows=400)
    sides = {
        name: Scored("multiclass", pd.Index([f"{name}{i}" for i in range(200)]), given[part], predicted[part])
        for name, part in {"training": slice(0, 200), "test": slice(200, 400)}.items()
    }
    found = find_suspects(sides, ("a", "b", "c"))
    first = found.table.iloc[0]
    position = int(first["row_key"].removeprefix(first["side"])) + (200 if first["side"] == "test" else 0)
    assert (first["given"], first["suggested"]) == ("abc"[given[position]], "abc"[truth[position]])
    assert found.keys() == set(found.table["row_key"])
    assert found.as_product()["suspects"] == len(found.table)
    assert f"**{len(found.table)}** of 400 labels are suspects" in found.sentence()


def test_numbers_have_suspects_too_and_no_estimate_of_noise():
    error = np.random.default_rng(0).normal(size=300)
    error[7] = 50
    found = find_suspects({"test": scored_numbers(error, np.zeros(300))})
    assert found.table["row_key"].tolist() == ["7"]
    assert np.isnan(found.noise)
    assert found.sentence() == "**1** of 300 labels are suspects (0.3 %)."
    assert list(found.shown().columns) == ["side", "given", "predicted", "far out"]
