"""What the prediction log says of a case in some time: the first thing that a look at monitoring reads, and enough for most."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gristmill.config.loading import load_case
from gristmill.paths import ProjectPaths
from gristmill.reporting.wording import UNKNOWN, count, figure, share
from gristmill.serving.prediction_log.totals import Cut, LogTotals
from gristmill.serving.served.registry_process import locate
from gristmill.views.monitoring.labels import LabelCounts, label_counts
from gristmill.views.monitoring.periods import Period, cut_of, default_period
from gristmill.views.monitoring.reading import Held, held_against, live_rows
from gristmill.views.monitoring.traffic import Traffic, traffic

NOTHING = (
    "Nothing was predicted with this model yet, so that there is nothing to watch. Start the service with `make serve` and ask it, "
    "or predict a row on the page *Predict*; what is answered is logged, and shows up here."
)


@dataclass(frozen=True)
class Overview:
    """Traffic and labels of some time.

    Attributes
    ----------
    period
        The time that was asked for, or chosen.
    traffic, labels
        What the log says.
    """

    period: Period
    traffic: Traffic
    labels: LabelCounts

    @property
    def version(self) -> str:
        """The version that answered most of it, champions before others; an empty text if none did."""
        table = self.traffic.versions
        given = table[table["role"] == "champion"] if (table["role"] == "champion").any() else table[table["role"] != "shadow"]
        return str(given["version"].iloc[0]) if len(given) else ""

    @property
    def figures(self) -> dict[str, str]:
        """What stands at the top of the page: label -> value."""
        answered, p95 = self.traffic.answered, self.traffic.overall.get("p95")
        return {
            "Predictions": count(answered),
            "Slowest 5 % from": UNKNOWN if p95 is None else f"{figure(p95, 1)} ms",
            "With a warning": share(self.traffic.warned / answered, 1) if answered else UNKNOWN,
            "With a label": share(self.labels.labels / answered, 1) if answered else UNKNOWN,
        }

    @property
    def cut(self) -> Cut:
        """The time, and its parts."""
        return self.traffic.cut


def overview(root: Path, case: str, period: Period | None = None, now: float | None = None) -> Overview | None:
    """Return what the log says of a case; None if nothing was ever predicted.

    Parameters
    ----------
    root, case
        The project and the case.
    period
        The time; the shortest that shows something when omitted.
    now
        Seconds since 1970; the present when omitted.

    Raises
    ------
    LogUnavailable
        There is no log, or it cannot be read.
    CaseFileError
        The case file is wrong.
    """
    now = time.time() if now is None else now
    totals = LogTotals(root, case)
    ends = totals.ends()
    if ends is None:
        return None
    chosen = period or default_period(now, ends)
    cut = cut_of(chosen, now, ends)
    found = traffic(totals, cut, numbers=load_case(case, root).task == "regression")
    return Overview(chosen, found, label_counts(totals.labels(cut), cut))


def live(root: Path, case: str, seen: Overview) -> Held:
    """Return rows of the version that answered most, and how they differ from the rows that it was trained on.

    Raises
    ------
    LogUnavailable, ArtifactError, RegistryError, DataError
        The log, the version or its rows cannot be used.
    """
    paths = ProjectPaths(root).case(case)
    rows = live_rows(LogTotals(root, case), seen.cut, seen.version)
    limits = load_case(case, root).monitoring.drift
    if seen.version == _built_version(paths.metrics):
        return held_against(rows, paths.model, limits, _json(paths.artifacts / "explanation.json"))
    import asyncio  # noqa: PLC0415

    found = asyncio.run(locate(root, case, int(seen.version)))
    return held_against(rows, found.directory, limits, None, found.digest)


def _built_version(metrics: Path) -> str:
    """Return the version that the last build registered, as text; empty if it registered none."""
    version = ((_json(metrics) or {}).get("model") or {}).get("version")
    return "" if version is None else str(version)


def _json(path: Path) -> Mapping[str, Any] | None:
    """Return a product of the build; None if there is none that can be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None
