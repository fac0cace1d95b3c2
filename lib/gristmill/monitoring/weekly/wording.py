"""The weekly report in words and tables."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def reasons_list(report: Mapping[str, Any]) -> str:
    """Return the reasons of the recommendation as a list in Markdown."""
    return "\n".join(f"- {reason}" for reason in report["recommendation"]["reasons"])


def figures(report: Mapping[str, Any]) -> dict[str, str]:
    """Return the week in a few figures, by name."""
    performance = report["performance"]
    metric, known = performance["metric"], performance["maturity"]
    one = performance["metrics"].get(metric)
    found = {"predictions": f"{report['traffic']['predictions']:,}"}
    found["mature labels"] = f"{known['labels']:,} of {known['predictions']:,}"
    if one is not None:
        found[f"{metric} on late labels"] = _interval(one["online"])
        found[f"{metric} on test rows"] = _interval(one["offline"])
    found["performance"] = performance["verdict"]
    found["columns that drifted"] = ", ".join(report["drift"]["drifted"][:5]) or "none"
    found["columns with wrong values"] = ", ".join(report["quality"]["wrong"][:5]) or "none"
    if report["business"]:
        found[f"{report['business']['name'].lower()} per prediction"] = _interval(report["business"]["total"]["value"])
    firing = [alert["name"] for alert in report["alerts"] if alert["state"] == "beyond its limit"]
    found["alerts beyond their limit"] = ", ".join(firing) or "none"
    return found


def _interval(one: Mapping[str, float | None]) -> str:
    """Return a figure with its interval."""
    value, low, high = (one[name] for name in ("value", "low", "high"))
    return "unknown" if value is None or low is None or high is None else f"{value:.4g} ({low:.4g} to {high:.4g})"


def figures_table(report: Mapping[str, Any]) -> "pd.DataFrame":
    """Return the week in a few figures as a table."""
    import pandas as pd  # noqa: PLC0415

    return pd.Series(figures(report), name="this week").to_frame()


def alert_table(report: Mapping[str, Any]) -> "pd.DataFrame":
    """Return the alerts of the case, those beyond their limit first, with the section of the runbook of each."""
    import pandas as pd  # noqa: PLC0415

    lines = [
        {
            "alert": alert["name"],
            "state": alert["state"],
            "value": alert["value"],
            "limit": alert["limit"],
            "reaches": alert["severity"],
            "what to do": alert["runbook"],
        }
        for alert in report["alerts"]
    ]
    columns = ["alert", "state", "value", "limit", "reaches", "what to do"]
    return pd.DataFrame(lines, columns=columns).set_index("alert")


def two_lines(report: Mapping[str, Any]) -> list[str]:
    """Return the recommendation and its first reason, and what to run."""
    advice = report["recommendation"]
    then = f" Next: {'; '.join(advice['commands'])}" if advice["commands"] else ""
    first = f"{advice['headline']} {advice['reasons'][0] if advice['reasons'] else ''}".rstrip()
    return [first, f"{report['window']}{then}"]
