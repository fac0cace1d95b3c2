"""The log as a Parquet file: whole or not at all, in bounded memory (R43)."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.predictions import record

from gristmill.errors import LogUnavailable, SourceError
from gristmill.serving.prediction_log import reader as reading
from gristmill.serving.prediction_log.export import export
from gristmill.serving.prediction_log.limits import LogLimits
from gristmill.serving.prediction_log.log import PredictionLog
from gristmill.serving.prediction_log.reader import LogReader
from gristmill.serving.prediction_log.records import Feedback


@pytest.fixture
def filled(root: Path) -> Path:
    """Return a project with 25 records, five of them labelled."""

    async def filling() -> None:
        async with PredictionLog(root, LogLimits(seconds=30)) as log:
            await log.append([record(prediction_id=f"p{n:02}", at=float(n), model="ab"[n % 2]) for n in range(24)])
            await log.append([record(prediction_id="number", at=24.0, prediction=1.5, probabilities=None, confidence=None)])
            await log.record_feedback([Feedback(f"p{n:02}", "No", 99.0) for n in range(5)])

    asyncio.run(filling())
    return root


def test_all_of_the_log_is_written_in_pages(filled: Path):
    file = filled / "log.parquet"
    assert export(LogReader(filled, page=7), file) == 25
    table = pq.read_table(file)
    rows = table.to_pylist()
    assert [row["prediction_id"] for row in rows] == [*(f"p{n:02}" for n in range(24)), "number"]
    assert [row["label"] for row in rows[:6]] == ["No"] * 5 + [None]
    assert json.loads(rows[3]["features"])["tenure"] == 12
    assert json.loads(rows[3]["subject"]) == {"customer_id": "7590-VHVEG"}
    assert (rows[3]["probabilities"], rows[3]["warnings"]) == ([0.25, 0.75], ["tenure is out of range"])
    assert (rows[24]["prediction"], rows[24]["probabilities"], rows[24]["confidence"]) == ("1.5", None, None)
    assert rows[3]["at"].timestamp() == 3.0
    assert pq.ParquetFile(file).num_row_groups == 4
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_model_and_a_time_are_asked_for(filled: Path):
    assert export(LogReader(filled), filled / "log.parquet", "a", 3.0, 10.0) == 3
    assert pq.read_table(filled / "log.parquet")["prediction_id"].to_pylist() == ["p04", "p06", "p08"]
    assert export(LogReader(filled), filled / "log.parquet", "nobody") == 0
    assert pq.read_table(filled / "log.parquet").num_rows == 0


def test_what_fails_half_way_leaves_no_file_and_the_former_one_as_it_was(filled: Path, monkeypatch: pytest.MonkeyPatch):
    (filled / "log.parquet").write_text("former")
    batches = reading.LogReader.batches

    def failing(self: LogReader, *span: object) -> Iterator[object]:
        yield next(batches(self, *span))  # type: ignore[arg-type]
        raise LogUnavailable("gone")

    monkeypatch.setattr(reading.LogReader, "batches", failing)
    with pytest.raises(LogUnavailable):
        export(LogReader(filled, page=7), filled / "log.parquet")
    assert (filled / "log.parquet").read_text() == "former"
    assert not list(filled.glob(".log*"))


def test_a_file_that_cannot_be_written_is_one_sentence(filled: Path):
    with pytest.raises(SourceError, match="cannot be written"):
        export(LogReader(filled), filled / "nowhere" / "log.parquet")
