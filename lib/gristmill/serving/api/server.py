"""One process that serves: uvicorn around the application, and an end that no request in flight notices.

Told to stop, the service says at once that it is not ready, goes on for the time of notice, takes no more connections, ends what it
began within the time to drain, and writes out what the log has not yet.
"""

import asyncio
import contextlib
import logging
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import FrameType

import uvicorn

from gristmill.config.case import Case
from gristmill.errors import GristmillError
from gristmill.instruments import logs
from gristmill.serving.api.application import create_app
from gristmill.serving.api.service import Service
from gristmill.serving.limits.server import settings

_LOG = logging.getLogger(__name__)

_SECONDS_OF_A_TURN = 0.0005
"""For how long a thread may keep Python's lock from another that wants it. The event loop asks for it several times a request; with
Python's 5 ms, each of these would wait as long while large requests are worked at."""


class Server(uvicorn.Server):
    """uvicorn's server, which announces its end before it begins.

    Parameters
    ----------
    config
        Of uvicorn.
    service
        What it serves.
    """

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service
        self._loop: asyncio.AbstractEventLoop | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle SIGTERM and SIGINT while the block runs; neither is raised again after it, as this is how one ends the service."""
        self._loop = asyncio.get_running_loop()
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - of uvicorn
        """Begin to end; a second Ctrl-C waits for nothing."""
        if self._service.draining and sig == signal.SIGINT:
            self.force_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.stop)

    def stop(self) -> None:
        """Say that the service is not ready any more, and stop after the time of notice."""
        if self._service.draining:
            return
        self._service.draining = True
        _LOG.info("draining", extra={"event": "draining"})
        if self._loop is None:
            self._stop_now()
        else:
            self._loop.call_later(self._service.serving.notice_seconds, self._stop_now)

    def _stop_now(self) -> None:
        self._service.answering.explaining.close()
        self.should_exit = True


def serve(
    root: Path,
    case: Case,
    listening: socket.socket,
    *,
    workers: int = 1,
    parent: int | None = None,
    level: str = "info",
) -> None:
    """Serve a case in this process until it is told to stop.

    Parameters
    ----------
    root
        The project.
    case
        The case.
    listening
        A socket that is bound; several processes may share it.
    workers
        How many processes share the load.
    parent
        A file descriptor that is closed when the process that started this one ends; then this one ends as well.
    level
        Of the log.

    Raises
    ------
    GristmillError
        The model cannot be loaded.
    """
    logs.configure(level)
    sys.setswitchinterval(_SECONDS_OF_A_TURN)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(Service(root, case, workers), listening, parent))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes event loops: uvloop where it is installed."""
    try:
        import uvloop  # noqa: PLC0415 - an extra
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _serve(service: Service, listening: socket.socket, parent: int | None) -> None:
    """Run a service and its server; one that is alone answers whether it is ready while the models are being loaded."""
    async with service.running():
        config = uvicorn.Config(
            create_app(service), lifespan="off", log_config=None, timeout_graceful_shutdown=round(service.serving.drain_seconds),
            **settings(service.serving, service.metrics.error),
        )  # fmt: skip
        server = Server(config, service)
        async with _follows(parent, server):
            if parent is not None:  # the other workers answer meanwhile
                async with service.loaded():
                    await server.serve(sockets=[listening])
                return
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            try:
                await _load_beside(service, serving)
            except GristmillError:
                server.stop()
                server.should_exit = True
                await serving
                raise


async def _load_beside(service: Service, serving: "asyncio.Task[None]") -> None:
    """Load the models while the server runs already, and wait for its end."""
    loading = asyncio.create_task(_load(service, serving))
    await asyncio.wait({loading, serving}, return_when=asyncio.FIRST_COMPLETED)
    if loading.done():
        loading.result()
    else:  # told to stop before it was ready
        loading.cancel()
        await asyncio.gather(loading, return_exceptions=True)
    await serving


async def _load(service: Service, serving: "asyncio.Task[None]") -> None:
    async with service.loaded():
        _LOG.info("ready", extra={"event": "ready"})
        await asyncio.wait({serving})


@contextlib.asynccontextmanager
async def _follows(parent: int | None, server: Server) -> AsyncIterator[None]:
    """Stop the server when the process that started this one ends, however it does."""
    loop = asyncio.get_running_loop()
    if parent is None:
        yield
        return
    loop.add_reader(parent, server.stop)
    try:
        yield
    finally:
        loop.remove_reader(parent)
