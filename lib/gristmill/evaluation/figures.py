"""The figures of an evaluation, an explanation and an audit: which to draw for which task."""

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gristmill.evaluation.coverage import Coverage
from gristmill.evaluation.curves import threshold_points
from gristmill.evaluation.predictions import Scored
from gristmill.metrics.paired import Answers
from gristmill.metrics.scores import Floats, decide
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.reporting.plots import classification, decisions, effects, evidence, regression, training
from gristmill.reporting.plots import coverage as plots_coverage
from gristmill.reporting.plots.style import HouseFigure, empty

Figures = dict[str, HouseFigure]

Others = Mapping[str, Answers]
"""Name of another model, such as baseline or champion -> what it says about the same rows."""


def _predicted(others: Others | None) -> dict[str, Floats]:
    """Return what each other model predicts."""
    return {name: answers.predicted for name, answers in (others or {}).items()}


def fit_figures(model: FittedModel, scored: Scored, others: Others | None = None) -> Figures:
    """Return how well predictions follow the truth: ROC and precision-recall curves, or predicted against actual."""
    beside = _predicted(others)
    if scored.task == "regression":
        drawn = regression.predicted_vs_actual(scored.y_true, scored.predicted, name=model.target, others=beside)
        return {"predicted_vs_actual": drawn}
    shown = (scored.y_true, scored.predicted, model.classes)
    return {
        "roc_curve": classification.roc_curve(*shown, threshold=model.threshold, others=beside),
        "pr_curve": classification.pr_curve(*shown, threshold=model.threshold, others=beside),
    }


def error_figures(model: FittedModel, scored: Scored, others: Others | None = None) -> Figures:
    """Return what the errors look like: the confusion matrix, and one of each other model, or the residuals."""
    if scored.task == "regression":
        beside = _predicted(others)
        return {"residuals": regression.residuals(scored.y_true, scored.predicted, name=model.target, others=beside)}
    shown = {"": Answers(scored.predicted, model.threshold), **(others or {})}
    return {
        f"confusion_matrix{f'_{name}' if name else ''}": classification.confusion_matrix(
            scored.y_true,
            decide(answers.predicted, answers.threshold),
            model.classes,
            model=name or None,
        )
        for name, answers in shown.items()
    }


def decision_figures(model: FittedModel, scored: Scored, settings: Any, others: Others | None = None) -> Figures:
    """Return what acting on the predictions brings: calibration, gains, and each threshold; nothing for a regression.

    Parameters
    ----------
    model, scored
        The model and predicted rows.
    settings
        The case's ``threshold``.
    others
        Other models on the same rows.
    """
    if scored.task == "regression":
        return {}
    shown = (scored.y_true, scored.predicted, model.classes)
    beside = _predicted(others)
    found = {"calibration_curve": decisions.calibration_curve(*shown, others=beside)}
    if scored.task == "multiclass":
        return found
    found["gains"] = classification.gains(*shown, others=beside)
    prices = {"value_true_positive": settings.value_true_positive, "cost_contact": settings.cost_contact}
    points = threshold_points(scored.y_true == 1, scored.predicted[:, 1], **prices).sort_values("threshold")
    names = ["profit"] if settings.rule == "profit" else ["precision", "recall", "f1"]
    curves = {name: points[name].to_numpy() for name in names}
    own: dict[str, float] = {}
    for name, answers in (others or {}).items():
        its = threshold_points(scored.y_true == 1, answers.predicted[:, 1], **prices).sort_values("threshold")
        flagging = np.searchsorted(its["threshold"], points["threshold"])  # its next threshold flags the same rows; above all, none
        curves[f"{names[-1]}, {name}"] = np.append(its[names[-1]], 0.0)[flagging]
        own |= {} if answers.threshold is None else {f"{names[-1]}, {name}": answers.threshold}
    found["threshold_curve"] = decisions.threshold_curve(points["threshold"], curves, chosen=model.threshold, own=own)
    return found


def learning_figure(points: pd.DataFrame, metric: str, others: Mapping[str, float] | None = None) -> HouseFigure:
    """Return the learning curve beside the scores of others on its validation rows, or a note that it was too dear to draw."""
    if len(points) < 2:
        return empty("Learning curve", "Fitting the model again would have taken longer than the stage may.")
    return training.learning_curve(points["n_rows"], points["train"], points["validation"], metric, others=others)


def segment_figure(segments: pd.DataFrame, metric: str, overall: float) -> HouseFigure:
    """Return the metric in the segments that do worst."""
    if segments.empty:
        return empty("Segments", "No segment has enough rows.")
    records: list[dict[str, Any]] = segments.to_dict("records")  # type: ignore[assignment]
    return evidence.segments(records, metric, overall=overall)


def shap_figure(importance: pd.Series, unit: str) -> HouseFigure:
    """Return the columns by mean absolute SHAP value, in units of the prediction."""
    label = f"mean |SHAP value|, in {unit}"
    return evidence.importance_bars(list(importance.index), list(importance), label=label)


def permutation_figure(importance: pd.DataFrame, metric: str) -> HouseFigure:
    """Return the columns by what shuffling them costs, with intervals."""
    return evidence.importance_bars(
        *(list(importance[column]) for column in ("feature", "mean", "low", "high")),
        label=f"loss of {metric} when the column is shuffled",
    )


def coverage_figure(covered: Coverage, others: Mapping[str, Coverage] | None = None) -> HouseFigure:
    """Return how often sets or intervals hold the truth, over all rows and by class or predicted number, beside those of others."""
    return plots_coverage.coverage(covered.parts(others=others))


def effect_figure(curves: Sequence[Mapping[str, Any]], unit: str, classes: Sequence[str] = ()) -> HouseFigure:
    """Return partial dependence over single rows' curves, column by column; of several classes, each panel names its own."""
    named = [{**curve, "class": classes[curve["output"]] if len(classes) > 2 else None} for curve in curves]
    return effects.effect_curves(named, label=unit)


def reason_figures(records: Sequence[Mapping[str, Any]], top: int = 8) -> Figures:
    """Return, row by row, the ``top`` reasons for and against its prediction according to LIME."""
    return {
        f"reasons_{record['why'].replace(' ', '_')}": evidence.reasons(
            record["reasons"][:top], prediction=f"row {record['row_key']}: {record['prediction']} ({record['why']})"
        )
        for record in records
    }


def group_figures(
    audit: Mapping[str, Any], metrics: Sequence[str], others: Mapping[str, Mapping[str, Any]] | None = None
) -> Figures:
    """Return each of ``metrics`` by group, for each audited feature that has it; beside it those of other models.

    Parameters
    ----------
    audit
        That of the candidate.
    metrics
        Metrics by group.
    others
        ``baseline`` or ``champion`` -> its audit, on the same rows.
    """
    return {
        f"{metric}_by_{part['feature']}": evidence.group_bars(_beside(part, metric, others or {}), metric, feature=part["feature"])
        for part in audit["features"]
        for metric in metrics
        if part["groups"] and metric in part["groups"][0]["metrics"]
    }


def _beside(part: Mapping[str, Any], metric: str, others: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the groups of one feature, each with what other models reach in it."""
    found = {
        name: {
            group["group"]: group["metrics"].get(metric)
            for one in audit["features"]
            if one["feature"] == part["feature"]
            for group in one["groups"]
        }
        for name, audit in others.items()
    }
    return [{**group, "others": {name: values.get(group["group"]) for name, values in found.items()}} for group in part["groups"]]


def data_uri(figure: HouseFigure) -> str:
    """Return a figure as a PNG in a ``data:`` URI, to stand in a page that loads nothing."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120, metadata={"Software": None})
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
