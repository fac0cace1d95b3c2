"""What a killed service has lost: `python benchmarks/service/kills.py` prints every ten kills, and writes results/kills.json.

The champion of a built case is served with one worker and with two in turns. Eight clients ask without a pause; after a random
number of answers (from `--seed`) every process of the service gets SIGKILL, and it is started again on what is left, `--kills`
times, or until the `--minutes` are over. Every ten kills each answered request is looked for in the log. The project is copied.
`--kills 2` takes the same path as the default.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "benchmarks")]

from tests.service import start  # noqa: E402
from tests.service_kills import Asked, Outcome, held_against, killed  # noqa: E402

from serving import copied, rows_of  # noqa: E402 - the path is set above

AT_ONCE = 10
"""Kills after which the log is held against the answers."""


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--project", type=Path, default=REPOSITORY)
    parser.add_argument("--case", default="churn")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    os.environ.pop("MLFLOW_TRACKING_URI", None)  # of the folder this was started in
    results = REPOSITORY / "benchmarks" / "results"
    results.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for found in _measured(options, copied(options.project, options.case, Path(folder) / "project")):
            (results / "kills.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
            print(json.dumps(found), flush=True)
    if found["lost"] or found["torn"] or found["twice"] or found["damaged"]:
        sys.exit(1)


def _measured(options: argparse.Namespace, root: Path) -> Any:
    """Give what was found so far, every few kills."""
    rows = rows_of(options.project / "artifacts" / options.case, root / "model")
    asked, kills, began = Asked(), 0, time.monotonic()
    while kills < options.kills and time.monotonic() - began < options.minutes * 60:
        some = min(AT_ONCE, options.kills - kills)
        more = killed(root, lambda workers: start(root, workers, name=options.case), rows, some, options.seed + kills, options.case)
        kills += some
        for whole, part in ((asked.sent, more.asked.sent), (asked.answered, more.asked.answered)):
            whole.update(part)  # type: ignore[arg-type]
        asked.refused.extend(more.asked.refused)
        yield _record(held_against(root, asked, kills), time.monotonic() - began)


def _record(outcome: Outcome, seconds: float) -> dict[str, Any]:
    """Return what came of kills as JSON-able."""
    return {
        "kills": outcome.kills,
        "requests_answered": len(outcome.asked.answered),
        "predictions_answered": sum(map(len, outcome.asked.answered.values())),
        "requests_in_flight_when_killed": outcome.in_flight,
        "predictions_logged": outcome.logged,
        "refused": len(outcome.asked.refused),
        "lost": len(outcome.lost),
        "torn": len(outcome.torn),
        "twice": len(outcome.twice),
        "damaged": len(outcome.damaged),
        "seconds": round(seconds),
    }


if __name__ == "__main__":
    main()
