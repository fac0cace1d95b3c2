"""Gristmill's own evaluation of the alerts: the same values as Prometheus's, told once, and over when it is over."""

import time
from pathlib import Path

import pytest
from tests.alerting import (
    ALERTMANAGER,
    PROMETHEUS,
    alertmanager,
    asked,
    exposing,
    free_port,
    needs,
    prometheus,
    queried,
    until,
)  # fmt: skip
from tests.conftest import write_case
from tests.models import case_of

from gristmill.config.alert_signals import ALERT_SIGNALS
from gristmill.config.sections.watching import AlertRule
from gristmill.errors import CaseFileError, StateError
from gristmill.instruments.metrics import ServiceMetrics
from gristmill.monitoring.alerts.evaluate import Look, after, evaluate, news, read_look, sentence, write_look
from gristmill.monitoring.alerts.fetching import fetched, parsed
from gristmill.monitoring.alerts.looking import look
from gristmill.monitoring.alerts.signals import SERVICE, SIGNALS, Samples, query_of
from gristmill.monitoring.exporter import exposition
from gristmill.monitoring.instruments import MonitoringMetrics


def gauge(name: str, value: float, at: float, **labels: str) -> Samples:
    return Samples(at, {name: [({"case": "small", **labels}, value)]})


def test_every_signal_has_words_and_a_way_to_be_read():
    assert set(SIGNALS) == set(ALERT_SIGNALS)


def test_an_alert_is_pending_then_fires_is_told_once_and_is_over():
    case = case_of(more="monitoring: {alerts: {drifting: {signal: drift_kl, above: 0.3, lasting: 2 minutes}, data_drift: null}}\n")
    seen, told, last = [], [], Look()
    for at, value in ((0, 0.5), (60, 0.5), (120, 0.6), (180, 0.6), (240, 0.1), (300, 0.1)):
        samples = gauge("gristmill_drift", value, at, measure="kl", column="tenure")
        alerts = evaluate(case, samples, last)
        seen.append([one.state for one in alerts])
        told.append([one.state for one in news(alerts)])
        last = after(samples, alerts)
    assert seen == [["pending"], ["pending"], ["firing"], ["firing"], ["over"], []]
    assert told == [[], [], ["firing"], [], ["over"], []]


def test_a_value_within_its_limit_begins_the_time_anew():
    case = case_of()
    last = Look()
    for at, share in ((0, 0.95), (500, 0.5), (550, 0.95), (700, 0.95)):
        samples = Samples(at, {"gristmill_machine_memory_share": [({}, share)]})
        alerts = evaluate(case, samples, last)
        last = after(samples, alerts)
    assert [(one.rule, one.state, one.since) for one in alerts] == [("memory_full", "pending", 550)]


def test_each_gpu_is_an_alert_of_its_own_and_another_case_is_none():
    case = case_of()
    shares = [({"gpu": "0"}, 0.95), ({"gpu": "1"}, 0.2), ({"gpu": "2"}, 0.99)]
    samples = Samples(0, {"gristmill_gpu_memory_share": shares, "gristmill_performance_drop": [({"case": "other"}, 0.9)]})
    assert [(one.rule, one.labels) for one in evaluate(case, samples, Look())] == [
        ("gpu_memory_full", {"gpu": "0"}),
        ("gpu_memory_full", {"gpu": "2"}),
    ]


def test_a_counter_that_began_again_is_not_taken_for_a_fall():
    requests = "gristmill_requests_total"
    before = Samples(0, {requests: [({"status": "200"}, 1000.0), ({"status": "500"}, 50.0)]})
    now = Samples(60, {requests: [({"status": "200"}, 90.0), ({"status": "500"}, 10.0)]})
    assert SIGNALS["error_share"].read(before, now, "small") == [({}, pytest.approx(0.1))]


def test_what_a_look_leaves_is_read_back_and_a_spoilt_file_is_refused(tmp_path: Path):
    samples = gauge("gristmill_drift", 0.5, 7.0, measure="kl", column="a")
    left = after(samples, evaluate(case_of(), samples, Look()))
    write_look(tmp_path / "state.json", left)
    assert read_look(tmp_path / "state.json").alerts == left.alerts
    (tmp_path / "state.json").write_text('{"alerts": 3}')
    with pytest.raises(StateError, match="Remove it"):
        read_look(tmp_path / "state.json")


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"signal": "cpu_share"}, "one limit"),
        ({"signal": "cpu_share", "above": 1, "below": 0}, "one limit"),
        ({"signal": "cpu", "above": 1}, "no signal 'cpu'"),
        ({"signal": "cpu_share", "above": 1, "lasting": "long"}, "duration"),
    ],
)
def test_a_rule_that_says_nothing_is_refused(rule: dict[str, object], said: str):
    with pytest.raises(ValueError, match=said):
        AlertRule(**rule)  # type: ignore[arg-type]
    with pytest.raises(CaseFileError):
        case_of(more=f"monitoring: {{alerts: {{mine: {rule}}}}}\n".replace("'", ""))


@needs(PROMETHEUS)
@pytest.mark.slow
def test_gristmill_reads_every_signal_as_prometheus_does(tmp_path: Path):
    service = ServiceMetrics(routes=["/predict"])
    gauges = MonitoringMetrics("small", "performance")
    for name in ("performance_drop", "performance_drop_estimated", "label_share", "fairness_limits_broken"):
        gauges.set(f"gristmill_{name}", "For the test.", 0.25)
    gauges.drift("a", "kl", 0.5)
    gauges.drift("b", "kl", 0.75)
    gauges.drift("b", "psi", 9.0)
    gauges.ran(time.time() - 7200)
    gauges.write(tmp_path)
    counts = {"scrapes": 0}

    def text() -> bytes:
        counts["scrapes"] += 1
        for status in (200, 200, 503, 500):
            service.request("/predict", "POST", status, 0.3)
            service.predictions("small/1", None, None, 0.3 if status == 200 else 0.02, rows=1)
        service.log_lag(12)
        return service.exposition()[0]

    ports = {"gristmill-service": free_port(), "gristmill-monitoring": free_port()}
    with (
        exposing(text, ports["gristmill-service"]),
        exposing(lambda: exposition(tmp_path), ports["gristmill-monitoring"]),
        prometheus(tmp_path / "prometheus", ports) as url,
    ):
        before = fetched(tmp_path, f"http://127.0.0.1:{ports['gristmill-service']}/metrics")
        until(lambda: counts["scrapes"] > 8, "some scrapes")
        now = fetched(tmp_path, f"http://127.0.0.1:{ports['gristmill-service']}/metrics")
        for name, signal in SIGNALS.items():
            mine = signal.read(before, now, "small")
            if name == "gpu_memory_share" and not mine:
                continue
            its = until(lambda name=name: queried(url, query_of(name, "small", "30s")), f"the signal {name}")  # type: ignore[misc]
            loose = {"cpu_share": 1.0, "memory_share": 0.1, "disk_share": 0.05}.get(name, 0.01)
            assert [value for _, value in mine] == pytest.approx([float(one["value"][1]) for one in its], abs=loose, rel=0.01), name


def test_a_look_tells_an_alertmanager_and_exits_3_by_the_command_line(project: Path, monkeypatch: pytest.MonkeyPatch):
    write_case(project, "name: small\ntask: regression\nsource: t.csv\ntarget: y\n")
    gauges = MonitoringMetrics("small", "drift")
    gauges.drift("a", "kl", 0.9)
    gauges.write(project)
    lines, firing = look("small", project, None, "", None)
    assert firing
    assert any(line.startswith("firing: data_drift (ticket).") and line.endswith("docs/runbook.md#data_drift") for line in lines)
    assert not any("service_down" in line for line in lines)  # no service was named
    lines, _ = look("small", project, f"http://127.0.0.1:{free_port()}/metrics", "", None)
    assert any(line.startswith("pending: service_down (page).") for line in lines)


@needs(ALERTMANAGER)
def test_an_alertmanager_takes_what_a_look_posts(project: Path, tmp_path: Path):
    write_case(project, "name: small\ntask: regression\nsource: t.csv\ntarget: y\n")
    for value, left in ((0.9, 1), (0.1, 0)):
        gauges = MonitoringMetrics("small", "drift")
        gauges.drift("a", "kl", value)
        gauges.write(project)
        if value == 0.9:
            manager = alertmanager("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n", tmp_path / "manager")
            url = manager.__enter__()
        look("small", project, None, "", url)
        there = asked(f"{url}/api/v2/alerts")
        mine = [one for one in there if one["labels"]["rule"] == "data_drift"]
        assert len(mine) == left
    manager.__exit__(None, None, None)


def test_an_alertmanager_that_does_not_answer_is_said(project: Path):
    write_case(project, "name: small\ntask: regression\nsource: t.csv\ntarget: y\n")
    gauges = MonitoringMetrics("small", "drift")
    gauges.drift("a", "kl", 0.9)
    gauges.write(project)
    with pytest.raises(StateError, match="Is it running there"):
        look("small", project, None, "", f"http://127.0.0.1:{free_port()}")


def test_a_sentence_says_what_is_what_may_be_and_what_to_do():
    case = case_of()
    samples = parsed(['gristmill_drift{case="small",column="a",measure="kl"} 0.5\n'], 0.0)
    (alert,) = evaluate(case, samples, Look())
    assert sentence(case, alert) == (
        "firing: data_drift (ticket). Largest Kullback-Leibler divergence of a column from the training rows, in nats: 0.5, "
        "above 0.3. docs/runbook.md#data_drift"
    )
    assert SERVICE == "gristmill-service"
