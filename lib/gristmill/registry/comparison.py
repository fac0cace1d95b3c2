"""Candidate against champion, on the same test rows where the champion can score them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from gristmill.config.case import Case
from gristmill.config.stages import StageCase
from gristmill.data.products import read_json, read_rows
from gristmill.errors import ArtifactError, DataError, GristmillError
from gristmill.evaluation.measure import measure
from gristmill.evaluation.predictions import Scored, scored_rows
from gristmill.metrics.interval_ends import Interval
from gristmill.metrics.intervals import Bootstrap, metric_names, sampling
from gristmill.metrics.noninferiority import Judgement, judge, normal_steps
from gristmill.metrics.paired import NOTHING_LOST, Answers, Difference, PairedTest, differences, paired_tests
from gristmill.metrics.scores import as_gain, lost
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.modeling.artifact.model_directory import MODEL, verify
from gristmill.registry import aliases, versions
from gristmill.registry.evidence import Evidence, Upstream, candidate_directory
from gristmill.registry.inspection import CANDIDATE_TAG, expected_digest
from gristmill.reporting.wording import count, metric_label

SEED = 0


@dataclass(frozen=True)
class Champion:
    """The model in production, and what it says about some rows."""

    version: int
    model: FittedModel
    scored: Scored

    @property
    def answers(self) -> Answers:
        """What it says, and how that is scored."""
        return answers_of(self.model, self.scored)


@dataclass(frozen=True)
class Comparison:
    """How a candidate does beside the champion.

    Attributes
    ----------
    version
        The champion's version.
    metric
        The metric that decides.
    candidate, champion
        Their scores in it.
    gain
        Candidate minus champion, turned so that more is better, with its interval.
    judgement
        What that allows one to say.
    basis
        What was compared on which rows, in words.
    scores
        The champion's metrics on the test rows with their intervals; empty where it could not score them.
    differences
        The difference in every metric, likewise.
    tests
        Tests of the difference that know that the rows are the same.
    sampling
        How the intervals were made; see :func:`gristmill.metrics.intervals.sampling`.
    """

    version: int
    metric: str
    candidate: float
    champion: float
    gain: Interval
    judgement: Judgement
    basis: str
    scores: Mapping[str, Interval] = field(default_factory=dict)
    differences: Mapping[str, Difference] = field(default_factory=dict)
    tests: Sequence[PairedTest] = ()
    sampling: Mapping[str, Any] = field(default_factory=dict)


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
    model = FittedModel.load(candidate_directory(upstream))
    standing = _standing(case, model.classes, evidence.candidate.digest, root)
    if not isinstance(standing, _Standing):
        return standing
    predictions, test = read_rows(upstream["07_evaluate"]["predictions"]), read_rows(upstream["02_validate"]["test"])
    scored = scored_rows(case.task, predictions, test[case.target], model.classes)
    champion = _answering(standing, scored, test.loc[predictions.index])
    if isinstance(champion, Champion):
        return compare(case, scored, model, champion)
    try:
        verify(standing.directory, standing.digest)  # it may be this that kept the champion from being loaded
    except ArtifactError as error:
        return _incomparable(case.name, standing.version, _first_sentence(error))
    return compare_recorded(case, evidence.evaluation["test"], standing.directory, standing.version, champion)


def champion_on(
    case: Case | StageCase, scored: Scored, rows: pd.DataFrame, classes: Sequence[str], candidate: str, root: Path | None = None
) -> Champion | Incomparable | None:
    """Return the champion with what it says about rows that a candidate has predicted; None if it is the candidate, or missing.

    Parameters
    ----------
    case
        The case.
    scored
        The rows as the candidate predicts them.
    rows
        The same rows, in the same order, with raw columns.
    classes
        The candidate's classes; empty for a regression.
    candidate
        Digest of the candidate.
    root
        The project; found from the working directory when omitted.
    """
    standing = _standing(case, classes, candidate, root)
    if not isinstance(standing, _Standing):
        return standing
    found = _answering(standing, scored, rows)
    return found if isinstance(found, Champion) else _incomparable(case.name, standing.version, found)


@dataclass(frozen=True)
class _Standing:
    """A champion that is what was registered, by its digest, and answers the same question."""

    version: int
    directory: Path
    digest: str


def _standing(case: Case | StageCase, classes: Sequence[str], candidate: str, root: Path | None) -> _Standing | Incomparable | None:
    """Return the champion that the release row means, with the reason where nothing it says may count.

    None if there is none, or it is the candidate of this digest.
    """
    found = aliases.meant(case.name, versions.CHAMPION, root)
    if found is None or found.tags.get(CANDIDATE_TAG) == candidate:
        return None
    try:
        digest = expected_digest(found, root)
        if digest is None:
            return _incomparable(case.name, found.version, "it carries no digest, so that nothing vouches for its files")
        directory = versions.directory_of(found, root)
        verify(directory, digest)
    except ArtifactError as error:
        return _incomparable(case.name, found.version, _first_sentence(error))
    reason = other_question(case, classes, directory)
    return _incomparable(case.name, found.version, reason) if reason else _Standing(found.version, directory, digest)


def _first_sentence(error: ArtifactError) -> str:
    """Return what is wrong with a champion's files, without the advice, which is for who wants to use them."""
    return str(error).partition(". ")[0]


def _answering(standing: _Standing, scored: Scored, rows: pd.DataFrame) -> Champion | str:
    """Return the champion with what it says about rows; why not, where it cannot."""
    try:
        model = FittedModel.load(standing.directory, standing.digest)
        return Champion(standing.version, model, replace(scored, predicted=model.predict_values(rows)))
    except (ArtifactError, DataError) as error:
        return str(error).partition(";")[0].rstrip(".")


def other_question(case: Case | StageCase, classes: Sequence[str], directory: Path) -> str:
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


def others_of(candidate: FittedModel, naive: Scored, champion: Champion | Incomparable | None = None) -> dict[str, Answers]:
    """Return what is drawn beside a candidate: the baseline, at the candidate's threshold, and the champion, if it can answer.

    Parameters
    ----------
    candidate
        The candidate.
    naive
        The test rows as the baseline predicts them.
    champion
        What :func:`champion_on` found.
    """
    found = {"baseline": answers_of(candidate, naive)}
    return found | ({"champion": champion.answers} if isinstance(champion, Champion) else {})


def answers_of(model: FittedModel, scored: Scored) -> Answers:
    """Return what a model says about rows, and how that is scored."""
    return Answers(scored.predicted, model.threshold, len(model.feature_columns))


def compare(case: Case, scored: Scored, model: FittedModel, champion: Champion) -> Comparison | Incomparable:
    """Return the difference between two models on the same rows, and what it allows one to say.

    They cannot be compared where the metric that decides is not defined on these rows.

    Parameters
    ----------
    case
        Names the metric, the margin, the confidence and the number of resamples.
    scored
        The test rows as the candidate predicts them.
    model
        The candidate.
    champion
        The champion, with the same rows in the same order.
    """
    bootstrap = Bootstrap(case.evaluation.confidence, case.evaluation.resamples, SEED)
    metric, mine, its = case.primary_metric, answers_of(model, scored), champion.answers
    found = differences(scored.task, scored.y_true, mine, its, metric_names(scored.task), bootstrap)
    judged = found[metric]
    if math.isnan(judged.gain["value"]):
        return _incomparable(case.name, champion.version, f"{metric_label(metric)} is not defined on these test rows")
    return Comparison(
        champion.version,
        metric,
        judged.first,
        judged.second,
        judged.gain,
        judge(judged.improvement, judged.error, case.gates.champion_margin, len(scored), bootstrap.confidence, judged.gain),
        f"on the same {count(len(scored))} test rows",
        scores=measure(champion.model, champion.scored, bootstrap),
        differences=found,
        tests=paired_tests(scored.task, scored.y_true, mine, its, bootstrap.confidence),
        sampling=sampling(scored.task, scored.y_true, bootstrap),
    )


def compare_recorded(
    case: Case, test_scores: dict[str, Any], directory: Path, version: int, reason: str
) -> Comparison | Incomparable:
    """Return the difference to the score the champion was registered with; it cannot be compared if it has no such record.

    Used where the champion cannot score today's rows. The interval is recovered from those of the two scores, taken as independent
    (MOVER; Zou and Donner 2008); a score that was recorded without an interval counts as exact.

    Parameters
    ----------
    case
        Names the metric and the margin.
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
    recorded = found if isinstance(found, Mapping) else {"value": found}
    if not isinstance(recorded.get("value"), int | float):
        was = f"it was measured by {metric_label(by)}, this case by {metric_label(metric)}"
        return _incomparable(
            case.name, version, was if by != metric else f"{reason}, and its {metric_label(metric)} was not defined"
        )
    if mine["value"] is None:
        return _incomparable(case.name, version, f"the candidate's {metric_label(metric)} on the test rows is not defined")
    gain, loss = _gain(metric, mine, recorded), lost(metric, float(recorded["value"]))
    share = {end: _share(value, loss) for end, value in gain.items()}
    error = (share["high"] - share["low"]) / (2 * normal_steps(case.evaluation.confidence))
    judgement = judge(share, error, case.gates.champion_margin, 1, case.evaluation.confidence, gain)
    basis = f"by the score it was registered with, because it cannot score these rows ({reason})"
    return Comparison(version, metric, mine["value"], recorded["value"], gain, replace(judgement, rows_needed=None), basis)


def _share(gain: float, loss: float) -> float:
    """Return a gain as a share of a loss; of none, nothing can be gained, and any loss is infinitely more."""
    if loss > NOTHING_LOST:
        return gain / loss
    return 0.0 if gain >= -NOTHING_LOST else -math.inf


def _gain(metric: str, mine: Mapping[str, Any], its: Mapping[str, Any]) -> Interval:
    """Return the difference of two independent scores, turned so that more is better, with its interval."""
    (value, low, high), (other, other_low, other_high) = (_gains(metric, score) for score in (mine, its))
    below, above = math.hypot(value - low, other_high - other), math.hypot(high - value, other - other_low)
    return {"value": value - other, "low": value - other - below, "high": value - other + above}


def _gains(metric: str, score: Mapping[str, Any]) -> tuple[float, float, float]:
    """Return a score and the ends of its interval, turned so that more is better; without an interval, the score itself."""
    ends = [as_gain(metric, float(score["value"] if score.get(end) is None else score[end])) for end in ("value", "low", "high")]
    return ends[0], min(ends), max(ends)
