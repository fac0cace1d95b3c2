"""How the service ends and is ended: drained, killed, and with several workers (R34, R43)."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from tests.service import NAME, Running, release, rows_of, service_project, serving, start, until
from tests.service_kills import killed

from gristmill.serving.first_key import first_key
from gristmill.serving.keys.store import KeyStore

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return service_project(tmp_path_factory.mktemp("ends") / "project", serving={"notice_seconds": 0.5, "drain_seconds": 20})


def raw_request(running: Running, rows: list[dict[str, object]]) -> bytes:
    body = json.dumps({"instances": rows}).encode()
    head = (
        f"POST /v1/models/{NAME}/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {running.token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def test_what_was_begun_is_ended_and_the_service_says_at_once_that_it_is_not_ready(root: Path):
    running = start(root)
    address = urlsplit(running.url)
    request = raw_request(running, rows_of(3))
    with socket.create_connection((address.hostname, address.port), timeout=30) as half:
        half.sendall(request[:-20])  # a request in flight: the rest comes after the signal
        until(lambda: "gristmill_requests_in_progress 2.0" in _metrics(running))  # it, and the one that asks
        running.process.send_signal(signal.SIGTERM)
        until(lambda: httpx.get(f"{running.url}/readyz", trust_env=False).status_code == 503)
        assert running.predict(rows_of(1)).status_code == 200, "requests are taken within the time of notice"
        half.sendall(request[-20:])
        answer = half.recv(65536)
    assert answer.startswith(b"HTTP/1.1 200"), answer
    assert running.stop() == 0


def _metrics(running: Running) -> str:
    with running.client() as client:
        return client.get("/metrics").text


def test_an_idle_service_ends_at_ctrl_c(root: Path):
    running = start(root)
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(30) == 0
    running.stop()


@pytest.mark.parametrize(("name", "champion", "said"), [("other", 1, "no case file"), (NAME, None, "")])
def test_a_service_that_cannot_begin_says_why_in_a_sentence(root: Path, tmp_path: Path, name: str, champion: int | None, said: str):
    if champion is None:
        root = service_project(tmp_path / "project", versions=1)
        release(root, None)  # type: ignore[arg-type]
    command = [sys.executable, "-m", "gristmill.cli", "serve", name, "--port", "0"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "gristmill: " in done.stderr


def test_a_port_that_is_taken_is_told(root: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "gristmill.cli", "serve", NAME, "--port", str(port)]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert f"gristmill: Expected to listen on 127.0.0.1:{port}" in done.stderr


def test_a_first_key_is_made_once_and_opens_everything(tmp_path: Path):
    (tmp_path / "pipeline.yaml").write_text("tasks: []\n")
    token = first_key(tmp_path)
    assert token is not None
    assert first_key(tmp_path) is None
    (stored,) = KeyStore(tmp_path).all()
    assert token.split("_")[1] == stored.key.id
    assert token not in "".join(path.read_bytes().decode("latin-1") for path in (tmp_path / "state").iterdir())
    KeyStore(tmp_path).revoke(stored.key.id)
    assert first_key(tmp_path) is not None


@pytest.mark.slow
def test_several_workers_share_a_port_and_one_that_dies_is_replaced(root: Path):
    with serving(root, workers=2) as running:
        workers = psutil.Process(running.process.pid).children()
        until(lambda: len(psutil.Process(running.process.pid).children()) == 2)
        workers[0].send_signal(signal.SIGKILL)
        until(
            lambda: {one.pid for one in psutil.Process(running.process.pid).children()} - {one.pid for one in workers} != set(), 60
        )
        until(lambda: running.predict(rows_of(1)).status_code == 200)
        assert 'ml_predictions_total{model_version="small/1"' in _metrics(running)
        assert running.stop() == 0


@pytest.mark.slow
def test_workers_end_when_their_parent_is_killed(root: Path):
    running = start(root, workers=2)
    workers = psutil.Process(running.process.pid).children()
    running.process.kill()
    running.stop()
    _, alive = psutil.wait_procs(workers, timeout=60)
    assert not alive


def acknowledged_until(running: Running, seconds: float) -> list[str]:
    """Ask from four clients, kill the service meanwhile, and return the names of all predictions that were answered."""
    named: list[str] = []

    def ask() -> None:
        with running.client() as client:
            while True:
                try:
                    answer = client.post(f"/v1/models/{NAME}/predict", json={"instances": rows_of(2)})
                except httpx.TransportError:
                    return
                if answer.status_code == 200:
                    named.extend(answer.json()["prediction_ids"])

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    end = time.monotonic() + seconds
    until(lambda: len(named) > 20 and time.monotonic() > end, seconds + 60)
    for worker in psutil.Process(running.process.pid).children(recursive=True):
        worker.kill()
    os.kill(running.process.pid, signal.SIGKILL)
    for thread in threads:
        thread.join()
    running.stop()
    return named


def logged(root: Path) -> list[str]:
    with closing(sqlite3.connect(root / "state" / "predictions.db")) as connection:
        return [row[0] for row in connection.execute("SELECT prediction_id FROM gristmill_predictions")]


def test_a_service_that_is_killed_under_load_loses_no_prediction_it_has_answered(root: Path):
    named = acknowledged_until(start(root), 0.5)
    found = logged(root)
    assert set(named) <= set(found)
    assert len(found) == len(set(found))


@pytest.mark.slow
def test_ten_kills_under_load_lose_nothing(tmp_path: Path):
    root = service_project(tmp_path / "project", versions=1)
    outcome = killed(root, lambda workers: start(root, workers), rows_of(20), kills=10, seed=0)
    assert outcome.wrong == []
    assert len(outcome.asked.answered) >= 10
    assert outcome.in_flight > 0, "no kill came while a request was under way"
