"""docs/security.md: every lesson names a test that there is, and every setting and number on the page is that of the code."""

import ast
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gristmill.cli import app
from gristmill.config.sections.operation import Serving
from gristmill.config.sections.service_limits import Limits
from gristmill.serving.keys.key import SCOPES
from gristmill.serving.limits.answers import SECURITY_HEADERS


@pytest.fixture
def page(repository: Path) -> str:
    return (repository / "docs" / "security.md").read_text(encoding="utf-8")


def test_every_lesson_names_a_test_that_there_is(page: str, repository: Path):
    table = page.split("## Lessons of published advisories")[1].split("\n## ", maxsplit=1)[0]
    rows = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 25
    assert len({row[0] for row in rows}) == len(rows)
    for advisory, _, cell in rows:
        file, _, name = cell.strip().strip("`").partition("::")
        tree = ast.parse((repository / file).read_text(encoding="utf-8"))
        functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert name in functions, f"{advisory.strip()}: {file} has no {name}"
        checks = [node for node in ast.walk(functions[name]) if isinstance(node, ast.Assert | ast.With)]
        assert checks, f"{name} checks nothing"


@pytest.mark.parametrize("project", ["MLflow", "BentoML", "Starlette", "FastAPI", "uvicorn", "h11", "skops", "joblib", "NumPy"])
def test_every_project_we_learn_from_has_a_row(page: str, project: str):
    assert re.search(rf"^\| {project}\b", page, re.MULTILINE)


def test_settings_and_numbers_on_the_page_are_those_of_the_code(page: str):
    named = re.findall(r"`serving\.(limits\.)?(\w+)`(?: \((\d+)\))?", page)
    assert named
    for nested, key, number in named:
        section = Limits if nested else Serving
        assert key in section.model_fields, key
        if number:
            assert float(number) == float(section.model_fields[key].default), key
    for scope in SCOPES:
        assert f"`{scope}`" in page
    for name, value in SECURITY_HEADERS[:4]:
        assert f"{name.decode()}: {value.decode().split(';')[0]}" in page.replace("`", "").lower().replace("'none'", "'none'")


def test_the_commands_of_the_page_run(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "pipeline.yaml").write_text("tasks: []\n")
    monkeypatch.chdir(tmp_path)
    commands = [shlex.split(line)[1:] for line in re.findall(r"^gristmill .*", page, re.MULTILINE)]
    assert len(commands) == 3
    for command in commands:
        result = CliRunner().invoke(app, command, catch_exceptions=False)
        assert result.exit_code == 0, (command, result.output)
    assert "created" in result.output
    assert "dashboard" in result.output
