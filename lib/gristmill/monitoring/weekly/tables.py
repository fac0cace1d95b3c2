"""What the looks found as tables for reading: one line a column, a metric, a version or an alert, figures as people write them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gristmill.monitoring.windows import said
from gristmill.reporting.wording import count, figure, interval, metric_label, share

if TYPE_CHECKING:
    import pandas as pd

Record = Mapping[str, Any]

_BUILD = {"stop": "would stop", "warn": "would warn"}


def _table(lines: Sequence[Mapping[str, str]]) -> "pd.DataFrame":
    """Return lines as a table."""
    import pandas as pd  # noqa: PLC0415

    return pd.DataFrame(list(lines))


def _number(value: float | None) -> float | None:
    """Return a number that may be none as the wording wants it."""
    return None if value is None else float(value)


def versions(traffic: Record) -> "pd.DataFrame":
    """Return which versions answered, and as what."""
    return _table(
        [{"version": one["version"], "role": one["role"], "predictions": count(one["predictions"])} for one in traffic["versions"]]
    )


def wrong_values(quality: Record) -> "pd.DataFrame":
    """Return the columns of a quality record, the wrong ones first."""
    return _table(
        [
            {
                "column": one["name"],
                "missing": share(_number(one["missing"]), 1),
                "in training": share(_number(one["missing_before"]), 1),
                "outside": share(_number(one["outside"]), 1),
                "unknown levels": share(_number(one["new_levels"]), 1),
                "what is wrong": one["wrong"] or "nothing",
            }
            for one in quality["columns"]
        ]
    )


def broken_terms(quality: Record) -> "pd.DataFrame":
    """Return the rules of the data contract that served rows break, those that would stop a build first."""
    broken = (quality["contract"] or {}).get("broken", [])
    return _table(
        [
            {
                "column": one["column"],
                "rule": one["rule"],
                "a build": _BUILD[one["severity"]],
                "rows": count(one["count"]),
                "what is wrong": one["message"],
            }
            for one in broken
        ]
    )


def drifted(drift: Record, most: int = 25) -> "pd.DataFrame":
    """Return the columns of a drift record, those that drifted first."""
    return _table(
        [
            {
                "column": one["name"],
                "importance": share(_number(one["importance"]), 1),
                "stability index": figure(_number(one["measures"].get("psi_corrected"))),
                "verdict": one["verdict"],
            }
            for one in drift["features"][:most]
        ]
    )


def answers(drift: Record) -> "pd.DataFrame":
    """Return how far the answers are from those to training rows, by class."""
    return _table([{"answer": one["name"], "verdict": one["verdict"]} for one in drift["predictions"]])


def suspects(drift: Record) -> "pd.DataFrame":
    """Return what the drifted columns look like."""
    return _table(
        [
            {
                "columns": ", ".join(one["columns"]),
                "looks like": one["kind"],
                "traces": one["words"],
                "since": "the whole window" if one["since"] is None else said(one["since"]),
                "importance": share(_number(one["importance"]), 1),
            }
            for one in drift["suspects"]
        ]
    )


def _ends(one: Record) -> str:
    """Return a figure with its interval."""
    ends = interval(_number(one["low"]), _number(one["high"]))
    return figure(_number(one["value"])) + (f" ({ends})" if ends else "")


def metrics(performance: Record) -> "pd.DataFrame":
    """Return each metric on late labels beside the test rows."""
    return _table(
        [
            {
                "metric": metric_label(name),
                "late labels": _ends(one["online"]),
                "test rows": _ends(one["offline"]),
                "lost": share(_number(one["drop"]), 1),
                "verdict": one["verdict"],
            }
            for name, one in performance["metrics"].items()
        ]
    )


def fairness(performance: Record) -> "pd.DataFrame":
    """Return the fairness limits of the case on late labels."""
    said = {None: "not known", True: "kept", False: "not kept"}
    return _table(
        [
            {
                "feature": line["feature"],
                "measure": metric_label(line["measure"]),
                "late labels": _ends(line),
                "limit": line["limit"],
                "verdict": "surely broken" if line["surely_broken"] else said[line["kept"]],
            }
            for line in performance["groups"]["limits"]
        ]
    )


def variants(performance: Record) -> "pd.DataFrame":
    """Return what each version reaches on the rows it answered, and its gain over the champion."""
    return _table(
        [
            {
                "version": one["version"],
                "role": one["role"],
                "predictions": count(one["predictions"]),
                "labels": count(one["labels"]),
                metric_label(performance["metric"]): _ends(one),
                "gain over the champion": _ends(one["beside"]["gain"]) if "beside" in one else "",
            }
            for one in performance["variants"]
        ]
    )


def alerts(report: Record) -> "pd.DataFrame":
    """Return the alerts of the case, those beyond their limit first, with the section of the runbook of each."""
    return _table(
        [
            {
                "alert": alert["name"],
                "state": alert["state"],
                "value": figure(_number(alert["value"])),
                "limit": alert["limit"],
                "reaches": alert["severity"],
                "what to do": alert["runbook"],
            }
            for alert in report["alerts"]
        ]
    )


def week(report: Record) -> "pd.DataFrame":
    """Return the week in a few figures."""
    performance = report["performance"]
    metric, known = performance["metric"], performance["maturity"]
    one = performance["metrics"].get(metric)
    found = {
        "Predictions": count(report["traffic"]["predictions"]),
        "Mature labels": f"{count(known['labels'])} of {count(known['predictions'])} predictions",
        "Performance": performance["verdict"],
    }
    if one is not None:
        found[f"{metric_label(metric)} on late labels"] = _ends(one["online"])
        found[f"{metric_label(metric)} on test rows"] = _ends(one["offline"])
    if report["business"]:
        found[f"{report['business']['name'].capitalize()} per prediction"] = _ends(report["business"]["total"]["value"])
    found["Columns that drifted"] = ", ".join(report["drift"]["drifted"][:5]) or "none"
    found["Columns with wrong values"] = ", ".join(report["quality"]["wrong"][:5]) or "none"
    found["Alerts"] = ", ".join(alert["name"] for alert in report["alerts"] if alert["said"]) or "none"
    return _table([{"": name, "this time": value} for name, value in found.items()])
