"""What the last build of a case took and reached, as gauges beside those of the served model."""

import json
from collections.abc import Mapping
from typing import Any

from gristmill.build_costs import BuildCosts, build_costs
from gristmill.errors import ArtifactError
from gristmill.monitoring.instruments import MonitoringMetrics
from gristmill.paths import CasePaths


def build_gauges(paths: CasePaths) -> MonitoringMetrics:
    """Return the gauges of a case's last build: rows, features, what it took, each family's search, test metrics, gates.

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
    _costs(gauges, build_costs(paths))
    for path in sorted(paths.artifacts.glob("trials_*.json")):
        _search(gauges, json.loads(path.read_text(encoding="utf-8")))
    return gauges


def _costs(gauges: MonitoringMetrics, costs: BuildCosts) -> None:
    """Say what the last build took in all, and each stage when it last ran; figures of GPUs only where there are any."""
    for what, said, value in (
        ("seconds", "Seconds from the start of the last build to its end.", costs.seconds),
        ("cpu_seconds", "Processor time of the last build.", costs.cpu_seconds),
        ("joules", "Energy of the processor for the last build.", costs.joules),
        ("peak_memory_bytes", "Most memory that one process of the last build took.", _bytes(costs.peak_mb)),
        ("stages", "Stages that ran in the last build.", len(costs.ran)),
        ("gpu_peak_memory_bytes", "Most memory of GPUs in use during the last build.", _bytes(costs.gpu_peak_mb)),
    ):
        gauges.set(f"gristmill_training_build_{what}", said, value)
    gauges.set("gristmill_training_gpu_info", "GPUs of the machine that built, by name, or none.", 1, gpu=costs.gpu)
    for one in costs.stages:
        for what, said, value in (
            ("seconds", "Seconds of a stage when it last ran.", one.seconds),
            ("cpu_seconds", "Processor time of a stage when it last ran.", one.cpu_seconds),
            ("peak_memory_bytes", "Most memory that one process of a stage took.", _bytes(one.peak_mb)),
        ):
            gauges.set(f"gristmill_training_stage_{what}", said, value, stage=one.stage)


def _bytes(megabytes: float | None) -> float | None:
    """Return bytes; None where it is not known."""
    return None if megabytes is None else megabytes * 2**20


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
    gauges.set("gristmill_training_peak_memory_bytes", "Most memory that a trial of a family took.", _bytes(peak), **family)


def _read(paths: CasePaths, name: str) -> dict[str, Any]:
    """Return a product, or nothing where the build has none."""
    path = paths.artifacts / name
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}
