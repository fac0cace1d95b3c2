"""Serves what watching found, and how the machine is, to Prometheus."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from gristmill.errors import StateError
from gristmill.monitoring.instruments import folder, machine


class ProjectCollector:
    """A collector of prometheus_client that reads the gauges of a project when it is asked.

    Parameters
    ----------
    root
        The project.
    of_machine
        Gives the gauges of the machine.
    """

    def __init__(self, root: Path, of_machine: Callable[[Path], Iterable[Any]] = machine) -> None:
        self._root, self._machine = root, of_machine
        list(of_machine(root))  # the processor's share is measured since the last question

    def describe(self) -> list[Any]:
        """Return nothing; prometheus_client asks at registration."""
        return []

    def collect(self) -> Iterable[Any]:
        """Return the gauges of all cases, those of one name together, and those of the machine."""
        from prometheus_client.parser import text_string_to_metric_families  # noqa: PLC0415

        families: dict[str, Any] = {}
        for path in sorted(folder(self._root).glob("*.prom")):
            for family in text_string_to_metric_families(path.read_text(encoding="utf-8")):
                known = families.setdefault(family.name, family)
                if known is not family:
                    known.samples += family.samples
        yield from families.values()
        yield from self._machine(self._root)


def exposition(root: Path) -> bytes:
    """Return all gauges of the project at ``root`` in Prometheus's text."""
    from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415

    registry = CollectorRegistry()
    registry.register(ProjectCollector(root))
    return generate_latest(registry)


def serve(
    root: Path, port: int, address: str = "127.0.0.1", of_machine: Callable[[Path], Iterable[Any]] = machine
) -> tuple[Any, Any]:
    """Begin to serve the gauges at ``http://ADDRESS:PORT/metrics``, and return server and thread.

    Raises
    ------
    StateError
        The port is taken, or the address is not this machine's.
    """
    from prometheus_client import CollectorRegistry, start_http_server  # noqa: PLC0415

    registry = CollectorRegistry()
    registry.register(ProjectCollector(root, of_machine))
    try:
        return start_http_server(port, address, registry)
    except OSError as error:
        raise StateError(
            f"Nothing can be served at {address}:{port}: {error.strerror or error}. Name another with `--port`."
        ) from error
