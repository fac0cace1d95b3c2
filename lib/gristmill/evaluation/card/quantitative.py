"""The analyses by factor: segments and groups one by one, then what several columns or several groups make together."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from gristmill.config.fairness_limits import keeps, nearer_end
from gristmill.config.metric_names import greater_is_better
from gristmill.evaluation.card.evidence import Evidence
from gristmill.evaluation.card.meanings import MEASURE_MEANINGS
from gristmill.evaluation.card.text import NO_EVIDENCE, blocks, bullets, escape_text, measured, plural, table
from gristmill.evaluation.errors.critical import other_cell
from gristmill.evaluation.fairness.mitigation import point_table
from gristmill.evaluation.fairness.verdicts import (
    against_limits,
    conclusion,
    group_name,
    group_table,
    limits,
    tabled_metrics,
    unknown_fairness,
    unknown_in_words,
)
from gristmill.modeling.mitigation import frontier
from gristmill.reporting.disparities import extent, in_figures
from gristmill.reporting.wording import UNKNOWN, count, figure, metric_label, plain

MOST_SEGMENTS, MOST_GROUPS, MOST_INTERSECTIONS = 8, 12, 10
"""Lines that the card's tables hold; the reports of the stages hold all."""

JUDGED = {True: "yes", False: "**no**"}


def quantitative(evidence: Evidence) -> str:
    """Return the unitary and the intersectional results."""
    return blocks(
        "### Segments, by one column",
        _segments(evidence, several=False),
        _critical(evidence),
        "### Groups of people, one feature at a time",
        _fairness(evidence),
        "### Intersections",
        _segments(evidence, several=True),
        _intersections(evidence),
    )


def _segments(evidence: Evidence, *, several: bool) -> str:
    """Return the segments that are surest to be worse, those of one column or those of several."""
    evaluation = evidence.evaluation
    if evaluation is None:
        return f"{NO_EVIDENCE} about segments: `07_evaluate` did not run."
    found = [part for part in evaluation.get("segments") or () if (", " in part["feature"]) is several]
    tested, worse = evaluation.get("segments_tested") or 0, evaluation.get("segments_worse") or 0
    if not found and several:
        return "Among the segments listed in `07_evaluate` none is made by several columns."
    if not found:
        return f"{NO_EVIDENCE}: no segment has enough rows to be tested."
    all_of = f"{count(worse)} of {plural(tested, 'segment')} (of one column or several)"
    said = f"{all_of} are worse than chance explains, all considered together."
    metric, others = evaluation["primary_metric"], _others(evaluation, found)
    header = ("segment", "rows", metric_label(metric), *others.values(), "mean loss", "elsewhere", "worse")
    lines = [
        (
            escape_text(part["segment"]),
            count(part["n"]),
            measured(part),
            *(figure((part.get("others") or {}).get(name)) for name in others),
            figure(part["loss"]),
            figure(part["rest_loss"]),
            "**yes**" if part["worse"] else "cannot tell",
        )
        for part in found[:MOST_SEGMENTS]
    ]
    return blocks("" if several else said, table(header, lines))


def _critical(evidence: Evidence) -> str:
    """Return the critical segments of the case file with what they must reach, and what others reach on the same rows."""
    found = (evidence.evaluation or {}).get("critical_segments") or []
    others = _others(evidence.evaluation or {}, found)
    lines = [
        (
            f"**{escape_text(one['name'])}**: {escape_text(one['segment'])}",
            count(one["n"]),
            metric_label(one["metric"]),
            measured(one),
            *(other_cell(one, name) for name in others),
            f"{'at least' if greater_is_better(one['metric']) else 'at most'} {plain(one['wanted'])}",
            JUDGED[bool(one["met"])],
        )
        for one in found
    ]
    return table(("critical segment", "rows", "metric", "reached", *others.values(), "wanted", "met"), lines)


def _others(evaluation: Mapping[str, Any], found: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return which other models were scored on the same rows, and what their column is called."""
    named = dict.fromkeys(name for one in found for name in one.get("others") or ())
    champion = evaluation.get("champion") or {}
    version = f", version {champion['version']}" if champion.get("version") is not None else ""
    return {name: f"{name}{version if name == 'champion' else ''}" for name in named}


def _fairness(evidence: Evidence) -> str:
    """Return how unlike the groups of each sensitive feature are treated, against the limits, and the groups themselves."""
    audit = evidence.fairness
    if audit is None or not audit.get("features"):
        why = "`09_audit_fairness` did not run." if audit is None and evidence.case.sensitive_features else "the case names none."
        return f"{NO_EVIDENCE}: nothing was audited for `sensitive_features`, because {why}"
    stated = limits(evidence.case.fairness, evidence.case.task)
    judged = against_limits(audit, stated)
    lines = [
        (
            str(measure),
            escape_text(line["value"]) or "not measured: too few rows",
            f"{escape_text(line['feature'])}: {escape_text(line['groups'])}" if line["groups"] else UNKNOWN,
            line["limit"] or "none set",
            "not judged" if pd.isna(line["kept"]) else JUDGED[bool(line["kept"])] + ("" if line["certain"] else " (uncertain)"),
        )
        for measure, line in judged.iterrows()
    ]
    header = ("measure", "worst value", "between", "limit", "kept")
    return blocks(
        escape_text(conclusion(audit, judged).replace("**", "")),
        escape_text(unknown_in_words(unknown_fairness(audit, stated)).replace("**", "").replace("`", "")),
        table(header, lines),
        _meanings(audit),
        *(_groups(evidence, part) for part in audit["features"] if not part["intersection"]),
        bullets(map(escape_text, audit.get("warnings", []))),
        _mitigation(evidence),
    )


def _meanings(audit: Mapping[str, Any]) -> str:
    """Return how each measure is read."""
    known = [name for name in audit["measures"] if name in MEASURE_MEANINGS]
    return table(("measure", "how to read it"), [(metric_label(name), MEASURE_MEANINGS[name]) for name in known])


def _groups(evidence: Evidence, part: Mapping[str, Any]) -> str:
    """Return the groups of one feature, the largest first."""
    if not part["groups"]:
        return ""
    largest = sorted(part["groups"], key=lambda group: -group["n"])
    classes = _classes(largest[0]["metrics"])
    shown = group_table({"features": [{**part, "groups": largest[:MOST_GROUPS]}]}, tabled_metrics(evidence.case.task, classes))
    names = [f"{group_name(group)}{', small' if group['small'] else ''}" for group in largest[:MOST_GROUPS]]
    header = [escape_text(part["feature"]), *("rows" if name == "N" else escape_text(name) for name in shown.columns)]
    lines = [
        [escape_text(name), *(escape_text(one) or UNKNOWN for one in row)]
        for name, row in zip(names, shown.to_numpy(), strict=True)
    ]
    rest = len(largest) - MOST_GROUPS
    return blocks(
        table(header, lines), f"{plural(rest, 'smaller group')} in the report of `09_audit_fairness`." if rest > 0 else ""
    )


def _classes(metrics: Mapping[str, Any]) -> list[str]:
    """Return the classes whose rates a group has, as they stand in brackets; two names where there is one rate without."""
    start = "selection_rate ("
    named = [name.removeprefix(start)[:-1] for name in metrics if name.startswith(start)]
    return named or ["other", "positive"]


def _intersections(evidence: Evidence) -> str:
    """Return how unlike groups of several features together are treated, by the measures that the case limits, else by all."""
    stated = limits(evidence.case.fairness, evidence.case.task)
    lines = []
    for part in (evidence.fairness or {}).get("features", ()):
        if not part["intersection"]:
            continue
        judged = {name: found for name, found in part["differences"].items() if name in stated} or part["differences"]
        lines += [_intersection(part, measure, found, stated.get(measure)) for measure, found in judged.items()]
    if not lines:
        why = "the case names fewer than two `sensitive_features`, or no audit ran."
        return f"{NO_EVIDENCE} about groups of several features together: {why}"
    header = ("features", "measure", "worst value", "between", "groups with enough rows", "kept")
    lines.sort(key=lambda line: line[-1] != JUDGED[False])
    more = (
        f"{len(lines) - MOST_INTERSECTIONS} more in the report of `09_audit_fairness`." if len(lines) > MOST_INTERSECTIONS else ""
    )
    return blocks(
        "Groups of several features together are small, and some lie apart by chance: they break a limit only where the whole "
        "interval lies beyond it.",
        table(header, lines[:MOST_INTERSECTIONS]),
        more,
    )


def _intersection(
    part: Mapping[str, Any], measure: str, found: Mapping[str, Any], stated: tuple[str, float] | None
) -> tuple[str, ...]:
    """Return one measure of groups of several features as a line of the table."""
    alone = [group for group in part["groups"] if not group.get("levels")]
    between = " against ".join(map(str, found.get("groups") or ())) + (f", class {found['of']}" if found.get("of") else "")
    known = not math.isnan(extent(found))
    return (
        escape_text(part["feature"]),
        metric_label(measure),
        in_figures(found) or "not measured: too few rows",
        escape_text(between) or UNKNOWN,
        f"{sum(not group['small'] for group in alone)} of {count(part.get('n_groups', len(alone)))}",
        JUDGED[keeps(extent(found, nearer_end(measure)), *stated)] if known and stated else "not judged",
    )


def _mitigation(evidence: Evidence) -> str:
    """Return what treating groups more alike would cost, and which point was chosen; nothing where nothing was looked at."""
    found = (evidence.selection or {}).get("mitigation")
    if not found:
        return ""
    said = frontier.in_words(found)  # its names are the product's own
    if not found["points"]:
        return f"**Mitigation.** {said}"
    shown = point_table(found, evidence.case)
    lines: Sequence[Sequence[str]] = [
        [escape_text(name), *map(escape_text, row)] for name, row in zip(shown.index, shown.to_numpy(), strict=True)
    ]
    return blocks(f"**Mitigation.** {said} All figures are out of fold.", table(["point", *map(escape_text, shown.columns)], lines))
