"""What an evaluation measures beside the curves: all metrics on each kind of rows, the baseline, profit, speed."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from gristmill.errors import ArtifactError, DataError
from gristmill.evaluation.curves import learning_points
from gristmill.evaluation.predictions import Scored
from gristmill.metrics.interval_ends import Interval, bca_interval
from gristmill.metrics.intervals import DEFAULT_BOOTSTRAP, Bootstrap, intervals
from gristmill.metrics.paired import Answers
from gristmill.metrics.resampling import Kernel, resample
from gristmill.metrics.scores import score
from gristmill.modeling import baselines
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.reporting.wording import count, figure, interval, metric_label, opening

MAX_TRAINING_ROWS = 50_000
"""Training rows predicted for comparison with the test rows; more would only cost time."""

BUSINESS_RULES = {"profit": "profit per 1,000 rows", "cost": "cost of mistakes per 1,000 rows"}
"""Rules of the threshold that count in the business's currency -> what they count."""

PRICES = {"value_true_positive", "cost_contact"}
"""Keys of ``threshold`` that, when a case gives one of them, price decisions whatever rule they are taken by."""

FEWEST_OF_A_CLASS = 5
"""Rows of each class without which a point of the learning curve is left out."""


def measure(model: FittedModel, scored: Scored, bootstrap: Bootstrap = DEFAULT_BOOTSTRAP) -> dict[str, Interval]:
    """Return all metrics of the task on some rows, with intervals, at the model's threshold."""
    return intervals(
        scored.task,
        scored.y_true,
        scored.predicted,
        bootstrap,
        threshold=model.threshold,
        n_features=len(model.feature_columns),
    )


def measure_others(
    scored: Scored, others: Mapping[str, Answers], bootstrap: Bootstrap = DEFAULT_BOOTSTRAP
) -> dict[str, dict[str, Interval]]:
    """Return, for each other model, all metrics of what it says about the same rows, with intervals, at its own threshold."""
    return {
        name: intervals(
            scored.task,
            scored.y_true,
            answers.predicted,
            bootstrap,
            threshold=answers.threshold,
            n_features=answers.n_features,
        )
        for name, answers in others.items()
    }


def baseline_scored(name: str, y_train: NDArray[Any], test: Scored, n_classes: int) -> Scored:
    """Return the test rows as the baseline ``name`` predicts them, knowing the training targets alone."""
    predicted = baselines.predict(name, y_train, len(test), n_classes)
    return Scored(test.task, test.row_keys, test.y_true, predicted)


def counts_in_currency(settings: Any) -> str | None:
    """Return what the case's ``threshold`` puts a price on: ``profit`` or ``cost``; None if it names no price."""
    if settings.rule in BUSINESS_RULES:
        return str(settings.rule)
    return "profit" if PRICES & settings.model_fields_set else None


def profit(settings: Any, scored: Scored, answers: Answers, bootstrap: Bootstrap = DEFAULT_BOOTSTRAP) -> dict[str, Any] | None:
    """Return what acting on the flagged rows earns, or what mistakes cost, per 1,000 rows, with its interval.

    None unless the case decides by profit or by cost, or says what acting is worth and costs. ``everyone`` is what acting on every
    row would give.

    Parameters
    ----------
    settings
        The case's ``threshold``: its rule, what a true positive is worth, what acting costs, and what mistakes cost.
    scored
        The rows, with their truth.
    answers
        What a model says about them, and the threshold by which it decides.
    bootstrap
        Confidence, resamples and seed.
    """
    priced = counts_in_currency(settings) if scored.task == "binary" else None
    if priced is None or answers.threshold is None:
        return None
    flagged, positive = answers.predicted[:, 1] >= answers.threshold, scored.y_true == 1
    if priced == "profit":
        acting, leaving = positive * settings.value_true_positive - settings.cost_contact, np.zeros(len(positive))
    else:
        acting, leaving = ~positive * settings.cost_false_positive, positive * settings.cost_false_negative
    amounts = np.where(flagged, acting, leaving) * 1000

    def mean_of(rows: NDArray[np.intp]) -> Kernel:
        return lambda weights: {"amount": weights @ amounts[rows] / weights.sum(axis=1)}

    drawn = resample(mean_of, scored.y_true.astype(np.int64), bootstrap.resamples, bootstrap.random_state)
    found = bca_interval(float(amounts.mean()), drawn.draws["amount"], bootstrap.confidence, drawn.accelerations["amount"])
    return {"name": BUSINESS_RULES[priced], **found, "everyone": float(acting.mean() * 1000)}


def profits(
    settings: Any, scored: Scored, models: Mapping[str, Answers], bootstrap: Bootstrap = DEFAULT_BOOTSTRAP
) -> dict[str, dict[str, Any]]:
    """Return :func:`profit` of several models on the same rows, by name; empty where the case puts no price on decisions."""
    found = {name: profit(settings, scored, answers, bootstrap) for name, answers in models.items()}
    return {name: amount for name, amount in found.items() if amount is not None}


def profits_in_words(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Return in Markdown what :func:`profits` found; nothing where that is empty."""
    if not found:
        return ""
    amounts = [f"{name} **{cell(amount)}**" for name, amount in found.items()]
    first = next(iter(found.values()))
    return f"{opening(first['name'])}: {', '.join(amounts)}. Acting on every row would give {figure(first['everyone'])}."


def learning_curve(
    model: FittedModel,
    train: pd.DataFrame,
    y: NDArray[Any],
    folds: tuple[NDArray[np.intp], NDArray[np.intp]],
    metric: str,
    *,
    budget_seconds: float,
) -> pd.DataFrame:
    """Return the model's score as it learns from more rows: ``n_rows, train, validation``; no test row is touched.

    Parameters
    ----------
    model
        Its pipeline is fitted anew on growing shares of the training rows.
    train, y
        Training rows with all raw columns, and their codes or numbers.
    folds
        Positions of the rows to learn from, and of those to validate on.
    metric
        What is scored.
    budget_seconds
        How long this may take; sizes that would not fit are left out, as are those with too few rows of a class.
    """
    X = model.features(train)
    learn, held = folds
    learn, held = learn[:MAX_TRAINING_ROWS], held[:MAX_TRAINING_ROWS]

    def fit_and_score(positions: NDArray[np.intp]) -> tuple[float, float] | None:
        rows = learn[positions]
        if model.classes and np.bincount(y[rows], minlength=len(model.classes)).min() < FEWEST_OF_A_CLASS:
            return None
        fitted = clone(model.pipeline).fit(X.iloc[rows], y[rows])
        predict = fitted.predict_proba if model.classes else fitted.predict
        scores = [score(metric, y[part], predict(X.iloc[part]), threshold=model.threshold) for part in (rows, held)]
        return scores[0], scores[1]

    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a bounded number of iterations is part of the model
        return learning_points(fit_and_score, len(learn), budget_seconds=budget_seconds)


@dataclass(frozen=True)
class HeldOut:
    """What other models reach on the rows that a learning curve is validated on: by name, and why one is missing."""

    metric: str
    scores: Mapping[str, float]
    missing: str = ""

    def sentence(self) -> str:
        """Return in Markdown what the others reach, and what the champion's score can tell."""
        reached = {name: figure(value) for name, value in self.scores.items()}
        said = [f"On the same held-out rows the baseline reaches a {metric_label(self.metric)} of {reached['baseline']}."]
        if "champion" in reached:
            said.append(
                f"The champion, as it stands, reaches {reached['champion']}; it may have learnt from these very rows when it was "
                "built, so that a curve that ends short of its line speaks against nobody."
            )
        return " ".join([*said, self.missing]).strip()


def score_held_out(
    model: FittedModel,
    train: pd.DataFrame,
    y: NDArray[Any],
    folds: tuple[NDArray[np.intp], NDArray[np.intp]],
    metric: str,
    *,
    baseline: str,
    champion: FittedModel | None = None,
) -> HeldOut:
    """Return what other models reach on the rows that :func:`learning_curve` validates on.

    Parameters
    ----------
    model, train, y, folds, metric
        As in :func:`learning_curve`.
    baseline
        Name of the baseline, which knows the targets of the rows to learn from.
    champion
        The model in production as it stands; it is not fitted again.
    """
    learn, held = (rows[:MAX_TRAINING_ROWS] for rows in folds)
    naive = baselines.predict(baseline, y[learn], len(held), len(model.classes))
    found = {"baseline": score(metric, y[held], naive, threshold=model.threshold)}
    if champion is None:
        return HeldOut(metric, found)
    try:
        predicted = champion.predict_values(train.iloc[held])
    except (ArtifactError, DataError) as error:
        reason = str(error).partition(";")[0].rstrip(".")
        return HeldOut(metric, found, f"The champion cannot be scored on these rows: {reason}.")
    return HeldOut(metric, {**found, "champion": score(metric, y[held], predicted, threshold=champion.threshold)})


def score_table(scores: Mapping[str, Mapping[str, Interval]]) -> pd.DataFrame:
    """Return metrics down and kinds of rows across, each cell a value with its interval, as a reader would write it."""
    columns = {rows: {metric_label(name): cell(found) for name, found in by_metric.items()} for rows, by_metric in scores.items()}
    return pd.DataFrame(columns)


def cell(found: Mapping[str, Any]) -> str:
    """Return a value and, where it is known and shows as more than one point, its interval."""
    value, ends = figure(found.get("value")), interval(found.get("low"), found.get("high"))
    return f"{value} ({ends})" if ends and figure(found["low"]) != figure(found["high"]) else value


def sampling_in_words(facts: Mapping[str, Any]) -> str:
    """Return in a sentence which rows intervals come from, if not simply from all; nothing otherwise."""
    if not facts.get("bags"):
        return ""
    return (
        f"Scores are those of all {count(facts['rows'])} rows; intervals come from {count(facts['resamples'])} resamples of "
        f"{facts['bags']} bags that hold {count(facts['in_bags'])} of them."
    )
