"""What the tutorial shows is what its commands make: the table, the case that is guessed, the rows that are sent."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import REPOSITORY
from tests.docs.pages import blocks, read
from typer.testing import CliRunner

from gristmill.cli import app
from gristmill.config.loading import parse_case

PAGE = REPOSITORY / "docs" / "tutorial.md"
YAML = [block.text for block in blocks(PAGE) if block.info == "yaml"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project with the table of the tutorial, made by the program that the tutorial shows."""
    (tmp_path / "pipeline.yaml").write_text("tasks: []\n")
    (tmp_path / "configs").mkdir()
    (tmp_path / "data").mkdir()
    program = re.search(r"python - <<'END'\n(.*?)\nEND\n", read(PAGE), re.DOTALL)
    assert program is not None
    subprocess.run([sys.executable, "-W", "ignore", "-c", program[1]], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_table_and_the_case_that_is_guessed_are_those_that_are_shown(project: Path):
    lines = (project / "data" / "loans.csv").read_text().splitlines()
    assert "\n".join(lines[:3]) in read(PAGE)
    assert (len(lines), len((project / "data" / "later.csv").read_text().splitlines())) == (4001, 455)
    result = CliRunner().invoke(app, ["init", "data/loans.csv", "--target", "status", "--yes"], catch_exceptions=False)
    assert result.exit_code == 0
    written = (project / "configs" / "loans.yaml").read_text()
    assert written.partition("\n")[2] == YAML[0]
    shown = CliRunner().invoke(app, ["check", "loans"], catch_exceptions=False).output.splitlines()
    said = next(block.text for block in blocks(PAGE) if block.text.startswith("Case        loans")).splitlines()
    assert [line for line in said if line != "..." and line not in shown] == []


def test_the_case_stays_valid_with_each_change():
    for upto in range(1, len(YAML) + 1):
        case = parse_case("\n".join(YAML[:upto]), PAGE.name)
    assert (case.threshold.rule, case.fairness.min_disparate_impact) == ("cost", None)


def test_the_row_that_is_sent_has_the_columns_of_the_model():
    text = read(PAGE)
    sent = json.loads(re.search(r"-d '(\{\"instances\".*?\})'\n", text, re.DOTALL)[1])["instances"][0]  # type: ignore[index]
    header = next(line for line in text.splitlines() if line.startswith("loan,status,")).split(",")
    case = parse_case("\n".join(YAML), PAGE.name)
    assert set(sent) == set(header) - {case.target}
