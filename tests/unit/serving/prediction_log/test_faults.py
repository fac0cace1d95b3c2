"""A log that is locked, full, deleted, damaged or gone refuses, and goes on by itself (R43)."""

import asyncio
import json
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.conftest import REPOSITORY
from tests.postgres import Postgres
from tests.predictions import record

from gristmill.errors import LogUnavailable
from gristmill.serving.prediction_log.limits import LogLimits
from gristmill.serving.prediction_log.log import PredictionLog
from gristmill.serving.prediction_log.reader import LogReader
from gristmill.serving.prediction_log.records import Feedback, Label, Predicted
from gristmill.serving.prediction_log.store import log_file

QUICK = LogLimits(seconds=0.3)


async def until(done: Callable[[], Awaitable[object]], seconds: float = 30.0) -> None:
    """Try again until the log takes it."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            await done()
        except LogUnavailable:
            assert time.monotonic() < deadline, "the log has not recovered"
        else:
            return


def ids(root: Path) -> list[str]:
    return [one.prediction_id for one in reversed(LogReader(root).last(1000))]


def test_a_log_that_another_program_locks_refuses_in_time_and_goes_on(tmp_path: Path):
    async def serving() -> None:
        async with PredictionLog(tmp_path, QUICK) as log:
            await until(lambda: log.append([record(prediction_id="before")]))
            with closing(sqlite3.connect(log_file(tmp_path), isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                begin = time.monotonic()
                with pytest.raises(LogUnavailable, match=r"locked|took no record within 0\.3 s"):
                    await log.append([record(prediction_id="during")])
                assert time.monotonic() - begin < 5
                with pytest.raises(LogUnavailable):
                    await log.check_writable()
                other.execute("ROLLBACK")
            await until(log.check_writable)
            await until(lambda: log.append([record(prediction_id="after")]))

    asyncio.run(serving())
    assert [one for one in ids(tmp_path) if one != "during"] == ["before", "after"]


def test_labels_that_were_refused_are_not_written_when_the_lock_is_gone(tmp_path: Path):
    async def serving() -> None:
        async with PredictionLog(tmp_path, QUICK) as log:
            await until(lambda: log.append([record(prediction_id="a")]))
            with closing(sqlite3.connect(log_file(tmp_path), isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                stale = [log.record_feedback([Feedback("a", "No", 1.0)]) for _ in range(6)]
                refused = await asyncio.gather(*stale, return_exceptions=True)
                assert [type(error) for error in refused] == [LogUnavailable] * 6
                other.execute("ROLLBACK")
            await until(lambda: log.record_feedback([Feedback("a", "Yes", 2.0)]))
            assert log.lag == 0

    asyncio.run(serving())
    assert labels(tmp_path) == [("Yes", 0)]


def test_labels_whose_waiter_is_refused_while_they_are_written_are_undone(root: Path):
    begun, refused = threading.Event(), threading.Event()

    def check(predicted: Predicted, label: Label) -> str | None:
        begun.set()
        return None if refused.wait(30) else "nobody was refused"

    async def serving() -> None:
        async with PredictionLog(root, LogLimits(seconds=30)) as log:
            await log.append([record(prediction_id="a")])
            sent = asyncio.create_task(log.record_feedback([Feedback("a", "No", 1.0)], check))
            while not begun.is_set():
                await asyncio.sleep(0.001)
            sent.cancel()
            await asyncio.gather(sent, return_exceptions=True)
            refused.set()
            await log.record_feedback([Feedback("a", "Yes", 2.0)])

    asyncio.run(serving())
    assert labels(root) == [("Yes", 0)]


def labels(root: Path) -> list[tuple[object, object]]:
    return [(row["label"], row["corrections"]) for batch in LogReader(root).batches() for row in batch.to_pylist()]


@pytest.mark.parametrize("replaced", [False, True], ids=["deleted", "replaced"])
@pytest.mark.parametrize("suffix", ["", "-wal"])
def test_a_log_that_is_deleted_under_it_is_made_anew_before_anything_is_acknowledged(tmp_path: Path, suffix: str, replaced: bool):
    async def serving() -> None:
        async with PredictionLog(tmp_path, LogLimits(seconds=30)) as log:
            await log.append([record(prediction_id="lost")])
            file = Path(f"{log_file(tmp_path)}{suffix}")
            copy = shutil.copy(file, tmp_path / "copy")
            file.unlink()
            if replaced:
                shutil.copy(copy, file)
            await log.append([record(prediction_id="kept")])
            await log.append([record(prediction_id="too")])
            assert ids(tmp_path)[-2:] == ["kept", "too"]

    asyncio.run(serving())
    assert ids(tmp_path)[-2:] == ["kept", "too"]


def test_two_processes_whose_log_is_deleted_go_on_in_one_new_log(tmp_path: Path):
    async def serving() -> None:
        async with PredictionLog(tmp_path, LogLimits(seconds=30)) as one:
            async with PredictionLog(tmp_path, LogLimits(seconds=30)) as other:
                await one.append([record(prediction_id="lost")])
                await other.append([record(prediction_id="lost too")])
                for file in log_file(tmp_path).parent.glob("predictions.db*"):
                    file.unlink()
                await one.append([record(prediction_id="a")])
                await other.append([record(prediction_id="b")])
                await one.append([record(prediction_id="c")])
            await one.append([record(prediction_id="d")])

    asyncio.run(serving())
    assert ids(tmp_path) == ["a", "b", "c", "d"]


def test_two_processes_whose_write_ahead_log_is_deleted_lose_nothing(tmp_path: Path):
    program = [sys.executable, "-m", "tests.predictions", str(tmp_path), "4"]
    outputs = [tmp_path / "one.txt", tmp_path / "other.txt"]  # no pipes: one that is full would keep its process from writing on

    def written() -> list[list[str]]:
        return [output.read_text().split("\n")[:-1] for output in outputs]

    def write_on(more: int) -> None:
        wanted, deadline = [len(names) + more for names in written()], time.monotonic() + 60
        while any(len(names) < enough for names, enough in zip(written(), wanted, strict=True)):
            assert time.monotonic() < deadline, "a process no longer writes"

    writing = []
    for output in outputs:
        with output.open("w") as opened:
            writing.append(subprocess.Popen(program, cwd=REPOSITORY, stdout=opened))
    try:
        write_on(50)
        Path(f"{log_file(tmp_path)}-wal").unlink()
        write_on(100)
    finally:
        for process in writing:
            process.kill()
            process.wait()
    found = {name for batch in LogReader(tmp_path).batches() for name in batch["prediction_id"].to_pylist()}
    assert {name for names in written() for name in names} <= found
    with closing(sqlite3.connect(log_file(tmp_path))) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_log_that_cannot_be_made_or_is_damaged_refuses_until_it_can(tmp_path: Path):
    file = log_file(tmp_path)
    file.parent.write_text("in the way")

    async def serving() -> None:
        async with PredictionLog(tmp_path, LogLimits(seconds=30)) as log:
            with pytest.raises(LogUnavailable, match=r"cannot be written: .*Make its folder writable"):
                await log.append([record()])
            file.parent.unlink()
            file.parent.mkdir()
            file.write_bytes(b"no database" * 1000)
            with pytest.raises(LogUnavailable, match=r"not a database.*restore it from a backup"):
                await log.check_writable()
            file.unlink()
            await log.append([record(prediction_id="at last")])

    asyncio.run(serving())
    assert ids(tmp_path) == ["at last"]


FULL = """
import asyncio, json, resource, sys
from pathlib import Path
from tests.predictions import record
from gristmill.serving.prediction_log.limits import LogLimits
from gristmill.serving.prediction_log.log import PredictionLog
from gristmill.errors import LogUnavailable

async def serving():
    kept, told = [], []
    async with PredictionLog(Path(sys.argv[1]), LogLimits(seconds=30)) as log:
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
        for number in range(200):
            try:
                await log.append([record(prediction_id=str(number), features={"text": "x" * 2000})])
                kept.append(str(number))
            except LogUnavailable as error:
                told.append(str(error))
        try:
            await log.check_writable()
        except LogUnavailable as error:
            told.append(str(error))
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        await log.append([record(prediction_id="after")])
    print(json.dumps({"kept": [*kept, "after"], "told": told}))

asyncio.run(serving())
"""


def test_a_disk_that_is_full_refuses_and_loses_nothing_that_was_acknowledged(tmp_path: Path):
    program = [sys.executable, "-c", FULL, str(tmp_path)]
    ended = subprocess.run(program, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    said = json.loads(ended.stdout)
    assert len(said["told"]) > 50
    assert all("Free space on its disk" in sentence for sentence in said["told"])
    assert len(said["kept"]) > 20
    found = ids(tmp_path)
    assert set(said["kept"]) <= set(found)
    assert len(found) == len(set(found))


def test_a_postgresql_that_is_stopped_refuses_and_is_used_again_when_it_is_back(postgres_root: Path, server: Postgres):
    async def serving() -> None:
        async with PredictionLog(postgres_root, LogLimits(seconds=10)) as log:
            await log.append([record(prediction_id="before")])
            with server.stopped():
                with pytest.raises(LogUnavailable, match="does not answer"):
                    await log.append([record(prediction_id="during")])
                with pytest.raises(LogUnavailable):
                    await log.check_writable()
            await log.append([record(prediction_id="after")])
            with server.stopped():
                pass
            await log.append([record(prediction_id="at once")])  # on a connection that was lost, without a refusal

    asyncio.run(serving())
    assert ids(postgres_root) == ["before", "after", "at once"]


def test_tables_that_are_dropped_refuse_and_are_made_again(postgres_root: Path, server: Postgres):
    async def serving() -> None:
        async with PredictionLog(postgres_root, LogLimits(seconds=30)) as log:
            await log.append([record(prediction_id="lost")])
            with closing(_session()) as session:
                for table in ("predictions", "feedback", "erasures", "prediction_log"):
                    session.execute(f"DROP TABLE gristmill_{table}")
            await log.append([record(prediction_id="kept")])

    asyncio.run(serving())
    assert ids(postgres_root) == ["kept"]


def _session():
    import os  # noqa: PLC0415

    from gristmill.state_postgres import URL_VARIABLE, connect  # noqa: PLC0415

    return connect(os.environ[URL_VARIABLE])


def test_without_a_log_a_reader_says_so_and_makes_none(root: Path):
    for _ in range(2):
        with pytest.raises(LogUnavailable, match="There is no prediction log yet"):
            LogReader(root).last(1)
    assert not log_file(root).parent.exists()
