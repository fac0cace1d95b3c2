"""What the entrance costs: `python benchmarks/service/entrance.py` prints requests a second, and writes results/entrance.json.

A trivial application answers one predict request with a row of 20 columns, on one worker: bare, with the body parsed by the
standard library, and behind the entrance, with key, limits, strict JSON and headers; the same bytes come in. wrk drives each for
`--seconds` in turn, `--rounds` times, on this machine, so that all share what else goes on. Beside it stands what the entrance
takes within one process, without a server: microseconds a request.
"""

import argparse
import asyncio
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))

from tests.entrance_server import PREDICT, TABLE, serving_at, small  # noqa: E402 - the path is set above

from gristmill.config.sections.operation import Serving  # noqa: E402
from gristmill.serving.keys.ring import KeyRing  # noqa: E402
from gristmill.serving.keys.store import KeyStore  # noqa: E402
from gristmill.serving.limits.entrance import guarded  # noqa: E402

ROW = {f"column_{number}": "a level" if number % 3 else number * 1.25 for number in range(20)}
BODY = json.dumps({"instances": [ROW]})
GENEROUS = {"requests_per_second": 1e6}
"""The limit on requests is measured, and not reached."""


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=16)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        token, _ = KeyStore(root).create("wrk", ["predict"], 3_600)
        script = _script(root, token)
        found: dict[str, list[float]] = {"bare": [], "guarded": []}
        with serving_at(root, app="small") as bare, serving_at(root, app="guarded small", **GENEROUS) as guard:
            for _ in range(options.rounds):
                for name, server in (("bare", bare), ("guarded", guard)):
                    found[name].append(_wrk(server.url + PREDICT, script, options.seconds, options.connections))
        micros = asyncio.run(_in_process(root, token))
    medians = {name: round(statistics.median(values), 1) for name, values in found.items()}
    result = {**vars(options), "requests_per_second": medians, "microseconds_in_process": micros}
    for name, value in {**medians, **{f"{name} (us)": value for name, value in micros.items()}}.items():
        print(f"{name:<24}{value:>12,.1f}")
    results = REPOSITORY / "benchmarks" / "results"
    results.mkdir(exist_ok=True)
    (results / "entrance.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def _script(root: Path, token: str) -> Path:
    """Write what wrk sends."""
    path = root / "post.lua"
    head = f'wrk.headers["Authorization"] = "Bearer {token}"\nwrk.headers["Content-Type"] = "application/json"\n'
    path.write_text(f'wrk.method = "POST"\nwrk.body = [==[{BODY}]==]\n{head}')
    return path


def _wrk(url: str, script: Path, seconds: int, connections: int) -> float:
    """Return the requests a second that wrk saw answered; end where any was refused."""
    command = ["wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds}s", "-s", str(script), url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said:
        sys.exit(f"Expected answers, got refusals:\n{said}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    return float(found[1]) if found else sys.exit(said)


async def _in_process(root: Path, token: str, turns: int = 5_000) -> dict[str, float]:
    """Return the microseconds that a request takes without a server: bare, and behind the entrance."""
    headers = [
        (b"host", b"127.0.0.1"), (b"authorization", f"Bearer {token}".encode()), (b"content-type", b"application/json"),
        (b"content-length", str(len(BODY)).encode()), (b"user-agent", b"wrk"), (b"accept", b"*/*"),
    ]  # fmt: skip
    common = {"type": "http", "http_version": "1.1", "method": "POST", "path": PREDICT, "raw_path": PREDICT.encode()}
    scope = {**common, "query_string": b"", "headers": headers, "client": ("127.0.0.1", 1)}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": BODY.encode(), "more_body": False}

    statuses: set[int] = set()

    async def send(message: Any) -> None:
        statuses.add(message.get("status", 200))

    ring = KeyRing(root)
    ring.refresh()
    took = {}
    for name, app in (("bare", small), ("guarded", guarded(small, TABLE, ring, Serving(limits=GENEROUS)))):
        times = []
        for _ in range(5):
            begin = time.perf_counter()
            for _ in range(turns):
                await app(dict(scope), receive, send)
            times.append((time.perf_counter() - begin) / turns * 1e6)
        took[name] = round(min(times), 1)
    if statuses != {200}:
        sys.exit(f"Expected answers, got {statuses}")
    return took


if __name__ == "__main__":
    main()
