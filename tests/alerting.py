"""A real Prometheus and a real Alertmanager, and a receiver that takes what PagerDuty's Events API v2 takes."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"
PROMETHEUS, PROMTOOL, ALERTMANAGER, AMTOOL = "prometheus", "promtool", "prometheus-alertmanager", "amtool"


def needs(*programs: str) -> pytest.MarkDecorator:
    """Mark a test that runs programs; in `.ci/run`, which installs them, they have to be there."""
    absent = [name for name in programs if shutil.which(name) is None]
    skipped = bool(absent) and not os.environ.get("GRISTMILL_CI")
    return pytest.mark.skipif(skipped, reason=f"needs {', '.join(absent)} (Debian packages)")


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def until(found: Callable[[], Any], what: str, seconds: float = 120.0) -> Any:
    """Return what a function finds as soon as it finds something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = found()
        if answer:
            return answer
        threading.Event().wait(0.1)
    raise AssertionError(f"{what} did not come in {seconds:g} seconds")


def asked(url: str) -> Any:
    """Return what a URL answers, or None."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - of 127.0.0.1
            text = answer.read().decode()
    except (urllib.error.URLError, OSError):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


@dataclass
class Receiver:
    """What reached PagerDuty and the webhook."""

    port: int
    events: list[dict[str, Any]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    posts: list[dict[str, Any]] = field(default_factory=list)

    def triggered(self, rule: str) -> list[dict[str, Any]]:
        """Return the events that began an incident of a rule."""
        return [one for one in self.events if one["event_action"] == "trigger" and one["payload"]["summary"].endswith(rule)]

    def told(self, rule: str, status: str = "firing") -> list[dict[str, Any]]:
        """Return the alerts of a rule that reached the webhook."""
        alerts = [alert for post in self.posts for alert in post["alerts"]]
        return [alert for alert in alerts if alert["labels"]["rule"] == rule and alert["status"] == status]


def what_is_wrong(event: Any, key: str) -> str:
    """Return why PagerDuty's Events API v2 would refuse an event; empty if it would not."""
    if event.get("routing_key") != key:
        return "routing_key"
    if event.get("event_action") not in {"trigger", "acknowledge", "resolve"}:
        return "event_action"
    if event["event_action"] != "trigger":
        return "" if event.get("dedup_key") else "dedup_key"
    payload = event.get("payload", {})
    if not (0 < len(payload.get("summary", "")) <= 1024 and payload.get("source")):
        return "payload"
    if payload.get("severity") not in {"critical", "warning", "error", "info"}:
        return "severity"
    return "" if all(link.get("href") for link in event.get("links", [])) else "links"


@contextmanager
def receiver(key: str, port: int | None = None) -> Iterator[Receiver]:
    """Listen for events and webhooks, at a free port if none is named."""
    got = Receiver(port or free_port())

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path != "/v2/enqueue":
                got.posts.append(body)
                return self._answer(200, {})
            wrong = what_is_wrong(body, key)
            (got.refused if wrong else got.events).append(wrong or body)
            if wrong:
                return self._answer(400, {"status": "invalid event", "errors": [wrong]})
            return self._answer(202, {"status": "success", "message": "Event processed", "dedup_key": body.get("dedup_key", "")})

        def _answer(self, status: int, content: dict[str, Any]) -> None:
            text = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", got.port), Handler)
    with _serving(server):
        yield got


@contextmanager
def _serving(server: ThreadingHTTPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def exposing(text: Callable[[], bytes], port: int) -> Iterator[None]:
    """Serve a text of metrics, made anew at each scrape."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = text()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with _serving(ThreadingHTTPServer(("127.0.0.1", port), Handler)):
        yield


@contextmanager
def running(command: list[str], ready: str, log: Path) -> Iterator[str]:
    """Run a program until the block ends; give its address once it answers at ``ready``."""
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        try:
            until(lambda: process.poll() is not None or asked(ready) is not None, f"{command[0]} ({log.read_text()})")
            assert process.poll() is None, log.read_text()
            yield urllib.parse.urlsplit(ready)._replace(path="", query="").geturl()
        finally:
            process.terminate()
            process.wait(30)


@contextmanager
def alertmanager(configuration: str, folder: Path) -> Iterator[str]:
    """Run an Alertmanager."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "alertmanager.yml").write_text(configuration)
    port = free_port()
    command = [
        ALERTMANAGER, f"--config.file={folder / 'alertmanager.yml'}", f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
    ]  # fmt: skip
    with running(command, f"http://127.0.0.1:{port}/-/ready", folder / "log") as url:
        yield url


@contextmanager
def prometheus(folder: Path, targets: dict[str, int], rules: str = "", manager: str | None = None) -> Iterator[str]:
    """Run a Prometheus with the configuration of ``deploy/``, quicker, and with other ports."""
    folder.mkdir(parents=True, exist_ok=True)
    configuration = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    configuration["global"] = {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "500ms"}
    for job in configuration["scrape_configs"]:
        job.pop("authorization", None)
        job["static_configs"] = [{"targets": [f"127.0.0.1:{targets[job['job_name']]}"]}]
    where = [] if manager is None else [{"static_configs": [{"targets": [urllib.parse.urlsplit(manager).netloc]}]}]
    configuration["alerting"] = {"alertmanagers": where}
    (folder / "rules.yml").write_text(rules or "groups: []\n")
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
    port = free_port()
    command = [
        PROMETHEUS, f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    with running(command, f"http://127.0.0.1:{port}/-/ready", folder / "log") as url:
        yield url


def queried(url: str, query: str) -> list[dict[str, Any]]:
    """Return what a Prometheus finds."""
    answer = asked(f"{url}/api/v1/query?{urllib.parse.urlencode({'query': query})}")
    return list(answer["data"]["result"]) if isinstance(answer, dict) and answer.get("status") == "success" else []


def rehearse(port: int, key: str) -> None:
    """Print what arrives, one line a page or webhook, with the time, until this is stopped."""
    sys.stdout.write(f"Listening at http://127.0.0.1:{port}/v2/enqueue for pages, and at any other path for webhooks\n")
    with receiver(key, port) as got:
        kinds: dict[str, list[Any]] = {"page": got.events, "refused": got.refused, "webhook": got.posts}
        shown = dict.fromkeys(kinds, 0)
        while True:
            for kind, arrived in kinds.items():
                for one in arrived[shown[kind] :]:
                    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {kind} {json.dumps(one)}\n")
                    shown[kind] += 1
            sys.stdout.flush()
            threading.Event().wait(0.2)


if __name__ == "__main__":
    rehearse(int(sys.argv[1]), sys.argv[2])
