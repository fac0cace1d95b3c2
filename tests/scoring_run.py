"""A run of batch scoring in a process of its own, which may be killed."""

import multiprocessing
from multiprocessing.context import ForkServerProcess
from pathlib import Path

ROWS_A_PORTION = 50
NEEDED = [
    "gristmill.serving.batch.scoring", "gristmill.registry.references", "sklearn.linear_model", "sklearn.compose", "skops.io",
    "pyarrow.csv", "pyarrow.parquet", "pyarrow.compute",
]  # fmt: skip


def run(source: str, target: Path, model: str, root: Path) -> None:
    """Score a table in small portions."""
    from gristmill.paths import ProjectPaths  # noqa: PLC0415
    from gristmill.serving.batch import scoring, tables  # noqa: PLC0415

    tables.ROWS_A_PORTION = ROWS_A_PORTION
    scoring.score(source, target, model, ProjectPaths(root))


def started(source: str, target: Path, model: str, root: Path) -> ForkServerProcess:
    """Start a run; the server that forks it has imported what it needs, so that it begins at once."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(NEEDED)
    process = context.Process(target=run, args=(source, target, model, root))
    process.start()
    return process
