"""Every default rule fires at its real time, not before, and says what it should; judged by promtool on made-up series."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.alerting import PROMTOOL, needs
from tests.models import case_of

from gristmill.config.loading import load_case
from gristmill.config.sections.watching import DEFAULT_ALERTS
from gristmill.monitoring.alerts.rendering import alert_name, annotations, prometheus_rule, rules_file

pytestmark = needs(PROMTOOL)

STEP = 10
"""Seconds between two samples."""

SLOW = {"0.25": 0, "0.5": 0, "1": 60, "+Inf": 60}
SERIES: dict[str, tuple[dict[str, str], str | None]] = {
    "instances_up": ({'up{job="gristmill-service"}': "0x200"}, "0"),
    "latency_p95_ms": ({f'ml_prediction_latency_seconds_bucket{{le="{le}"}}': f"0+{n}x200" for le, n in SLOW.items()}, "975"),
    "error_share": (
        {'gristmill_requests_total{status="200"}': "0+9x200", 'gristmill_requests_total{status="500"}': "0+1x200"},
        "0.1",
    ),
    "refused_share": (
        {'gristmill_requests_total{status="200"}': "0+3x200", 'gristmill_requests_total{status="429"}': "0+1x200"},
        "0.25",
    ),
    "log_lag_records": ({"gristmill_log_lag_records": "20000x200"}, "2e+04"),
    "metric_drop": ({'gristmill_performance_drop{case="small"}': "0.1x200"}, "0.1"),
    "estimated_drop": ({'gristmill_performance_drop_estimated{case="small"}': "0.1x200"}, "0.1"),
    "drift_kl": ({'gristmill_drift{case="small",measure="kl",column="a"}': "0.4x200"}, "0.4"),
    "fairness_limits_broken": ({'gristmill_fairness_limits_broken{case="small"}': "2x200"}, "2"),
    "monitoring_age_hours": ({'gristmill_monitoring_last_run_timestamp_seconds{case="small"}': "-180000x200"}, None),
    "cpu_share": ({"gristmill_machine_cpu_share": "0.95x200"}, "0.95"),
    "memory_share": ({"gristmill_machine_memory_share": "0.95x200"}, "0.95"),
    "disk_share": ({"gristmill_machine_disk_share": "0.95x200"}, "0.95"),
    "gpu_memory_share": ({'gristmill_gpu_memory_share{gpu="0"}': "0.95x200"}, "0.95"),
}
KEPT = {"gpu_memory_share": {"gpu": "0"}}


def judged(folder: Path, text: str, tests: list[dict[str, Any]]) -> subprocess.CompletedProcess[str]:
    """Let promtool run unit tests on rules."""
    (folder / "rules.yml").write_text(text)
    content = {"rule_files": ["rules.yml"], "evaluation_interval": f"{STEP}s", "tests": tests}
    (folder / "tests.yml").write_text(yaml.safe_dump(content))
    return subprocess.run([PROMTOOL, "test", "rules", str(folder / "tests.yml")], capture_output=True, text=True, check=False)


def expected(name: str, value: str) -> dict[str, Any]:
    """Return the alert of a default rule as promtool expects it."""
    case = case_of()
    rule = case.monitoring.alerts[name]
    labels = {"severity": rule.severity, "case": "small", "rule": name, **KEPT.get(rule.signal, {})}
    return {"exp_labels": labels, "exp_annotations": annotations(case, name, rule, value)}


@pytest.mark.parametrize("name", DEFAULT_ALERTS)
def test_a_rule_fires_at_its_time_and_not_before(name: str, tmp_path: Path):
    case = case_of()
    rule = case.monitoring.alerts[name]
    series, value = SERIES[rule.signal]
    lasting = int(rule.lasting_seconds)
    value = value or f"{(180_000 + lasting + 60) / 3600:.4g}"
    times = [{"eval_time": f"{lasting + 60}s", "alertname": alert_name(name), "exp_alerts": [expected(name, value)]}]
    if lasting:
        times.insert(0, {"eval_time": f"{lasting - STEP}s", "alertname": alert_name(name), "exp_alerts": []})
    inputs = [{"series": one, "values": values} for one, values in series.items()]
    done = judged(tmp_path, rules_file(case), [{"interval": f"{STEP}s", "input_series": inputs, "alert_rule_test": times}])
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_break_begins_the_time_anew(tmp_path: Path):
    down = [{"series": 'up{job="gristmill-service"}', "values": "0x9 1 0x9 1 0x30"}]  # up for a moment, twice
    never = [{"eval_time": f"{at}s", "alertname": "ServiceDown", "exp_alerts": []} for at in (120, 200, 320)]
    fires = [{"eval_time": "360s", "alertname": "ServiceDown", "exp_alerts": [expected("service_down", "0")]}]
    done = judged(tmp_path, rules_file(case_of()), [{"interval": "10s", "input_series": down, "alert_rule_test": never + fires}])
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_rule_fires_where_all_is_well(tmp_path: Path):
    well = {
        'up{job="gristmill-service"}': "1x200",
        'gristmill_requests_total{status="200"}': "0+9x200",
        'gristmill_performance_drop{case="small"}': "0x200",
        'gristmill_drift{case="small",measure="kl",column="a"}': "0.1x200",
        'gristmill_drift{case="small",measure="psi",column="a"}': "9x200",
        'gristmill_performance_drop{case="another"}': "0.9x200",
        "gristmill_machine_memory_share": "0.5x200",
    }
    inputs = [{"series": one, "values": values} for one, values in well.items()]
    times = [{"eval_time": "30m", "alertname": alert_name(name), "exp_alerts": []} for name in DEFAULT_ALERTS]
    done = judged(tmp_path, rules_file(case_of()), [{"interval": "10s", "input_series": inputs, "alert_rule_test": times}])
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_case_changes_a_limit_takes_an_alert_away_and_adds_one():
    more = (
        "monitoring: {alerts: {slow_answers: {above: 300}, disk_full: null, "
        "few_labels: {signal: label_share, below: 0.2, lasting: 1 day, severity: ticket}}}\n"
    )
    case = case_of(more=more)
    assert "disk_full" not in case.monitoring.alerts
    slow, few = (prometheus_rule(case, name, case.monitoring.alerts[name]) for name in ("slow_answers", "few_labels"))
    assert slow["expr"].endswith("> 300")
    assert slow["for"] == "300s"
    assert (few["expr"], few["for"]) == ('(max by (case) (gristmill_label_share{case="small"})) < 0.2', "86400s")


def test_the_rendered_rules_of_the_repository_are_those_of_the_default_case(repository: Path):
    assert (repository / "deploy/prometheus/rules.yml").read_text() == rules_file(load_case("churn", repository))
