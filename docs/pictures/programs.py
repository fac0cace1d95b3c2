"""The parts of the product that are programs: started for the pictures, and ended behind them."""

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PORT = "{port}"
PROGRAMS = {
    "app": (["-m", "streamlit", "run", "app/main.py", "--server.port", PORT], "_stcore/health"),
    "explorer": (["-m", "voila", "notebooks/explore_model.ipynb", "--no-browser", "--port", PORT], ""),
}
"""Part -> its arguments of Python, and the path that answers once it is there."""

SECONDS_TO_START = 90.0


@contextmanager
def started(name: str, project: Path) -> Iterator[str]:
    """Give the address of a program that runs in the project while the block does."""
    arguments, health = PROGRAMS[name]
    port = free_port()
    log = project / f"{name}.log"
    with log.open("wb") as output:
        words = [sys.executable, *(word.replace(PORT, str(port)) for word in arguments)]
        process = subprocess.Popen(words, cwd=project, stdout=output, stderr=output)
        try:
            address = f"http://127.0.0.1:{port}/"
            wait_for(address + health, process, log)
            yield address
        finally:
            process.terminate()
            process.wait(30)


def wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the address answers; end with the program's own words if it does not."""
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310 - an address of ours on this machine
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    sys.exit(f"Expected an answer at {address}, got none. The program said:\n{log.read_text(errors='replace')[-2000:]}")


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
