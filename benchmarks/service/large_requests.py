"""What large requests cost small ones: `python benchmarks/service/large_requests.py`.

One worker serves the champion of a built case. wrk sends single rows at an even `--rate`, first alone, then while another client
sends requests of `--rows` rows one after the other without a pause. Prints a table and writes results/large_requests.json.
The project is copied. `PYTHONPATH=OTHER/lib` measures another version of the package, such as the one before a change;
`--seconds 3` takes the same path as the default.
"""

import argparse
import http.client
import json
import statistics
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "benchmarks")]

from service.over_http import wrk  # noqa: E402 - the path is set above

from serving import copied, rows_of, served  # noqa: E402


class LargeRequests:
    """A client that sends one large request after the other while the block runs.

    Parameters
    ----------
    url, token
        Of the service.
    body
        Of each request.
    """

    def __init__(self, url: str, token: str, body: bytes) -> None:
        self._url, self._token, self._body = urlsplit(url), token, body
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._send)
        self.seconds: list[float] = []
        self.wrong: list[int] = []

    def __enter__(self) -> "LargeRequests":
        """Begin; return once the first answer was there."""
        self._thread.start()
        while not self.seconds and self._thread.is_alive():
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._end.set()
        self._thread.join()

    def _send(self) -> None:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        with closing(http.client.HTTPConnection(str(self._url.hostname), self._url.port, timeout=60)) as connection:
            while not self._end.is_set():
                began = time.perf_counter()
                connection.request("POST", self._url.path, self._body, headers)
                answer = connection.getresponse()
                answer.read()
                self.seconds.append(time.perf_counter() - began)
                if answer.status != 200:
                    self.wrong.append(answer.status)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--project", type=Path, default=REPOSITORY)
    parser.add_argument("--case", default="churn")
    parser.add_argument("--rate", type=float, default=500)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measured(options, copied(options.project, options.case, Path(folder) / "project"))
    for name, value in found.items():
        print(f"{name:<28}{value}")
    results = REPOSITORY / "benchmarks" / "results"
    results.mkdir(exist_ok=True)
    (results / "large_requests.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def measured(options: argparse.Namespace, root: Path) -> dict[str, Any]:
    """Return what came of single rows alone, and beside large requests."""
    rows = rows_of(options.project / "artifacts" / options.case, root / "model")
    bodies = [json.dumps({"instances": [row]}) for row in rows]
    body = json.dumps({"instances": (rows * (options.rows // len(rows) + 1))[: options.rows]}).encode()
    load = {"connections": 32, "seconds": options.seconds, "rate": options.rate}
    with served(root, options.case, 1) as (url, token, _):
        wrk(url, bodies, token, connections=32, seconds=2, rate=options.rate)
        alone = wrk(url, bodies, token, **load).as_record()
        with LargeRequests(url, token, body) as large:
            beside = wrk(url, bodies, token, **load).as_record()
    return {
        "single rows alone": alone,
        f"beside {options.rows} rows": beside,
        "large requests": {
            "requests": len(large.seconds),
            "refused": len(large.wrong),
            "p50_ms": round(statistics.median(large.seconds) * 1000, 1),
            "max_ms": round(max(large.seconds) * 1000, 1),
        },
    }


if __name__ == "__main__":
    main()
