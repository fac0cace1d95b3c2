"""The pages about alerts say what the code has, and the runbook has a section that works for every alert."""

import re
import shlex
from pathlib import Path

import pytest
from tests.models import FEATURES, customers, fit
from tests.releasing import GOOD, add_version, make_project
from tests.served import NOW, built, logged, records_of
from typer.testing import CliRunner

from gristmill.cli import app
from gristmill.config.loading import load_case, parse_case
from gristmill.config.sections.watching import DEFAULT_ALERTS
from gristmill.monitoring.alerts.reference import renewed
from gristmill.monitoring.alerts.rendering import annotations
from gristmill.registry import promotion, releases

PARTS = ("**What it means.**", "**How to look.**", "**What to do.**", "**How to roll back.**")


def page(repository: Path, name: str) -> str:
    return (repository / "docs" / name).read_text(encoding="utf-8")


def test_the_tables_of_the_page_are_those_of_the_code(repository: Path):
    said = page(repository, "alerts.md")
    assert said == renewed(said), "run: python -m gristmill.monitoring.alerts.reference docs/alerts.md"


def test_the_example_of_the_page_is_valid(repository: Path):
    example = page(repository, "alerts.md").split("```yaml\n")[1].split("```")[0]
    case = parse_case(f"name: a\ntask: regression\nsource: t.csv\ntarget: y\n{example}", "docs/alerts.md")
    assert case.monitoring.alerts["slow_answers"].lasting == "5 minutes"
    assert "gpu_memory_full" not in case.monitoring.alerts


@pytest.mark.parametrize("name", DEFAULT_ALERTS)
def test_every_alert_links_to_a_section_with_all_its_parts(name: str, repository: Path):
    case = load_case("churn", repository)
    path, anchor = annotations(case, name, case.monitoring.alerts[name], "1")["runbook_url"].split("#")
    sections = re.split(r"^## ", (repository / path).read_text(encoding="utf-8"), flags=re.MULTILINE)
    (section,) = [one for one in sections if one.splitlines()[0] == anchor]
    places = [section.index(part) for part in PARTS]
    assert places == sorted(places)


def test_the_commands_of_the_runbook_do_what_it_says(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    root = make_project(tmp_path / "project")
    for _ in range(2):
        add_version(root, "churn", GOOD)
    for number in (1, 2):
        promotion.promote("churn", number, reason="for the test", root=root)
    built(root, name="churn", more="evaluation: {resamples: 100}\n")
    frame = customers(300, seed=11)
    said = fit("binary", customers(900, seed=1)).predict_proba(frame[FEATURES])
    logged(root, records_of(frame, said, model="churn"), {f"p{number}": label for number, label in enumerate(frame["churn"])})
    monkeypatch.chdir(root)
    monkeypatch.setattr("time.time", lambda: NOW)
    blocks = re.findall(r"^ *```sh\n(.*?)```", page(repository, "runbook.md"), re.MULTILINE | re.DOTALL)
    commands = list(dict.fromkeys(line.strip() for block in blocks for line in block.splitlines() if line.strip()))
    assert {command.split()[1] for command in commands} == {"history", "rollback", "performance", "log", "alerts"}
    for command in commands:
        result = CliRunner().invoke(app, shlex.split(command)[1:], catch_exceptions=False)
        allowed = (0, 3) if "check" in command else (0,)
        assert result.exit_code in allowed, (command, result.output)
    assert releases.find("churn", root).champion == 1
