"""How fast predictions become durable: `python benchmarks/service/prediction_log.py` prints a table and writes a JSON file.

Coroutines append one record each, again and again, to a fresh log: in SQLite, and in a PostgreSQL that is started for it on this
machine; from one process and from two. Beside them stands a bare loop that commits row after row with the same settings
(SQLite: WAL, `synchronous=FULL`), as a log without group commit would. A commit takes from the call of `append` to
its return; `busy` is the longest time that the event loop did not answer. Records have 20 features. The JSON file is
benchmarks/results/prediction_log.json. `--seconds 1` takes the same path as the default.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from multiprocessing import get_context
from pathlib import Path
from statistics import quantiles

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))

from tests.postgres import started  # noqa: E402 - the path is set above
from tests.predictions import record  # noqa: E402

from gristmill.serving.prediction_log.limits import LogLimits  # noqa: E402
from gristmill.serving.prediction_log.log import PredictionLog  # noqa: E402
from gristmill.serving.prediction_log.records import PredictionRecord  # noqa: E402
from gristmill.serving.prediction_log.rows import encode  # noqa: E402
from gristmill.serving.prediction_log.store import open_store  # noqa: E402
from gristmill.state_postgres import URL_VARIABLE  # noqa: E402

FEATURES = {f"column {number}": number * 1.5 if number % 2 else f"level {number}" for number in range(20)}
Measured = dict[str, float]


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each line of the table is measured")
    parser.add_argument("--writers", type=int, default=64, help="coroutines that wait at once, in all processes together")
    options = parser.parse_args()
    lines = [*_lines("SQLite", options), *_in_postgres(options)]
    print(f"{'log':<12}{'how':<16}{'processes':>10}{'records/s':>12}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}{'busy ms':>9}")
    for line in lines:
        figures = "".join(f"{line.get(name, float('nan')):>9.2f}" for name in ("p50_ms", "p99_ms", "max_ms", "busy_ms"))
        print(f"{line['log']:<12}{line['how']:<16}{line['processes']:>10}{line['records_per_second']:>12,.0f}{figures}")
    results = REPOSITORY / "benchmarks" / "results"
    results.mkdir(exist_ok=True)
    found = {**vars(options), "load_of_the_machine": os.getloadavg()[0], "lines": lines}
    (results / "prediction_log.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def _in_postgres(options: argparse.Namespace) -> Iterator[dict[str, object]]:
    """Give the lines of a PostgreSQL that runs meanwhile."""
    with started() as server:
        server.run("CREATE DATABASE log")
        os.environ[URL_VARIABLE] = f"postgresql://postgres@/log?host={server.folder}"
        yield from _lines("PostgreSQL", options)
        del os.environ[URL_VARIABLE]


def _lines(log: str, options: argparse.Namespace) -> Iterator[dict[str, object]]:
    """Give what was measured with one database."""
    with _fresh() as root:
        yield {"log": log, "how": "row by row", "processes": 1, **bare(root, options.seconds)}
    for processes in (1, 2):
        with _fresh() as root:
            yield {"log": log, "how": "group commit", "processes": processes, **grouped(root, options, processes)}


@contextmanager
def _fresh() -> Iterator[Path]:
    """Give a project with an empty log."""
    with tempfile.TemporaryDirectory() as folder:
        with closing(open_store(Path(folder), 30)) as store, store.transaction() as session:
            session.execute("DELETE FROM gristmill_predictions")
        yield Path(folder)


def _record() -> PredictionRecord:
    """Return the next record."""
    return record(str(time.monotonic_ns()), features=FEATURES)


def bare(root: Path, seconds: float) -> Measured:
    """Return how fast one row after the other is committed."""
    took: list[float] = []
    with closing(open_store(root, 30)) as store:
        begin = time.perf_counter()
        while (now := time.perf_counter()) < begin + seconds:
            store.insert([encode(_record())[0]])
            took.append(time.perf_counter() - now)
    return _measured(took, time.perf_counter() - begin)


def grouped(root: Path, options: argparse.Namespace, processes: int) -> Measured:
    """Return how fast coroutines of several processes append."""
    if processes == 1:
        return _measured(*asyncio.run(_append(root, options.seconds, options.writers)))
    with get_context("spawn").Pool(processes) as pool:
        pool.map(time.sleep, [0.1] * processes)  # all of them have started
        found = pool.starmap(_process, [(root, options.seconds, options.writers // processes)] * processes, chunksize=1)
    return _measured(
        [one for took, _, _ in found for one in took], max(found, key=lambda one: one[1])[1], max(one[2] for one in found)
    )


def _process(root: Path, seconds: float, writers: int) -> tuple[list[float], float, float]:
    """Append in this process."""
    return asyncio.run(_append(root, seconds, writers))


async def _append(root: Path, seconds: float, writers: int) -> tuple[list[float], float, float]:
    """Return the times of commits, of all, and for how long the event loop was busy at most."""
    took: list[float] = []
    async with PredictionLog(root, LogLimits(seconds=30)) as log:
        await log.check_writable()
        begin = time.perf_counter()

        async def write() -> None:
            while (now := time.perf_counter()) < begin + seconds:
                await log.append([_record()])
                took.append(time.perf_counter() - now)

        busy = asyncio.create_task(_busy())
        await asyncio.gather(*(write() for _ in range(writers)))
        elapsed = time.perf_counter() - begin
        busy.cancel()
        (longest,) = await asyncio.gather(busy)
    return took, elapsed, longest


async def _busy() -> float:
    """Return by how much a wish to be woken in a millisecond was late at most, in seconds; until this is cancelled."""
    longest = 0.0
    try:
        while True:
            begin = time.perf_counter()
            await asyncio.sleep(0.001)
            longest = max(longest, time.perf_counter() - begin - 0.001)
    except asyncio.CancelledError:
        return longest


def _measured(took: list[float], elapsed: float, busy: float = float("nan")) -> Measured:
    """Return the figures of a line."""
    hundredths = [1000 * value for value in quantiles(took, n=100)]
    found = {
        "records_per_second": len(took) / elapsed,
        "p50_ms": hundredths[49],
        "p99_ms": hundredths[98],
        "max_ms": 1000 * max(took),
    }
    return found if busy != busy else {**found, "busy_ms": 1000 * busy}  # noqa: PLR0124 - a row by row loop has none


if __name__ == "__main__":
    main()
