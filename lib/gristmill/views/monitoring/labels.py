"""How good the model is by the labels that came late, beside what its test rows promised."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from gristmill.monitoring.performance.watching import PRODUCT, summary_lines
from gristmill.paths import CasePaths
from gristmill.reporting.wording import UNKNOWN, count, figure, interval, metric_label, share
from gristmill.serving.prediction_log.totals import Cut, Labels

DAY = 86_400.0
ROWS = {"online": "late labels", "offline": "test rows", "estimate": "estimated, before labels"}


@dataclass(frozen=True)
class LabelCounts:
    """How many answered predictions of some time have a label by now.

    Attributes
    ----------
    predictions, labels
        Of the whole time.
    over_time
        ``time``, ``predictions``, ``share``.
    """

    predictions: int
    labels: int
    over_time: pd.DataFrame

    @property
    def sentence(self) -> str:
        """The counts in words."""
        if not self.predictions:
            return "No prediction was made in this time, so that none can have a label."
        if not self.labels:
            return (
                f"None of the {count(self.predictions)} predictions has a label yet. Labels come through `POST /v1/feedback`, or "
                "from a table: `gristmill performance CASE --labels TABLE`."
            )
        return (
            f"{count(self.labels)} of {count(self.predictions)} predictions have a label ({share(self.labels / self.predictions)})."
        )


def label_counts(counted: Sequence[Labels], cut: Cut) -> LabelCounts:
    """Return the labels of some time by its parts."""
    rows = [
        (pd.Timestamp(cut.start(one.part), unit="s", tz="UTC"), one.predictions, one.labels / one.predictions) for one in counted
    ]
    frame = pd.DataFrame(rows, columns=["time", "predictions", "share"])
    return LabelCounts(sum(one.predictions for one in counted), sum(one.labels for one in counted), frame)


def last_look(paths: CasePaths) -> dict[str, Any] | None:
    """Return what the last look at performance found, as ``gristmill performance`` wrote it; None if there was none."""
    try:
        content = json.loads((paths.artifacts / PRODUCT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) and "maturity" in content else None


def look_words(record: Mapping[str, Any], now: float | None = None) -> list[str]:
    """Return what a look found in sentences, its age first."""
    age = (time.time() if now is None else now) - float(record["at"])
    return [f"As of {_age(age)}.", *summary_lines(dict(record))]


def _age(seconds: float) -> str:
    """Return how long ago something was."""
    for length, unit in ((DAY, "day"), (3_600.0, "hour"), (60.0, "minute")):
        number = int(seconds // length)
        if number >= 1:
            return f"{number} {unit}{'' if number == 1 else 's'} ago"
    return "just now"


def beside_offline(record: Mapping[str, Any]) -> pd.DataFrame:
    """Return each metric on late labels beside the test rows: values, intervals, what was lost, and the verdict."""
    rows = [(metric_label(name), *_figures(one["online"]), *_figures(one["offline"]), _lost(one["drop"]), one["verdict"])
            for name, one in record["metrics"].items()]  # fmt: skip
    return pd.DataFrame(rows, columns=["metric", "late labels", "interval", "test rows", "test interval", "lost", "verdict"])


def _figures(one: Mapping[str, float]) -> tuple[str, str]:
    """Return a figure and its interval."""
    return figure(one["value"]), interval(one["low"], one["high"])


def _lost(drop: float | None) -> str:
    """Return which share was lost."""
    return UNKNOWN if drop is None else share(drop, 1)


def primary_intervals(record: Mapping[str, Any]) -> pd.DataFrame:
    """Return the primary metric as a figure shows it: ``rows``, ``value``, ``low``, ``high``; empty where it is not known."""
    metric = record["metric"]
    found = dict(record["metrics"].get(metric) or {})
    young = record["estimate"].get("young", {}).get("metrics", {}).get(metric)
    named = {"offline": found.get("offline"), "online": found.get("online"), "estimate": young}
    rows = [(ROWS[name], one["value"], one["low"], one["high"]) for name, one in named.items() if one]
    return pd.DataFrame(rows, columns=["rows", "value", "low", "high"])


def as_moment(seconds: float) -> str:
    """Return a time in seconds since 1970 in ISO 8601."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()
