"""JupyterLab as `make lab` starts it, on a project of a test."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.pipeline import toy

TOKEN = "for-tests-only"


@dataclass(frozen=True)
class Lab:
    """A JupyterLab that is running on a project."""

    root: Path
    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def page(self) -> str:
        """Where a browser opens it."""
        return f"{self.address}/lab?token={TOKEN}&reset"

    def ask(self, path: str, content: dict | None = None) -> dict:
        """Ask the server's contents interface, or save ``content`` with it."""
        request = urllib.request.Request(  # noqa: S310 - http, on this machine
            f"{self.address}/api/{path}",
            data=None if content is None else json.dumps(content).encode(),
            method="GET" if content is None else "PUT",
            headers={"Authorization": f"token {TOKEN}"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - http, on this machine
            return json.load(answer)

    def answers(self) -> bool:
        try:
            return "version" in self.ask("")
        except (urllib.error.URLError, ConnectionError):
            return False


@contextmanager
def running_lab(root: Path, **environment: str) -> Iterator[Lab]:
    """Start JupyterLab in the project's folder, without the user's own settings; end it afterwards."""
    home = root.parent / f"{root.name}-home"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = [f"--port={port}", "--no-browser", "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}", "--allow-root"]
    folders = {
        "HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH", "")])),
    }
    home.mkdir(exist_ok=True)
    log = home / "server.log"
    with log.open("wb") as file:
        server = subprocess.Popen(
            [str(toy.BIN / "jupyter"), "lab", *options],
            cwd=root,
            env=toy.environment(**folders, **environment),
            stdout=file,
            stderr=file,
        )
    try:
        lab, deadline = Lab(root, port), time.monotonic() + 90
        while not lab.answers():
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        yield lab
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=60)
