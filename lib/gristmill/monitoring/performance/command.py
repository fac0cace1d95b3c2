"""A look at performance from the command line: the report, the gauges, and what is said of them."""

from gristmill.data.sources.opening import open_source
from gristmill.monitoring.builds import build_gauges
from gristmill.monitoring.instruments import MonitoringMetrics
from gristmill.monitoring.performance.online import WORSE
from gristmill.monitoring.performance.watching import PRODUCT, look, summary_lines
from gristmill.paths import CasePaths


def run(paths: CasePaths, labels: str | None = None, now: float | None = None) -> tuple[list[str], bool]:
    """Look at the performance of a case's model, write report and gauges; return what is to be said, and whether it is worse.

    Parameters
    ----------
    paths
        The case.
    labels
        URI of a table of labels, if they do not come by feedback.
    now
        Seconds since 1970; the present when omitted.
    """
    table = None if labels is None else open_source(labels, root=paths.root).read()
    record = look(paths, now=now, labels=table)
    gauges = MonitoringMetrics(paths.name, "performance")
    gauges.performance(record)
    gauges.ran(record["at"])
    gauges.write(paths.root)
    build_gauges(paths).write(paths.root)
    lines = [*summary_lines(record), f"Report: artifacts/{paths.name}/{PRODUCT}"]
    return lines, record["verdict"] == WORSE
