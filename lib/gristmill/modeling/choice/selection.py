"""From the chosen candidate to one model: calibration, threshold, the final pipeline, and the record of the choice."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from gristmill.features.builder import source_columns
from gristmill.features.rows import RowFeatures
from gristmill.metrics.groups import as_groups
from gristmill.modeling.baselines import Baseline
from gristmill.modeling.choice.calibration import Calibrated, Calibration, ProbabilityCalibrator, calibrate
from gristmill.modeling.choice.candidates import Candidate, Choice
from gristmill.modeling.choice.ensembling import WeightedClassifier, WeightedRegressor
from gristmill.modeling.choice.group_rates import GroupLimit
from gristmill.modeling.choice.members import family_of
from gristmill.modeling.choice.stacking import MetaModel, StackedClassifier, StackedRegressor
from gristmill.modeling.choice.thresholds import ChosenThreshold, choose_threshold
from gristmill.modeling.families.catalogue import build
from gristmill.modeling.families.problem import Params, Problem
from gristmill.modeling.latency import RowTime
from gristmill.modeling.threads import one_core
from gristmill.modeling.training_rows import TrainingRows
from gristmill.reporting.wording import figure, metric_label, plain, share

Floats = NDArray[np.float64]


def calibrated(rows: TrainingRows, metric: str, choice: Choice) -> Calibration | None:
    """Return what calibration does for the chosen model; None for a regression."""
    return calibrate(metric, rows.y, choice.candidate.oof, rows.folds) if rows.classes else None


def threshold(rows: TrainingRows, oof: Floats, case: Any, train: pd.DataFrame) -> ChosenThreshold | None:
    """Return the threshold that the case's ``threshold`` section asks for; None unless there are two classes.

    Parameters
    ----------
    rows
        The training rows.
    oof
        Out-of-fold probabilities of all training rows.
    case
        The case; ``threshold``, ``sensitive_features`` and ``fairness.min_group_size`` are read.
    train
        The same rows with their raw columns, the sensitive ones among them.
    """
    if len(rows.classes) != 2:
        return None
    limit, valid = None, rows.validated
    if case.threshold.max_disparity is not None:
        groups = {feature: as_groups(train[feature]).iloc[valid] for feature in case.sensitive_features}
        limit = GroupLimit(case.threshold.disparity, case.threshold.max_disparity, case.fairness.min_group_size, groups)
    return choose_threshold(rows.y[valid], oof[valid, 1], case.threshold, limit)


def final_estimator(
    weights: Mapping[str, float],
    params: Mapping[str, Params],
    problem: Problem,
    calibrator: ProbabilityCalibrator | None,
    meta: MetaModel | None = None,
) -> Any:
    """Return the unfitted model for row-wise features: one member, the weighted ensemble or the stack, calibrated or not.

    Parameters
    ----------
    weights
        Member -> its weight; in the order of ``meta``.
    params
        Member -> its configuration.
    problem
        What the families have to know.
    calibrator
        Fitted; None to leave probabilities as they come.
    meta
        What combines the members; None for their weighted mean.
    """
    parts = [(name, build(family_of(name), params[name], problem)) for name in weights]
    if len(parts) == 1:
        model: Any = parts[0][1]
    elif meta is not None:
        model = (StackedClassifier if problem.n_classes else StackedRegressor)(parts, meta)
    else:
        ensemble = WeightedClassifier if problem.n_classes else WeightedRegressor
        model = ensemble(parts, list(weights.values()))
    return model if calibrator is None else Calibrated(model, calibrator)


def refit(plan: dict[str, Any], model: Any, train: pd.DataFrame, y: NDArray[Any]) -> Pipeline:
    """Return the final pipeline, which takes raw contracted columns, fitted once on all training rows."""
    pipeline = Pipeline([("rows", RowFeatures(plan)), ("model", model)])
    with one_core():
        return pipeline.fit(train, y)


def time_in_words(time: RowTime, max_row_ms: float) -> str:
    """Return how long one row takes in the form that will serve, and whether the case's limit is kept."""
    kept = "within" if time.ms <= max_row_ms else "more than"
    return (
        f"one row takes {figure(time.ms, 2)} ms as a {time.form}, {kept} the {plain(float(max_row_ms))} ms of `serving.max_row_ms`"
    )


def model_record(
    case: Any, plan: dict[str, Any], rows: TrainingRows, choice: Choice, decision: ChosenThreshold | None
) -> dict[str, Any]:
    """Return what a predictor has to know beside the pipeline, as the JSON-able ``model.json``."""
    return {
        "task": case.task,
        "classes": list(rows.classes) or None,
        "positive_class": case.positive_class,
        "threshold": None if decision is None else decision.value,
        "target": case.target,
        "id_columns": list(case.id_columns),
        "families": choice.candidate.weights,
        "primary_metric": case.primary_metric,
        "feature_columns": source_columns(plan),
        "plan_version": plan["version"],
    }


def frontier(found: Sequence[Candidate], choice: Choice) -> pd.DataFrame:
    """Return the candidates as a reader would write them: score, spread, time, members, and which one was chosen."""
    rows = [
        {
            "candidate": one.name,
            "score": figure(one.score, 4),
            "spread over folds": figure(one.std, 4),
            "ms a row": figure(one.row_ms, 2),
            "members": weights_in_words(one.weights),
            "chosen": "chosen" if one is choice.candidate else "",
        }
        for one in found
    ]
    return pd.DataFrame(rows).set_index("candidate")


def weights_in_words(weights: Mapping[str, float]) -> str:
    """Return the members of a model with their weights in words."""
    return ", ".join(f"{name} ({share(weight)})" for name, weight in weights.items())


def score_list(scores: Mapping[str, float]) -> pd.DataFrame:
    """Return scores as a reader would write them, one line a metric."""
    return pd.DataFrame({"out of fold": {metric_label(name): figure(value) for name, value in scores.items()}})


def selection_record(
    baseline: Baseline,
    found: Sequence[Candidate],
    choice: Choice,
    calibration: Calibration | None,
    decision: ChosenThreshold | None,
    oof_scores: Mapping[str, float],
) -> dict[str, Any]:
    """Return what was compared, what was chosen and why, as the JSON-able product of ``06_select``."""
    leaderboard = []
    for one in found:
        weight = choice.candidate.weights.get(one.name, 1.0 if one.name == choice.candidate.name else 0.0)
        entry = {"name": one.name, "score": one.score, "std": one.std, "fold_scores": one.fold_scores}
        leaderboard.append({**entry, "weight": weight, "row_ms": one.row_ms, "form": one.form})
    return {
        "baseline": asdict(baseline),
        "leaderboard": leaderboard,
        "chosen": choice.candidate.name,
        "weights": choice.candidate.weights,
        "calibration": None if calibration is None else calibration_record(calibration),
        "threshold": None if decision is None else decision.as_product(),
        "reason": choice.reason,
        "in_time": choice.in_time,
        "oof_scores": dict(oof_scores),
    }


def calibration_record(calibration: Calibration) -> dict[str, Any]:
    """Return which calibration was used and what it did to the out-of-fold log loss."""
    return {
        "method": calibration.method,
        "log_loss_before": calibration.log_loss_before,
        "log_loss_after": calibration.log_loss_after,
    }
