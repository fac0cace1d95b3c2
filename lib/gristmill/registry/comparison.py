"""Candidate against champion, on the same test rows where the champion can score them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gristmill.config.case import Case
from gristmill.data.products import read_json, read_rows
from gristmill.errors import ArtifactError, DataError, GristmillError
from gristmill.evaluation.predictions import Scored, scored_rows
from gristmill.metrics.intervals import resample_weights
from gristmill.metrics.scores import Floats, as_gain
from gristmill.metrics.scores import score as score_of
from gristmill.metrics.weighted import weighted_scores
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.modeling.artifact.model_directory import MODEL, verify
from gristmill.registry import aliases, versions
from gristmill.registry.evidence import Evidence, Upstream, candidate_directory
from gristmill.reporting.wording import count, figure, metric_label

SEED = 0


@dataclass(frozen=True)
class Comparison:
    """How a candidate does beside the champion.

    Attributes
    ----------
    version
        The champion's version.
    candidate, champion
        Their scores in the primary metric.
    difference
        Candidate minus champion, turned so that more is better.
    limit
        How far below zero the difference may be by chance alone.
    message
        What was compared with what.
    """

    version: int
    candidate: float
    champion: float
    difference: float
    limit: float
    message: str


@dataclass(frozen=True)
class Incomparable:
    """A champion that a candidate cannot be compared with: its version, and why and what to do in sentences."""

    version: int
    message: str


Beside = Comparison | Incomparable | None
"""Candidate beside champion; None where there is no other champion."""


def champion_comparison(case: Case, evidence: Evidence, upstream: Upstream, root: Path | None = None) -> Beside:
    """Return the candidate beside the champion; None if there is no champion, or it is this very candidate.

    On the same test rows if the champion can score them, else by the score it was registered with. A champion that answers
    another question, or has no such score, or is not what was registered, cannot be compared with: that is no reason to replace it
    unseen.
    """
    champion = aliases.meant(case.name, versions.CHAMPION, root)
    if champion is None or champion.tags.get("gristmill.candidate_digest") == evidence.candidate.digest:
        return None
    directory = versions.directory_of(champion, root)
    model, test = FittedModel.load(candidate_directory(upstream)), read_rows(upstream["02_validate"]["test"])
    predictions = read_rows(upstream["07_evaluate"]["predictions"])
    scored = scored_rows(case.task, predictions, test[case.target], model.classes)
    try:
        verify(directory, champion.tags.get("gristmill.model_digest"))
    except ArtifactError as error:
        return _incomparable(case.name, champion.version, str(error).partition(". ")[0])
    reason = other_question(case, model.classes, directory)
    if reason:
        return _incomparable(case.name, champion.version, reason)
    try:
        return compare(case, scored, test.loc[predictions.index], model, FittedModel.load(directory), champion.version)
    except (ArtifactError, DataError) as error:
        reason = str(error).partition(";")[0].rstrip(".")
        return compare_recorded(case, evidence.evaluation["test"], directory, champion.version, reason)


def other_question(case: Case, classes: Sequence[str], directory: Path) -> str:
    """Return how the question a champion answers differs from this case's; nothing if it is the same.

    Parameters
    ----------
    case
        The case, with its task and target.
    classes
        The candidate's classes; empty for a regression.
    directory
        The champion's model directory.
    """
    try:
        facts = read_json(directory / MODEL)
        questions = (
            ("answers the task", facts["task"], "is", case.task),
            ("predicts", facts["target"], "predicts", case.target),
            ("knows the classes", _listed(facts["classes"]), "has", _listed(classes)),
        )
    except (GristmillError, KeyError, TypeError):
        return f"its {MODEL} cannot be read"
    return next((f"it {does} {its}, this case {mine} {asked}" for does, its, mine, asked in questions if its != asked), "")


def _listed(classes: Sequence[str] | None) -> str:
    """Return classes in words."""
    return ", ".join(map(str, classes or ())) or "no classes"


def _incomparable(model: str, version: int, reason: str) -> Incomparable:
    """Return that a champion cannot be compared with, and what to do."""
    return Incomparable(
        version,
        f"Champion version {version} cannot be compared: {reason}. It stays in production. Compare the two yourself; if the new "
        f"version is to replace it, say why: gristmill promote {model} --reason TEXT",
    )


def compare(case: Case, scored: Scored, test: pd.DataFrame, model: FittedModel, champion: FittedModel, version: int) -> Comparison:
    """Return the difference between two models on the same rows, with what chance alone explains of it.

    The limit comes from the paired bootstrap: the candidate is worse only if the whole interval of the difference, at the case's
    confidence, lies below zero.

    Parameters
    ----------
    case
        Names the metric, the confidence and the number of resamples.
    scored
        The candidate's stored predictions of the test rows.
    test
        The same rows, in the same order, with raw columns.
    model, champion
        Candidate and champion.
    version
        The champion's version.

    Raises
    ------
    DataError
        The champion cannot score these rows.
    """
    metric, other = case.primary_metric, champion.predict_values(test)
    mine, its = (
        score_of(metric, scored.y_true, predicted, threshold=one.threshold, n_features=len(one.feature_columns))
        for one, predicted in ((model, scored.predicted), (champion, other))
    )
    drawn = _paired(case, scored, other, model, champion)
    highest = float(np.quantile(drawn, (1 + case.evaluation.confidence) / 2)) if len(drawn) else float("nan")
    difference = as_gain(metric, mine) - as_gain(metric, its)
    message = (
        f"Gain in {metric_label(metric)} over champion version {version} ({figure(its)}) on the same {count(len(scored))} test rows"
    )
    return Comparison(version, mine, its, difference, min(0.0, difference - highest), message)


def _paired(case: Case, scored: Scored, other: Floats, model: FittedModel, champion: FittedModel) -> Floats:
    """Return the bootstrap distribution of the difference in gain; both models are scored on the same resamples."""
    metric, classes = case.primary_metric, scored.task != "regression"
    strata = np.asarray(scored.y_true, dtype=np.int64) if classes else np.zeros(len(scored), dtype=np.int64)
    kernels = [
        weighted_scores(scored.y_true, predicted, (metric,), threshold=one.threshold, n_features=len(one.feature_columns))
        for one, predicted in ((model, scored.predicted), (champion, other))
    ]
    sign = as_gain(metric, 1.0)
    blocks = [
        sign * (kernels[0](weights)[metric] - kernels[1](weights)[metric])
        for weights in resample_weights(strata, case.evaluation.resamples, SEED)
    ]
    drawn: Floats = np.concatenate(blocks)
    finite: Floats = drawn[np.isfinite(drawn)]
    return finite


def compare_recorded(
    case: Case, test_scores: dict[str, Any], directory: Path, version: int, reason: str
) -> Comparison | Incomparable:
    """Return the difference to the score the champion was registered with; it cannot be compared if it has no such record.

    Used where the champion cannot score today's rows. What chance explains is then taken from the candidate's own interval.

    Parameters
    ----------
    case
        Names the metric.
    test_scores
        The candidate's metrics on the test rows, each with ``value``, ``low`` and ``high``.
    directory
        The champion's model directory.
    version
        Its version.
    reason
        Why it cannot score the rows.
    """
    metric, mine = case.primary_metric, test_scores[case.primary_metric]
    try:
        record = read_json(directory / "metrics.json")
        by, found = record["primary_metric"], record["test"].get(metric)
    except (GristmillError, KeyError, TypeError, AttributeError):
        return _incomparable(case.name, version, f"{reason}, and it was registered without its scores")
    recorded = found.get("value") if isinstance(found, Mapping) else found
    if not isinstance(recorded, int | float):
        was = f"it was measured by {metric_label(by)}, this case by {metric_label(metric)}"
        return _incomparable(
            case.name, version, was if by != metric else f"{reason}, and its {metric_label(metric)} was not defined"
        )
    if mine["value"] is None:
        return _incomparable(case.name, version, f"the candidate's {metric_label(metric)} on the test rows is not defined")
    difference = as_gain(metric, mine["value"]) - as_gain(metric, recorded)
    ends = [as_gain(metric, mine[end]) for end in ("value", "low", "high") if mine.get(end) is not None]
    message = (
        f"Gain in {metric_label(metric)} over what champion version {version} was registered with ({figure(recorded)}; {reason})"
    )
    return Comparison(version, mine["value"], recorded, difference, min(ends) - ends[0], message)


def in_words(beside: Beside) -> str:
    """Return in Markdown how the candidate does beside the champion."""
    if beside is None:
        return "There is no other champion to compare with."
    if isinstance(beside, Incomparable):
        return beside.message
    lead = figure(beside.difference) if beside.difference < 0 else f"+{figure(beside.difference)}"
    return f"{beside.message}: **{lead}**; chance alone explains down to {figure(beside.limit)}."
