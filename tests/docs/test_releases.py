"""The commands of docs/releases.md, run one after the other."""

import re
import shlex
from pathlib import Path

import pytest
from tests.releasing import GOOD, LOST, add_version, make_project
from typer.testing import CliRunner

from gristmill.cli import app
from gristmill.registry import promotion, releases


def test_the_commands_of_the_page_do_what_it_says(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    root = make_project(tmp_path / "project")
    for gates in (GOOD, GOOD, LOST):
        add_version(root, "churn", gates)
    promotion.promote("churn", 1, root=root)
    monkeypatch.chdir(root)
    page = (repository / "docs" / "releases.md").read_text(encoding="utf-8")
    commands = [shlex.split(line, comments=True)[1:] for line in re.findall(r"^gristmill .*", page, re.MULTILINE)]
    assert [command[0] for command in commands] == ["history", "promote", "promote", "rollback", "rollback", *["challenge"] * 3]
    for command in commands:
        result = CliRunner().invoke(app, command, catch_exceptions=False)
        assert result.exit_code == 0, (command, result.output)
    release = releases.find("churn", root)
    assert (release.champion, release.challenger) == (2, None)
    reasons = [entry.reason for entry in releases.history("churn", root)]
    by_hand = ["", "checked by hand", "", "complaints from Oslo", "it was better"]
    assert reasons == [*by_hand, "answers 0.1 of the traffic", "stopped"]


def test_the_page_names_the_columns_of_the_row(repository: Path):
    page = (repository / "docs" / "releases.md").read_text(encoding="utf-8")
    table = page.split("## What a release is")[1].split("## ")[0]
    assert set(releases._MOVED) - {"model", "aliased"} <= set(re.findall(r"`(\w+)`", table))
