"""What the last build of a case took and reached, as gauges beside those of the served model."""

import json
from collections.abc import Mapping
from typing import Any

from gristmill.errors import ArtifactError
from gristmill.monitoring.instruments import MonitoringMetrics
from gristmill.paths import CasePaths


def build_gauges(paths: CasePaths) -> MonitoringMetrics:
    """Return the gauges of a case's last build: rows, features, each family's search, test metrics, gates.

    What a product does not say is left out.

    Raises
    ------
    ArtifactError
        There is no build.
    """
    if not paths.metrics.is_file():
        raise ArtifactError(f"Expected a build of {paths.name!r}, found none. Run: ploomber build --env--case {paths.name}")
    gauges = MonitoringMetrics(paths.name, "training")
    metrics, snapshot, features = (_read(paths, name) for name in ("metrics.json", "snapshot.json", "features.json"))
    gauges.set("gristmill_training_finished_timestamp_seconds", "When the last build ended.", paths.metrics.stat().st_mtime)
    gauges.set("gristmill_training_rows", "Rows of the snapshot of the last build.", snapshot.get("rows"))
    gauges.set("gristmill_training_features", "Features the model may see.", len(features.get("features", [])))
    for name, interval in metrics.get("test", {}).items():
        for bound in ("value", "low", "high"):
            said = "A metric of the last build on the test rows."
            gauges.set("gristmill_training_metric", said, interval.get(bound), metric=name, bound=bound)
    gates = metrics.get("gates", [])
    gauges.set(
        "gristmill_training_gates_failed", "Gates that the last build did not pass.", sum(not gate["passed"] for gate in gates)
    )
    for path in sorted(paths.artifacts.glob("trials_*.json")):
        _search(gauges, json.loads(path.read_text(encoding="utf-8")))
    return gauges


def _search(gauges: MonitoringMetrics, found: Mapping[str, Any]) -> None:
    """Say how long the search of one family took, how many trials it had, and what memory."""
    trials = found.get("trials") or []
    if not trials:
        return
    family = {"family": str(found["family"])}
    seconds = sum(trial.get("seconds") or 0.0 for trial in trials)
    peak = max(trial.get("peak_mb") or 0.0 for trial in trials)
    gauges.set("gristmill_training_seconds", "Seconds of the trials of a family, on one core.", seconds, **family)
    gauges.set("gristmill_training_trials", "Trials of a family.", len(trials), **family)
    gauges.set("gristmill_training_peak_memory_bytes", "Most memory that a trial of a family took.", peak * 1e6, **family)


def _read(paths: CasePaths, name: str) -> dict[str, Any]:
    """Return a product, or nothing where the build has none."""
    path = paths.artifacts / name
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}
