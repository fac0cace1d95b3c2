"""`gristmill promote`, `rollback` and `history`: what they print, and how they exit."""

import sys
from pathlib import Path

import pytest
from tests.releasing import GOOD, UNFAIR, add_version

from gristmill import cli
from gristmill.paths import ProjectPaths
from gristmill.registry import promotion, releases


@pytest.fixture
def commanded(tracked: ProjectPaths, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project with the model ``commanded``: two versions that passed, one that did not; the first is champion."""
    monkeypatch.chdir(tracked.root)
    if not releases.find("commanded", tracked.root).token:
        for gates in (GOOD, GOOD, UNFAIR):
            add_version(tracked.root, "commanded", gates)
        promotion.promote("commanded", 1, root=tracked.root)
    return tracked.root


def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["gristmill", *arguments])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    said = capsys.readouterr()
    return int(stopped.value.code or 0), said.out, said.err


def test_promotion_and_rollback_say_what_serves_now(commanded: Path, capsys, monkeypatch):
    code, said, _ = run(capsys, monkeypatch, "promote", "commanded", "--version", "2", "--reason", "better")
    assert code == 0
    remark, done, serves = said.splitlines()
    assert remark == "Its gates compared it with no champion, not with version 1, which it replaces."
    assert done == "commanded version 2 is promoted to champion, in the place of version 1."
    assert serves.startswith("commanded: champion version 2; moved ")
    code, said, _ = run(capsys, monkeypatch, "rollback", "commanded", "--reason", "slower")
    assert (code, said.splitlines()[0]) == (0, "commanded version 1 is rolled back to be champion, in the place of version 2.")
    code, said, _ = run(capsys, monkeypatch, "history", "commanded")
    assert code == 0
    assert said.splitlines()[1].endswith("slower")


@pytest.mark.parametrize(
    ("arguments", "expected", "words"),
    [
        (("promote", "commanded"), 3, "does not become champion: its gates failed: disparate_impact is 0.4, needs >= 0.8."),
        (("promote", "nosuch"), 2, "The registry has no model 'nosuch'"),
        (("promote", "commanded", "--version", "0"), 2, "has no version 0"),
        (("promote", "commanded", "--as", "boss"), 2, "got 'boss'"),
        (("rollback", "commanded"), 2, "Expected a reason"),
        (("rollback", "commanded", "--to", "3", "--reason", "x"), 2, "never was champion"),
        (("history", "nosuch"), 2, "The registry has no model 'nosuch'"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_an_exit_code(commanded: Path, capsys, monkeypatch, arguments, expected, words):
    code, said, told = run(capsys, monkeypatch, *arguments)
    assert (code, said) == (expected, "")
    assert told.startswith("gristmill: ")
    assert words in told
    assert told.count("\n") == 1
