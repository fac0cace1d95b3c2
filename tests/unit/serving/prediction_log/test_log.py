"""Records that were appended are there, once each; bounds, and several writers (R43)."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.predictions import record

from gristmill.errors import DataError, LogUnavailable
from gristmill.serving.prediction_log.limits import LogLimits
from gristmill.serving.prediction_log.log import PredictionLog
from gristmill.serving.prediction_log.reader import LogReader
from gristmill.serving.prediction_log.records import Feedback, PredictionRecord, new_prediction_id
from gristmill.serving.prediction_log.store import log_file


def append(root: Path, *records: PredictionRecord, limits: LogLimits | None = None) -> None:
    async def appending() -> None:
        async with PredictionLog(root, limits or LogLimits(seconds=30)) as log:
            await log.append(records)

    asyncio.run(appending())


def test_a_record_comes_back_as_it_was_written(root: Path):
    odd = record(
        "Zoë \u0000 \ud800 ' \" ?",
        prediction=1.0000000000000002,
        probabilities=None,
        confidence=None,
        warnings=(),
        role="shadow",
        beside="x",
        request_id="r",
        features={"naïve \n?": "\u0000😀\ud800$1", "n": 2**60, "small": 5e-324, "none": None, "yes": True},
    )
    plain = record()
    append(root, odd, plain)
    assert LogReader(root).last(10) == [plain, odd]


def test_a_record_that_is_appended_again_stays_as_it_was(root: Path):
    first = record(prediction_id="same", latency_ms=1.0)
    append(root, first, record(prediction_id="same", latency_ms=2.0))
    append(root, record(prediction_id="same", latency_ms=3.0), record(prediction_id="other"))
    found = LogReader(root).last(10)
    assert [one.prediction_id for one in found] == ["other", "same"]
    assert found[1] == first


def test_a_text_of_a_header_that_no_database_takes_is_escaped(root: Path):
    append(root, record(request_id="a\u0000b\ud800"))
    assert LogReader(root).last(1)[0].request_id == "a\\x00b\\ud800"


def test_what_cannot_be_written_is_refused_and_harms_nobody_else(root: Path):
    async def appending() -> list[object]:
        async with PredictionLog(root, LogLimits(seconds=30)) as log:
            return await asyncio.gather(
                log.append([record(prediction_id="good")]),
                log.append([record(prediction_id="beside it"), record(features={"x": float("nan")})]),
                log.append([record(latency_ms=float("inf"))]),
                log.append([record(features={"x": object()})]),
                return_exceptions=True,
            )

    good, *bad = asyncio.run(appending())
    assert good is None
    assert all(isinstance(error, DataError) and "Send finite numbers" in str(error) for error in bad)
    assert [one.prediction_id for one in LogReader(root).last(10)] == ["good"]


def test_many_writers_share_few_transactions_and_nothing_waits_in_the_end(root: Path, monkeypatch: pytest.MonkeyPatch):
    from gristmill.serving.prediction_log import group_commit  # noqa: PLC0415

    written, insert = [], group_commit._insert
    monkeypatch.setattr(group_commit, "_insert", lambda store, rows: (written.append(len(rows)), insert(store, rows)))

    async def appending() -> int:
        async with PredictionLog(root, LogLimits(seconds=30)) as log:
            waiting = [asyncio.create_task(log.append([record(str(number))])) for number in range(200)]
            await asyncio.sleep(0)
            lag = log.lag
            await asyncio.gather(*waiting)
            assert log.lag == 0
            return lag

    assert asyncio.run(appending()) == 200
    assert sum(written) == 200
    assert len(written) < 20
    assert len({one.prediction_id for one in LogReader(root).last(1000)}) == 200


@pytest.mark.parametrize("limits", [LogLimits(records=3), LogLimits(size=2_000)])
def test_more_than_may_wait_is_refused_and_the_rest_is_written(tmp_path: Path, limits: LogLimits):
    async def appending() -> list[object]:
        async with PredictionLog(tmp_path, limits) as log:
            return await asyncio.gather(*(log.append([record()]) for _ in range(20)), return_exceptions=True)

    told = asyncio.run(appending())
    refused = [error for error in told if error is not None]
    assert len(refused) == 17
    assert all(isinstance(error, LogUnavailable) and "does not keep up" in str(error) for error in refused)
    assert len(LogReader(tmp_path).last(100)) == 3


@pytest.mark.parametrize("limits", [LogLimits(records=3), LogLimits(size=1_600)])
def test_more_labels_than_may_wait_are_refused(tmp_path: Path, limits: LogLimits):
    async def sending() -> list[object]:
        async with PredictionLog(tmp_path, limits) as log:
            await log.append([record(prediction_id="a")])
            labels = [Feedback("a", "Yes", 1.0)]
            told = await asyncio.gather(*(log.record_feedback(labels) for _ in range(20)), return_exceptions=True)
            assert log.lag == 0
            return told

    refused = [error for error in asyncio.run(sending()) if isinstance(error, Exception)]
    assert len(refused) == 17
    assert all(isinstance(error, LogUnavailable) and "does not keep up" in str(error) for error in refused)


def test_one_call_with_more_than_may_wait_is_taken_by_an_empty_log(tmp_path: Path):
    append(tmp_path, *(record() for _ in range(20)), limits=LogLimits(records=3, seconds=30))
    assert len(LogReader(tmp_path).last(100)) == 20


def test_what_waits_when_the_service_ends_is_written(root: Path):
    async def ending() -> None:
        log = PredictionLog(root, LogLimits(seconds=30))
        async with log:
            waiting = asyncio.create_task(log.append([record(prediction_id="late")]))
            await asyncio.sleep(0)
        await waiting
        with pytest.raises(LogUnavailable):
            await log.append([record()])

    asyncio.run(ending())
    assert [one.prediction_id for one in LogReader(root).last(10)] == ["late"]


def test_the_file_is_for_its_owner_and_commits_reach_the_disk(tmp_path: Path):
    append(tmp_path, record())
    assert log_file(tmp_path).stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(log_file(tmp_path))) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_ids_grow_with_time_and_are_unique():
    ids = [new_prediction_id() for _ in range(10_000)]
    assert len(set(ids)) == 10_000
    assert [one[:13] for one in ids] == sorted(one[:13] for one in ids)
    assert {one[14] for one in ids} == {"7"}


def test_the_latest_are_the_last_written_even_where_the_clock_was_set_back(root: Path):
    append(root, record("early", at=2_000.0))
    append(root, record("late", at=1_000.0))
    assert [one.at for one in LogReader(root).last(2)] == [1_000.0, 2_000.0]
    assert [one.subject for one in LogReader(root).last(5, "request of early")] == [{"customer_id": "early"}]
