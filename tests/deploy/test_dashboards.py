"""Every query of every dashboard finds data in a real Prometheus, after a service and its watching have had something to say."""

import importlib.util
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from tests.alerting import DEPLOY, PROMETHEUS, exposing, free_port, needs, prometheus, queried, until
from tests.models import FEATURES, customers, fit
from tests.served import NOW, built, logged, records_of

from gristmill.data.products import write_json
from gristmill.instruments.metrics import ServiceMetrics
from gristmill.monitoring.exporter import exposition
from gristmill.monitoring.instruments import MonitoringMetrics
from gristmill.monitoring.performance.command import run
from gristmill.paths import CasePaths

NAMES = ("training", "serving", "data_quality", "infrastructure", "cost")
STANDS_FOR = {"$case": "small", "$metric": "roc_auc", "$core_hour": "0.05", "$__rate_interval": "10s"}


def writer() -> ModuleType:
    """Return the program that writes the dashboards."""
    spec = importlib.util.spec_from_file_location("write_dashboards", DEPLOY / "grafana" / "write.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load(name: str) -> dict[str, Any]:
    return dict(json.loads((DEPLOY / "grafana" / "dashboards" / f"{name}.json").read_text()))


def expressions(name: str) -> list[tuple[str, str]]:
    """Return title and query of each target."""
    return [(panel["title"], target["expr"]) for panel in load(name)["panels"] for target in panel["targets"]]


@pytest.mark.parametrize("name", NAMES)
def test_the_file_is_what_its_program_writes(name: str):
    assert (DEPLOY / "grafana" / "dashboards" / f"{name}.json").read_text() == writer().text(name), "run deploy/grafana/write.py"


@pytest.mark.parametrize("name", NAMES)
def test_panels_have_names_units_and_no_variable_that_is_not_there(name: str):
    dashboard = load(name)
    variables = {one["name"] for one in dashboard["templating"]["list"]}
    used = set(re.findall(r"\$(\w+)", json.dumps(dashboard["panels"])))
    assert used - {"__rate_interval"} == variables
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    assert all(panel["title"] and panel["fieldConfig"]["defaults"]["unit"] for panel in dashboard["panels"])
    source = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yml").read_text())["datasources"][0]
    assert {target["datasource"]["uid"] for panel in dashboard["panels"] for target in panel["targets"]} == {source["uid"]}


def watched(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a project have a build, predictions, labels, drift, and a GPU."""
    priced = "threshold: {rule: profit, value_true_positive: 10, cost_contact: 3}\n"
    more = f"{priced}sensitive_features: [plan]\nevaluation: {{resamples: 100}}\nmonitoring: {{performance: {{min_labels: 100}}}}\n"
    built(root, more=more)
    artifacts = root / "artifacts" / "small"
    write_json(artifacts / "snapshot.json", {"rows": 1500})
    write_json(artifacts / "features.json", {"features": FEATURES})
    write_json(artifacts / "trials_linear.json", {"family": "linear", "trials": [{"seconds": 2.5, "peak_mb": 300.0}]})
    ran = {"seconds": 2.0, "peak_mb": 300.0, "cpu_seconds": 1.5, "build_id": "b", "finished": NOW}
    gpu = {"names": ["NVIDIA A10"], "peak_mb": 1000.0, "busy": 0.4}
    write_json(
        CasePaths(root, "small").timings, {"05_train_linear": {**ran, "gpu": gpu}, "06_select": {**ran, "finished": NOW + 2}}
    )
    old, young = customers(600, seed=11), customers(100, seed=12)
    model = fit("binary", customers(900, seed=1))
    records = records_of(old, model.predict_proba(old[FEATURES]))
    records += records_of(young, model.predict_proba(young[FEATURES]), at=NOW - 3600, prefix="y")
    logged(root, records, {f"p{number}": label for number, label in enumerate(old["churn"])})
    run(CasePaths(root, "small"), now=NOW)
    drift = MonitoringMetrics("small", "drift")
    for measure in ("kl", "psi"):
        drift.drift("tenure", measure, 0.2)
    for measure in ("missing_share", "new_levels"):
        drift.quality("charge", measure, 0.1)
    drift.ran(NOW)
    drift.write(root)
    (root / "bin").mkdir()
    (root / "bin" / "nvidia-smi").write_text("#!/bin/sh\necho '0, 1000, 24576, 35, NVIDIA A10'\n")
    (root / "bin" / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{root / 'bin'}:{os.environ['PATH']}")


def loaded(service: ServiceMetrics) -> bytes:
    """Let the service answer some requests, and return what it says of them."""
    for number in range(20):
        service.begun()
        service.request("/predict", "POST", 500 if number == 7 else 200, 0.004)
        service.predictions("small/1", ["Yes", "No"], [0.9, 0.7], 0.003)
        service.batch(2)
        service.cache(1, 1)
        service.ended()
    service.error("body_too_large")
    service.flagged("out_of_range")
    service.log_lag(3)
    service.queue(1)
    sum(number**2 for number in range(200_000))  # processor time that can be measured
    return service.exposition()[0]


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Run a Prometheus over a service under load and a watched project."""
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "pipeline.yaml").write_text("tasks: []\n")
    watched(tmp_path / "project", monkeypatch)
    service = ServiceMetrics(routes=["/predict"])
    service.serves("small/1", "champion", ["No", "Yes"])
    ports = {"gristmill-service": free_port(), "gristmill-monitoring": free_port()}
    with (
        exposing(lambda: loaded(service), ports["gristmill-service"]),
        exposing(lambda: exposition(tmp_path / "project"), ports["gristmill-monitoring"]),
        prometheus(tmp_path / "prometheus", ports) as at,
    ):
        yield at


def found(url: str, query: str) -> list[float]:
    """Return the numbers that a query finds."""
    for name, value in STANDS_FOR.items():
        query = query.replace(name, value)
    values = [float(one["value"][1]) for one in queried(url, query)]
    return [value for value in values if value == value]  # noqa: PLR0124 - not a number is no data


def test_panels_about_gpus_say_none_where_there_is_none():
    panels = [panel for name in ("training", "infrastructure") for panel in load(name)["panels"] if "GPU" in panel["title"]]
    assert len(panels) == 3
    assert {panel["fieldConfig"]["defaults"]["noValue"] for panel in panels} == {"none"}


@needs(PROMETHEUS)
@pytest.mark.slow
def test_every_query_of_every_panel_finds_data(url: str):
    for name in NAMES:
        for title, query in expressions(name):
            assert until(lambda query=query: found(url, query), f"{name}, {title}: {query}", 60)  # type: ignore[misc]
