"""What the service answers under load: `python benchmarks/serving.py` prints a table and writes benchmarks/results/serving.json.

The champion of a built case serves test rows, one a request, with key, validation and the durable log, to wrk on the same cores:

- as fast as it can, with one worker and with `--workers`, beside uvicorn with an application that does nothing
- `--rate` requests a second for `--seconds` (600 for ten minutes): errors, latency, memory
- `mlflow models serve` with the same model, as its plain pipeline (`mlflow.sklearn`) and as Gristmill registers it
- BentoML with the plain pipeline, where `--bentoml` names its command (`benchmarks/serving-requirements.txt`)
- `--swaps` releases under load, on a small model of two versions whose answers tell them apart

The project is copied, so that its log and its keys stay as they are. Needs `wrk` (`apt-get install wrk`). `--seconds 5 --swaps 5`
takes the same path as the default.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "benchmarks")]

import pandas as pd  # noqa: E402 - the path is set above
import psutil  # noqa: E402
from service.over_http import wrk  # noqa: E402
from service.peers import bare_uvicorn, bentoml_serve, mlflow_serve, pickle_plain, save_plain  # noqa: E402

N_BODIES = 500
MOST_A_SECOND = 100_000.0
"""Limit of the key: by default a key has 10,000 requests a second of the service, half of them of each of two workers."""


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--project", type=Path, default=REPOSITORY)
    parser.add_argument("--case", default="churn")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--rate", type=float, default=1000)
    parser.add_argument("--swaps", type=int, default=100)
    parser.add_argument("--without-peers", action="store_true")
    parser.add_argument("--bentoml", type=Path, help="the command `bentoml` of its own environment")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = measured(options, copied(options.project, options.case, Path(folder) / "project"), Path(folder))
    results = REPOSITORY / "benchmarks" / "results"
    results.mkdir(exist_ok=True)
    (results / "serving.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


class Shown(dict[str, Any]):
    """Figures by name, which are printed as they come."""

    def __setitem__(self, name: str, value: Any) -> None:
        """Keep a figure, and print it."""
        print(f"{name:<32}{value}", flush=True)
        super().__setitem__(name, value)


def measured(options: argparse.Namespace, root: Path, folder: Path) -> dict[str, Any]:
    """Return all figures by name."""
    result = Shown()
    rows = rows_of(options.project / "artifacts" / options.case, root / "model")
    bodies = [json.dumps({"instances": [row]}) for row in rows]
    burst = min(options.seconds, 15)
    with bare_uvicorn(18_320) as url:
        result["uvicorn that does nothing"] = wrk(url, bodies, connections=options.connections, seconds=burst).as_record()
    for workers in sorted({1, options.workers}):
        with served(root, options.case, workers) as (url, token, pid):
            wrk(url, bodies, token, connections=options.connections, seconds=2)
            result[f"flat out, {workers} workers"] = flat_out(options, url, bodies, token, pid, burst)
            if workers == options.workers:
                for name, value in steady(options, url, bodies, token, pid).items():
                    result[name] = value
    if not options.without_peers:
        for name, value in peers(options, root, folder, rows, burst).items():
            result[name] = value
        ours = result[f"flat out, {options.workers} workers"]["per_second"]
        for name in [one for one in result if one.startswith(("mlflow", "bentoml"))]:
            result[f"times {name}"] = round(ours / result[name]["per_second"], 1)
    if options.swaps:
        result["swaps"] = swapped(folder / "swaps", options.swaps)
    return result


def flat_out(options: argparse.Namespace, url: str, bodies: list[str], token: str, pid: int, seconds: float) -> dict[str, Any]:
    """Return what came of as many requests as are answered, and the processor time of the service for one."""
    before = processor_seconds(pid)
    load = wrk(url, bodies, token, connections=options.connections, seconds=seconds)
    spent = processor_seconds(pid) - before
    return {**load.as_record(), "processor_ms_a_request": round(1000 * spent / max(load.requests, 1), 3)}


def processor_seconds(pid: int) -> float:
    """Return the processor time of a process and its children."""
    process = psutil.Process(pid)
    times = [one.cpu_times() for one in [process, *process.children(recursive=True)]]
    return float(sum(one.user + one.system for one in times))


def steady(options: argparse.Namespace, url: str, bodies: list[str], token: str, pid: int) -> dict[str, Any]:
    """Return what came of a load that is even, and how memory went."""
    before = memory(pid)
    load = wrk(url, bodies, token, connections=options.connections, seconds=options.seconds / 2, rate=options.rate).as_record()
    middle = memory(pid)
    late = wrk(url, bodies, token, connections=options.connections, seconds=options.seconds / 2, rate=options.rate).as_record()
    return {
        f"{options.rate:g}/s, first half": load,
        f"{options.rate:g}/s, second half": late,
        "megabytes before, middle, end": [before, middle, memory(pid)],
    }


def memory(pid: int) -> float:
    """Return the resident memory of a process and its children, in megabytes."""
    process = psutil.Process(pid)
    return round(sum(one.memory_info().rss for one in [process, *process.children(recursive=True)]) / 2**20, 1)


def peers(options: argparse.Namespace, root: Path, folder: Path, rows: list[dict[str, Any]], seconds: float) -> dict[str, Any]:
    """Return what came of the same load on `mlflow models serve`."""
    columns = json.loads((root / "model" / "model.json").read_text())["feature_columns"]
    bodies = [json.dumps({"dataframe_split": {"columns": columns, "data": [[row[name] for name in columns]]}}) for row in rows]
    registered = next(path.parent for path in (root / "mlruns").rglob("MLmodel"))
    found = {}
    models = {"plain pipeline": save_plain(root / "model", folder / "plain"), "as registered": registered}
    for workers, name in product(sorted({1, options.workers}), models):
        with mlflow_serve(models[name], workers, 18_321, folder / "mlflow.log") as (url, pid):
            wrk(url, bodies, connections=options.connections, seconds=2)
            found[f"mlflow, {name}, {workers} workers"] = flat_out(options, url, bodies, "", pid, seconds)
    if options.bentoml is not None:
        plain = [json.dumps({"rows": [row]}) for row in rows]
        pickled = pickle_plain(root / "model", folder / "pipeline.pickle")
        for workers in sorted({1, options.workers}):
            with bentoml_serve(options.bentoml, pickled, workers, 18_322, folder / "bentoml.log") as (url, pid):
                wrk(url, plain, connections=options.connections, seconds=2)
                found[f"bentoml, {workers} workers"] = flat_out(options, url, plain, "", pid, seconds)
    return found


def swapped(root: Path, number: int) -> dict[str, Any]:
    """Return what came of requests while releases moved."""
    os.environ.pop("MLFLOW_TRACKING_URI", None)  # of the folder this was started in
    from tests.service import service_project, serving  # noqa: PLC0415 - needs the package
    from tests.service_load import swaps_under_load  # noqa: PLC0415

    with serving(service_project(root, serving={"reload_seconds": 0.1})) as running:
        began = time.perf_counter()
        load = swaps_under_load(running, number)
        return {
            "swaps": number,
            "answered": load.answered,
            "failed or mixed": len(load.wrong),
            "seconds": round(time.perf_counter() - began, 1),
        }


def copied(project: Path, case: str, root: Path) -> Path:
    """Copy what a service needs of a project, and return the copy; its champion's files are also under ``model``."""
    for name in ("mlruns", "configs"):
        shutil.copytree(project / name, root / name)
    (root / "state").mkdir()
    for file in (project / "state").glob("gristmill.db*"):
        shutil.copy(file, root / "state")
    shutil.copy(project / "pipeline.yaml", root)
    shutil.copytree(project / "artifacts" / case / "model", root / "model")
    return root


def rows_of(artifacts: Path, model: Path) -> list[dict[str, Any]]:
    """Return test rows as they stand in JSON, with the columns that the model reads."""
    columns = json.loads((model / "model.json").read_text())["feature_columns"]
    rows = pd.read_parquet(artifacts / "test.parquet").head(N_BODIES)[columns]
    return list(json.loads(rows.to_json(orient="records")))


@contextmanager
def served(root: Path, case: str, workers: int) -> Iterator[tuple[str, str, int]]:
    """Serve a project's case, and give the URL for predictions, a key, and the process."""
    from gristmill.serving.keys.store import KeyStore  # noqa: PLC0415

    token, _ = KeyStore(root).create("benchmark", ["predict"], 86_400, requests_per_second=MOST_A_SECOND)
    command = [sys.executable, "-m", "gristmill.cli", "serve", case, "--port", "0", "--workers", str(workers)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    environment.pop("MLFLOW_TRACKING_URI", None)  # of the folder this was started in
    with (root / "service.log").open("w") as log:
        process = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=log, text=True, env=environment)
    url = next(found[0] for line in process.stdout or () if (found := re.search(r"http://\S+?(?=;)", line)))
    try:
        end = time.monotonic() + 120
        while not _ready(url):
            if time.monotonic() > end or process.poll() is not None:
                raise RuntimeError((root / "service.log").read_text()[-2000:])
            time.sleep(0.1)
        time.sleep(2)  # the other workers
        yield f"{url}/v1/models/{case}/predict", token, process.pid
    finally:
        process.terminate()
        process.wait(60)


def _ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:  # noqa: S310 - of 127.0.0.1
            return bool(answer.status == 200)
    except OSError:
        return False


if __name__ == "__main__":
    main()
