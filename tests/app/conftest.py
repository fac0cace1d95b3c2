"""The app on a small built project: page by page in this process, or started as a process of its own for a browser."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from tests.chromium import browser  # noqa: F401 - fixture
from tests.served import built
from tests.service import DAY, service_project

from gristmill.serving.keys.store import KeyStore

SECONDS_TO_LOAD = 300
REPOSITORY = Path(__file__).parents[2]
MAIN = REPOSITORY / "app" / "main.py"
STARTED_BY = sys.modules["__main__"]

MORE = """
sensitive_features: []
app:
  columns: {tenure: {unit: months, help: Since when they are a customer.}, charge: {unit: euros}}
"""


def app_project(root: Path, task: str = "binary") -> Path:
    """Make a project of the customers, built, with the first of two versions in production, beside a case that is not."""
    service_project(root, task)
    built(root, task, MORE) if task != "multiclass" else _many_classes(root)
    shutil.copytree(REPOSITORY / ".streamlit", root / ".streamlit")
    (root / "configs" / "unbuilt.yaml").write_text((root / "configs" / "small.yaml").read_text().replace("small", "unbuilt"))
    return root


def _many_classes(root: Path) -> None:
    """Write the products of several classes that the app reads: model and training rows."""
    from tests.models import customers, save_model  # noqa: PLC0415

    artifacts = root / "artifacts" / "small"
    save_model(artifacts / "model", "multiclass")
    customers(300, seed=1).assign(row_key=[str(number) for number in range(300)]).to_parquet(artifacts / "train.parquet")


@pytest.fixture(autouse=True)
def main_module() -> Iterator[None]:
    """Put the main module back after each test: a page takes its place, and processes begun later would begin with the page."""
    yield
    sys.modules["__main__"] = STARTED_BY


@pytest.fixture(scope="session")
def project_of_app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project whose state no test changes beyond its prediction log."""
    return app_project(tmp_path_factory.mktemp("app") / "project")


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Return what opens a page of the app on a project, in this process, once nothing is being loaded any more."""
    monkeypatch.syspath_prepend(str(MAIN.parent))

    def opened(root: Path, page: str = "", **state: Any) -> AppTest:
        monkeypatch.chdir(root)
        at = AppTest.from_file(str(MAIN), default_timeout=SECONDS_TO_LOAD)
        for name, value in state.items():
            at.session_state[name] = value
        at.run()
        if page:
            at.switch_page(f"screens/{page}.py").run()
        return loaded(at)

    return opened


def loaded(at: AppTest) -> AppTest:
    """Return a page when it has what it waited for."""
    end = time.monotonic() + SECONDS_TO_LOAD
    while any("being loaded" in one.value for one in at.info):
        assert time.monotonic() < end, "the model was not loaded in time"
        time.sleep(0.1)
        at.run()
    assert not at.exception
    return at


@dataclass
class StartedApp:
    """An app that runs.

    Attributes
    ----------
    root
        Its project.
    url
        Where it is.
    admin_key
        A key with the scope ``admin``.
    """

    root: Path
    url: str
    admin_key: str


@pytest.fixture(scope="session")
def started_app(project_of_app: Path) -> Iterator[StartedApp]:
    """Give the app as a process of its own on 127.0.0.1."""
    with starting(project_of_app) as app:
        yield app


@contextmanager
def starting(root: Path) -> Iterator[StartedApp]:
    """Give the app of a project as a process of its own on 127.0.0.1, and end it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (root / "app.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", str(MAIN), "--server.port", str(port)],
        cwd=root, stdout=log, stderr=subprocess.STDOUT, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{url}/_stcore/health", process)
        yield StartedApp(root, url, KeyStore(root).create("app tests", ("admin",), DAY)[0])
    finally:
        process.terminate()
        process.wait(60)
        log.close()


def _wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + SECONDS_TO_LOAD
    while True:
        assert process.poll() is None, "the app ended"
        assert time.monotonic() < end, "the app did not start in time"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - of ours
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
