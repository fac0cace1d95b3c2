"""Whether a crash can tear a release: `python benchmarks/releases.py` prints counts and writes benchmarks/results/releases.json.

A model with three versions is promoted and rolled back `--moves` times, by turns. Each command is ended before a step drawn at
random: a statement of the state database, a change of an alias, a look at the files of a version. Most end by an exception in this
process, every `--kill-every`th in a process of its own by SIGKILL. After each, row, record and aliases are held against each other,
and against the two champions that are possible; anything else is a torn state and ends the benchmark. `--moves 20` takes the same
path as the default. With GRISTMILL_DATABASE_URL set, the release lies in that PostgreSQL.
"""

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from tests import releasing  # noqa: E402 - the path is set above

from gristmill.tracking_store import EmbeddedStore  # noqa: E402


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moves", type=int, default=1000)
    parser.add_argument("--kill-every", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        found = torture(Path(folder), options.moves, options.kill_every, random.Random(options.seed))  # noqa: S311
    result = {**vars(options), **found, "seconds": round(time.perf_counter() - begin, 1)}
    for name, value in result.items():
        print(f"{name:<16}{value}")
    results = REPOSITORY / "benchmarks" / "results"
    results.mkdir(exist_ok=True)
    (results / "releases.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def torture(root: Path, moves: int, kill_every: int, chance: random.Random) -> dict[str, object]:
    """Return how many commands were ended where, and how many champions came of them; raise at the first torn state."""
    processes, model = get_context("forkserver"), f"released{os.getpid()}"  # in a PostgreSQL there may be those of former runs
    processes.set_forkserver_preload(["mlflow", "gristmill.registry.promotion", "tests.releasing"])
    os.environ["MLFLOW_TRACKING_URI"] = EmbeddedStore(root).uri  # not that of the folder this was started in
    releasing.make_project(root)
    for _ in range(3):
        releasing.add_version(root, model)
    releasing.promotion.promote(model, 1, root=root)
    champion, ended, killed, moved = 1, Counter[str](), 0, 0
    steps = _steps(root, model)
    for turn in range(moves):
        at = chance.randrange(steps + 1)
        command, wanted = releasing.next_command(root, model, turn)
        if turn % kill_every == 0:
            process = processes.Process(target=_killed, args=(root, model, turn, at))
            process.start()
            process.join()
            if process.exitcode not in (0, -9):
                raise RuntimeError(f"turn {turn}, step {at}: the process ended with {process.exitcode}")
            killed += process.exitcode == -9
            ended["killed" if process.exitcode == -9 else "completed"] += 1
        else:
            ended[_stopped(command, at)] += 1
        after = releasing.check_whole(root, model, {champion, wanted})
        moved += after == wanted
        champion = int(after or 0)
    return {"steps": steps, "killed": killed, "moved": moved, "torn": 0, "ended": dict(ended.most_common())}


def _steps(root: Path, model: str) -> int:
    """Return how many steps a command takes."""
    command, _ = releasing.next_command(root, model, 1)
    with releasing.crashing(None, releasing.stop) as steps:
        command()
    releasing.promotion.rollback(model, "only counted", root=root)
    return len(steps)


def _stopped(command: Callable[[], object], at: int) -> str:
    """Run a command up to a step, and return before which it was ended."""
    with releasing.crashing(at, releasing.stop) as steps:
        try:
            command()
        except releasing.Crash:
            return f"after {steps[-1]}" if steps else "before the first step"
    return "completed"


def _killed(root: Path, model: str, turn: int, at: int) -> None:
    """Run a command up to a step in this process, and end it there."""
    command, _ = releasing.next_command(root, model, turn)
    with releasing.crashing(at, releasing.die):
        command()


if __name__ == "__main__":
    main()
