"""Several processes that serve on one socket, started, watched and ended together.

Each worker is a new interpreter that loads the model for itself. One that dies is replaced; if the parent dies, however it does,
the workers end, because the pipe that both hold is closed.
"""

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from gristmill.config.sections.operation import Serving
from gristmill.errors import BuildError, GristmillError
from gristmill.instruments import logs
from gristmill.instruments.metrics_folder import metrics_folder
from gristmill.paths import ProjectPaths

_LOG = logging.getLogger(__name__)

_SECONDS_BETWEEN_LOOKS = 0.1
_SECONDS_TO_LIVE = 5.0
"""A worker that dies sooner was not well, and its successor waits."""

_REFUSED = GristmillError.exit_code


@dataclass
class _Worker:
    process: "subprocess.Popen[bytes]"
    since: float


def listen(host: str, port: int, backlog: int) -> socket.socket:
    """Return a socket that is bound, and may be handed to processes.

    Raises
    ------
    BuildError
        The address is not of this machine, or is taken.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        made = socket.socket(family, kind)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(backlog)
    except OSError as error:
        raise BuildError(f"Expected to listen on {host}:{port}, but {error.strerror or error}. Name another: --port N.") from error
    made.set_inheritable(True)
    return made


def serve_with_workers(
    root: Path, name: str, serving: Serving, listening: socket.socket, workers: int, level: str = "info"
) -> None:
    """Serve a case with several processes until this one is told to stop.

    Raises
    ------
    GristmillError
        The workers refused to begin; each has said why.
    """
    logs.configure(level)
    with metrics_folder(ProjectPaths(root).state / "metrics"):
        Workers(root, name, serving, listening, workers, level).run()


class Workers:
    """The processes of a service.

    Parameters
    ----------
    root, name, serving, listening, level
        As :func:`gristmill.serving.api.server.serve`.
    number
        How many there are to be.
    """

    def __init__(self, root: Path, name: str, serving: Serving, listening: socket.socket, number: int, level: str) -> None:
        self._number, self._listening, self._drain = number, listening, serving.notice_seconds + serving.drain_seconds
        self._told = {
            "root": str(root),
            "name": name,
            "serving": serving.model_dump(mode="json"),
            "workers": number,
            "level": level,
        }
        self._ours, self._theirs = os.pipe()
        self._stopping = False
        self._workers: list[_Worker] = []

    def run(self) -> None:
        """Start the workers, replace those that die, and end all of them when told to.

        Raises
        ------
        GristmillError
            The workers refused to begin.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        self._workers = [self._start() for _ in range(self._number)]
        try:
            while not self._stopping:
                self._look()
                time.sleep(_SECONDS_BETWEEN_LOOKS)
        finally:
            self._end()

    def _start(self) -> _Worker:
        """Start one worker."""
        told = json.dumps({**self._told, "socket": self._listening.fileno(), "parent": self._ours})
        process = subprocess.Popen(
            [sys.executable, "-m", "gristmill.serving.api.worker", told],
            pass_fds=(self._listening.fileno(), self._ours), stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is told to the parent, which tells them
        )  # fmt: skip
        return _Worker(process, time.monotonic())

    def _look(self) -> None:
        """Replace workers that have died, unless they refused to begin."""
        for place, worker in enumerate(self._workers):
            code = worker.process.poll()
            if code is None:
                continue
            if code == _REFUSED:
                raise GristmillError("The workers could not begin; what they said of it stands above.")
            _LOG.error("worker %d ended with %d and is replaced", worker.process.pid, code, extra={"event": "worker_died"})
            if time.monotonic() - worker.since < _SECONDS_TO_LIVE:
                time.sleep(1.0)
            self._workers[place] = self._start()

    def _stop(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - of signal
        self._stopping = True

    def _end(self) -> None:
        """Tell all workers to stop, wait until they have, and kill those that do not."""
        processes: Sequence[subprocess.Popen[bytes]] = [worker.process for worker in self._workers]
        for process in processes:
            process.terminate()
        until = time.monotonic() + self._drain + 10
        for process in processes:
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                _LOG.error("worker %d did not end in time and is killed", process.pid, extra={"event": "worker_killed"})
                process.kill()
                process.wait()
        os.close(self._theirs)
        os.close(self._ours)
