"""The figures of training and selection, each chosen to suit the task or the family."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.metrics.scores import as_gain, score
from gristmill.modeling.choice.calibration import Calibration
from gristmill.modeling.choice.candidates import Candidate, Choice
from gristmill.modeling.choice.members import Member
from gristmill.modeling.choice.thresholds import ChosenThreshold
from gristmill.modeling.search.trial import Search
from gristmill.modeling.threads import one_core
from gristmill.modeling.training_rows import TrainingRows
from gristmill.reporting.plots import classification, decisions, evidence, regression, selection, training
from gristmill.reporting.plots.data import association_heatmap
from gristmill.reporting.plots.style import HouseFigure, empty
from gristmill.reporting.wording import figure, metric_label

Floats = NDArray[np.float64]

NAMED_IN_CURVE = {"fbeta": "F-score", "disparity": "largest difference between groups"}
"""Columns of a threshold's curve that the names of metrics do not cover -> how they are written."""

SHOWN_TRIALS = 10
"""Trials of a search that its report lists."""

PERMUTED_ROWS = 500
"""Rows on which the importance of features is measured."""


def out_of_fold(rows: TrainingRows, oof: Floats | None, threshold: float | None = None) -> HouseFigure:
    """Return how out-of-fold predictions compare with the truth: ROC, confusion matrix, or predicted against actual."""
    if oof is None:
        return empty("Out-of-fold predictions", "There are none: this family has no model.")
    y, predicted = rows.y[rows.validated], oof[rows.validated]
    if not rows.classes:
        return regression.predicted_vs_actual(y, predicted)
    if len(rows.classes) == 2:
        return classification.roc_curve(y, predicted, rows.classes, threshold=threshold)
    return classification.confusion_matrix(y, np.argmax(predicted, axis=1), rows.classes)


def best_trials(result: Search, metric: str, most: int = SHOWN_TRIALS) -> pd.DataFrame:
    """Return the best trials for reading, finished ones first: score, time, and parameters in words.

    Parameters
    ----------
    result
        The search of a family.
    metric
        What the scores are.
    most
        Most trials returned.
    """
    tried = [one for one in result.trials if one.score is not None]
    ranked = sorted(tried, key=lambda one: (one.status != "finished", -as_gain(metric, float(one.score or 0.0))))[:most]
    rows = [
        [one.number, figure(one.score, 4), figure(one.std, 4), one.status, one.origin, f"{one.seconds:.1f} s", _params(one.params)]
        for one in ranked
    ]
    columns = ["trial", metric_label(metric), "spread over folds", "status", "origin", "took", "parameters"]
    return pd.DataFrame(rows, columns=columns).set_index("trial")


def _params(params: Mapping[str, Any]) -> str:
    """Return parameters on one line, numbers with no more digits than tell them apart."""
    return ", ".join(f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}" for name, value in params.items())


def by_fold(result: Search, metric: str) -> HouseFigure:
    """Return the score of a family's best configuration in every fold."""
    if result.best is None:
        return empty("Scores by fold", "There are none: this family has no model.")
    return training.fold_scores({result.family: result.best.fold_scores}, metric)


def drivers(result: Search, rows: TrainingRows, metric: str) -> HouseFigure:
    """Return what drives a family's best model of the last fold.

    Coefficients for a linear model, impurity for a forest; the loss by epoch for a network; for boosting how much the metric
    suffers when a feature's values are shuffled among validation rows (Breiman 2001).
    """
    if result.fitted is None:
        return empty("What drives the model", "There is none: this family has no model.")
    prepare, model = result.fitted[0], result.fitted[1].estimator_
    if model is None:
        return empty("What drives the model", "The rows of the last fold have one class only: nothing was learnt.")
    if result.family == "neural":
        kept = model.epochs_ if curves(result).get("validation") else None
        return training.epochs(curves(result), "loss", kept=kept, title="The loss after each epoch")
    if result.family == "boosting":
        lost = _permutation(result, rows, metric)
        return evidence.importance_bars(list(lost), list(lost.values()), label=f"loss of {metric_label(metric)} when shuffled")
    linear = result.family == "linear"
    strength = np.abs(np.atleast_2d(model.coef_)).mean(axis=0) if linear else model.feature_importances_
    label = "size of the coefficient" if linear else "share of the impurity removed"
    names = [str(name).partition("__")[2] for name in prepare.get_feature_names_out()]
    return evidence.importance_bars(names, strength, label=label)


def curves(result: Search) -> dict[str, list[float]]:
    """Return the loss after each epoch of the best network: ``training``, and ``validation`` if it was watched.

    Means over the folds where the search has noted them, else those of the last fold. None for a family that has no epochs, and
    where nothing was learnt.
    """
    if result.family != "neural":
        return {}
    model = None if result.fitted is None else result.fitted[1].estimator_
    found = {}
    for name, key in (("training", "train_curve"), ("validation", "curve")):
        noted = [loss for _, loss in getattr(result.best, key, None) or ()]
        found[name] = noted or [float(loss) for loss in getattr(model, f"{key}_", ())]
    return {name: values for name, values in found.items() if values}


def _permutation(result: Search, rows: TrainingRows, metric: str) -> dict[str, float]:
    """Return by how much the metric gets worse on validation rows of the last fold when one feature is shuffled."""
    assert result.fitted is not None  # noqa: S101 - the caller looked
    random = np.random.default_rng(0)
    valid = random.permutation(rows.folds[-1][1])[:PERMUTED_ROWS]
    X, y = rows.X.iloc[valid], rows.y[valid]
    predict = result.fitted.predict_proba if rows.classes else result.fitted.predict
    lost = {}
    with one_core():
        whole = as_gain(metric, score(metric, y, predict(X)))
        for name in X.columns:
            shuffled = X.assign(**{name: random.permutation(X[name].to_numpy())})
            lost[str(name)] = max(0.0, whole - as_gain(metric, score(metric, y, predict(shuffled))))
    return {name: value for name, value in lost.items() if np.isfinite(value)}


def agreement(rows: TrainingRows, members: Mapping[str, Member]) -> HouseFigure:
    """Return how alike the members' out-of-fold errors are: where they are not, a blend can gain."""
    errors: Mapping[str, Any] = {name: _errors(rows, one.oof) for name, one in members.items()}
    table = pd.DataFrame(errors).corr().fillna(1.0)
    between = table.to_numpy()[np.tril_indices(len(table), -1)]
    reach = f": from {between.min():.2f} to {between.max():.2f}" if len(between) else ""
    title = f"Correlation of the models' errors, row by row{reach}"
    return association_heatmap(table, title=title, of="model", measure="correlation of errors")


def _errors(rows: TrainingRows, oof: Floats) -> Floats:
    """Return each validated row's error: what its class's probability lacks, or the residual."""
    y, predicted = rows.y[rows.validated], oof[rows.validated]
    if not rows.classes:
        return np.asarray(predicted - y, dtype=np.float64)
    return np.asarray(1 - predicted[np.arange(len(y)), y], dtype=np.float64)


def leaderboard(found: Sequence[Candidate], choice: Choice, metric: str, baseline: float) -> HouseFigure:
    """Return the candidates, best first, with the chosen one marked and the baseline's score."""
    board = [{"name": one.name, "score": one.score, "std": one.std} for one in found]
    return training.leaderboard(board, metric, chosen=choice.candidate.name, baseline=baseline)


def frontier(found: Sequence[Candidate], choice: Choice, metric: str, max_row_ms: float) -> HouseFigure:
    """Return the candidates' scores against the time of one row, with the chosen one and the limit marked."""
    board = [{"name": one.name, "score": one.score, "row_ms": one.row_ms} for one in found]
    return selection.frontier(board, metric, chosen=choice.candidate.name, limit=max_row_ms)


def calibration(rows: TrainingRows, done: Calibration | None, before: Floats) -> HouseFigure:
    """Return whether probabilities mean what they say, before and after; for a regression, the residuals."""
    y = rows.y[rows.validated]
    if done is None:
        return regression.residuals(y, before[rows.validated])
    after, earlier = done.oof[rows.validated], before[rows.validated]
    return decisions.calibration_curve(y, after, rows.classes, before=None if done.calibrator is None else earlier)


def threshold(chosen: ChosenThreshold | None) -> HouseFigure:
    """Return what every threshold would give, with the chosen one marked."""
    if chosen is None:
        return empty("Threshold", "There is none: only a decision between two classes needs one.")
    rule = chosen.rule if chosen.rule in chosen.curve else "f1"
    flags_none = np.asarray(chosen.curve["share_flagged"]) == 0  # where there is no precision
    curve = {name: np.asarray(values, dtype=np.float64) for name, values in chosen.curve.items()}
    curve["precision"] = np.where(flags_none, np.nan, curve["precision"])
    names = dict.fromkeys((rule, "precision", "recall", "share_flagged", "disparity"))
    shown = {NAMED_IN_CURVE.get(name, name): curve[name] for name in names if name in curve}
    return decisions.threshold_curve(curve["threshold"], shown, chosen=chosen.value)
