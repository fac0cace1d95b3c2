"""What the instruments cost a request: `python benchmarks/service/instruments.py`.

Counts and logs as the service does for one row in one request, with the metrics in memory (one worker) and in the files that
several workers share. The log goes to a file. Prints microseconds of processor time a request, the least of several rounds, and
what each batch of rows adds; writes benchmarks/results/instruments.json.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

RESULTS = Path(__file__).parents[1] / "results" / "instruments.json"
ROUTE = "/v1/models/{name}/predict"


def microseconds(rounds: int, requests: int) -> dict[str, float]:
    """Return what metrics and log cost a request in this process."""
    from gristmill.instruments import logs  # noqa: PLC0415
    from gristmill.instruments.metrics import ServiceMetrics  # noqa: PLC0415

    metrics = ServiceMetrics(routes=[ROUTE])
    metrics.serves("churn/3", "champion", ["No", "Yes"])
    facts = {
        "request_id": "0b3b2f6c-5f0e-4c7e-9a57-5f2f1d3c9f00", "model_version": "churn/3", "route": ROUTE, "method": "POST",
        "status": 200, "duration_ms": 3.217, "rows": 1, "key_id": "k7",
    }  # fmt: skip

    def count() -> None:
        metrics.begun()
        metrics.predictions("churn/3", ["Yes"], [0.83], 0.0032)
        metrics.request(ROUTE, "POST", 200, 0.0032)
        metrics.ended()

    def count_batch() -> None:
        metrics.batch(1)
        metrics.queue(0)
        metrics.log_lag(0)

    with tempfile.TemporaryFile("w") as file:
        logs.configure("info", file)
        found = {"metrics": timed(count, rounds, requests), "a batch": timed(count_batch, rounds, requests)}
        return {**found, "log": timed(lambda: logs.log_request(facts), rounds, requests)}


def timed(call: Callable[[], None], rounds: int, requests: int) -> float:
    """Return the microseconds of a call, the quickest of some rounds: what else runs can only add."""
    taken = []
    for _ in range(rounds):
        began = time.process_time()
        for _ in range(requests):
            call()
        taken.append((time.process_time() - began) / requests * 1e6)
    return min(taken)


def main() -> None:
    """Measure in this process, and in one that shares a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--requests", type=int, default=5_000)
    parser.add_argument("--worker", action="store_true", help="print JSON and nothing else")
    given = parser.parse_args()
    if given.worker:
        print(json.dumps(microseconds(given.rounds, given.requests)))
        return
    found = {}
    for name in ("one worker", "several workers"):
        with tempfile.TemporaryDirectory() as folder:
            several = {"PROMETHEUS_MULTIPROC_DIR": folder} if name == "several workers" else {}
            command = [sys.executable, __file__, "--worker", f"--rounds={given.rounds}", f"--requests={given.requests}"]
            done = subprocess.run(command, env={**os.environ, **several}, capture_output=True, text=True, check=True)
        found[name] = json.loads(done.stdout)
        print(f"{name:16}" + "".join(f"{kind} {cost:5.1f} us   " for kind, cost in found[name].items()))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
