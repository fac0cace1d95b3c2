"""Labels that come later: once, again, corrected, unknown (R43)."""

import asyncio
from pathlib import Path

import pandas as pd
import pytest
from tests.predictions import record

from gristmill.serving.prediction_log.limits import LogLimits
from gristmill.serving.prediction_log.log import PredictionLog
from gristmill.serving.prediction_log.reader import LogReader
from gristmill.serving.prediction_log.records import Feedback, FeedbackOutcome, Label, Predicted, PredictionRecord


def send(root: Path, records: list[PredictionRecord], *batches: list[Feedback], **more: object) -> list[FeedbackOutcome]:
    """Append records, then send labels, batch by batch."""

    async def sending() -> list[FeedbackOutcome]:
        async with PredictionLog(root, LogLimits(seconds=30)) as log:
            await log.append(records)
            return [await log.record_feedback(labels, **more) for labels in batches]  # type: ignore[arg-type]

    return asyncio.run(sending())


def pairs(root: Path, *span: object) -> pd.DataFrame:
    found = [batch.to_pandas() for batch in LogReader(root, page=2).pairs(*span)]  # type: ignore[arg-type]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def test_a_label_is_recorded_repeated_and_corrected(root: Path):
    first, again, other = (Feedback("a", label, at) for label, at in (("Yes", 10.0), ("Yes", 20.0), ("No", 30.0)))
    outcomes = send(root, [record(prediction_id="a")], [first], [again], [other, other], [again])
    assert outcomes[0] == FeedbackOutcome(recorded=("a",))
    assert outcomes[1] == FeedbackOutcome(repeated=("a",))
    assert outcomes[2] == FeedbackOutcome(corrected=("a",), repeated=("a",))
    assert outcomes[3] == FeedbackOutcome(corrected=("a",))
    (row,) = [row for batch in LogReader(root).batches() for row in batch.to_pylist()]
    assert (row["label"], row["label_at"].timestamp(), row["corrections"]) == ("Yes", 20.0, 2)


def test_labels_that_look_alike_are_not_the_same(root: Path):
    labels: list[Label] = ["1", 1.0, True, 1]
    outcomes = send(root, [record(prediction_id="a")], *([Feedback("a", label, 1.0)] for label in labels))
    assert [bool(one.corrected) for one in outcomes] == [False, True, True, True]
    assert send(root, [], [Feedback("a", 1.0, 2.0)])[0].repeated == ("a",)


def test_an_unknown_id_and_a_wrong_label_are_told_by_id_and_fail_nobody_else(root: Path):
    def check(predicted: Predicted, label: Label) -> str | None:
        assert (predicted.model, predicted.version) == ("churn", "3")
        return None if label in {"Yes", "No"} else f"Expected one of 'Yes', 'No', got {label!r}."

    known = [Feedback("a", "Maybe", 1.0), Feedback("b", "No", 1.0), Feedback("n", float("nan"), 1.0)]
    unknown = [Feedback("early", "Yes", 1.0), Feedback("\ud800\u0000", "Yes", 1.0)]
    predictions = [record(prediction_id=name) for name in "abn"]
    (outcome,) = send(root, predictions, [*unknown, *known], check=check)
    assert outcome.recorded == ("b",)
    assert set(outcome.refused) == {"early", "a", "n", "\\ud800\\x00"}
    assert "There is no prediction 'early' in the log" in outcome.refused["early"]
    assert outcome.refused["n"] == "Expected a class or a finite number as the label, got nan."
    assert outcome.refused["a"] == "Expected one of 'Yes', 'No', got 'Maybe'."
    assert pairs(root, "churn")["prediction_id"].tolist() == ["b"]


def test_a_label_that_comes_at_once_from_two_is_recorded_once(root: Path):
    async def sending() -> list[FeedbackOutcome]:
        async with PredictionLog(root, LogLimits(seconds=30)) as one, PredictionLog(root, LogLimits(seconds=30)) as other:
            await one.append([record(prediction_id=str(number)) for number in range(20)])
            labels = [Feedback(str(number), "Yes", 1.0) for number in range(20)]
            return await asyncio.gather(*(log.record_feedback(labels[::step]) for log in (one, other) for step in (1, -1)))

    outcomes = asyncio.run(sending())
    assert sorted(name for one in outcomes for name in one.recorded) == sorted(map(str, range(20)))
    assert sum(len(one.repeated) for one in outcomes) == 60


def test_pairs_are_of_one_model_and_time_and_come_in_pages(root: Path):
    records = [record(prediction_id=f"p{number}", at=float(number), prediction=number / 2) for number in range(7)]
    labels = [Feedback(f"p{number}", number / 4, 100.0) for number in range(6)] + [Feedback("q", 1.0, 100.0)]
    send(root, [*records, record(prediction_id="q", model="other", at=3.0)], labels)
    found = pairs(root, "churn", 1.0, 5.0)
    assert found["prediction_id"].tolist() == ["p1", "p2", "p3", "p4"]
    assert found["prediction"].astype(float).tolist() == [0.5, 1.0, 1.5, 2.0]
    assert found["label"].astype(float).tolist() == [0.25, 0.5, 0.75, 1.0]
    assert found["at"].dt.tz is not None
    assert len(pairs(root, "churn")) == 6
    assert pairs(root, "nobody").empty


def test_the_label_of_an_answer_counts_for_the_shadow_beside_it(root: Path):
    answered = record(prediction_id="a", version="3")
    shadow = record(prediction_id="s", version="4", role="shadow", prediction="No", beside="a")
    send(root, [answered, shadow], [Feedback("a", "Yes", 1.0)])
    found = pairs(root, "churn").set_index("role")
    assert found["prediction"].to_dict() == {"champion": "Yes", "shadow": "No"}
    assert found["label"].to_dict() == {"champion": "Yes", "shadow": "Yes"}


@pytest.mark.parametrize("label", ["Zoë \u0000?$1", -0.5, False])
def test_any_label_comes_back(root: Path, label: Label):
    send(root, [record(prediction_id="a")], [Feedback("a", label, 1.0)])
    assert pairs(root, "churn")["label"].tolist() == [label if isinstance(label, str) else {-0.5: "-0.5", False: "false"}[label]]
