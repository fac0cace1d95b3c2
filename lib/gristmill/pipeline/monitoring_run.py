"""The monitoring DAG from beginning to end: its notebooks run, then what they found is published for Prometheus."""

import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gristmill.config.loading import load_case
from gristmill.data.products import read_json
from gristmill.errors import BuildError, MonitoringFailed, NoLogYet
from gristmill.monitoring.performance.offline import offline
from gristmill.monitoring.watched import until_of
from gristmill.monitoring.weekly.publishing import publish
from gristmill.monitoring.weekly.reporting import PRODUCT
from gristmill.monitoring.weekly.wording import two_lines
from gristmill.monitoring.windows import period
from gristmill.paths import CasePaths
from gristmill.serving.prediction_log.reader import LogReader

PIPELINE = "pipeline.monitor.yaml"
REPORT = "24_weekly_report.html"


@dataclass(frozen=True)
class Monitored:
    """What a run found.

    Attributes
    ----------
    record
        The weekly report (:func:`gristmill.monitoring.weekly.reporting.week`).
    page
        Its page.
    published
        Whether dashboards and rules see it: a look at a time that is over says nothing of now.
    """

    record: dict[str, Any]
    page: Path
    published: bool

    @property
    def lines(self) -> list[str]:
        """What is to be said of it."""
        return [*two_lines(self.record), f"Report: {self.page}"]


def monitor(paths: CasePaths, days: float, until: str | None = None) -> Monitored:
    """Run the monitoring DAG of a case, show its lines as they come, and return what it found.

    Parameters
    ----------
    paths
        The case.
    days
        Length of the window.
    until
        Its end, as people write it; the present when None, and then the gauges of dashboards and rules are renewed.

    Raises
    ------
    CaseFileError, ParameterError
        There is no such case, or the window is none; nothing was run.
    ArtifactError, LogUnavailable
        There is no build of the case, or the log cannot be read; nothing was run.
    MonitoringFailed
        A notebook could not end.
    """
    load_case(paths.name, paths.root)
    end = time.time() if until is None else until_of(until)
    period(days, end)
    _require_material(paths)
    moment = datetime.fromtimestamp(end, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    done = subprocess.run(command(paths.name, days, moment), cwd=paths.root, check=False)
    if done.returncode:
        raise MonitoringFailed(
            f"The monitoring of {paths.name} did not come to its report; the lines above say why.", 2 if done.returncode == 2 else 1
        )
    if until is None:
        publish(paths)
    return Monitored(read_json(paths.artifacts / PRODUCT), paths.reports / REPORT, until is None)


def _require_material(paths: CasePaths) -> None:
    """Raise in a sentence what the first notebook would in a page of lines: there is no build, or the log cannot be read."""
    offline(paths)
    with suppress(NoLogYet):
        LogReader(paths.root).last(1)


def command(case: str, days: float, until: str) -> list[str]:
    """Return the command that runs the DAG with this environment's Ploomber.

    Raises
    ------
    BuildError
        Ploomber is not installed beside this Python.
    """
    ploomber = Path(sys.executable).with_name("ploomber")
    if not ploomber.is_file():
        raise BuildError(f"Expected Ploomber at {ploomber}, found none. Set the project up: `make setup`.")
    asked = ["--env--case", case, "--env--days", f"{days:g}", "--env--until", until]
    return [str(ploomber), "build", "--entry-point", PIPELINE, *asked]
