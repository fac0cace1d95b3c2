"""The model card: what a model is, what it is for, how well it works and for whom, from the build's own evidence.

Headings follow Mitchell et al. (2019), "Model cards for model reporting"; the metadata block is that of Hugging Face's cards.
A section without evidence says so.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

import pandas as pd
import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from gristmill.config.case import Case
from gristmill.config.metric_names import greater_is_better
from gristmill.config.stages import StageCase
from gristmill.evaluation.card import treatment
from gristmill.evaluation.fairness.verdicts import against_limits, conclusion, limits
from gristmill.evaluation.measure import cell, sampling_in_words
from gristmill.reporting.documents import markdown_page
from gristmill.reporting.wording import UNKNOWN, called_positive, count, figure, metric_label, moment, opening, plain, share

PIPELINE_TAGS = {"binary": "tabular-classification", "multiclass": "tabular-classification", "regression": "tabular-regression"}
"""Task -> Hugging Face's name of it."""

FEW_TEST_ROWS = 200
UNSTABLE = 0.5
"""Overlap of LIME's reasons between repetitions below which they are called unstable."""

Product = Mapping[str, Any] | None


@dataclass(frozen=True)
class Evidence:
    """What the stages of one build left behind; None where a stage left nothing.

    Attributes
    ----------
    case
        The whole case, or a stage's view of it that may read every key.
    digest
        Digest of the candidate.
    written_at
        When the card is written.
    selection
        Product of ``06_select``.
    snapshot, quality, catalogue, evaluation, explanation, fairness
        Products of ``01``, ``02``, ``04``, ``07``, ``08`` and ``09``.
    searches
        Family -> product ``trials_<family>.json``.
    lineage
        Name -> version of code and environment.
    """

    case: Case | StageCase
    digest: str
    written_at: datetime
    selection: Mapping[str, Any]
    snapshot: Product = None
    quality: Product = None
    catalogue: Product = None
    evaluation: Product = None
    explanation: Product = None
    fairness: Product = None
    searches: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    lineage: Mapping[str, str] = field(default_factory=dict)


def escape_text(value: object) -> str:
    """Return a text from data or the case file as Markdown that shows it unchanged, on one line."""
    line = " ".join(str(value if value is not None else "").split())
    return re.sub(r"([\\`*\[\]|<>])", r"\\\1", line)


def escape_code(value: object) -> str:
    """Return a text to stand between backticks in a table, on one line."""
    return " ".join(str(value).split()).replace("`", "'").replace("|", "\\|")


def measured(found: Mapping[str, Any] | None) -> str:
    """Return a value with its interval, or a dash where there is none."""
    return UNKNOWN if found is None else cell(found)


@cache
def _environment() -> Environment:
    """Return the environment of the card's template: Markdown, whose values are escaped by its filters."""
    made = Environment(  # noqa: S701 - Markdown; raw HTML is shown as text when it is rendered
        loader=PackageLoader("gristmill.evaluation.card", "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters.update(text=escape_text, code=escape_code, measured=measured, metric=metric_label)
    made.filters.update(figure=figure, count=count, share=share, plain=plain, moment=moment, opening=opening)
    made.filters.update(sampled=lambda facts: f"{sampling_in_words(facts)} ".lstrip())
    made.filters.update(called_positive=called_positive, point=lambda found: figure((found or {}).get("value")))
    return made


def metadata(evidence: Evidence) -> str:
    """Return the YAML block that Hugging Face's hub reads, between its fences."""
    case, evaluation = evidence.case, evidence.evaluation
    found: dict[str, Any] = {
        "model_name": case.name,
        "library_name": "sklearn",
        "pipeline_tag": PIPELINE_TAGS[case.task],
        "tags": ["gristmill", "tabular", case.task],
    }
    if evaluation is not None:
        known = {name: value["value"] for name, value in evaluation["test"].items() if value["value"] is not None}
        dataset = {"name": case.source.uri, "type": "tabular", "split": "test"}
        dataset |= {"revision": evidence.snapshot["digest"]} if evidence.snapshot else {}
        metrics = [{"type": name, "name": metric_label(name), "value": value} for name, value in known.items()]
        task = {"type": PIPELINE_TAGS[case.task], "name": case.task}
        found |= {"metrics": list(known)}
        found |= {"model-index": [{"name": case.name, "results": [{"task": task, "dataset": dataset, "metrics": metrics}]}]}
    return f"---\n{yaml.safe_dump(found, sort_keys=False, allow_unicode=True)}---\n"


def summary(evidence: Evidence) -> str:
    """Return in one paragraph whether the model is any good, and how surely that is known."""
    evaluation = evidence.evaluation
    if evaluation is None:
        return "**Not evaluated.** Do not use this model: `07_evaluate` left no evidence."
    metric = evaluation["primary_metric"]
    test, base = evaluation["test"][metric], evaluation["baseline"]["test"].get(metric)
    better = _verdict(metric, test, base)
    target, rows = escape_code(evidence.case.target), count(evaluation["rows"]["test"])
    return (
        f"Predicts `{target}`. {metric_label(metric)} on {rows} rows it has never seen: **{measured(test)}**; "
        f"baseline {measured(base)}. {better}"
    )


def _verdict(metric: str, test: Mapping[str, Any], base: Mapping[str, Any] | None) -> str:
    """Return whether a score beats the baseline, by its whole interval."""
    ends = [_number(test.get("low")), _number(test.get("high")), _number((base or {}).get("value"))]
    if not all(map(math.isfinite, ends)):
        return "Whether it beats the baseline could not be measured."
    low, high, limit = ends
    worst, best = (low, high) if greater_is_better(metric) else (-high, -low)
    limit = limit if greater_is_better(metric) else -limit
    if worst > limit:
        return "It beats the baseline beyond chance."
    return "It is **worse than the baseline**." if best < limit else "It **cannot be told from the baseline** with this much data."


def _number(value: Any) -> float:
    """Return a measured number; not a number where it is missing."""
    return float(value) if isinstance(value, int | float) else float("nan")


def caveats(evidence: Evidence, verdicts: Sequence[Mapping[str, Any]] = ()) -> list[str]:
    """Return what a user has to be careful about, each a sentence of Markdown, from what was measured."""
    found = [*_evaluation_caveats(evidence.evaluation), *_explanation_caveats(evidence.explanation)]
    for line in verdicts:
        if line["kept"] is False:
            found.append(
                f"{line['measure']} is {line['value']} for `{escape_code(line['feature'])}`; the limit is {line['limit']}."
            )
        elif not line["value"]:
            found.append(f"{line['measure']} could not be judged: too few test rows in the groups.")
    if evidence.case.compliance.personal_data and not evidence.case.sensitive_features:
        found.append("Rows are about people, and no group was audited.")
    found.append(
        "All figures are about rows like those of the snapshot above; another time, place or population needs a new evaluation."
    )
    return found


def _evaluation_caveats(evaluation: Product) -> list[str]:
    """Return what the evaluation warns of."""
    if evaluation is None:
        return ["The model was not evaluated."]
    found = []
    if evaluation["rows"]["test"] < FEW_TEST_ROWS:
        found.append(f"Only {count(evaluation['rows']['test'])} test rows: intervals are wide, and rare cases may be absent.")
    if evaluation["test_set_uses"] > 1:
        found.append(
            f"The test rows have judged {evaluation['test_set_uses']} candidates; the best of many looks better than it is."
        )
    worse = [part for part in evaluation["segments"] if part["worse"]]
    if worse:
        names = ", ".join(escape_text(part["segment"]) for part in worse[:5])
        found.append(f"Predictions are less reliable where {names}.")
    metric = evaluation["primary_metric"]
    test, validation = evaluation["test"][metric], evaluation["validation"].get(metric) or {}
    if evaluation.get("gap"):
        found.append(evaluation["gap"])
    elif _outside(validation.get("value"), test):
        found.append(
            f"{metric_label(metric)} out of fold ({figure(validation['value'])}) lies outside the test rows' interval: test and "
            "training rows may differ."
        )
    return found


def _outside(value: Any, found: Mapping[str, Any]) -> bool:
    """Return whether a value lies outside an interval; False where either is unknown."""
    number, low, high = _number(value), _number(found.get("low")), _number(found.get("high"))
    return number < low or number > high


def _explanation_caveats(explanation: Product) -> list[str]:
    """Return what the explanation warns of."""
    if explanation is None:
        return ["The predictions were not explained."]
    unstable = [record for record in explanation["lime"] if record["stability"] < UNSTABLE]
    return (
        [f"LIME's reasons for {len(unstable)} of {len(explanation['lime'])} rows change with the neighbours."] if unstable else []
    )


def _verdicts(evidence: Evidence) -> tuple[list[dict[str, Any]], str]:
    """Return the measures of fairness against their limits, and the conclusion."""
    if evidence.fairness is None:
        return [], ""
    table = against_limits(evidence.fairness, limits(evidence.case.fairness, evidence.case.task))
    lines = [
        {str(key): None if value is None or value is pd.NA else value for key, value in line.items()}
        for line in table.astype(object).rename_axis("measure").reset_index().to_dict("records")
    ]
    return lines, conclusion(evidence.fairness, table)


def card_body(evidence: Evidence, images: Mapping[str, str] | None = None) -> str:
    """Return the card in Markdown, without its metadata.

    Parameters
    ----------
    evidence
        What the stages left behind.
    images
        ``scores`` and ``importance`` as data URIs; left out of the Markdown that is registered, shown on the page.
    """
    lines, fairness_conclusion = _verdicts(evidence)
    checks = (evidence.quality or {}).get("checks", [])
    features = (evidence.catalogue or {}).get("features", [])
    enabled = {name: found["trials"] for name, found in evidence.searches.items() if found.get("enabled")}
    return (
        _environment()
        .get_template("card.md.j2")
        .render(
            **{key: getattr(evidence, key) for key in ("case", "digest", "selection", "snapshot", "quality", "evaluation")},
            **{key: getattr(evidence, key) for key in ("explanation", "fairness", "lineage")},
            date=moment(evidence.written_at.isoformat()),
            summary=summary(evidence),
            images={"scores": "", "importance": "", **(images or {})},
            warnings=[check["message"] for check in checks if not check["passed"]],
            policy=treatment.policy_in_words(evidence.case.features, evidence.quality),
            treated=treatment.lines(evidence.selection, evidence.evaluation),
            verdicts=lines,
            fairness_conclusion=fairness_conclusion,
            caveats=caveats(evidence, lines),
            training_seconds={name: sum(trial["seconds"] or 0 for trial in trials) for name, trials in enabled.items()},
            trials={name: len(trials) for name, trials in enabled.items()},
            n_features=len(features),
            n_columns=len({column for entry in features for column in entry["source_columns"]}),
        )
    )


def card_markdown(evidence: Evidence) -> str:
    """Return the whole card in Markdown: metadata, then the sections."""
    return f"{metadata(evidence)}\n{card_body(evidence).strip()}\n"


def card_html(evidence: Evidence, images: Mapping[str, str] | None = None) -> str:
    """Return the card as a page in the look of the reports, which loads nothing; see :func:`card_body`."""
    unbroken = re.sub("(?<=\\d)\u2013", "\u2060\u2013\u2060", card_body(evidence, images))  # an interval stays on its line
    return markdown_page(unbroken, title="Model card", case=evidence.case.name)
