"""A challenger in the shadow, with a share of the traffic, or no more (R34)."""

from pathlib import Path

import pytest
from tests.releasing import GOOD, UNFAIR, add_version, check_whole, make_project
from typer.testing import CliRunner

from gristmill.cli import app
from gristmill.errors import GateError, RegistryError
from gristmill.registry import challenge, promotion, releases
from gristmill.registry.release_text import history_lines


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = make_project(tmp_path / "project")
    for gates in (GOOD, GOOD, UNFAIR):
        add_version(made, "churn", gates)
    promotion.promote("churn", 1, root=made)
    return made


def test_a_challenger_begins_in_the_shadow_gets_a_share_and_goes(root: Path):
    made = challenge.challenge("churn", 2, root=root).release
    assert (made.champion, made.challenger, made.share, made.mode) == (1, 2, 0.0, releases.SHADOW)
    made = challenge.challenge("churn", share=0.25, reason="it looks good", root=root).release
    assert (made.challenger, made.share, made.mode) == (2, 0.25, releases.LIVE)
    made = challenge.challenge("churn", 2, root=root).release
    assert (made.challenger, made.share, made.mode) == (2, 0.0, releases.SHADOW)
    made = challenge.stop("churn", root=root).release
    assert (made.champion, made.challenger, made.share) == (1, None, 0.0)
    assert check_whole(root, "churn", {1}) == 1
    assert "answers 0.25 of the traffic; it looks good" in "\n".join(history_lines("churn", root))


def test_what_is_so_already_is_no_move(root: Path):
    first = challenge.challenge("churn", 2, 0.5, root=root).release
    again = challenge.challenge("churn", 2, 0.5, root=root)
    assert again.entry is None
    assert again.release.token == first.token
    challenge.stop("churn", root=root)
    assert "nothing was moved" in challenge.stop("churn", root=root).notes[0]


def test_a_version_whose_gates_failed_challenges_nobody(root: Path):
    with pytest.raises(GateError, match="disparate_impact"):
        challenge.challenge("churn", 3, 0.1, root=root)
    assert releases.find("churn", root).challenger is None


NONSENSE = [(None, 0.1, "has no challenger"), (2, 0.0, "above 0"), (2, 1.5, "above 0"), (1, 0.1, "is the champion")]


@pytest.mark.parametrize(("version", "share", "said"), NONSENSE)
def test_what_makes_no_sense_is_refused(root: Path, version: int | None, share: float, said: str):
    with pytest.raises(RegistryError, match=said):
        challenge.challenge("churn", version, share, root=root)


@pytest.mark.parametrize("options", [[], ["--shadow", "--stop"], ["--share", "0.1", "--shadow"], ["2", "--stop"]])
def test_the_command_takes_one_of_its_options(root: Path, monkeypatch: pytest.MonkeyPatch, options: list[str]):
    monkeypatch.chdir(root)
    result = CliRunner().invoke(app, ["challenge", "churn", *options])
    assert isinstance(result.exception, RegistryError)
    assert releases.find("churn", root).challenger is None
