"""The command line: what it prints and how it exits."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.conftest import write_case
from typer.testing import CliRunner

from gristmill import cli
from gristmill.config.loading import load_case

CASE = "name: small\ntask: binary\nsource: table.csv\ntarget: left\npositive_class: Yes\n"


@pytest.fixture
def table(project: Path) -> Path:
    chance = np.random.default_rng(0)
    rows = pd.DataFrame({"age": chance.integers(18, 80, 120), "city": chance.choice(["Bern", "Oslo"], 120)})
    rows["spend"] = chance.normal(100, 20, 120).round(2)
    rows["left"] = np.where(chance.random(120) < rows["age"] / 100, "Yes", "No")
    rows.to_csv(project / "table.csv", index=False)
    return project / "table.csv"


def run(*arguments: str) -> str:
    result = CliRunner().invoke(cli.app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_without_arguments_it_explains_itself():
    result = CliRunner().invoke(cli.app, [])
    assert {"check", "init", "refresh", "score", "gates"} <= set(result.output.split())


def test_it_runs_as_a_module():
    done = subprocess.run([sys.executable, "-m", "gristmill.cli", "gates", "nosuch"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("gristmill: ")


def test_a_case_that_can_be_built_is_described(table: Path, project: Path):
    write_case(project, CASE)
    described = run("check", "small")
    assert "table.csv: 120 rows, 4 columns, 100.0% complete" in described
    assert "96 for training (stratified, 5 folds), 24 kept for the test" in described


def test_a_case_file_written_for_a_table_can_be_checked_at_once(table: Path, project: Path):
    assert "Wrote configs/table.yaml" in run("init", "table.csv", "--target", "left")
    assert load_case("table", project).positive_class == "Yes"
    assert "Build it: ploomber build --env--case table" in run("check", "table")


def test_an_existing_case_file_is_not_replaced_unless_asked_to(table: Path, project: Path, monkeypatch, capsys):
    written = write_case(project, CASE, "table")
    monkeypatch.setattr(sys, "argv", ["gristmill", "init", "table.csv", "--target", "left"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 2
    assert "--force" in capsys.readouterr().err
    assert written.read_text() == CASE
    assert "Wrote" in run("init", "table.csv", "--target", "left", "--force")


def test_an_error_that_can_be_mended_is_one_sentence_and_exit_code_2(project: Path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["gristmill", "check", "nosuch"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 2
    assert capsys.readouterr().err.startswith("gristmill: Expected a case file at configs/nosuch.yaml")


def test_an_id_column_called_truth_is_refused_before_anything_is_built(project: Path, monkeypatch, capsys):
    write_case(project, f"{CASE}id_columns: [truth]\n")
    monkeypatch.setattr(sys, "argv", ["gristmill", "check", "small"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 2
    assert "the id column 'truth' has the name of a column of predictions" in capsys.readouterr().err


def test_a_refresh_is_noted_for_the_next_build(table: Path, project: Path):
    write_case(project, CASE)
    run("refresh", "small")
    first = (project / "state" / "refresh" / "small").read_text(encoding="utf-8")
    assert "ploomber build --env--case small" in run("refresh", "small")
    assert (project / "state" / "refresh" / "small").read_text(encoding="utf-8") != first


def test_what_the_next_build_will_run_is_said_task_by_task(table: Path, project: Path):
    write_case(project, CASE)
    assert "06_select is stale: it was never built" in run("why", "06_select", "--case", "small")
    assert len(run("why", "--case", "small").splitlines()) == 14
    lines = run("status", "small").splitlines()
    assert lines[0].split()[:2] == ["task", "state"]
    assert [line.split()[1] for line in lines[1:]] == ["new"] * 14
