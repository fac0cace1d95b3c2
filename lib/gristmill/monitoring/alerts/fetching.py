"""What the service and the watching say at this moment, as samples."""

import time
import urllib.error
import urllib.request
from pathlib import Path

from gristmill.monitoring.alerts.signals import SERVICE, Labels, Samples
from gristmill.monitoring.exporter import exposition

SECONDS = 5.0
"""How long to wait for the service."""


def fetched(root: Path, service: str | None, token: str = "") -> Samples:
    """Return the samples of the project at ``root`` and of its service.

    Parameters
    ----------
    root
        The project.
    service
        URL of the service's ``/metrics``; None to look at no service, whose alerts are then not evaluated.
    token
        Key with the scope ``metrics``.
    """
    texts = [exposition(root).decode()]
    up: dict[str, list[tuple[Labels, float]]] = {}
    if service is not None:
        answer = _asked(service, token)
        up = {"up": [({"job": SERVICE}, 0.0 if answer is None else 1.0)]}
        texts += [answer] if answer is not None else []
    return parsed(texts, time.time(), up)


def _asked(url: str, token: str) -> str | None:
    """Return what a service answers; None where it does not, or not with 200."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310 - the user's own URL
            return str(answer.read().decode())
    except (urllib.error.URLError, OSError):
        return None


def parsed(texts: list[str], at: float, more: dict[str, list[tuple[Labels, float]]] | None = None) -> Samples:
    """Return expositions in Prometheus's text as samples of one moment."""
    from prometheus_client.parser import text_string_to_metric_families  # noqa: PLC0415

    series: dict[str, list[tuple[Labels, float]]] = {**(more or {})}
    for text in texts:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                series.setdefault(sample.name, []).append((dict(sample.labels), float(sample.value)))
    return Samples(at, series)
