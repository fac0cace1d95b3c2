"""The head of the card: what the model predicts, for whom, what the gates say, and the few facts that decide whether to use it."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from gristmill.config.metric_names import greater_is_better
from gristmill.evaluation.card.evidence import Evidence
from gristmill.evaluation.card.text import blocks, bullets, code, escape_text, listed, measured, number, plural
from gristmill.evaluation.fairness.verdicts import against_limits, limits, unknown_fairness
from gristmill.reporting.wording import count, figure, metric_label, opening, share

MOST_FAILED = 3
"""Failed gates whose words stand in the verdict; the section on gates holds all."""

GOOD, WARN, BAD = "good", "warn", "bad"


def box(evidence: Evidence) -> str:
    """Return the opening of the card as a quotation in Markdown: what, for whom, the verdict and the facts."""
    lines = blocks(purpose(evidence), verdict(evidence)[1], bullets(facts(evidence))).splitlines()
    return "\n".join(f"> {line}".rstrip() for line in lines)


def purpose(evidence: Evidence) -> str:
    """Return what the model predicts, and for whom."""
    case = evidence.case
    what = {
        "binary": f"the probability that {code(case.target)} is {code(case.positive_class)}",
        "multiclass": f"which class of {code(case.target)} a row has, with a probability for each",
        "regression": f"the number {code(case.target)}",
    }[case.task]
    used = case.compliance.intended_use
    said = f"**For:** {escape_text(used)}" if used else "What it is for is not stated in the case file (`compliance.intended_use`)."
    return f"**Predicts** {what}. {said}"


def verdict(evidence: Evidence) -> tuple[str, str]:
    """Return whether the model may be used, as a tone (``good``, ``warn``, ``bad``) and a sentence of Markdown."""
    if evidence.evaluation is None:
        return BAD, "**Not evaluated: do not use this model.** `07_evaluate` left no evidence."
    if evidence.judged is None:
        return WARN, (
            "**Not judged yet: do not use it in production.** `11_register` judges the gates, and completes this card in `model/`, "
            "in the registry and in the reports."
        )
    found = [gate for gate in evidence.judged.gates if gate["passed"] is not None]
    failed = [gate for gate in found if gate["passed"] is False]
    if failed:
        return BAD, _refusal(failed, len(found))
    unknown = len(evidence.judged.gates) - len(found)
    rest = (
        f" {plural(unknown, 'gate')} {'was' if unknown == 1 else 'were'} not measured or without a limit; see *Gates*."
        if unknown
        else ""
    )
    if not found:
        return WARN, f"**Not judged: no gate could be measured.**{rest}"
    passed = "the one measured gate passed" if len(found) == 1 else f"all {count(len(found))} measured gates passed"
    if not evidence.case.compliance.intended_use:
        told = f"{opening(passed)}, but nobody has said what the model is for."
        return WARN, f"**{told}** Do not use it before the case file states `compliance.intended_use`.{rest}"
    unsure = unknown_fairness(evidence.fairness, limits(evidence.case.fairness, evidence.case.task))
    if unsure:
        told = f"{opening(passed)}, but fairness of {', '.join(map(code, unsure))} is unknown."
        return WARN, f"**{told}** Have a person look at its groups before using the model for that purpose.{rest}"
    return GOOD, f"**May be used for that purpose: {passed}.**{rest}"


def _refusal(failed: Sequence[Mapping[str, Any]], n_measured: int) -> str:
    """Return which gates failed, and why."""
    said = " ".join(f"*{escape_text(metric_label(gate['name']))}*: {escape_text(gate['message'])}" for gate in failed[:MOST_FAILED])
    more = f" {len(failed) - MOST_FAILED} more stand under *Gates*." if len(failed) > MOST_FAILED else ""
    return f"**Do not use it in production: {len(failed)} of {plural(n_measured, 'measured gate')} failed.** {said}{more}"


def facts(evidence: Evidence) -> list[str]:
    """Return the facts that decide, each in Markdown: score, worst rows, groups, behaviour, what it is not for."""
    found = [] if evidence.evaluation is None else [headline(evidence), weakest(evidence.evaluation)]
    found += [groups(evidence)]
    found += [] if evidence.evaluation is None else [behaviour(evidence.evaluation.get("behaviour"))]
    outside = evidence.case.compliance.out_of_scope
    said = escape_text(outside) if outside else "the case file does not say (`compliance.out_of_scope`)."
    return [*found, f"**Not for:** {said}"]


def headline(evidence: Evidence) -> str:
    """Return the primary metric with its interval, against the baseline and the champion."""
    evaluation = evidence.evaluation or {}
    metric = evaluation["primary_metric"]
    test, base = evaluation["test"].get(metric) or {}, evaluation["baseline"]["test"].get(metric)
    text = (
        f"**How good:** {metric_label(metric)} **{measured(test)}** on {count(evaluation['rows']['test'])} rows it had never seen; "
        f"the baseline, which looks at no column, reaches {measured(base)}. {against_baseline(metric, test, base)}"
    )
    if evidence.judged is None:
        return text
    return f"{text} {escape_text(evidence.judged.champion) or 'There is no other model in production to compare it with.'}"


def against_baseline(metric: str, test: Mapping[str, Any], base: Mapping[str, Any] | None) -> str:
    """Return whether a score beats the baseline, by its whole interval."""
    ends = [number(test.get("low")), number(test.get("high")), number((base or {}).get("value"))]
    if not all(map(math.isfinite, ends)):
        return "Whether it beats the baseline could not be measured."
    low, high, limit = ends
    worst, best = (low, high) if greater_is_better(metric) else (-high, -low)
    limit = limit if greater_is_better(metric) else -limit
    if worst > limit:
        return "It beats the baseline beyond chance."
    return "It is **worse than the baseline**." if best < limit else "It **cannot be told from the baseline** with this much data."


def weakest(evaluation: Mapping[str, Any]) -> str:
    """Return on which rows the model errs most, and which critical segments miss what they must reach."""
    worse = [part for part in evaluation.get("segments") or () if part["worse"]]
    tested = evaluation.get("segments_tested")
    if worse:
        part = max(worse, key=lambda one: number(one["loss"]))
        said = (
            f"where {escape_text(part['segment'])} ({count(part['n'])} test rows): mean loss {figure(part['loss'])} against "
            f"{figure(part['rest_loss'])} elsewhere, {metric_label(evaluation['primary_metric'])} {measured(part)}."
        )
    elif tested:
        said = f"nowhere beyond chance, of {count(tested)} segments tested."
    else:
        said = "no segment had enough rows to be tested."
    missed = [one["name"] for one in evaluation.get("critical_segments") or () if not one["met"]]
    short = f" Critical segments that miss what they must reach: {listed(dict.fromkeys(missed))}." if missed else ""
    return f"**Errs most:** {said}{short}"


def groups(evidence: Evidence) -> str:
    """Return how unlike groups of people are treated, broken limits first."""
    audit, about = evidence.fairness, "rows are about people" if evidence.case.compliance.personal_data else ""
    if audit is None or not audit.get("features"):
        return f"**Groups of people:** none was audited{f', although {about}' if about else ''}."
    stated = limits(evidence.case.fairness, evidence.case.task)
    judged, unsure = against_limits(audit, stated), unknown_fairness(audit, stated)
    rest = f" Unknown in part for {', '.join(map(code, unsure))}." if unsure else ""
    known = judged[judged["kept"].notna()]
    if known.empty:
        return "**Groups of people:** no limit between them could be judged; see *Quantitative analyses*."
    broken = known[~known["kept"].astype(bool)]
    lines = [
        f"{opening(measure) if place == 0 else measure[:1].lower() + measure[1:]} is {line['value']} between "
        f"{escape_text(line['feature'])} = {escape_text(line['groups'])}, limit {line['limit']}, "
        f"{'kept' if line['kept'] else '**broken**'}{'' if line['certain'] else ' (its interval crosses the limit)'}"
        for place, (measure, line) in enumerate(lines_of(known if broken.empty else broken))
    ]
    return f"**Groups of people:** {'; '.join(lines)}.{rest}"


def lines_of(table: pd.DataFrame) -> Iterator[tuple[str, pd.Series]]:
    """Give the lines of a table with their names."""
    return ((str(name), line) for name, line in table.iterrows())


def behaviour(outcomes: Sequence[Mapping[str, Any]] | None) -> str:
    """Return how many tests of behaviour failed, and which."""
    tried = [one for one in outcomes or () if one["passed"] is not None]
    if not tried:
        return "**Behaviour:** no test was made of how its answers move when a row is changed."
    failed = [one for one in tried if one["passed"] is False]
    hard, soft = ([one for one in failed if bool(one["hard"]) is kind] for kind in (True, False))
    if not failed:
        return f"**Behaviour:** {f'all {count(len(tried))} tests' if len(tried) > 1 else 'the one test tried'} passed."
    named = [
        f"{escape_text(one['name'])} ({count(one['broke'])} of {plural(one['tried'], 'row')}"
        f"{', ' + share(one['broke'] / one['tried']) if one['tried'] else ''}{'' if one['hard'] else '; reported only'})"
        for one in [*hard, *soft][:MOST_FAILED]
    ]
    more = f" and {len(failed) - MOST_FAILED} more" if len(failed) > MOST_FAILED else ""
    return f"**Behaviour:** {len(failed)} of {plural(len(tried), 'test')} failed: {', '.join(named)}{more}."
