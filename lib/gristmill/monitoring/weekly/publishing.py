"""What the looks found, for Prometheus: gauges in the place of those of the last run."""

from pathlib import Path

from gristmill.monitoring.builds import build_gauges
from gristmill.monitoring.weekly.reporting import gauges, looks
from gristmill.paths import CasePaths


def publish(paths: CasePaths) -> list[Path]:
    """Write the gauges of the last run of the watching, and those of the last build, and return the files.

    Raises
    ------
    ArtifactError
        The watching has not run, or there is no build.
    """
    return [one.write(paths.root) for one in [*gauges(looks(paths)), build_gauges(paths)]]
