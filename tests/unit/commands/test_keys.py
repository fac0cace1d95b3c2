"""``gristmill keys``: a key is printed once, alone; wrong input is a sentence and exit code 2 (R38)."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gristmill.cli import app
from gristmill.commands.keys import duration
from gristmill.errors import DurationError
from gristmill.serving.keys.ring import KeyRing
from gristmill.serving.keys.store import KeyStore


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pipeline.yaml").write_text("tasks: []\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> tuple[str, str]:
    result = CliRunner().invoke(app, ["keys", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout, result.stderr


def test_a_key_is_made_shown_once_listed_rotated_and_revoked(root: Path):
    out, said = run("create", "Oslo", "--scope", "predict", "--scope", "feedback", "--expires", "12h")
    token = out.strip()
    ring = KeyRing(root)
    ring.refresh()
    key = ring.verify(token)
    assert key.scopes == {"predict", "feedback"}
    assert token not in said
    listed, _ = run("list")
    assert key.id in listed
    assert token.split("_", 2)[2] not in listed
    follower = run("rotate", key.id, "--overlap", "0")[0].strip()
    ring.refresh()
    assert ring.verify(follower).name == "Oslo"
    assert "expired" in run("list")[0]
    run("revoke", ring.verify(follower).id)
    assert "revoked" in run("list")[0]
    actions = [line.split("  ")[2].split()[0] for line in run("list", "--history")[0].splitlines()]
    assert actions == ["created", "rotated", "created", "revoked"]


@pytest.mark.parametrize(
    "words",
    [
        ("create", "Oslo", "--scope", "root"),
        ("create", "Oslo", "--scope", "predict", "--expires", "soon"),
        ("create", "Oslo", "--scope", "predict", "--expires", "0d"),
        ("create", "", "--scope", "predict"),
        ("revoke", "nobody"),
        ("rotate", "nobody"),
    ],
)
def test_wrong_input_is_one_sentence_and_changes_nothing(root: Path, words: tuple[str, ...]):
    ended = subprocess.run([sys.executable, "-m", "gristmill.cli", "keys", *words], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("gristmill: Expected")
    assert len(ended.stderr.strip().splitlines()) == 1
    assert KeyStore(root).all() == []


def test_no_keys_is_a_sentence_too(root: Path):
    assert "gristmill keys create" in run("list")[0]


@pytest.mark.parametrize("text", ["", "d", "-1d", "1.5", "1 month", "0h", "1y"])
def test_what_is_no_length_of_time_is_refused(text: str):
    with pytest.raises(DurationError):
        duration(text)


def test_lengths_of_time_are_read_short_and_long():
    assert [duration(text) for text in ("90d", "2w", "30m", "5 s", "1 hour")] == [7_776_000, 1_209_600, 1_800, 5, 3_600]
