"""How each signal is read: as a query of Prometheus, and from samples that Gristmill has fetched itself.

Both say the same; a test holds them together. Rates are over ``window``; Gristmill's own are over the time since its last look.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Labels = Mapping[str, str]
Reading = tuple[dict[str, str], float]
"""Labels and value of one instance of a signal."""

SERVICE, WATCHER = "gristmill-service", "gristmill-monitoring"
"""Jobs of Prometheus: the prediction service, and what watches it."""

QUANTILE = 0.95


@dataclass(frozen=True)
class Samples:
    """What an exposition said at a moment.

    Attributes
    ----------
    at
        Seconds since 1970.
    series
        Name of a sample -> its labels and value, each.
    """

    at: float
    series: Mapping[str, Sequence[tuple[Labels, float]]]

    def of(self, name: str, **labels: str) -> list[tuple[Labels, float]]:
        """Return the samples of a name that have these labels."""
        return [one for one in self.series.get(name, ()) if all(one[0].get(key) == value for key, value in labels.items())]


@dataclass(frozen=True)
class Signal:
    """One signal.

    Attributes
    ----------
    query
        PromQL, with ``{window}`` where rates are taken and ``{case}`` for the name of the case.
    read
        From the last look's samples, the present ones and the name of the case to the signal's instances.
    unit
        What Grafana calls its unit, and what an alert's text ends with.
    """

    query: str
    read: Callable[[Samples, Samples, str], list[Reading]]
    unit: str = ""


def _increase(before: Samples, now: Samples, name: str, accepted: Callable[[Labels], bool] = lambda _: True) -> float:
    """Return by how much counters have grown; one that is smaller than before has begun again at zero."""
    old = {tuple(sorted(labels.items())): value for labels, value in before.series.get(name, ())}
    grown = 0.0
    for labels, value in now.series.get(name, ()):
        if accepted(labels):
            was = old.get(tuple(sorted(labels.items())), 0.0)
            grown += value - was if value >= was else value
    return grown


def _latency(before: Samples, now: Samples, _case: str) -> list[Reading]:
    """Return the quantile of the answer time in milliseconds, between two bounds on a line, as Prometheus does."""
    name = "ml_prediction_latency_seconds_bucket"
    bounds = sorted({float(labels["le"]) for labels, _ in now.series.get(name, ())})
    counts = [_increase(before, now, name, lambda labels, bound=bound: float(labels["le"]) == bound) for bound in bounds]  # type: ignore[misc]
    if not counts or counts[-1] <= 0:
        return []
    wanted = QUANTILE * counts[-1]
    place = next(number for number, count in enumerate(counts) if count >= wanted)
    if place == len(bounds) - 1:
        return [({}, 1000 * bounds[-2])] if len(bounds) > 1 else []
    low, below = (bounds[place - 1], counts[place - 1]) if place else (0.0, 0.0)
    return [({}, 1000 * (low + (bounds[place] - low) * (wanted - below) / (counts[place] - below)))]


def _share_of_requests(fits: Callable[[str], bool]) -> Callable[[Samples, Samples, str], list[Reading]]:
    """Return the reader of the share of the requests whose status fits."""

    def read(before: Samples, now: Samples, _case: str) -> list[Reading]:
        name = "gristmill_requests_total"
        asked = _increase(before, now, name)
        if asked <= 0:
            return []
        return [({}, _increase(before, now, name, lambda labels: fits(labels["status"])) / asked)]

    return read


def _gauge(name: str, keys: Sequence[str] = (), *, of_case: bool = True) -> Callable[[Samples, Samples, str], list[Reading]]:
    """Return the reader of a gauge, its largest value by some labels."""

    def read(_before: Samples, now: Samples, case: str) -> list[Reading]:
        found: dict[tuple[str, ...], float] = {}
        for labels, value in now.of(name, case=case) if of_case else now.of(name):
            key = tuple(labels.get(one, "") for one in keys)
            found[key] = max(value, found.get(key, value))
        return [(dict(zip(keys, key, strict=True)), value) for key, value in found.items()]

    return read


def _up(_before: Samples, now: Samples, _case: str) -> list[Reading]:
    """Return how many instances answered; nothing where none was asked."""
    asked = now.of("up", job=SERVICE)
    return [({}, sum(value for _, value in asked))] if asked else []


def _age(_before: Samples, now: Samples, case: str) -> list[Reading]:
    """Return the hours since the watching of the case last ran."""
    times = [value for _, value in now.of("gristmill_monitoring_last_run_timestamp_seconds", case=case)]
    return [({}, (now.at - max(times)) / 3600)] if times else []


def _lag(_before: Samples, now: Samples, _case: str) -> list[Reading]:
    """Return how many predictions wait for the log."""
    known = now.of("gristmill_log_lag_records")
    return [({}, sum(value for _, value in known))] if known else []


def _of_case(name: str, by: str = "") -> str:
    """Return the query of a gauge of the case."""
    return f'max by (case{by}) ({name}{{{{case="{{case}}"}}}})'


_REQUESTS = "sum(rate(gristmill_requests_total{}[{{window}}])) / sum(rate(gristmill_requests_total[{{window}}]))"


def _status(pattern: str) -> str:
    """Return the query of the share of the requests whose status matches."""
    return _REQUESTS.format(f'{{{{status=~"{pattern}"}}}}')


SIGNALS: dict[str, Signal] = {
    "instances_up": Signal(f'sum(up{{{{job="{SERVICE}"}}}}) or vector(0)', _up),
    "latency_p95_ms": Signal(
        f"1000 * histogram_quantile({QUANTILE}, sum by (le) (rate(ml_prediction_latency_seconds_bucket[{{window}}])))",
        _latency,
        "ms",
    ),
    "error_share": Signal(_status("5.."), _share_of_requests(lambda status: status.startswith("5"))),
    "refused_share": Signal(_status("429|503"), _share_of_requests(lambda status: status in ("429", "503"))),
    "log_lag_records": Signal("sum(gristmill_log_lag_records)", _lag),
    "metric_drop": Signal(_of_case("gristmill_performance_drop"), _gauge("gristmill_performance_drop")),
    "estimated_drop": Signal(_of_case("gristmill_performance_drop_estimated"), _gauge("gristmill_performance_drop_estimated")),
    "label_share": Signal(_of_case("gristmill_label_share"), _gauge("gristmill_label_share")),
    "drift_kl": Signal(
        'max by (case) (gristmill_drift{{case="{case}",measure="kl"}})',
        lambda before, now, case: _gauge("gristmill_drift")(
            before, Samples(now.at, {"gristmill_drift": now.of("gristmill_drift", measure="kl")}), case
        ),
    ),
    "fairness_limits_broken": Signal(_of_case("gristmill_fairness_limits_broken"), _gauge("gristmill_fairness_limits_broken")),
    "monitoring_age_hours": Signal(
        '(time() - max by (case) (gristmill_monitoring_last_run_timestamp_seconds{{case="{case}"}})) / 3600', _age, "h"
    ),
    "cpu_share": Signal("max(gristmill_machine_cpu_share)", _gauge("gristmill_machine_cpu_share", of_case=False)),
    "memory_share": Signal("max(gristmill_machine_memory_share)", _gauge("gristmill_machine_memory_share", of_case=False)),
    "disk_share": Signal("max(gristmill_machine_disk_share)", _gauge("gristmill_machine_disk_share", of_case=False)),
    "gpu_memory_share": Signal(
        "max by (gpu) (gristmill_gpu_memory_share)", _gauge("gristmill_gpu_memory_share", ("gpu",), of_case=False)
    ),
}
"""Signal -> how it is read; the same names as :data:`gristmill.config.alert_signals.ALERT_SIGNALS`."""


def query_of(signal: str, case: str, window: str) -> str:
    """Return a signal as PromQL.

    Parameters
    ----------
    signal
        Its name.
    case
        Name of the case, whose own gauges are meant.
    window
        Time over which rates are taken, as Prometheus writes it.
    """
    return SIGNALS[signal].query.format(case=case, window=window)
