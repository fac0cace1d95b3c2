"""Encoding by the target's mean must not leak a row's own target."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from gristmill.features.target_means import TargetMeans


def column(*levels: str) -> pd.DataFrame:
    return pd.DataFrame({"c": levels}, dtype=object)


def test_a_level_gets_the_mean_of_its_rows_drawn_to_the_overall_mean():
    encoder = TargetMeans(smoothing=2.0).fit(column("a", "a", "b", "b"), [1.0, 1.0, 0.0, 2.0])
    encoded = encoder.transform(column("a", "b"))
    assert encoded == pytest.approx(np.array([[1.0, np.log(3)], [1.0, np.log(3)]]))
    assert TargetMeans(smoothing=0.0).fit(column("a", "b"), [0.0, 4.0]).transform(column("b"))[0, 0] == pytest.approx(4)


def test_a_level_never_seen_gets_the_overall_mean_and_no_count():
    encoder = TargetMeans().fit(column("a", "a", "b", "b"), [1, 0, 1, 1])
    assert encoder.transform(column("zebra")).tolist() == [[0.75, 0.0]]


def test_a_unique_level_does_not_tell_its_own_target():
    levels, y = [f"id {row}" for row in range(200)], np.arange(200) % 2
    encoded = TargetMeans(n_classes=2).fit_transform(column(*levels), y)[:, 0]
    assert abs(np.corrcoef(encoded, y)[0, 1]) < 0.2
    assert np.corrcoef(TargetMeans(n_classes=2).fit(column(*levels), y).transform(column(*levels))[:, 0], y)[0, 1] > 0.99


def test_every_class_of_the_case_has_a_column_even_if_it_is_absent():
    encoded = TargetMeans(n_classes=3).fit(column("a", "b"), [0, 2]).transform(column("a"))
    assert encoded.shape == (1, 4)
    assert encoded[0, 1] == 0.0


def test_a_single_row_can_be_fitted():
    assert TargetMeans().fit_transform(column("a"), [3.0])[0, 0] == 3.0


def test_a_long_level_is_not_confused_with_its_beginning():
    encoder = TargetMeans(smoothing=0.0).fit(column("ab", "cd"), [0.0, 1.0])
    assert encoder.transform(column("ab and much more"))[0].tolist() == [0.5, 0.0]


def test_the_inner_folds_are_the_same_every_time():
    levels, y = [f"l{row % 9}" for row in range(50)], np.arange(50) % 2
    first = TargetMeans(2).fit_transform(column(*levels), y)
    assert np.array_equal(first, clone(TargetMeans(2)).fit_transform(column(*levels), y))


def test_many_rows_are_encoded_as_one_row_is():
    levels = [f"l{row % 300}" for row in range(1000)]
    encoder = TargetMeans().fit(column(*levels), np.arange(1000.0))
    rows = column(*levels, "unknown")
    alone = np.vstack([encoder.transform(rows.iloc[[row]]) for row in (0, 123, 999, 1000)])
    assert np.array_equal(encoder.transform(rows)[[0, 123, 999, 1000]], alone)
