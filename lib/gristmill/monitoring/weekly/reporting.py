"""The week of a model in production in one record: what ``24_weekly_report`` tells and ``monitoring/weekly.json`` holds."""

from datetime import UTC, datetime
from typing import Any

from gristmill.config.case import Case
from gristmill.config.loading import load_case
from gristmill.data.products import read_json
from gristmill.monitoring.instruments import MonitoringMetrics
from gristmill.monitoring.performance.watching import PRODUCT as PERFORMANCE
from gristmill.monitoring.quality import looking as quality
from gristmill.monitoring.weekly import drifting as drift
from gristmill.monitoring.weekly.alerting import BEYOND, judged
from gristmill.monitoring.weekly.recommending import Evidence, recommend
from gristmill.paths import CasePaths

PRODUCT = "monitoring/weekly.json"


def looks(paths: CasePaths) -> dict[str, dict[str, Any]]:
    """Return what the three looks of the last run found: ``quality``, ``drift`` and ``performance``.

    Raises
    ------
    ArtifactError
        One of them was not taken.
    """
    named = {"quality": quality.PRODUCT, "drift": drift.PRODUCT, "performance": PERFORMANCE}
    return {name: read_json(paths.artifacts / product) for name, product in named.items()}


def gauges(found: dict[str, dict[str, Any]]) -> list[MonitoringMetrics]:
    """Return the gauges of the three looks."""
    performance = MonitoringMetrics(found["performance"]["case"], "performance")
    performance.performance(found["performance"])
    performance.ran(found["performance"]["at"])
    return [quality.gauges(found["quality"]), drift.gauges(found["drift"]), performance]


def week(paths: CasePaths, found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the report of a window, as JSON-able data.

    Parameters
    ----------
    paths
        The case.
    found
        What the three looks found (:func:`looks`).

    Returns
    -------
    dict
        ``case``, ``version``, ``since``, ``until``, ``window``, ``traffic``, ``quality``, ``drift``, ``performance`` and
        ``business`` (what is told of each), ``alerts`` (:class:`..alerting.Judged`), ``release`` (``former``, the version before
        the present one if it changed in that time), ``recommendation`` (:class:`..recommending.Recommendation`).
    """
    case = load_case(paths.name, paths.root)
    performance = found["performance"]
    alerts = judged(case, gauges(found), found["quality"]["until"])
    former = released_after(paths, case, performance["version"], performance["at"])
    firing = [one.said for one in alerts if one.state == BEYOND]
    known = Evidence(
        found["quality"], found["drift"], performance, firing, former, case.monitoring.drift.alarm_importance
    )  # fmt: skip
    head = {name: found["quality"][name] for name in ("case", "version", "since", "until", "window", "logged", "predictions")}
    return {
        **head,
        "traffic": found["quality"]["traffic"],
        "quality": {name: found["quality"][name] for name in ("sentence", "wrong", "rows", "judged")},
        "drift": {name: found["drift"][name] for name in ("sentence", "alarm", "drifted", "suspects", "concept")},
        "performance": {name: performance[name] for name in ("metric", "verdict", "drop", "metrics", "maturity", "warnings")},
        "business": performance["business"],
        "alerts": [one.to_record() for one in alerts],
        "release": {"former": former},
        "recommendation": recommend(known).to_record(),
    }


def released_after(paths: CasePaths, case: Case, version: str, until: float) -> int | None:
    """Return the champion before ``version``, if that is champion since a promotion within the time that performance is told of.

    To go back from what is no champion any more would go back further than what was looked at; and what was gone back to came
    in no release that could be undone.
    """
    from gristmill.registry import releases  # noqa: PLC0415 - a look at the state database

    settings = case.monitoring.performance
    since = until - settings.maturity_seconds - settings.window_seconds
    moves = [
        entry
        for entry in releases.history(case.name, paths.root)
        if entry.alias == "champion" and entry.action in (releases.PROMOTED, releases.ROLLED_BACK)
    ]
    if not moves or moves[-1].action != releases.PROMOTED or str(moves[-1].after) != version:
        return None
    at = datetime.fromisoformat(moves[-1].at)
    seconds = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    return moves[-1].before if since <= seconds <= until else None
