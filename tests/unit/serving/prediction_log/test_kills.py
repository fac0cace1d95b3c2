"""Processes that are killed while they write: every acknowledged record is there, none twice (R43)."""

import random
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from tests.conftest import REPOSITORY

from gristmill.serving.prediction_log.reader import LogReader
from gristmill.serving.prediction_log.store import log_file


def killed(root: Path, rounds: int, processes: int, seed: int = 0) -> list[str]:
    """Kill processes that write one log, all at once, again and again; return the ids they said to be durable."""
    chance, durable = random.Random(seed), []
    for _ in range(rounds):
        writing = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.predictions", str(root), "8"], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
            )
            for _ in range(processes)
        ]
        said = [process.stdout.readline() for process in writing]  # type: ignore[union-attr]
        said += [writing[0].stdout.readline() for _ in range(chance.randrange(100))]  # type: ignore[union-attr]
        for process in writing:
            process.kill()
        durable += [line.strip() for line in said]
        for process in writing:
            durable += [line.strip() for line in process.communicate()[0].splitlines()]
    return durable


def check_log(root: Path, durable: list[str]) -> None:
    """Hold the log against what was said to be durable."""
    found = Counter(name for batch in LogReader(root).batches() for name in batch["prediction_id"].to_pylist())
    assert set(found.values()) == {1}
    assert not set(durable) - set(found)
    assert len(durable) == len(set(durable))


@pytest.mark.parametrize("processes", [1, 2])
def test_killed_writers_lose_nothing(root: Path, processes: int):
    durable = killed(root, 2, processes)
    assert len(durable) >= 2 * processes
    check_log(root, durable)


@pytest.mark.slow
def test_writers_killed_many_times_lose_nothing(root: Path):
    durable = killed(root, 10, 2, seed=1)
    check_log(root, durable)
    if log_file(root).exists():
        with closing(sqlite3.connect(log_file(root))) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
