"""What watching finds out, as Prometheus reads it: gauges in a file of each case, and those of the machine.

Watching runs now and then, and Prometheus asks all the time. So each run writes what it found into
``state/monitoring/<case>.<part>.prom``, whole or not at all, and :mod:`gristmill.monitoring.exporter` serves what is there.
"""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gristmill.data.products import replacing
from gristmill.gpus import gpus
from gristmill.paths import ProjectPaths

FOLDER = "monitoring"
BOUNDS = ("value", "low", "high")


def folder(root: Path) -> Path:
    """Return where the gauges of the project at ``root`` lie."""
    return ProjectPaths(root).state / FOLDER


class MonitoringMetrics:
    """The gauges of one run of one part of the watching.

    Parameters
    ----------
    case
        Name of the case.
    part
        ``performance``, ``drift``, ``quality`` or ``training``; each is written by itself.
    """

    def __init__(self, case: str, part: str) -> None:
        from prometheus_client import CollectorRegistry  # noqa: PLC0415 - an extra

        self.case, self.part = case, part
        self.registry = CollectorRegistry()
        self._gauges: dict[str, Any] = {}

    def ran(self, at: float) -> None:
        """Say when the watching ran, in seconds since 1970."""
        self.set("gristmill_monitoring_last_run_timestamp_seconds", "When this part of the watching last ran.", at, part=self.part)

    def drift(self, column: str, measure: str, value: float) -> None:
        """Say how far a column is from the training rows; ``measure`` is ``psi``, ``kl``, ``js``, ``ks``, ``wasserstein``, ..."""
        self.set("gristmill_drift", "Distance of a column from the training rows.", value, column=column, measure=measure)

    def quality(self, column: str, measure: str, value: float) -> None:
        """Say what is wrong in a column: ``measure`` is ``missing_share``, ``outlier_share``, ``new_levels``, ..."""
        self.set("gristmill_data_quality", "What is wrong in a column of served rows.", value, column=column, measure=measure)

    def performance(self, record: Mapping[str, Any]) -> None:
        """Take over what :func:`gristmill.monitoring.performance.watching.report` found."""
        version, metric = f"{record['case']}/{record['version']}", record["metric"]
        for name, one in record["metrics"].items():
            for rows in ("online", "offline"):
                self._interval("gristmill_performance", "A metric of the model.", one[rows], version, metric=name, rows=rows)
        estimate = record["estimate"]
        for name, interval in estimate.get("young", {}).get("metrics", {}).items():
            self._interval("gristmill_performance", "A metric of the model.", interval, version, metric=name, rows="estimate")
        drop = "Relative drop of the primary metric against the test rows, 0 unless the intervals lie apart"
        self.set("gristmill_performance_drop", f"{drop}.", record["sure_drop"], model_version=version, metric=metric)
        if "sure_drop" in estimate:
            said = f"{drop}; as estimated before labels come."
            self.set("gristmill_performance_drop_estimated", said, estimate["sure_drop"], model_version=version, metric=metric)
        self._labels(record["maturity"])
        self._groups(record["groups"])
        if record["business"]:
            self._business(record["business"], version)

    def _labels(self, known: Mapping[str, Any]) -> None:
        """Say how many labels there are."""
        self.set("gristmill_label_share", "Share of the mature predictions with a label.", known["label_share"]["value"])
        self.set("gristmill_mature_predictions", "Predictions of the window that are old enough to count.", known["predictions"])
        self.set("gristmill_mature_labels", "Of these, those with a label.", known["labels"])

    def _groups(self, groups: Mapping[str, Any]) -> None:
        """Say how groups are treated, and how many limits are surely broken."""
        for line in groups["limits"]:
            said = "A measure of disparity between the groups of a feature, on late labels."
            self.set("gristmill_fairness", said, line["value"], feature=line["feature"], measure=line["measure"])
        broken = sum(line["surely_broken"] for line in groups["limits"])
        if groups["limits"]:
            self.set("gristmill_fairness_limits_broken", "Fairness limits that are surely broken on late labels.", broken)

    def _business(self, found: Mapping[str, Any], version: str) -> None:
        """Say what decisions were worth."""
        for against in ("value", "over_everyone", "over_nobody"):
            said = "What a decision was worth, in the business's currency: itself, or beyond acting on everyone or nobody."
            self._interval("gristmill_business_value", said, found["total"][against], version, against=against)
        if found["weeks"]:
            said = "What all decisions of the last week with labels were worth."
            self._interval("gristmill_business_week", said, found["weeks"][-1]["sum"], version)

    def _interval(self, name: str, said: str, interval: Mapping[str, Any], version: str, **labels: str) -> None:
        """Set a figure and the ends of its interval."""
        for bound in BOUNDS:
            self.set(name, said, interval[bound], model_version=version, bound=bound, **labels)

    def set(self, name: str, said: str, value: float | None, **labels: str) -> None:
        """Set a gauge of the case; what is not known is left out."""
        from prometheus_client import Gauge  # noqa: PLC0415

        if value is None or math.isnan(value):
            return
        if name not in self._gauges:
            self._gauges[name] = Gauge(name, said, ["case", *labels], registry=self.registry)
        self._gauges[name].labels(case=self.case, **labels).set(value)

    def write(self, root: Path) -> Path:
        """Write the gauges of this part in the place of those of its last run, in the project at ``root``; return the file."""
        from prometheus_client import generate_latest  # noqa: PLC0415

        path = folder(root) / f"{self.case}.{self.part}.prom"
        with replacing(path) as temporary:
            temporary.write_bytes(generate_latest(self.registry))
        return path


def machine(root: Path) -> Iterable[Any]:
    """Give the gauges of the machine: processors, memory, the project's disk, and each GPU that ``nvidia-smi`` knows."""
    import psutil  # type: ignore[import-untyped]  # noqa: PLC0415
    from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415

    shares = {
        "cpu": psutil.cpu_percent(interval=None),
        "memory": psutil.virtual_memory().percent,
        "disk": psutil.disk_usage(str(root)).percent,
    }
    for name, percent in shares.items():
        yield GaugeMetricFamily(f"gristmill_machine_{name}_share", f"Share of the machine's {name} in use.", percent / 100)
    shares_of_gpus = GaugeMetricFamily("gristmill_gpu_memory_share", "Share of a GPU's memory in use.", labels=["gpu"])
    for gpu, share in gpu_memory().items():
        shares_of_gpus.add_metric([gpu], share)
    yield shares_of_gpus


def gpu_memory() -> dict[str, float]:
    """Return the share of the memory of each GPU in use; none where there is no ``nvidia-smi`` or no GPU."""
    return {one.index: one.used_mb / one.total_mb for one in gpus()}
