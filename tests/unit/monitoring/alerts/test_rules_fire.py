"""Every rule fires in a real Prometheus, and reaches PagerDuty and the webhook through a real Alertmanager."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.core import GaugeMetricFamily
from tests.alerting import ALERTMANAGER, PROMETHEUS, Receiver, alertmanager, exposing, free_port, needs, prometheus, receiver, until
from tests.models import case_of

from gristmill.config.case import Case
from gristmill.instruments.metrics import ServiceMetrics
from gristmill.monitoring import exporter
from gristmill.monitoring.alerts.rendering import Receivers, Times, alertmanager_file, rules_file
from gristmill.monitoring.instruments import MonitoringMetrics, gpu_memory

pytestmark = [pytest.mark.slow, needs(PROMETHEUS, ALERTMANAGER)]

KEY = "0123456789abcdef0123456789abcdef"
QUICK = Times(window="5s", most_seconds=1, interval="500ms")


def a_case() -> Case:
    """Return a case with the default alerts, whose runbook has a URL."""
    return case_of(more="monitoring: {runbook_url: 'https://example.org/runbook.md'}\n")


class Service:
    """The numbers of a service that fails, is slow, refuses and lags: more of it at each scrape."""

    def __init__(self) -> None:
        self.metrics = ServiceMetrics(routes=["/v1/models/{name}/predict"])
        self.metrics.serves("small/1", "champion", ["No", "Yes"])

    def text(self) -> bytes:
        for status in (200, 200, 200, 500, 503, 429):
            self.metrics.request("/v1/models/{name}/predict", "POST", status, 0.9)
            self.metrics.predictions("small/1", ["Yes"], [0.8], 0.9)
        self.metrics.log_lag(20_000)
        return self.metrics.exposition()[0]


def full_machine(_root: Path) -> Iterator[Any]:
    """Give the gauges of a machine whose processors, memory and disk are in use."""
    for name in ("cpu", "memory", "disk"):
        yield GaugeMetricFamily(f"gristmill_machine_{name}_share", "In use.", 0.97)
    gpus = GaugeMetricFamily("gristmill_gpu_memory_share", "In use.", labels=["gpu"])
    for gpu, share in gpu_memory().items():
        gpus.add_metric([gpu], share)
    yield gpus


def a_gpu(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a program into the path that answers as ``nvidia-smi`` does on a machine with one full GPU."""
    folder.mkdir()
    (folder / "nvidia-smi").write_text("#!/bin/sh\necho '0, 23500, 24576, 99, NVIDIA A10'\n")
    (folder / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def watched_badly(root: Path) -> None:
    """Write gauges of a model that is worse, drifts, treats groups unfairly, and was looked at three days ago."""
    gauges = MonitoringMetrics("small", "performance")
    for name, value in (("performance_drop", 0.12), ("performance_drop_estimated", 0.08), ("fairness_limits_broken", 1.0)):
        gauges.set(f"gristmill_{name}", "For the test.", value)
    gauges.drift("tenure", "kl", 0.7)
    gauges.ran(time.time() - 72 * 3600)
    gauges.write(root)


def mended(root: Path) -> None:
    """Write gauges of a model that is as it was."""
    gauges = MonitoringMetrics("small", "performance")
    gauges.set("gristmill_performance_drop", "For the test.", 0.0)
    gauges.drift("tenure", "kl", 0.01)
    gauges.ran(time.time())
    gauges.write(root)


Reached = tuple[Receiver, Case, ExitStack, Path]


@pytest.fixture
def reached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reached]:
    """Run everything with every fault at once; the stack ends the service, and with it the other faults of requests."""
    case, service_port, watcher_port = a_case(), free_port(), free_port()
    a_gpu(tmp_path / "bin", monkeypatch)
    watched_badly(tmp_path)
    monkeypatch.setattr(exporter.ProjectCollector.__init__, "__defaults__", (full_machine,))
    (tmp_path / "key").write_text(KEY)
    with ExitStack() as stack, receiver(KEY) as got, exposing(lambda: exporter.exposition(tmp_path), watcher_port):
        service = stack.enter_context(ExitStack())
        service.enter_context(exposing(Service().text, service_port))
        quick = replace(Receivers(), group_wait="200ms", group_interval="1s", repeat_interval="1h")
        at = f"http://127.0.0.1:{got.port}"
        whom = replace(quick, routing_key_file=str(tmp_path / "key"), pagerduty_url=f"{at}/v2/enqueue", webhook_url=f"{at}/alerts")
        manager = stack.enter_context(alertmanager(alertmanager_file(whom), tmp_path / "alertmanager"))
        targets = {"gristmill-service": service_port, "gristmill-monitoring": watcher_port}
        stack.enter_context(prometheus(tmp_path / "prometheus", targets, rules_file(case, QUICK), manager))
        yield got, case, service, tmp_path


def test_every_rule_reaches_a_person_with_its_link(reached: Reached):
    got, case, service, root = reached
    others = [name for name in case.monitoring.alerts if name != "service_down"]
    until(lambda: all(got.told(name) for name in others), f"an alert of {others}")
    assert not got.told("service_down")
    service.close()
    until(lambda: got.told("service_down"), "the alert that the service is down")
    pages = [name for name, rule in case.monitoring.alerts.items() if rule.severity == "page"]
    until(lambda: all(got.triggered(name.replace("_", " ")) for name in pages), f"an incident of each of {pages}")
    assert got.refused == []
    for name in case.monitoring.alerts:
        incidents = got.triggered(f": {name.replace('_', ' ')}")
        assert len({event["dedup_key"] for event in incidents}) == len(incidents) == (1 if name in pages else 0), name
        links = [event["links"][0]["href"] for event in incidents]
        assert links == [f"https://example.org/runbook.md#{name}"] * len(incidents)
        assert got.told(name)[0]["annotations"]["runbook_url"] == f"https://example.org/runbook.md#{name}"
    mended(root)
    until(lambda: got.told("data_drift", "resolved"), "that drift is over")
    (incident,) = got.triggered(": performance drop")
    until(lambda: incident["dedup_key"] in {one["dedup_key"] for one in got.events if one["event_action"] == "resolve"}, "its end")
