"""What a running service says of itself: requests, errors, answer times, since it was started."""

import urllib.error
import urllib.request
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pandas as pd

from gristmill.monitoring.alerts.fetching import parsed
from gristmill.monitoring.alerts.signals import SERVICE, SIGNALS, Samples
from gristmill.reporting.wording import count, figure, share

URL_VARIABLE = "GRISTMILL_SERVICE_URL"
"""Environment variable with the address of the service, where it is not on this machine."""

DEFAULT_URL = "http://127.0.0.1:8000"
KEY_VARIABLE = "GRISTMILL_METRICS_KEY"
SECONDS = 2.0
_NOTHING = Samples(0.0, {})
_MEANINGS = {
    "401": "no valid key",
    "403": "the key does not allow it",
    "404": "no such model or route",
    "422": "rows that cannot be read",
    "429": "refused: too many at once",
    "503": "refused: not ready or overloaded",
}


@dataclass(frozen=True)
class ServiceState:
    """How a service is.

    Attributes
    ----------
    url
        Where it was asked.
    state
        ``running``, ``refused`` (it runs, and the key does not allow its metrics) or ``away``.
    samples
        What it said; nothing unless it is running.
    """

    url: str
    state: str
    samples: Samples = field(default=_NOTHING)

    def sentences(self, case: str) -> list[str]:
        """Return it in words."""
        if self.state == "away":
            return [
                f"No service answers at {self.url}: errors are known only while one runs. Start it with `make serve`, or name "
                f"another in the environment variable {URL_VARIABLE}. Traffic and answer times below come from the prediction log."
            ]
        if self.state == "refused":
            return [
                f"The service at {self.url} runs and wants a key for its metrics. Make one with `gristmill keys create app --scope "
                f"metrics`, and start the app with it in the environment variable {KEY_VARIABLE}."
            ]
        requests = requests_by_status(self.samples)
        total = int(requests["requests"].sum())
        if not total:
            return ["The service runs; nobody has asked it anything since it was started."]
        failed, refused = (self._share(name) for name in ("error_share", "refused_share"))
        lines = [f"{count(total)} requests since the service was started: {failed} failed, {refused} were refused because of load."]
        latency = SIGNALS["latency_p95_ms"].read(_NOTHING, self.samples, case)
        if latency:
            lines.append(f"95 of 100 predictions were answered within {figure(latency[0][1])} ms.")
        lag = SIGNALS["log_lag_records"].read(_NOTHING, self.samples, case)
        if lag and lag[0][1] > 0:
            lines.append(f"{count(lag[0][1])} predictions wait to be in the log.")
        return lines

    def _share(self, signal: str) -> str:
        """Return a share of all requests since the start."""
        found = SIGNALS[signal].read(_NOTHING, self.samples, "")
        return share(found[0][1] if found else 0.0, 1)


def ask(url: str, token: str = "") -> ServiceState:
    """Return how the service at ``url`` is, by its ``/metrics``.

    Parameters
    ----------
    url
        Its address, with or without ``/metrics``. Only ``http`` and ``https`` are asked.
    token
        Key with the scope ``metrics``.
    """
    base = url.rstrip("/").removesuffix("/metrics")
    if urlsplit(base).scheme not in ("http", "https"):
        return ServiceState(base, "away")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        request = urllib.request.Request(f"{base}/metrics", headers=headers)  # noqa: S310 - http or https, as was seen to
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
            return ServiceState(base, "running", parsed([answer.read().decode()], 0.0, {"up": [({"job": SERVICE}, 1.0)]}))
    except urllib.error.HTTPError as error:
        return ServiceState(base, "refused" if error.code in (401, 403, 429) else "away")
    except (OSError, ValueError):
        return ServiceState(base, "away")


def requests_by_status(samples: Samples) -> pd.DataFrame:
    """Return the requests since the service was started: ``status``, ``what it means``, ``requests``."""
    found: dict[str, float] = {}
    for labels, value in samples.series.get("gristmill_requests_total", ()):
        found[labels.get("status", "")] = found.get(labels.get("status", ""), 0.0) + value
    rows = [(status, _meaning(status), int(value)) for status, value in sorted(found.items()) if value]
    return pd.DataFrame(rows, columns=["status", "what it means", "requests"])


def _meaning(status: str) -> str:
    """Return what a status says about whom."""
    by_class = {"2": "answered", "4": "refused: a mistake of the caller", "5": "failed: a mistake of the service"}
    return _MEANINGS.get(status, by_class.get(status[:1], ""))
