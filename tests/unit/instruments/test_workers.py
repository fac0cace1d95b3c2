"""Metrics of several workers: added up, right after one has died, and read by a real Prometheus."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gristmill.errors import InstrumentError
from gristmill.instruments import metrics_folder
from gristmill.instruments.metrics_folder import VARIABLE
from gristmill.instruments.metrics_folder import metrics_folder as made_folder

WORKER = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from gristmill.instruments.metrics import ServiceMetrics

made = ServiceMetrics(routes=["/p"])
made.serves("churn/3", "champion", ["No", "Yes"])
for _ in range(int(sys.argv[1])):
    made.predictions("churn/3", ["Yes"], [0.9], 0.002)
    made.request("/p", "POST", 200, 0.002)
made.queue(int(sys.argv[1]))
made.write()  # as the service does each second

class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        body, kind = made.exposition()
        self.send_response(200); self.send_header("Content-Type", kind); self.end_headers(); self.wfile.write(body)
    def log_message(self, *_): pass

server = HTTPServer(("127.0.0.1", 0), Answer)
print(server.server_port, flush=True)
server.serve_forever()
"""


@contextmanager
def worker(predictions: int) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """Start a worker that has counted some predictions; give it and the port at which it answers a scrape."""
    process = subprocess.Popen([sys.executable, "-c", WORKER, str(predictions)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process:
        try:
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


def scraped(port: int) -> dict[str, float]:
    """Return the samples that a worker answers, without labels of the service."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name + sample.labels.get("le", "")] = sample.value
    return found


def eventually(question: Callable[[], object]) -> object:
    """Return the first true answer within half a minute."""
    end = time.monotonic() + 30
    while True:
        answer = question()
        if answer or time.monotonic() > end:
            return answer
        time.sleep(0.05)


def test_either_worker_answers_for_both(tmp_path: Path) -> None:
    with made_folder(tmp_path), worker(3) as (_, first), worker(4) as (_, second):
        for port in (first, second):
            found = scraped(port)
            assert (found["ml_predictions_total"], found["gristmill_requests_total"], found["gristmill_queue_rows"]) == (7, 7, 7)
            assert found["ml_prediction_latency_seconds_bucket0.0025"] == 7
            assert (found["gristmill_model_info"], found["gristmill_workers"]) == (2, 2)


def test_what_a_dead_worker_counted_stays_and_what_it_held_goes(tmp_path: Path) -> None:
    with made_folder(tmp_path) as folder, worker(3) as (_, port):
        for _ in range(3):  # a worker that is killed and started again, three times
            with worker(4) as (killed, _):
                killed.kill()
                killed.wait()
        found = scraped(port)
        assert (found["ml_predictions_total"], found["ml_prediction_confidence_count"]) == (15, 15)
        assert (found["gristmill_queue_rows"], found["gristmill_model_info"], found["gristmill_workers"]) == (3, 1, 1)
        assert scraped(port)["ml_predictions_total"] == 15  # a second scrape adds nothing
        ends = {file.stem.rpartition("_")[2] for file in folder.path.glob("*.db")}
        assert len(ends) == 2  # the files of the one that lives, and one set for all the dead
        assert "retired" in ends


def test_the_parent_can_retire_a_worker_by_itself(tmp_path: Path) -> None:
    with made_folder(tmp_path) as folder, worker(4) as (killed, _):
        killed.kill()
        killed.wait()
        folder.retire(killed.pid)
        assert not list(folder.path.glob(f"*_{killed.pid}.db"))
        with worker(1) as (_, port):
            assert scraped(port)["ml_predictions_total"] == 5


def test_the_folder_is_named_for_workers_and_gone_at_the_end(tmp_path: Path) -> None:
    with made_folder(tmp_path) as folder:
        assert os.environ[VARIABLE] == str(folder.path)
    assert VARIABLE not in os.environ
    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_a_killed_service_is_removed(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (tmp_path / f"metrics-{dead.pid}-abc").mkdir()
    (tmp_path / f"metrics-{os.getpid()}-abc").mkdir()
    with made_folder(tmp_path):
        assert not (tmp_path / f"metrics-{dead.pid}-abc").exists()
        assert (tmp_path / f"metrics-{os.getpid()}-abc").exists()


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InstrumentError, match="No folder for the workers' metrics"), made_folder(tmp_path / "file"):
        pass


def test_a_folder_named_too_late_is_refused_rather_than_ignored(tmp_path: Path) -> None:
    with made_folder(tmp_path), pytest.raises(InstrumentError, match="after prometheus_client was imported"):
        metrics_folder.require_multiprocess_values()


def test_prometheus_reads_both_workers(tmp_path: Path) -> None:
    with made_folder(tmp_path / "metrics"), worker(3) as (_, port), worker(4), prometheus(tmp_path, port) as asked:
        assert eventually(lambda: asked("sum(ml_predictions_total)") == 7)
        assert asked('ml_predictions_total{model_version="churn/3",prediction_class="Yes"}') == 7
        assert asked("histogram_quantile(0.99, ml_prediction_latency_seconds_bucket)") == pytest.approx(0.0025, rel=0.02)
        assert asked("gristmill_workers") == 2


@contextmanager
def prometheus(folder: Path, port: int) -> Iterator[Callable[[str], float | None]]:
    """Start a Prometheus that scrapes a port, and give what asks it for the value of an expression."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        own = free.getsockname()[1]
    targets = [{"targets": [f"127.0.0.1:{port}"]}]
    config = {"global": {"scrape_interval": "1s"}, "scrape_configs": [{"job_name": "service", "static_configs": targets}]}
    (folder / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
    command = [
        "prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{own}", "--log.level=error",
    ]  # fmt: skip

    def asked(expression: str) -> float | None:
        query = urllib.parse.urlencode({"query": expression})
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{own}/api/v1/query?{query}", timeout=5) as answer:
                result = json.load(answer)["data"]["result"]
        except OSError:  # not up yet
            return None
        return float(result[0]["value"][1]) if result else None

    with subprocess.Popen(command) as process:
        try:
            yield asked
        finally:
            process.kill()
