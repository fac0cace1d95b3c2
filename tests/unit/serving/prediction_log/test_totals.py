"""Sums over the log are those of its rows, in both databases, whatever the number of rows."""

import asyncio
from pathlib import Path

import numpy as np
import pytest
from tests.predictions import record

from gristmill.errors import LogUnavailable
from gristmill.serving.prediction_log.log import PredictionLog
from gristmill.serving.prediction_log.records import Feedback, PredictionRecord
from gristmill.serving.prediction_log.totals import Answers, Cut, Labels, LogTotals

START = 1_790_000_000.0
CUT = Cut(START, START + 300, 60.0)


def written(root: Path, records: list[PredictionRecord], labels: list[Feedback] | None = None) -> LogTotals:
    """Write predictions and labels, and return the sums of the model they are of."""

    async def write() -> None:
        async with PredictionLog(root) as log:
            await log.append(records)
            for label in labels or []:
                await log.record_feedback([label])

    asyncio.run(write())
    return LogTotals(root, "churn")


def test_answers_times_and_labels_are_added_up_by_part(root: Path):
    totals = written(
        root,
        [
            record(at=START, prediction_id="a", confidence=1.0, latency_ms=0.437),
            record(at=START + 59.9, prediction_id="b", confidence=0.5, latency_ms=12.4, warnings=()),
            record(at=START + 60, prediction_id="c", prediction="No", confidence=0.55, latency_ms=1234.0),
            record(at=START + 60, prediction_id="s", role="shadow", version="4", beside="c", latency_ms=9.0),
            record(at=START + 300, prediction_id="late"),
            record(at=START + 1, prediction_id="other", model="another"),
        ],
        [Feedback("a", "Yes", START + 400), Feedback("a", "No", START + 500), Feedback("c", "No", START + 400)],
    )
    assert totals.ends() == (START, START + 300)
    assert totals.answers(CUT) == [
        Answers(0, "3", "champion", "Yes", 2, 1, 0.75),
        Answers(1, "3", "champion", "No", 1, 1, 0.55),
        Answers(1, "4", "shadow", "Yes", 1, 1, 0.75),
    ]
    assert totals.latencies(CUT) == [(0, 0.44, 1), (0, 12.0, 1), (1, 1200.0, 1)]
    assert totals.confidences(CUT) == [(10, 1), (11, 1), (19, 1)]
    assert totals.labels(CUT) == [Labels(0, 2, 1), Labels(1, 1, 1)]


def test_numbers_are_not_told_apart_but_have_a_mean(root: Path):
    rows = [record(at=START + n, prediction=float(n), probabilities=None, confidence=None) for n in range(4)]
    totals = written(root, rows)
    assert totals.answers(CUT, numbers=True) == [Answers(0, "3", "champion", None, 4, 4, 1.5)]
    assert totals.confidences(CUT) == []


def test_a_sample_is_spread_over_the_time_and_of_one_version(root: Path):
    rows = [record(str(n), at=START + n / 4, prediction_id=f"p{n}") for n in range(1000)]
    totals = written(root, [*rows, *(record(at=START + n, version="4", prediction_id=f"q{n}") for n in range(100))])
    found = totals.sample(CUT, "3", 60)
    assert 40 <= len(found) <= 60
    assert {one.version for one in found} == {"3"}
    assert np.histogram([one.at - START for one in found], bins=5, range=(0, 250))[0].min() >= 8
    assert len(totals.sample(CUT, "3", 5_000)) == 1000
    assert totals.sample(CUT, "none", 10) == []


def test_a_project_that_has_logged_nothing_has_no_log(tmp_path: Path):
    with pytest.raises(LogUnavailable, match="no prediction log yet"):
        LogTotals(tmp_path, "churn").ends()
