"""`gristmill log`: what it prints, and how it exits."""

import asyncio
import json
import shutil
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.conftest import REPOSITORY
from tests.predictions import record

from gristmill import cli
from gristmill.serving.prediction_log.limits import LogLimits
from gristmill.serving.prediction_log.log import PredictionLog
from gristmill.serving.prediction_log.reader import LogReader

DAY = 86_400


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project with the case churn and three logged predictions: two of it, one of them old, one of another model."""
    (tmp_path / "pipeline.yaml").touch()
    (tmp_path / "configs").mkdir()
    shutil.copy(REPOSITORY / "configs" / "churn.yaml", tmp_path / "configs")
    monkeypatch.chdir(tmp_path)

    async def filling() -> None:
        async with PredictionLog(tmp_path, LogLimits(seconds=30)) as log:
            await log.append([record("old", at=time.time() - 91 * DAY), record("new"), record("else", model="nocase", at=0.0)])

    asyncio.run(filling())
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["gristmill", "log", *arguments])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    said = capsys.readouterr()
    return int(stopped.value.code or 0), said.out, said.err


def test_the_latest_are_shown_as_json(project: Path, capsys, monkeypatch):
    code, said, _ = run(capsys, monkeypatch, "show", "--last", "2")
    first, second = map(json.loads, said.splitlines())
    assert (code, first["subject"], second["subject"]) == (0, {"customer_id": "else"}, {"customer_id": "new"})
    assert first["at"] == "1970-01-01T00:00:00.000+00:00"
    _, said, _ = run(capsys, monkeypatch, "show", "--request", "request of old")
    assert json.loads(said)["probabilities"] == [0.25, 0.75]
    _, said, _ = run(capsys, monkeypatch, "show", "--subject", "customer_id=new")
    assert json.loads(said)["request_id"] == "request of new"


def test_an_export_is_of_a_model_and_a_time(project: Path, capsys, monkeypatch):
    code, said, _ = run(capsys, monkeypatch, "export", "log.parquet", "--model", "churn", "--since", "2020-01-01T00:00+02:00")
    assert (code, said) == (0, "Wrote 2 predictions to log.parquet.\n")
    code, said, _ = run(capsys, monkeypatch, "export", "log.parquet", "--until", "2020-01-01")
    assert pq.read_table("log.parquet")["model"].to_pylist() == ["nocase"]


def test_pruning_does_what_the_case_file_says_and_names_what_it_does_not_know(project: Path, capsys, monkeypatch):
    code, said, _ = run(capsys, monkeypatch, "prune")
    assert (code, said) == (0, "churn: 1 predictions deleted.\nnocase: all kept, as no case file limits it.\n")
    assert {one.subject["customer_id"] for one in LogReader(project).last(9)} == {"new", "else"}


def test_a_wrong_case_file_deletes_nothing(project: Path, capsys, monkeypatch):
    (project / "configs" / "wrong.yaml").write_text("name: wrong\n")
    code, _, told = run(capsys, monkeypatch, "prune")
    assert (code, "wrong" in told) == (2, True)
    assert len(LogReader(project).last(9)) == 3


def test_an_erasure_tells_what_was_erased_and_not_whom(project: Path, capsys, monkeypatch):
    code, said, _ = run(capsys, monkeypatch, "erase", "--subject", "customer_id=old")
    assert code == 0
    assert said.startswith("Erased 1 predictions and 0 labels of that customer_id: rows, ids and answers. A note of ")
    assert "old" not in said
    assert len(LogReader(project).last(9)) == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("erase", "--subject", "7590-VHVEG"), "Expected --subject as COLUMN=VALUE"),
        (("erase", "--subject", "customer_id="), "Expected --subject as COLUMN=VALUE"),
        (("export", "log.parquet", "--since", "yesterday"), "Expected --since as a time such as 2026-05-01"),
        (("export", "nowhere/log.parquet"), "cannot be written"),
    ],
)
def test_wrong_input_is_one_sentence_and_exit_code_2(project: Path, capsys, monkeypatch, arguments: tuple[str, ...], words: str):
    code, said, told = run(capsys, monkeypatch, *arguments)
    assert (code, said) == (2, "")
    assert told.startswith("gristmill: ")
    assert words in told
    assert told.count("\n") == 1
    assert not Path("log.parquet").exists()


@pytest.mark.parametrize("command", [("show",), ("export", "x.parquet"), ("prune",), ("erase", "--subject", "a=b")])
def test_without_a_log_every_command_says_so(tmp_path: Path, capsys, monkeypatch, command: tuple[str, ...]):
    (tmp_path / "pipeline.yaml").touch()
    monkeypatch.chdir(tmp_path)
    code, _, told = run(capsys, monkeypatch, *command)
    assert (code, "There is no prediction log yet" in told) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["pipeline.yaml"]
