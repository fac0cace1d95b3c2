"""An audit of fairness in tables and sentences: groups, differences, and the limits of the case."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gristmill.config.fairness_limits import AT_LEAST, fairness_limits
from gristmill.reporting.wording import count, figure, interval, metric_label

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
            values = {metric_label(name): known[name] if name in known else _cell(group["metrics"].get(name)) for name in metrics}
            lines.append({"feature": part["feature"], "group": group["group"], **values})
    columns = ["feature", "group", *map(metric_label, metrics)]
    return pd.DataFrame(lines, columns=columns).set_index(["feature", "group"]).rename_axis([None, None])


def difference_table(audit: Mapping[str, Any]) -> pd.DataFrame:
    """Return one line a measure and one column a feature."""
    return pd.DataFrame(
        {
            part["feature"]: {metric_label(name): _cell(found) for name, found in part["differences"].items()}
            for part in audit["features"]
        }
    )


def against_limits(audit: Mapping[str, Any], stated: Mapping[str, tuple[str, float]]) -> pd.DataFrame:
    """Return the worst value of each measure, whether it keeps its limit, and whether the interval leaves no doubt.

    Returns
    -------
    DataFrame
        Indexed by measure: ``value`` (empty: not measured), ``feature``, ``groups``, ``limit`` (empty: none is set), ``kept``
        (None: not measured, or no limit), ``certain``.
    """
    lines = []
    for measure, found in audit["measures"].items():
        direction, limit = stated.get(measure, ("", float("nan")))
        judged = measure in stated and _is_number(found["value"])
        ends = {_keeps(found[end], direction, limit) for end in ("low", "value", "high")} if judged else set()
        lines.append(
            {
                "measure": metric_label(measure),
                "value": _cell(found),
                "feature": found["feature"],
                "groups": " against ".join(found["groups"]) + (f", class {found['of']}" if found.get("of") else ""),
                "limit": f"{direction} {limit:g}" if measure in stated else "",
                "kept": _keeps(found["value"], direction, limit) if judged else None,
                "certain": len(ends) == 1,
            }
        )
    columns = ["measure", "value", "feature", "groups", "limit", "kept", "certain"]
    return pd.DataFrame(lines, columns=columns).set_index("measure").rename_axis(None)


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
        kept = "; ".join(f"{measure} {line['value']}, limit {line['limit']}" for measure, line in measured.iterrows())
        return f"Every measure that could be judged keeps its limit on {count(audit['rows'])} test rows: {kept}."
    sentences = [
        f"**{measure}** is {line['value']} between {line['feature']} = {line['groups']}, the limit is {line['limit']}"
        f"{'' if line['certain'] else ' (the interval reaches the other side)'}"
        for measure, line in broken.iterrows()
    ]
    return f"{len(broken)} of {len(measured)} limits are broken: {'; '.join(sentences)}."


def _is_number(value: Any) -> bool:
    """Return whether a value was measured."""
    return isinstance(value, int | float) and bool(np.isfinite(value))


def _keeps(value: float, direction: str, limit: float) -> bool:
    """Return whether a value is on the right side of a limit."""
    return bool(value >= limit if direction == AT_LEAST else value <= limit)


def _cell(found: Mapping[str, Any] | None) -> str:
    """Return a measured value with its interval; nothing where it was not measured."""
    if found is None or not _is_number(found.get("value")):
        return ""
    ends = interval(found.get("low"), found.get("high")) if _is_number(found.get("low")) else ""
    return f"{figure(found['value'])} ({ends})" if ends else figure(found["value"])
