"""Erasing a subject leaves nothing of it in the files, and everything of the others (R43)."""

import asyncio
import sys
from contextlib import closing
from pathlib import Path

import pytest
from tests.postgres import Postgres
from tests.predictions import record

from gristmill.serving.prediction_log import residue
from gristmill.serving.prediction_log.erasure import Erased, erase
from gristmill.serving.prediction_log.limits import LogLimits
from gristmill.serving.prediction_log.log import PredictionLog
from gristmill.serving.prediction_log.reader import LogReader
from gristmill.serving.prediction_log.records import Feedback
from gristmill.serving.prediction_log.store import log_file, open_store
from gristmill.serving.prediction_log.subjects import subject_text


def fill(root: Path, subject: str, others: int = 300) -> list[str]:
    """Write a log in which records of a subject lie among others', with labels; return the ids of the subject's."""
    own = [f"own-id-{number}" for number in range(5)]

    async def filling() -> None:
        async with PredictionLog(root, LogLimits(seconds=30)) as log:
            for number, name in enumerate(own):
                await log.append([record(f"other {number} {i}", features={"text": "y" * 500}) for i in range(others // 5)])
                await log.append([record(subject, prediction_id=name, features={"customer_id": subject, "secret": "s3cr3t" * 900})])
            await log.record_feedback([Feedback(own[0], "Yes", 1.0), Feedback(own[1], "No", 1.0)])
            await log.record_feedback([Feedback(own[0], "No", 2.0)])

    asyncio.run(filling())
    return own


def bytes_of(root: Path) -> bytes:
    return b"".join(file.read_bytes() for file in log_file(root).parent.glob("*"))


def test_nothing_of_a_subject_is_left_in_any_byte_of_the_log(tmp_path: Path):
    own = fill(tmp_path, "7590-VHVEG")
    assert all(word in bytes_of(tmp_path) for word in (b"7590-VHVEG", b"s3cr3t", b"own-id-3"))
    assert erase(tmp_path, "customer_id", "7590-VHVEG", "me@here", 123.0) == Erased(5, 3)
    left = bytes_of(tmp_path)
    assert not [word for word in (b"7590-VHVEG", b"s3cr3t", *(name.encode() for name in own)) if word in left]
    rest = LogReader(tmp_path).last(1000)
    assert len(rest) == 300
    assert all(one.subject["customer_id"].startswith("other") for one in rest)


def test_it_is_erased_while_a_service_writes_and_the_service_goes_on(tmp_path: Path):
    async def serving() -> None:
        async with PredictionLog(tmp_path, LogLimits(seconds=30)) as log:
            await log.append([record("7590-VHVEG") for _ in range(50)])
            going = True

            async def write() -> None:
                while going:
                    await log.append([record("other")])

            writing = asyncio.create_task(write())
            program = ["-m", "tests.erasing", str(tmp_path), "customer_id", "7590-VHVEG"]
            process = await asyncio.create_subprocess_exec(sys.executable, *program)
            assert await process.wait() == 0
            going = False
            await writing
            assert b"7590-VHVEG" not in bytes_of(tmp_path)
            await log.append([record("after")])

    asyncio.run(serving())
    assert LogReader(tmp_path).last(1)[0].subject == {"customer_id": "after"}


def test_a_tombstone_tells_when_who_and_how_many_but_not_whom(root: Path):
    fill(root, "7590-VHVEG", others=5)
    erase(root, "customer_id", "7590-VHVEG", "me@here", 123.0)
    store = open_store(root, 30)
    assert store.read("SELECT * FROM gristmill_erasures") == [(123.0, "me@here", "customer_id", 5, 3)]
    assert store.read("SELECT count(*) FROM gristmill_feedback") == [(0,)]
    store.close()


@pytest.mark.parametrize("subject", ['"', 'a":"b', "Zoë", "\\", "5"])
def test_only_the_subject_itself_is_meant(root: Path, subject: str):
    near = [f"{subject}0", f"0{subject}", f'","customer_id":"{subject}', "else"]

    async def filling() -> None:
        async with PredictionLog(root, LogLimits(seconds=30)) as log:
            await log.append([record(name) for name in (*near, subject)])
            await log.append([record(subject={"other_id": subject})])
            await log.append([record(subject={"other_id": "1", "customer_id": subject, "z": "2"})])

    asyncio.run(filling())
    assert erase(root, "customer_id", subject, "me", 1.0) == Erased(2, 0)
    assert [one.subject for one in reversed(LogReader(root).last(10))] == [
        *({"customer_id": name} for name in near),
        {"other_id": subject},
    ]
    assert erase(root, "customer_id", subject, "me", 1.0) == Erased(0, 0)


@pytest.mark.parametrize("value", ["1", 1, 1.0])
def test_a_subject_is_the_same_however_its_number_is_written(tmp_path: Path, value: object):
    async def filling() -> None:
        async with PredictionLog(tmp_path, LogLimits(seconds=30)) as log:
            await log.append([record(subject={"customer_id": subject_text(one)}) for one in (1, 1.0, 1e0, "1", "01", 10, 1.5)])

    asyncio.run(filling())
    assert len(LogReader(tmp_path).last(10, subject=("customer_id", value))) == 4
    assert erase(tmp_path, "customer_id", value, "me", 1.0) == Erased(4, 0)
    assert {one.subject["customer_id"] for one in LogReader(tmp_path).last(10)} == {"01", "10", "1.5"}


def files_with(server: Postgres, word: bytes) -> list[Path]:
    """Return the files of a PostgreSQL that hold a word, once all that it has in memory is written."""
    server.run("CHECKPOINT")
    return [file for file in (server.folder / "base").rglob("*") if file.is_file() and word in file.read_bytes()]


def analyze(root: Path, *before: str) -> None:
    """Take statistics of the log, as a server does by itself whenever it likes."""
    with closing(open_store(root, 30)) as store:
        for statement in (*before, "ANALYZE gristmill_predictions", "ANALYZE gristmill_feedback"):
            store.read(statement)


def test_nothing_of_a_subject_is_left_in_the_tables_of_postgresql(postgres_root: Path, server: Postgres):
    fill(postgres_root, "8888-ERASE")
    assert len(files_with(server, b"8888-ERASE")) >= 1
    erase(postgres_root, "customer_id", "8888-ERASE", "me@here", 1.0)
    assert not files_with(server, b"8888-ERASE")
    assert len(LogReader(postgres_root).last(1000)) == 300


def test_the_statistics_that_postgresql_takes_hold_no_values_of_people(postgres_root: Path, server: Postgres):
    fill(postgres_root, "8888-ERASE")
    tables = files_with(server, b"8888-ERASE")
    analyze(postgres_root)
    assert files_with(server, b"8888-ERASE") == tables
    erase(postgres_root, "customer_id", "8888-ERASE", "me@here", 1.0)
    assert not files_with(server, b"8888-ERASE")


@pytest.mark.parametrize("others", [0, 300])
def test_statistics_of_a_log_from_before_are_erased_with_the_subject(postgres_root: Path, server: Postgres, others: int):
    fill(postgres_root, "8888-ERASE", others)
    tables = files_with(server, b"8888-ERASE")
    names = ("subject", "features")
    analyze(postgres_root, *(f"ALTER TABLE gristmill_predictions ALTER COLUMN {name} SET STATISTICS -1" for name in names))
    assert len(files_with(server, b"8888-ERASE")) > len(tables)
    for _ in range(2):
        erase(postgres_root, "customer_id", "8888-ERASE", "me@here", 1.0)
        assert not files_with(server, b"8888-ERASE")
    assert len(LogReader(postgres_root).last(1000)) == others
    analyze(postgres_root)
    assert not files_with(server, b"own-id-")


def test_a_copy_that_was_left_in_a_gap_of_the_file_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "file"
    file.write_bytes(b"x" * 995 + b'"customer_id":"7590-VHVEG"' + b"x" * 1000)
    monkeypatch.setattr(residue, "_CHUNK", 1000)
    assert residue.residues(file, [b'"customer_id":"7590-VHVEG"', b"nowhere"]) == 1


def test_a_file_in_which_something_was_left_is_written_anew(tmp_path: Path):
    fill(tmp_path, "7590-VHVEG")
    store = open_store(tmp_path, 30)
    store._connection.execute("PRAGMA secure_delete=OFF")  # type: ignore[attr-defined]
    with store.transaction() as session:
        session.execute("DELETE FROM gristmill_predictions WHERE prediction_id LIKE 'own%'")
        session.execute("DELETE FROM gristmill_feedback")
    store.close()
    assert b"7590-VHVEG" in bytes_of(tmp_path)
    store = open_store(tmp_path, 30)
    store.scrub(['"customer_id":"7590-VHVEG"'])
    store.close()
    assert b"7590-VHVEG" not in bytes_of(tmp_path)
    assert len(LogReader(tmp_path).last(1000)) == 300
