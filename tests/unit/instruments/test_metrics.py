"""What one worker counts, as Prometheus reads it (R44)."""

import re
import subprocess

import pytest
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.parser import text_string_to_metric_families

from gristmill.instruments import metrics
from gristmill.instruments.metrics import CONFIDENCE_BUCKETS, OTHER, ServiceMetrics
from gristmill.instruments.tallies import Tallies

ROUTE = "/v1/models/{name}/predict"


@pytest.fixture
def counted() -> ServiceMetrics:
    """Return metrics in which everything was counted once."""
    made = ServiceMetrics(routes=[ROUTE])
    made.serves("churn/3", "champion", ["No", "Yes"])
    made.predictions("churn/3", ["Yes", "No", "Yes"], [0.55, 0.97, 0.999], 0.004)
    made.request(ROUTE, "POST", 200, 0.004)
    made.batch(3)
    made.queue(5)
    made.cache(2, 1)
    made.error("body_too_large")
    made.flagged("out_of_range", 2)
    made.log_lag(7)
    made.reloaded("loaded")
    made.begun()
    return made


def samples(made: ServiceMetrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Return every sample by its name and labels."""
    families = text_string_to_metric_families(made.exposition()[0].decode())
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


def test_everything_is_exposed_under_its_name(counted: ServiceMetrics) -> None:
    found = samples(counted)
    yes = (("model_version", "churn/3"), ("prediction_class", "Yes"))
    assert found["ml_predictions_total", yes] == 2
    assert found["ml_prediction_latency_seconds_bucket", (("le", "0.005"),)] == 1
    assert found["ml_prediction_latency_seconds_bucket", (("le", "0.0025"),)] == 0
    assert found["ml_prediction_confidence_bucket", (("le", "0.99"),)] == 2
    assert found["ml_prediction_confidence_sum", ()] == pytest.approx(2.519)
    assert found["gristmill_requests_total", (("method", "POST"), ("route", ROUTE), ("status", "200"))] == 1
    assert found["gristmill_cache_lookups_total", (("outcome", "hit"),)] == 2
    assert found["gristmill_errors_total", (("kind", "body_too_large"),)] == 1
    assert found["gristmill_rows_flagged_total", (("kind", "out_of_range"),)] == 2
    assert (found["gristmill_queue_rows", ()], found["gristmill_log_lag_records", ()]) == (5, 7)
    assert found["gristmill_reloads_total", (("outcome", "loaded"),)] == 1
    assert found["gristmill_requests_in_progress", ()] == 1
    assert found["gristmill_model_info", (("model_version", "churn/3"), ("role", "champion"))] == 1


def test_the_buckets_are_those_of_the_requirement() -> None:
    assert (metrics.LATENCY_BUCKETS[0], metrics.LATENCY_BUCKETS[-1]) == (0.001, 1.0)
    assert (CONFIDENCE_BUCKETS[0], CONFIDENCE_BUCKETS[-1]) == (0.5, 0.99)


def test_the_process_is_measured(counted: ServiceMetrics) -> None:
    found = samples(counted)
    assert found["process_resident_memory_bytes", ()] > 10 << 20
    assert found["process_cpu_seconds_total", ()] > 0
    assert 3 <= found["process_open_fds", ()] <= found["process_max_fds", ()]
    assert found["gristmill_workers", ()] == 1


def test_promtool_finds_nothing_wrong(counted: ServiceMetrics) -> None:
    checked = subprocess.run(["promtool", "check", "metrics"], input=counted.exposition()[0], capture_output=True, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")


def test_paths_methods_and_classes_that_are_not_known_share_a_label() -> None:
    made = ServiceMetrics(routes=[ROUTE])
    made.serves("churn/3", "champion", ["No", "Yes"])
    for number in range(300):
        made.request(f"/scan/{number}", f"X{number}", 404, 0.001)
        made.request(None, "GET", 404, 0.001)
        made.predictions("churn/3", [f"class {number}"], [0.9], 0.001)
        made.error(f"kind {number}")
    found = samples(made)
    assert found["gristmill_requests_total", (("method", OTHER), ("route", OTHER), ("status", "404"))] == 300
    assert found["ml_predictions_total", (("model_version", "churn/3"), ("prediction_class", OTHER))] == 300
    kinds = [value for (name, _), value in found.items() if name == "gristmill_errors_total"]
    assert (len(kinds), sum(kinds)) == (metrics.MOST_KINDS + 1, 300)


def test_numbers_are_counted_without_class_and_confidence() -> None:
    made = ServiceMetrics()
    made.serves("rent/1", "champion", [])
    made.predictions("rent/1", None, None, 0.002, rows=4)
    found = samples(made)
    assert found["ml_predictions_total", (("model_version", "rent/1"), ("prediction_class", "number"))] == 4
    assert found["ml_prediction_confidence_count", ()] == 0


def test_a_version_that_is_dropped_is_served_by_no_worker(counted: ServiceMetrics) -> None:
    counted.dropped("churn/3", "champion")
    counted.serves("churn/4", "champion", ["No", "Yes"])
    found = samples(counted)
    assert found["gristmill_model_info", (("model_version", "churn/3"), ("role", "champion"))] == 0
    assert found["gristmill_model_info", (("model_version", "churn/4"), ("role", "champion"))] == 1


def test_many_amounts_are_observed_as_one_by_one() -> None:
    amounts = [0.1, 0.5, 0.500001, 0.77, 0.95, 0.99, 0.991, 1.0]
    told = []
    for way in ("together", "apart", "plainly"):
        registry = CollectorRegistry()
        histogram = Histogram("h", "h", buckets=CONFIDENCE_BUCKETS, registry=registry)
        tallies = Tallies()
        for amount in amounts if way == "plainly" else ():
            histogram.observe(amount)
        for some in {"together": [amounts], "apart": [[one] for one in amounts]}.get(way, []):
            tallies.observe(histogram, CONFIDENCE_BUCKETS, some)
            if way == "apart":
                tallies.write()
        tallies.write()
        told.append([(s.name, s.labels, s.value) for f in registry.collect() for s in f.samples if not s.name.endswith("_created")])
    assert told[0] == told[1] == told[2]
    assert told[0][0][2] == 2  # 0.1 and 0.5: a bound is inside


def test_two_services_in_one_process_count_apart() -> None:
    first, second = ServiceMetrics(), ServiceMetrics()
    first.error("one")
    assert re.search(rb'gristmill_errors_total\{kind="one"\} 1', first.exposition()[0])
    assert b'kind="one"' not in second.exposition()[0]
