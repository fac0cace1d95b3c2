"""What the service counts and measures, as Prometheus reads it (R44).

A worker makes one :class:`ServiceMetrics` and calls it where something happens. With several workers each writes its own numbers
into the folder of :mod:`gristmill.instruments.metrics_folder`, and whichever worker is asked answers for all of them. Every label
takes its values from a set that is known or bounded, so that no client can make the number of time series grow.
"""

from collections import Counter as Tally
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from gristmill.instruments.metrics_folder import current_folder, require_multiprocess_values
from gristmill.instruments.process_metrics import ProcessMetrics
from gristmill.instruments.tallies import Tallies

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
"""Upper bounds in seconds, from 1 ms to 1 s."""

CONFIDENCE_BUCKETS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
"""Upper bounds of the probability of the predicted class; what is surer falls above the last."""

BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
"""Upper bounds of the rows that were predicted together."""

OTHER = "other"
"""Label of whatever is not known: a path that is no route, a class that is not the model's."""

NUMBER = "number"
"""Label of a prediction that is a number and no class."""

MOST_CLASSES = 100
"""Classes of one model that have a time series each; those behind them share :data:`OTHER`."""

MOST_KINDS = 64
"""Different texts that a label of ours may take before further ones become :data:`OTHER`."""

METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


class ServiceMetrics:
    """The numbers of one worker.

    Parameters
    ----------
    registry
        Where the metrics are registered; a new one when omitted. Two services in one process need one each.
    routes
        Templates of the routes there are, such as ``/v1/models/{name}/predict``; every other one is counted as :data:`OTHER`.

    Raises
    ------
    InstrumentError
        There is a folder for several workers, but prometheus_client was imported before it was named, and would ignore it.
    """

    def __init__(self, registry: "CollectorRegistry | None" = None, routes: Collection[str] = ()) -> None:
        from prometheus_client import CollectorRegistry, disable_created_metrics  # noqa: PLC0415 - an extra

        require_multiprocess_values()
        disable_created_metrics()  # twice the lines of a scrape, for times that nobody asks for
        self.registry = registry or CollectorRegistry()
        self._routes = frozenset(routes)
        self._classes: dict[str, frozenset[str]] = {}
        self._kinds: dict[str, set[str]] = {}
        self._children: dict[tuple[str, ...], Any] = {}
        self._last_queue = self._last_lag = 0  # setting a gauge of several workers writes to a file, mostly what is there
        self._tallies, self._inside, self._last_inside = Tallies(), 0, 0
        self._declare()

    def _declare(self) -> None:
        """Make the metrics; their names are a contract with dashboards and alerts."""
        from prometheus_client import Counter, Gauge, Histogram  # noqa: PLC0415

        at: dict[str, Any] = {"registry": self.registry}
        self._predictions = Counter("ml_predictions", "Predictions answered.", ["model_version", "prediction_class"], **at)
        self._latency = Histogram(
            "ml_prediction_latency_seconds", "Seconds from a request for predictions to its answer.", buckets=LATENCY_BUCKETS, **at
        )
        self._confidence = Histogram(
            "ml_prediction_confidence", "Probability of the predicted class.", buckets=CONFIDENCE_BUCKETS, **at
        )
        self._requests = Counter("gristmill_requests", "Requests answered.", ["route", "method", "status"], **at)
        self._seconds = Histogram(
            "gristmill_request_duration_seconds", "Seconds from a request to its answer.", ["route"], buckets=LATENCY_BUCKETS, **at
        )
        self._in_progress = Gauge("gristmill_requests_in_progress", "Requests begun.", multiprocess_mode="livesum", **at)
        self._batch = Histogram("gristmill_batch_rows", "Rows predicted together.", buckets=BATCH_BUCKETS, **at)
        self._queue = Gauge("gristmill_queue_rows", "Rows waiting to be predicted.", multiprocess_mode="livesum", **at)
        self._cache = Counter("gristmill_cache_lookups", "Rows looked up in the cache.", ["outcome"], **at)
        self._errors = Counter("gristmill_errors", "Requests refused or failed, by kind.", ["kind"], **at)
        self._flagged = Counter("gristmill_rows_flagged", "Rows answered with a warning, by kind.", ["kind"], **at)
        self._lag = Gauge("gristmill_log_lag_records", "Predictions waiting for the log.", multiprocess_mode="livesum", **at)
        self._models = Gauge(
            "gristmill_model_info", "Workers that serve this version in this role.", ["model_version", "role"],
            multiprocess_mode="livesum", **at,
        )  # fmt: skip
        self._reloads = Counter("gristmill_reloads", "Attempts to load another version.", ["outcome"], **at)

    def serves(self, model_version: str, role: str, classes: Sequence[str]) -> None:
        """Note that this worker has loaded a version; it has to be called before its predictions are counted.

        Parameters
        ----------
        model_version
            ``NAME/VERSION``: one service may have several models.
        role
            ``champion``, ``challenger`` or ``shadow``.
        classes
            Its classes; none for a model of numbers.
        """
        self._classes[model_version] = frozenset(classes[:MOST_CLASSES])
        self._models.labels(model_version, self._bounded("role", role)).set(1)

    def dropped(self, model_version: str, role: str) -> None:
        """Note that this worker serves a version no more in this role."""
        self._models.labels(model_version, self._bounded("role", role)).set(0)

    def request(self, route: str | None, method: str, status: int, seconds: float) -> None:
        """Count an answered request.

        Parameters
        ----------
        route
            Template of the route that answered, None if there is none for the path; never the path itself.
        method, status
            HTTP method and status.
        seconds
            From its first byte to its answer.
        """
        known = route if route in self._routes and route is not None else OTHER
        by = method if method in METHODS else OTHER
        self._tallies.count(self._child(self._requests, known, by, str(status)))
        self._tallies.observe(self._child(self._seconds, known), LATENCY_BUCKETS, (seconds,))

    def begun(self) -> None:
        """Note that a request has begun; :meth:`ended` has to follow."""
        self._inside += 1

    def ended(self) -> None:
        """Note that a request has ended."""
        self._inside -= 1

    def predictions(
        self, model_version: str, classes: Sequence[str] | None, confidences: Sequence[float] | None, seconds: float, rows: int = 0
    ) -> None:
        """Count the predictions of one request.

        Parameters
        ----------
        model_version
            As in :meth:`serves`.
        classes
            The predicted class of each row; None for a model of numbers, of which ``rows`` says how many.
        confidences
            Probability of the predicted class of each row, from 0 to 1; None for numbers.
        seconds
            From request to answer.
        rows
            Number of rows where ``classes`` is None.
        """
        self._tallies.observe(self._latency, LATENCY_BUCKETS, (seconds,))
        if classes is None:
            self._tallies.count(self._child(self._predictions, model_version, NUMBER), rows)
        elif len(classes) == 1:
            self._tallies.count(self._child(self._predictions, model_version, self._known_class(model_version, classes[0])))
        else:
            for name, count in Tally(classes).items():
                self._tallies.count(self._child(self._predictions, model_version, self._known_class(model_version, name)), count)
        if confidences is not None:
            self._tallies.observe(self._confidence, CONFIDENCE_BUCKETS, confidences)

    def batch(self, rows: int) -> None:
        """Count rows that were predicted together."""
        self._tallies.observe(self._batch, BATCH_BUCKETS, (rows,))

    def queue(self, rows: int) -> None:
        """Say how many rows wait in this worker to be predicted."""
        if rows != self._last_queue:
            self._last_queue = rows
            self._queue.set(rows)

    def cache(self, hits: int, misses: int) -> None:
        """Count rows that were, and were not, in the cache."""
        if hits:
            self._child(self._cache, "hit").inc(hits)
        if misses:
            self._child(self._cache, "miss").inc(misses)

    def error(self, kind: str) -> None:
        """Count a request that was refused or failed; ``kind`` is a word of ours, such as ``body_too_large``."""
        self._child(self._errors, self._bounded("error", kind)).inc()

    def flagged(self, kind: str, rows: int = 1) -> None:
        """Count rows that were answered with a warning, such as ``out_of_range``."""
        self._child(self._flagged, self._bounded("flag", kind)).inc(rows)

    def log_lag(self, records: int) -> None:
        """Say how many predictions of this worker wait to be in the log."""
        if records != self._last_lag:
            self._last_lag = records
            self._lag.set(records)

    def reloaded(self, outcome: str) -> None:
        """Count an attempt to load another version: ``loaded``, ``refused``, ``failed``."""
        self._child(self._reloads, self._bounded("reload", outcome)).inc()

    def write(self) -> None:
        """Write what this worker has counted since the last time, for whichever worker is asked."""
        self._tallies.write()
        if self._inside != self._last_inside:
            self._in_progress.set(self._inside)
            self._last_inside = self._inside

    def exposition(self) -> tuple[bytes, str]:
        """Return the numbers of all workers as Prometheus reads them, and the content type of that text.

        Those of other workers are as they were within the last second; see :meth:`write`.
        """
        self.write()
        from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415
        from prometheus_client.exposition import CONTENT_TYPE_LATEST  # noqa: PLC0415

        folder = current_folder()
        if folder is None:
            collected, pids = self.registry, None
        else:
            collected, pids = CollectorRegistry(), folder.live_workers()
            collected.register(folder)
        processes = CollectorRegistry()
        processes.register(ProcessMetrics(pids))
        return generate_latest(collected) + generate_latest(processes), CONTENT_TYPE_LATEST

    def _known_class(self, model_version: str, name: str) -> str:
        return name if name in self._classes.get(model_version, ()) else OTHER

    def _bounded(self, label: str, value: str) -> str:
        """Return the value of a label of ours, or :data:`OTHER` once it has taken too many."""
        seen = self._kinds.setdefault(label, set())
        if value not in seen:
            if len(seen) >= MOST_KINDS:
                return OTHER
            seen.add(value)
        return value

    def _child(self, metric: Any, *labels: str) -> Any:
        """Return the time series of some labels; prometheus_client looks it up under a lock."""
        key = (metric._name, *labels)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = metric.labels(*labels)
        return child
