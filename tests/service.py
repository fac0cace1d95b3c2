"""A project with small registered versions, and its service as a process of its own on 127.0.0.1."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd

from gristmill import tracking
from gristmill.modeling.artifact.drift_reference import drift_reference
from gristmill.modeling.artifact.model_directory import extend, save_candidate
from gristmill.registry import releases
from gristmill.registry.releases import Release
from gristmill.serving.keys.key import SCOPES
from gristmill.serving.keys.store import KeyStore
from gristmill.serving.predictor import Predictor
from tests.models import FEATURES, conformity_of, customers, describe, fit
from tests.releasing import GOOD, make_project

NAME = "small"
SECONDS_TO_START = 120
DAY = 86_400.0

_CASE = """
name: small
task: {task}
source: customers.csv
target: {target}
id_columns: [customer]
{positive}
features: {{exclude: [{others}]}}
serving: {serving}
"""


def service_project(root: Path, task: str = "binary", versions: int = 2, serving: Mapping[str, Any] | None = None) -> Path:
    """Make a project whose model has some versions, the first of which is the champion, and return its root."""
    targets = {"binary": "churn", "multiclass": "tier", "regression": "spend"}
    others = ", ".join(name for name in targets.values() if name != targets[task])
    positive = "positive_class: Yes" if task == "binary" else ""
    make_project(root)
    (root / "configs").mkdir()
    asked = dict(serving or {})
    limits = {"refusals_per_minute": 100_000, **asked.get("limits", {})}  # or tests of wrong keys shut each other out
    settings = json.dumps({**asked, "limits": limits})
    text = _CASE.format(task=task, target=targets[task], others=others, positive=positive, serving=settings)
    (root / "configs" / f"{NAME}.yaml").write_text(text)
    for _ in range(versions):
        register(root, task)
    release(root, champion=1)
    return root


def register(root: Path, task: str = "binary") -> int:
    """Register a version that was fitted on customers of its own, as a build would, and return its number."""
    client = tracking.connect(root)
    if not client.search_registered_models(f"name = '{NAME}'"):
        client.create_registered_model(NAME)
    number = len(client.search_model_versions(f"name = '{NAME}'")) + 1
    rows = customers(80, seed=number)
    model, contract = describe(task, threshold=0.5 if task == "binary" else None)
    candidate = root / "artifacts" / NAME / f"candidate-{number}"
    reference = drift_reference(
        rows,
        contract,
        FEATURES,
        np.zeros((len(rows), len(contract["classes"] or ()))) if task != "regression" else np.zeros(len(rows)),
        bins=10,
    )
    digest = save_candidate(candidate, fit(task, rows), model, contract, reference, NAME, conformity_of(task).as_record())
    directory = root / "mlruns" / "artifacts" / NAME / str(number) / "data" / "model"
    metrics = json.dumps({"gates": list(GOOD)}).encode()
    manifest = extend(candidate, directory, {"metrics.json": metrics}, digest)
    tags = {"gristmill.model_digest": manifest.digest, "gristmill.candidate_digest": digest}
    return int(client.create_model_version(NAME, directory.parent.parent.as_uri(), tags=tags).version)


def release(root: Path, champion: int, challenger: int | None = None, share: float = 0.0, mode: str = releases.SHADOW) -> Release:
    """Let the release row say what serves, past gates and aliases, which are not what is tested here."""
    before = releases.find(NAME, root)
    after = Release(NAME, champion, challenger, share=share, mode=mode, aliased=before.token)
    return releases.move(before, after, (), root)


def key(root: Path, *scopes: str, lifetime: float = DAY) -> str:
    """Return the token of a new key; one for everything where no scope is named."""
    return KeyStore(root).create("test", scopes or SCOPES, lifetime)[0]


def rows_of(number: int = 1, seed: int = 3) -> list[dict[str, Any]]:
    """Return rows of customers as they stand in JSON."""
    frame = customers(number, seed)[["customer", *FEATURES]]
    return json.loads(frame.to_json(orient="records"))


@dataclass
class Running:
    """A service that runs.

    Attributes
    ----------
    root
        Its project.
    process
        Its process.
    url
        Where it is.
    token
        A key for everything.
    """

    root: Path
    process: "subprocess.Popen[str]"
    url: str
    token: str
    headers: dict[str, str] = field(default_factory=dict)

    def client(self, token: str | None = None, **more: Any) -> httpx.Client:
        """Return a client with a key."""
        headers = {"Authorization": f"Bearer {token or self.token}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60, trust_env=False, **more)

    def predict(self, rows: Sequence[Mapping[str, Any]], query: str = "", **headers: str) -> httpx.Response:
        """Ask for predictions."""
        with self.client() as client:
            return client.post(f"/v1/models/{NAME}/predict{query}", json={"instances": list(rows)}, headers=headers)

    def wait(self, is_so: Any, seconds: float = 30) -> None:
        """Poll until something is so."""
        until(is_so, seconds)

    def ready(self) -> dict[str, Any]:
        """Return what ``/readyz`` says."""
        answer: dict[str, Any] = httpx.get(f"{self.url}/readyz", trust_env=False).json()
        return answer

    def stop(self) -> int:
        """End it as a platform does, and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        with self.process:  # closes its output
            return self.process.wait(60)

    def log(self) -> list[dict[str, Any]]:
        """Return the lines that it has written, as JSON."""
        text = (self.root / "service.log").read_text()
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def until(is_so: Any, seconds: float = 30) -> None:
    """Poll until something is so; fail when it is not in time."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it did not come to be in time"
        time.sleep(0.02)


def start(root: Path, workers: int = 1, port: int = 0) -> Running:
    """Start the service of a project, and return it when it is ready."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with (root / "service.log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gristmill.cli", "serve", NAME, "--port", str(port), "--workers", str(workers)],
            cwd=root, stdout=subprocess.PIPE, stderr=log, text=True, env=environment,
        )  # fmt: skip
    assert process.stdout is not None
    url, said = "", ""
    for line in process.stdout:
        said += line
        found = re.search(r"http://\S+?(?=;)", line)
        if found:
            url = found[0]
            break
    assert url, (said, (root / "service.log").read_text())
    running = Running(root, process, url, key(root))

    def is_ready() -> bool:
        assert process.poll() is None, (root / "service.log").read_text()
        try:
            return httpx.get(f"{url}/readyz", trust_env=False, timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    until(is_ready, SECONDS_TO_START)
    with running.client() as client:
        until(lambda: client.get("/v1/models").status_code == 200)  # the key is known
    return running


@contextmanager
def serving(root: Path, workers: int = 1) -> Iterator[Running]:
    """Give the running service of a project, and end it."""
    running = start(root, workers)
    try:
        yield running
    finally:
        running.stop()


def direct(root: Path, number: int, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return what batch scoring's predictor says of rows, with a version of the project."""
    directory = root / "mlruns" / "artifacts" / NAME / str(number) / "data" / "model"
    return Predictor.load(directory).predict(pd.DataFrame(list(rows)))
