"""From the families' results to one model: candidates, the final pipeline, and the record of the choice."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from gristmill.errors import DataError
from gristmill.features.builder import source_columns
from gristmill.features.rows import RowFeatures
from gristmill.metrics.scores import as_gain
from gristmill.modeling.baselines import Baseline
from gristmill.modeling.choice.calibration import Calibrated, Calibration, ProbabilityCalibrator, calibrate
from gristmill.modeling.choice.ensembling import (
    ENSEMBLE,
    Candidate,
    Choice,
    WeightedClassifier,
    WeightedRegressor,
    blend,
    candidate,
    greedy_weights,
)
from gristmill.modeling.choice.thresholds import ChosenThreshold, choose_threshold
from gristmill.modeling.families.catalogue import build
from gristmill.modeling.families.problem import Params, Problem
from gristmill.modeling.threads import one_core
from gristmill.modeling.training_rows import TrainingRows
from gristmill.reporting.wording import figure, metric_label, share

Floats = NDArray[np.float64]


def candidates(
    rows: TrainingRows, metric: str, searches: Mapping[str, dict[str, Any]], tables: Mapping[str, pd.DataFrame]
) -> list[Candidate]:
    """Return the families that have a model, and the ensembles worth a look, the best score first.

    Parameters
    ----------
    rows
        The training rows.
    metric
        The metric that decides.
    searches
        The families' products ``trials_<family>.json``.
    tables
        The families' out-of-fold predictions.

    Raises
    ------
    DataError
        No family has a model.
    """
    trained = {name: found["best"] for name, found in searches.items() if found["enabled"] and found["best"] is not None}
    if not trained:
        reasons = "; ".join(f"{name}: {found['reason']}" for name, found in searches.items())
        raise DataError(
            f"Expected at least one family with a model, but there is none ({reasons}). Check `training` and the table."
        )
    oof = {name: rows.array(tables[name]) for name in trained}
    found = [candidate(name, metric, rows.y, oof[name], rows.folds, {name: 1.0}, best["row_ms"]) for name, best in trained.items()]
    for weights in _ensembles(rows, metric, oof):
        row_ms = sum(trained[name]["row_ms"] for name in weights)
        name = f"{ENSEMBLE} of {len(weights)}"
        found.append(candidate(name, metric, rows.y, blend(oof, weights), rows.folds, weights, row_ms))
    return sorted(found, key=lambda one: (-_rank(metric, one), one.row_ms))


def _ensembles(rows: TrainingRows, metric: str, oof: Mapping[str, Floats]) -> list[dict[str, float]]:
    """Return the weights of the best blend, and of the best ones of its two, three, ... weightiest members alone."""
    widest = greedy_weights(metric, rows.y, oof, rows.folds)
    by_weight = sorted(widest, key=widest.__getitem__, reverse=True)
    smaller = [
        greedy_weights(metric, rows.y, {name: oof[name] for name in by_weight[:size]}, rows.folds) for size in range(2, len(widest))
    ]
    found = {tuple(sorted(weights)): weights for weights in (*smaller, widest) if len(weights) > 1}
    return list(found.values())


def _rank(metric: str, one: Candidate) -> float:
    """Return the score turned so that more is better; undefined is worst."""
    value = as_gain(metric, one.score)
    return value if np.isfinite(value) else -np.inf


def calibrated(rows: TrainingRows, metric: str, choice: Choice) -> Calibration | None:
    """Return what calibration does for the chosen model; None for a regression."""
    return calibrate(metric, rows.y, choice.candidate.oof, rows.folds) if rows.classes else None


def threshold(rows: TrainingRows, oof: Floats, settings: Any) -> ChosenThreshold | None:
    """Return the threshold that the case's ``threshold`` section asks for; None unless there are two classes."""
    if len(rows.classes) != 2:
        return None
    return choose_threshold(rows.y[rows.validated], oof[rows.validated, 1], settings)


def final_estimator(
    weights: Mapping[str, float], params: Mapping[str, Params], problem: Problem, calibrator: ProbabilityCalibrator | None
) -> Any:
    """Return the unfitted model for row-wise features: one family or the weighted ensemble, calibrated or not."""
    members = [(name, build(name, params[name], problem)) for name in weights]
    if len(members) == 1:
        model: Any = members[0][1]
    else:
        ensemble = WeightedClassifier if problem.n_classes else WeightedRegressor
        model = ensemble(members, [weights[name] for name in weights])
    return model if calibrator is None else Calibrated(model, calibrator)


def refit(plan: dict[str, Any], model: Any, train: pd.DataFrame, y: NDArray[Any]) -> Pipeline:
    """Return the final pipeline, which takes raw contracted columns, fitted once on all training rows."""
    pipeline = Pipeline([("rows", RowFeatures(plan)), ("model", model)])
    with one_core():
        return pipeline.fit(train, y)


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
            "ms a row": figure(one.row_ms, 1),
            "members": members(one.weights),
            "chosen": "chosen" if one is choice.candidate else "",
        }
        for one in found
    ]
    return pd.DataFrame(rows).set_index("candidate")


def members(weights: Mapping[str, float]) -> str:
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
        leaderboard.append({**entry, "weight": weight, "row_ms": one.row_ms})
    return {
        "baseline": asdict(baseline),
        "leaderboard": leaderboard,
        "chosen": choice.candidate.name,
        "weights": choice.candidate.weights,
        "calibration": None if calibration is None else calibration_record(calibration),
        "threshold": None if decision is None else decision.as_product(),
        "reason": choice.reason,
        "oof_scores": dict(oof_scores),
    }


def calibration_record(calibration: Calibration) -> dict[str, Any]:
    """Return which calibration was used and what it did to the out-of-fold log loss."""
    return {
        "method": calibration.method,
        "log_loss_before": calibration.log_loss_before,
        "log_loss_after": calibration.log_loss_after,
    }
