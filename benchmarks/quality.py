"""How good the models are: Gristmill beside HistGradientBoosting, FLAML and AutoGluon on twelve real tables.

`python benchmarks/quality.py --reuse` prints a table in Markdown and writes benchmarks/results/quality.json. Every system is given
the same rows, the same seconds and the same two cores, in a process of its own; all answers are scored by the same code. The
others need an environment of their own, which `benchmarks/quality-requirements.txt` tells how to make. What was answered is kept
in benchmarks/results/quality/ as soon as it is there: `--reuse` goes on where a killed comparison was, and measures again only
the systems whose code has changed. A comparison of all takes about 75 minutes; nothing else should run beside it.
"""

import argparse
import fcntl
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from comparison import report
from comparison.systems import BENCHMARKS, MORE_SYSTEMS, OURS, SYSTEMS, Run, Store, run
from comparison.tables import TABLES, Divided, Table, divide

CORES = 2
RESULTS = BENCHMARKS / "results"
ENVIRONMENT = Path(tempfile.gettempdir()) / "quality-env"


def options() -> argparse.Namespace:
    """Return what the command line asks for; a name that is not known ends the process with exit code 2."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [table.name for table in TABLES]
    parser.add_argument("--tables", nargs="+", choices=names, default=names, metavar="TABLE", help=f"of {', '.join(names)}")
    systems = (*SYSTEMS, *MORE_SYSTEMS)
    parser.add_argument("--systems", nargs="+", choices=systems, default=SYSTEMS, metavar="SYSTEM", help=f"of {', '.join(systems)}")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1], help="divide every table by each of these")
    parser.add_argument("--seconds", type=float, default=60, help="time for the training of each system")
    parser.add_argument("--reuse", action="store_true", help="take earlier answers where rows and code are the same")
    parser.add_argument("--environment", type=Path, default=ENVIRONMENT, help=f"of the other systems; {ENVIRONMENT} by default")
    given = parser.parse_args()
    given.python = given.environment / "bin" / "python"
    if set(given.systems) != {OURS} and not given.python.is_file():
        parser.error(f"there is no {given.python}: make the environment as benchmarks/quality-requirements.txt says, or name it")
    return given


@contextmanager
def alone(folder: Path) -> Iterator[int]:
    """Give the descriptor of a lock that lets one comparison run at a time: two would measure each other.

    A system that a killed comparison left behind holds it as well, until it ends.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(
                f"{folder} is in use by another comparison, or by what a killed one left. Wait for it, or end it.", file=sys.stderr
            )
            sys.exit(2)
        lock.seek(0)
        left_behind = lock.read().strip()
        if left_behind:
            shutil.rmtree(left_behind, ignore_errors=True)
        lock.truncate(0)
        yield lock.fileno()


@contextmanager
def scratch(lock: int) -> Iterator[Path]:
    """Give an empty folder that is gone afterwards, with all models in it; after a kill, with the next comparison."""
    folder = Path(tempfile.mkdtemp(prefix="quality-"))
    os.truncate(lock, 0)
    os.write(lock, str(folder).encode())
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.truncate(lock, 0)


def measured(system: str, divided: Divided, given: argparse.Namespace, store: Store, lock: int) -> Run:
    """Return a run of a system on a task: an earlier one where it may be taken, else one that is made and kept now."""
    done = store.find(system, divided, given.seconds) if given.reuse else None
    how = "as before"
    if done is None:
        with scratch(lock) as folder:
            done = run(system, divided, given.seconds, python=given.python, folder=folder, lock=lock)
            store.keep(done, divided, folder)
        how = f"{done.call_seconds:.0f} s, {done.peak_mb / 1024:.1f} GB"
    state = f"failed, {done.error}" if done.error else how
    print(f"{divided.table.name} {divided.seed} {system}: {state}", file=sys.stderr, flush=True)
    return done


def compared(table: Table, given: argparse.Namespace, store: Store, lock: int) -> dict[str, Any]:
    """Return the figures of one table."""
    divided = [divide(table, seed) for seed in given.seeds]
    runs = {system: [measured(system, one, given, store, lock) for one in divided] for system in given.systems}
    return report.of_table(divided, runs, store)


def main() -> None:
    """Run what is not there yet, score all, print and write."""
    given = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what runs is ended, and its folder removed
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    store = Store(RESULTS / "quality")
    with alone(store.folder) as lock:
        tables = {table.name: compared(table, given, store, lock) for table in TABLES if table.name in given.tables}
    figures = {"seconds": given.seconds, "seeds": given.seeds, "cores": CORES, "systems": list(given.systems), "tables": tables}
    figures["summary"] = report.summary(tables)
    (RESULTS / "quality.json").write_text(json.dumps(figures, indent=1) + "\n")
    print(report.markdown(figures))


if __name__ == "__main__":
    main()
