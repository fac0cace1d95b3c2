"""A trivial application behind the entrance, in a real server on 127.0.0.1, for tests that speak raw HTTP to it.

``python -m tests.entrance_server ROOT LIMITS`` serves with the keys of the project at ROOT and the limits given as JSON, and prints
its port. Without an entrance if LIMITS is ``none``.
"""

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as ServedRoute

from gristmill.config.sections.operation import Serving
from gristmill.serving.keys.ring import KeyRing
from gristmill.serving.limits.entrance import guarded
from gristmill.serving.limits.server import settings
from gristmill.serving.routes import Route, RouteTable

TABLE = RouteTable(
    [
        Route("GET", "/healthz", None),
        Route("POST", "/v1/models/{name}/predict", "predict"),
        Route("POST", "/v1/feedback", "feedback"),
        Route("GET", "/metrics", "metrics"),
        Route("POST", "/v1/admin/{name}/retrain", "admin", body="optional"),
        Route("GET", "/openapi.json", "any"),
        Route("GET", "/fails", "predict"),
    ]
)
PREDICT = "/v1/models/churn/predict"


async def echo(request: Request) -> Response:
    """Answer with what the entrance made of the request."""
    state = request.state
    key = state.key and state.key.id
    return JSONResponse(
        {"json": state.json, "key": key, "request_id": state.request_id},
        headers={"Server": "x", "Access-Control-Allow-Origin": "*"},
    )


async def fails(request: Request) -> Response:
    """Fail with words that must not get out."""
    raise ValueError("the payload of the caller")


def application(root: Path, serving: Serving) -> Any:
    """Return the application behind its entrance."""
    ring = KeyRing(root, refresh_seconds=serving.limits.key_refresh_seconds, trusted_seconds=serving.limits.keys_trusted_seconds)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with ring.kept_fresh():
            yield

    endpoints = {"/fails": fails}
    routes = [ServedRoute(one.path, endpoints.get(one.path, echo), methods=[one.method]) for one in TABLE.routes]
    return guarded(Starlette(routes=routes, lifespan=lifespan), TABLE, ring, serving)


@dataclass(frozen=True)
class Server:
    """A server that runs."""

    port: int
    process: psutil.Process

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def memory(self) -> int:
        """Bytes of memory it holds."""
        return int(self.process.memory_info().rss)

    def connect(self, timeout: float = 20.0) -> socket.socket:
        """Return a connection to it."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=timeout)

    def ask(self, *pieces: bytes) -> bytes:
        """Send bytes over a connection of their own, and return all that comes until it is closed."""
        with self.connect() as connection:
            with contextlib.suppress(ConnectionError):
                for piece in pieces:
                    connection.sendall(piece)
            return read_all(connection)


def read_all(connection: socket.socket) -> bytes:
    """Return what comes over a connection until it is closed or broken off."""
    got = b""
    with contextlib.suppress(ConnectionError):
        while piece := connection.recv(65_536):
            got += piece
    return got


def status_of(answer: bytes) -> int:
    """Return the status of a raw answer; 0 if there is none."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


@contextmanager
def serving_at(root: Path, **limits: Any) -> Iterator[Server]:
    """Start a server with some limits, and end it."""
    command = [sys.executable, "-m", "tests.entrance_server", str(root), json.dumps(limits)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[1], env=_environment()) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            yield Server(int(line), psutil.Process(process.pid))
        finally:
            process.terminate()
            process.wait(30)


def _environment() -> Mapping[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def main(root: str, limits: str) -> None:
    """Serve until terminated."""
    serving = Serving.model_validate({"limits": json.loads(limits)})
    listening = socket.create_server(("127.0.0.1", 0), backlog=serving.limits.backlog)
    config = uvicorn.Config(application(Path(root), serving), **settings(serving), log_level="warning")
    sys.stdout.write(f"{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    asyncio.run(uvicorn.Server(config).serve(sockets=[listening]))


if __name__ == "__main__":
    main(*sys.argv[1:])
