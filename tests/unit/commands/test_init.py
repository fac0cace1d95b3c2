"""``gristmill init``: what it takes as options, what it asks, and where it does not ask (R2)."""

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from gristmill import cli
from gristmill.commands import init
from gristmill.config.case import Case
from gristmill.config.loading import load_case
from gristmill.errors import CaseFileError, GristmillError

PROGRAM = [sys.executable, "-c", "from gristmill.cli import main; main()"]
QUESTIONS = ("Column to predict", "Task", "Positive class", "Time column", "Group column", "Sensitive columns", "Name of the case")
SECONDS = 120


@pytest.fixture
def table(project: Path) -> Path:
    chance = np.random.default_rng(0)
    rows = pd.DataFrame({"age": chance.integers(18, 80, 150), "city": chance.choice(["Bern", "Oslo"], 150)})
    rows["shop"] = np.arange(150) % 30
    rows["spend"] = chance.normal(100, 20, 150).round(2)
    rows["left"] = np.where(chance.random(150) < rows["age"] / 100, "Yes", "No")
    rows.to_csv(project / "table.csv", index=False)
    return project / "table.csv"


def answered(monkeypatch: pytest.MonkeyPatch, text: str, *arguments: str) -> str:
    """Run ``gristmill init`` as at a terminal, with ``text`` typed, and return what was printed."""
    monkeypatch.setattr(init, "is_terminal", lambda: True)
    result = CliRunner().invoke(cli.app, ["init", *arguments], input=text, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def wrote(project: Path, *arguments: str, name: str = "table") -> Case:
    """Run ``gristmill init`` where no terminal is, and return the case."""
    result = CliRunner().invoke(cli.app, ["init", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return load_case(name, project)


def test_enter_takes_every_guess_and_keeps_its_reason(table: Path, project: Path, monkeypatch):
    said = answered(monkeypatch, "\n" * 7, "table.csv")
    assert [question for question in QUESTIONS if question in said] == list(QUESTIONS)
    text = (project / "configs/table.yaml").read_text()
    asked = project / "configs/table.yaml"
    assert load_case("table", project).target == "left"
    assert "as you said" not in text
    asked.unlink()
    wrote(project, "table.csv", "--target", "left", "--yes")
    assert asked.read_text() == text


def test_answers_change_the_case(table: Path, project: Path, monkeypatch):
    answers = ["left", "binary", "No", "none", "shop", "age, city", "mine"]
    answered(monkeypatch, "\n".join(answers) + "\n", "table.csv")
    case = load_case("mine", project)
    assert (case.positive_class, case.group_column, case.sensitive_features) == ("No", "shop", ("age", "city"))
    assert case.split_strategy == "stratified_group"


def test_a_wrong_answer_is_asked_for_again(table: Path, project: Path, monkeypatch):
    (project / "configs/taken.yaml").touch()
    answers = ["lefd", "left", "guess", "binary", "Maybe", "Yes", "when", "none", "none", "aeg", "age", "Mine!", "taken", "mine"]
    said = answered(monkeypatch, "\n".join(answers) + "\n", "table.csv")
    assert "There is no column 'lefd'." in said
    assert "Expected one of binary, multiclass, regression." in said
    assert "configs/taken.yaml exists already. Give the new case another name." in said
    assert load_case("mine", project).sensitive_features == ("age",)
    assert (project / "configs/taken.yaml").read_text() == ""


def test_what_is_an_option_is_not_asked(table: Path, project: Path, monkeypatch):
    given = ["--target", "left", "--task", "binary", "--positive-class", "Yes", "--time-column", "none", "--group-column", "none"]
    said = answered(monkeypatch, "", "table.csv", *given, "--sensitive", "none", "--name", "mine")
    assert not [question for question in QUESTIONS if question in said]
    assert load_case("mine", project).sensitive_features == ()


def test_a_task_that_changes_the_rest_is_asked_first(table: Path, project: Path, monkeypatch):
    said = answered(monkeypatch, "shop\nregression\n\n\n\n\n", "table.csv")
    assert "Positive class" not in said
    assert load_case("table", project).task == "regression"


def test_an_interrupted_dialogue_leaves_nothing(table: Path, project: Path, monkeypatch):
    monkeypatch.setattr(init, "is_terminal", lambda: True)
    result = CliRunner().invoke(cli.app, ["init", "table.csv"], input="left\n")
    assert result.exit_code == 1
    assert list((project / "configs").iterdir()) == []


def test_every_answer_is_an_option(table: Path, project: Path):
    pd.read_csv(table).head(60).assign(spend=1).to_csv(project / "later.csv", index=False)
    case = wrote(
        project, "table.csv", "--target", "left", "--name", "mine", "--task", "multiclass", "--id-column", "shop", "--id-column",
        "city", "--time-column", "none", "--group-column", "none", "--sensitive", "age", "--exclude", "spend", "--split", "random",
        "--budget", "9", "--test-source", "later.csv", "--force", "--yes", "--option", "delimiter=,", name="mine",
    )  # fmt: skip
    assert (case.task, case.id_columns, case.sensitive_features) == ("multiclass", ("shop", "city"), ("age",))
    assert (case.features.exclude, case.split_strategy, case.training.budget_seconds) == (("spend",), "random", 9)
    assert (case.split.test_source, case.source.options) == ("later.csv", {"delimiter": ","})


def test_a_query_makes_the_target(table: Path, project: Path):
    query = "SELECT * EXCLUDE (spend), spend > :most AS rich FROM source"
    case = wrote(project, "table.csv", "--query", query, "--option", "params.most=110", "--target", "rich")
    assert case.source.query == query
    assert case.source.options == {"params": {"most": 110}}
    assert case.positive_class == "True"


def test_where_no_terminal_is_nothing_is_asked(table: Path, project: Path):
    done = subprocess.run([*PROGRAM, "init", "table.csv"], input="left\n", capture_output=True, text=True, cwd=project, check=False)
    assert done.returncode == 2
    assert done.stderr == ("gristmill: Which column is to be predicted? Name it with --target; likely ones are 'left', 'city'.\n")
    assert list((project / "configs").iterdir()) == []


def test_a_real_terminal_is_asked(table: Path, project: Path):
    ours, theirs = pty.openpty()
    program = subprocess.Popen([*PROGRAM, "init", "table.csv"], stdin=theirs, stdout=theirs, stderr=theirs, cwd=project)
    os.close(theirs)
    said, new, waiting, end = "", "", list(QUESTIONS), time.monotonic() + SECONDS
    while time.monotonic() < end:
        if not select.select([ours], [], [], 1)[0]:
            continue
        try:
            new += os.read(ours, 65_536).decode()
        except OSError:  # the program has ended
            break
        if waiting and waiting[0] in new and new.rstrip().endswith("]:"):
            os.write(ours, b"No\n" if waiting.pop(0) == "Positive class" else b"\n")
            said, new = said + new, ""
    os.close(ours)
    assert program.wait(timeout=SECONDS) == 0, said
    assert not waiting, said
    assert load_case("table", project).positive_class == "No"


@pytest.mark.parametrize("pair", ["delimiter", "=x", ".a=1", "params.=1"])
def test_an_option_without_a_value_is_refused(pair):
    with pytest.raises(CaseFileError, match="Expected --option KEY=VALUE"):
        init.options([pair])


def test_values_of_options_are_read_as_in_a_case_file():
    pairs = ["header=false", "retries=6", "missing=-9", "params.limit=0.5", "params.code=007", "delimiter==", "quote="]
    assert init.options(pairs) == {
        "header": False, "retries": 6, "missing": -9, "params": {"limit": 0.5, "code": "007"}, "delimiter": "=", "quote": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["table.csv", "--target", "left", "--watermark", "age"], "`source.watermark` has no meaning"),
        (["table.csv", "--target", "left", "--option", "delim=;"], "takes no option 'delim'"),
        (["table.csv", "--target", "left", "--split", "time"], "needs `time_column`"),
        (["table.csv", "--target", "left", "--test-source", "nowhere.csv"], "nowhere.csv"),
        (["table.csv", "--target", "left", "--name", "No!"], "Expected a case name"),
        (["table.csv", "--target", "left", "--query", "SELECT * FROM nowhere"], "nowhere"),
    ],
)
def test_what_cannot_be_is_a_sentence_and_leaves_nothing(table: Path, project: Path, arguments, said):
    with pytest.raises(GristmillError, match=said):
        CliRunner().invoke(cli.app, ["init", *arguments], catch_exceptions=False)
    assert list((project / "configs").iterdir()) == []
