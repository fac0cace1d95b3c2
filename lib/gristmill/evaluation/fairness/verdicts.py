"""An audit of fairness in tables and sentences: groups, differences, and the limits of the case."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from gristmill.config.fairness_limits import fairness_limits, keeps, nearer_end
from gristmill.metrics.group_measures import ODDS, ODDS_PARTS
from gristmill.reporting.disparities import extent, in_figures
from gristmill.reporting.wording import count, metric_label

MOST_CLASSES = 4
"""Classes whose rates stand in the table by group; the product holds all."""


def limits(settings: Any, task: str) -> dict[str, tuple[str, float]]:
    """Return ``{measure: (direction, limit)}`` for the limits that the case's ``fairness`` sets for its task."""
    stated = fairness_limits(settings, task)
    return {measure: (direction, limit) for measure, (direction, limit) in stated.items() if limit is not None}


def shown_metrics(task: str, classes: Sequence[str]) -> list[str]:
    """Return the metrics by group that are worth a figure: what is selected, and who is found; or the errors."""
    if task == "regression":
        return ["mae", "mean_residual"]
    if len(classes) == 2:
        return ["selection_rate", "true_positive_rate"]
    return ["accuracy"]


def tabled_metrics(task: str, classes: Sequence[str]) -> list[str]:
    """Return the metrics by group that the table holds: of several classes those against the rest, class by class."""
    if task == "regression":
        return ["n", "mae", "rmse", "mean_residual", "mean_prediction"]
    rates = ["base_rate", "selection_rate", "true_positive_rate", "false_positive_rate"]
    if len(classes) == 2:
        return ["n", *rates, "accuracy", "calibration_gap"]
    return ["n", "accuracy", *(f"{rate} ({name})" for name in classes[:MOST_CLASSES] for rate in rates[1:3])]


def group_table(audit: Mapping[str, Any], metrics: Sequence[str]) -> pd.DataFrame:
    """Return one line a group, with ``n``, ``small`` or any metrics as a reader would write them."""
    lines = []
    for part in audit["features"]:
        for group in part["groups"]:
            known = {"n": group["n"], "small": "yes" if group["small"] else ""}
            values = {
                group_label(name): known[name] if name in known else in_figures(group["metrics"].get(name)) for name in metrics
            }
            lines.append({"feature": part["feature"], "group": group_name(group), **values})
    columns = ["feature", "group", *map(group_label, metrics)]
    return pd.DataFrame(lines, columns=columns).set_index(["feature", "group"]).rename_axis([None, None])


def group_label(metric: str) -> str:
    """Return how a metric by group is written; the class in brackets behind it stays as it is."""
    name, bracket, of = metric.partition(" (")
    return metric_label(name) + bracket + of


def group_name(group: Mapping[str, Any]) -> str:
    """Return the name of a group, and of how many it is made where small ones are judged together."""
    return f"{group['group']} ({count(group['levels'])} groups)" if group.get("levels") else str(group["group"])


def against_limits(audit: Mapping[str, Any], stated: Mapping[str, tuple[str, float]]) -> pd.DataFrame:
    """Return the worst value of each measure, whether it keeps its limit, and whether the interval leaves no doubt.

    Each limit stands twice where features have intersections. Over these, whose groups are small, it is broken only where the whole
    interval lies beyond it.

    Returns
    -------
    DataFrame
        Indexed by measure: ``value`` (empty: not measured), ``feature``, ``groups``, ``limit`` (empty: none is set), ``kept``
        (None: not measured, or no limit), ``certain``.
    """
    lines = [_line(measure, found, stated.get(measure)) for measure, found in audit["measures"].items()]
    lines += [
        _line(measure, found, stated[measure], across=True)
        for measure, found in audit.get("intersections", {}).items()
        if measure in stated
    ]
    columns = ["measure", "value", "feature", "groups", "limit", "kept", "certain"]
    return pd.DataFrame(lines, columns=columns).set_index("measure").rename_axis(None)


def _line(measure: str, found: Mapping[str, Any], stated: tuple[str, float] | None, *, across: bool = False) -> dict[str, Any]:
    """Return how one measure stands, over the features or over their intersections."""
    line = {
        "measure": f"{metric_label(measure)} of intersections" if across else metric_label(measure),
        "value": in_figures(found),
        "feature": found["feature"],
        "groups": " against ".join(found["groups"]) + (f", class {found['of']}" if found.get("of") else ""),
    }
    if stated is None:
        return {**line, "limit": "", "kept": None, "certain": False}
    direction, limit = stated
    kept = {end: keeps(extent(found, end), direction, limit) for end in ("low", "value", "high")}
    known = not math.isnan(extent(found))
    return {
        **line,
        "limit": f"{direction} {limit:g}",
        "kept": kept[nearer_end(measure) if across else "value"] if known else None,
        "certain": known and len(set(kept.values())) == 1,
    }


def unknown_fairness(audit: Mapping[str, Any] | None, stated: Mapping[str, tuple[str, float]]) -> dict[str, list[str]]:
    """Return each sensitive feature with two groups or more that a limit could not be held against, and the measures of it.

    Parameters
    ----------
    audit
        Product of ``09_audit_fairness``; None where there is none.
    stated
        What :func:`limits` returns.
    """
    found = {str(part["feature"]): list(_unmeasured(part, stated)) for part in (audit or {}).get("features", ())}
    return {feature: measures for feature, measures in found.items() if measures}


def _unmeasured(part: Mapping[str, Any], stated: Mapping[str, tuple[str, float]]) -> Iterator[str]:
    """Give the limited measures of a feature, not of an intersection, that have no value; equalised odds takes both its parts."""
    if part.get("intersection") or part.get("n_groups", 0) < 2:
        return
    for measure in stated:
        if any(math.isnan(extent(part["differences"].get(one))) for one in (ODDS_PARTS if measure == ODDS else [measure])):
            yield measure


def unknown_in_words(unknown: Mapping[str, Sequence[str]]) -> str:
    """Return in Markdown whose fairness is unknown in which measure; nothing where all of it is known."""
    named = [f"`{feature}` ({', '.join(map(metric_label, measures))})" for feature, measures in unknown.items()]
    if not named:
        return ""
    return (
        f"The fairness of {'; '.join(named)} is **unknown**: a limit is set, but no two groups have enough test rows, or the "
        "measure has no meaning for these predictions. No gate speaks for it."
    )


def in_words(judged: pd.DataFrame) -> pd.DataFrame:
    """Return what :func:`against_limits` found as a reader would write it: yes, no, not judged."""
    words = judged.astype(object)
    known = words["kept"].notna()
    return words.assign(
        value=words["value"].replace("", "not measured"),
        limit=words["limit"].replace("", "none set"),
        kept=words["kept"].map({True: "yes", False: "no"}).where(known, "not judged"),
        certain=words["certain"].map({True: "yes", False: "no"}).where(known, "not judged"),
    )


def warnings(audit: Mapping[str, Any]) -> str:
    """Return in Markdown which groups are too small to be judged; that there are none, if so."""
    found = audit.get("warnings", [])
    return "\n".join(f"- {text}" for text in found) if found else "Every group has enough rows to be judged."


def conclusion(audit: Mapping[str, Any], verdicts: pd.DataFrame) -> str:
    """Return in Markdown what the audit found, the exceeded limits with their groups first."""
    if not audit["features"]:
        return "Nothing was audited: the case names no `sensitive_features`. If rows are about people, name them and build again."
    measured = verdicts[verdicts["kept"].notna()]
    if measured.empty:
        return f"No measure could be judged on {count(audit['rows'])} test rows: too few rows in the groups, or no limit is set."
    broken = measured[~measured["kept"].astype(bool)]
    if broken.empty:
        kept = "; ".join(f"{measure} {line['value']}, limit {line['limit']}{_doubt(line)}" for measure, line in measured.iterrows())
        return f"Every measure that could be judged keeps its limit on {count(audit['rows'])} test rows: {kept}."
    sentences = [
        f"**{measure}** is {line['value']} between {line['feature']} = {line['groups']}, the limit is {line['limit']}{_doubt(line)}"
        for measure, line in broken.iterrows()
    ]
    return f"{len(broken)} of {len(measured)} limits are broken: {'; '.join(sentences)}."


def _doubt(line: pd.Series) -> str:
    """Return that a measure might be on the other side of its limit, if it might."""
    return "" if line["certain"] else " (the interval reaches the other side)"
