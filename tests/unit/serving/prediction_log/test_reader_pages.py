"""The log is read in pages: each record once, in the order of writing, without looking at those of the other pages."""

import asyncio
import random
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.predictions import record

from gristmill.serving.prediction_log.limits import LogLimits
from gristmill.serving.prediction_log.log import PredictionLog
from gristmill.serving.prediction_log.reader import LogReader
from gristmill.serving.prediction_log.records import Feedback
from gristmill.serving.prediction_log.sqlite_store import SqliteStore
from gristmill.serving.prediction_log.store import log_file


def fill(root: Path) -> None:
    """Write predictions of two models whose times are in no order, every third with a label."""
    times = random.Random(0).sample(range(1, 61), 60)

    async def filling() -> None:
        async with PredictionLog(root, LogLimits(seconds=30)) as log:
            names = [(f"{model}-{at}", model, float(at)) for at in times for model in ("churn", "other")]
            await log.append([record(f"c{at}", prediction_id=name, model=model, at=at) for name, model, at in names])
            await log.record_feedback([Feedback(name, "Yes", 99.0) for name, _, at in names if at % 3 == 0])

    asyncio.run(filling())


def test_a_span_is_given_once_and_in_the_order_of_writing_whatever_the_page(root: Path):
    fill(root)
    whole = LogReader(root).last(1000)[::-1]
    wanted = [one.prediction_id for one in whole if one.model == "churn" and 10 <= one.at < 50]
    pages = list(LogReader(root, page=7).batches("churn", 10.0, 50.0))
    assert [name for page in pages for name in page.column("prediction_id").to_pylist()] == wanted
    assert len(pages) == 6
    labels = {line["prediction_id"]: line["label"] for page in pages for line in page.to_pylist()}
    assert {name for name, label in labels.items() if label} == {f"churn-{at}" for at in range(12, 50, 3)}
    assert list(LogReader(root).batches("churn", 70.0, 80.0)) == list(LogReader(root).batches("nobody")) == []
    assert sum(page.num_rows for page in LogReader(root, page=50).batches()) == 120


def test_a_page_is_looked_up_and_no_page_sorts_the_rest_of_the_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    fill(tmp_path)
    asked: list[tuple[str, Sequence[Any]]] = []
    read = SqliteStore.read

    def noted(self: SqliteStore, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        asked.append((statement, values))
        return read(self, statement, *values)

    monkeypatch.setattr(SqliteStore, "read", noted)
    list(LogReader(tmp_path, page=7).batches("churn", 10.0, 50.0))
    with closing(sqlite3.connect(log_file(tmp_path))) as opened:
        plans = [" ".join(line[3] for line in opened.execute(f"EXPLAIN QUERY PLAN {one}", values)) for one, values in asked]
    assert "USING COVERING INDEX gristmill_predictions_by_time" in plans[0]
    assert len(plans) == 8
    assert all("SEARCH p USING INTEGER PRIMARY KEY" in plan and "TEMP B-TREE" not in plan for plan in plans[1:]), plans
