"""JupyterLab on the toy project, through its own interface (R54)."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import REPOSITORY
from tests.pipeline import toy

from gristmill.pipeline.decisions import decide

TOKEN = "for-tests-only"


def ask(port: int, path: str, content: dict | None = None) -> dict:
    """Ask the server's contents interface, or save ``content`` with it."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/{path}",
        data=None if content is None else json.dumps(content).encode(),
        method="GET" if content is None else "PUT",
        headers={"Authorization": f"token {TOKEN}"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - http, on this machine
        return json.load(answer)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, int]]:
    """Start JupyterLab on a built toy project; give its folder and port."""
    root = toy.make_toy(tmp_path / "project")
    monkeypatch.syspath_prepend(str(root))
    toy.pretend_built(root)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = [f"--port={port}", "--no-browser", "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}", "--allow-root"]
    command = [str(toy.BIN / "jupyter-lab"), f"--config={REPOSITORY / 'jupyter_server_config.py'}", *options]
    with (tmp_path / "server.log").open("wb") as log:
        lab = subprocess.Popen(command, cwd=root, env=toy.environment(), stdout=log, stderr=log)
    deadline = time.monotonic() + 90
    while not _answers(port):
        assert lab.poll() is None, (tmp_path / "server.log").read_text()
        assert time.monotonic() < deadline, (tmp_path / "server.log").read_text()
        time.sleep(0.2)
    yield root, port
    lab.send_signal(signal.SIGTERM)
    lab.wait(timeout=60)


def _answers(port: int) -> bool:
    try:
        return "version" in ask(port, "")
    except (urllib.error.URLError, ConnectionError):
        return False


def injected(model: dict) -> str:
    """Return the cell that the server put into a notebook."""
    cells = model["content"]["cells"]
    return next(cell["source"] for cell in cells if "injected-parameters" in cell["metadata"].get("tags", []))


@pytest.mark.slow
def test_a_notebook_opens_with_its_inputs_and_a_save_reruns_nothing(server: tuple[Path, int]):
    root, port = server
    model = ask(port, "contents/notebooks/06_select.ipynb")
    cell = injected(model)
    assert f'"trials": "{root}/artifacts/toy/trials_linear.json"' in cell
    assert f'"selection": "{root}/artifacts/toy/scratch/selection.json"' in cell
    assert f'"nb": "{root}/artifacts/toy/scratch/06_select.html"' in cell
    ask(port, "contents/notebooks/06_select.ipynb", {"type": "notebook", "format": "json", "content": model["content"]})
    assert "injected-parameters" not in (root / "notebooks/06_select.ipynb").read_text()
    assert not [name for name, decision in decide(root, "toy").items() if decision.stale]
    assert (root / "reports/toy/.06_select.html.metadata").is_file()


@pytest.mark.slow
def test_a_wrong_case_file_does_not_end_the_server(server: tuple[Path, int]):
    root, port = server
    (root / "configs/toy.yaml").write_text("name: [")
    assert ask(port, "contents/notebooks/06_select.ipynb")["name"] == "06_select.ipynb"
    os.utime(root / "pipeline.yaml")
    assert "version" in ask(port, "")
