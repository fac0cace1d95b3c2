"""Figures of training that are read off fitted models."""

from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from tests.unit.modeling.conftest import make_rows

from gristmill.modeling import figures
from gristmill.modeling.families.catalogue import build
from gristmill.modeling.search.trial import Trial
from gristmill.modeling.search.tuning import Search
from gristmill.modeling.training_rows import TrainingRows

PARAMS = {"trainer": "scikit-learn", "numeric": "standard", "hidden": "8", "decay": 0.1, "learning_rate": 1e-3, "epochs": 4}


def found(rows: TrainingRows, *, watched: bool) -> Search:
    """Return the search of a network that was fitted on all rows but the last twenty."""
    pipeline = build("neural", PARAMS, rows.problem)
    matrix = pipeline[0].fit_transform(rows.X, rows.y)
    network = pipeline[1].fit(matrix, rows.y).estimator_
    if watched:
        network.fit_watched(matrix[:-20], rows.y[:-20], matrix[-20:], rows.y[-20:])
        pipeline[1].estimator_ = network.truncated(2)
    return Search("neural", fitted=pipeline)


def texts(figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def test_a_watched_network_shows_both_curves_and_the_epoch_that_was_kept():
    rows = make_rows("binary")
    search = found(rows, watched=True)
    curves = figures.curves(search)
    network = search.fitted[1].estimator_
    assert list(curves) == ["training", "validation"]
    assert curves["validation"] == network.curve_.tolist()
    assert len(curves["training"]) == 4
    shown = texts(figures.drivers(search, rows, "roc_auc"))
    assert {"training", "validation", "kept: epoch 2"} <= set(shown)
    plt.close("all")


def test_a_network_that_was_not_watched_shows_the_training_loss_alone():
    rows = make_rows("binary")
    search = found(rows, watched=False)
    assert list(figures.curves(search)) == ["training"]
    assert not [text for text in texts(figures.drivers(search, rows, "roc_auc")) if text.startswith("kept")]
    plt.close("all")


def test_means_over_the_folds_are_shown_where_the_search_has_noted_them():
    search = found(make_rows("binary"), watched=True)
    search.best = SimpleNamespace(train_curve=[(1, 0.75), (2, 0.5), (3, 0.25)], curve=[(1, 0.875), (2, 0.625), (3, 0.75)])
    assert figures.curves(search) == {"training": [0.75, 0.5, 0.25], "validation": [0.875, 0.625, 0.75]}


@pytest.mark.parametrize("family", ["linear", "neural"])
def test_a_family_without_epochs_or_model_has_no_curves(family: str):
    assert figures.curves(Search(family)) == {}


def test_rows_of_one_class_have_no_curves():
    rows = make_rows("binary", n_rows=40)
    fitted = build("neural", PARAMS, rows.problem).fit(rows.X, np.zeros(40, dtype=int))
    assert figures.curves(Search("neural", fitted=fitted)) == {}


def test_the_best_trials_are_listed_first_with_their_parameters_in_words():
    tried = [
        Trial(0, {"depth": 3, "rate": 0.123456}, [0.7], 0.7, 0.01, 2.0, "finished", "default", None),
        Trial(1, {"depth": 9, "rate": 0.5}, [0.9], 0.9, 0.01, 1.0, "pruned", "bayesian", None),
        Trial(2, {"depth": 4, "rate": 0.1}, [0.8], 0.8, 0.01, 1.0, "finished", "bayesian", None),
        Trial(3, {"depth": 5, "rate": 0.1}, [], None, None, 1.0, "failed", "bayesian", "out of memory"),
    ]
    table = figures.best_trials(Search("boosting", trials=tried), "roc_auc")
    assert list(table.index) == [2, 0, 1]
    assert table.loc[0].to_dict()["parameters"] == "depth 3, rate 0.123"
    assert list(figures.best_trials(Search("boosting", trials=tried), "log_loss", 1).index) == [0]
