"""Records that are older than they are to be kept go, with their labels (R43)."""

import asyncio
import time
from datetime import timedelta
from pathlib import Path

import pytest
from tests.predictions import record

from gristmill.config.loading import parse_case
from gristmill.errors import CaseFileError
from gristmill.serving.prediction_log.limits import LogLimits
from gristmill.serving.prediction_log.log import PredictionLog
from gristmill.serving.prediction_log.reader import LogReader
from gristmill.serving.prediction_log.records import Feedback
from gristmill.serving.prediction_log.retention import Keep, kept_for, prune_all
from gristmill.serving.prediction_log.store import open_store

DAY = 86_400.0
CASE = "name: churn\ntask: binary\nsource: x.csv\ntarget: y\npositive_class: a\n"


def fill(root: Path, now: float) -> None:
    """Write ten records a model, a day apart, each with a label."""

    async def filling() -> None:
        async with PredictionLog(root, LogLimits(seconds=30)) as log:
            records = [
                record(prediction_id=f"{model}{age}", model=model, at=now - age * DAY) for model in "abc" for age in range(10)
            ]
            await log.append(records)
            await log.record_feedback([Feedback(one.prediction_id, "Yes", now) for one in records])

    asyncio.run(filling())


def left(root: Path) -> dict[str, int]:
    found = [one.model for one in LogReader(root).last(1000)]
    return {model: found.count(model) for model in "abc"}


def labels(root: Path) -> int:
    store = open_store(root, 30)
    (found,) = store.read("SELECT count(*) FROM gristmill_feedback")[0]
    store.close()
    return int(found)


def test_each_model_keeps_as_long_as_its_case_says(root: Path):
    now = 1_000_000_000.0
    fill(root, now)
    keep = {"a": timedelta(days=3.5), "b": None}
    assert prune_all(root, keep, now) == {"a": 6, "b": None, "c": None}
    assert left(root) == {"a": 4, "b": 10, "c": 10}
    assert labels(root) == 24
    assert prune_all(root, keep, now - 100 * DAY) == {"a": 0, "b": None, "c": None}, "the clock was set back"


@pytest.mark.parametrize(
    ("keep", "expected"),
    [
        (timedelta(days=2.5), {"a": 3, "b": 3, "c": 3}),
        ({"b": timedelta(days=0.5)}, {"a": 10, "b": 1, "c": 10}),
        (None, dict.fromkeys("abc", 10)),
    ],
)
def test_a_service_prunes_in_the_background(root: Path, keep: Keep, expected: dict[str, int]):
    fill(root, time.time())

    async def serving() -> None:
        async with PredictionLog(root, LogLimits(seconds=30), keep=keep) as log:
            deadline = time.monotonic() + 30
            while await asyncio.to_thread(left, root) != expected and time.monotonic() < deadline:
                pass
            await log.append([record(model="new")])

    asyncio.run(serving())
    assert left(root) == expected


def test_many_old_records_are_deleted_a_few_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("gristmill.serving.prediction_log.retention.prune_some.__defaults__", (4,))
    fill(tmp_path, 1_000_000_000.0)
    assert prune_all(tmp_path, {"a": timedelta(days=1)}, 2_000_000_000.0)["a"] == 10
    assert left(tmp_path) == {"a": 0, "b": 10, "c": 10}


def test_the_case_file_says_how_long():
    assert kept_for(parse_case(CASE, "x").compliance.log_retention) == timedelta(days=90)
    assert kept_for(parse_case(f"{CASE}compliance: {{log_retention: null}}\n", "x").compliance.log_retention) is None
    with pytest.raises(CaseFileError, match="input should be a valid string, got 90"):
        parse_case(f"{CASE}compliance: {{log_retention: 90}}\n", "x")
    with pytest.raises(CaseFileError, match="expected a duration above zero"):
        parse_case(f"{CASE}compliance: {{log_retention: 0 days}}\n", "x")
