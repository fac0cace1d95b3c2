"""Registered versions where models have to be signed: none that nobody vouches for is promoted, or gone back to (R33, R38)."""

from pathlib import Path

import pytest
from tests.releasing import add_version, make_project, model_files
from typer.testing import CliRunner

from gristmill.cli import app
from gristmill.errors import GristmillError
from gristmill.modeling.artifact.model_directory import write_manifest
from gristmill.modeling.artifact.signatures import KEY_VARIABLE, SIGNATURE
from gristmill.paths import ProjectPaths
from gristmill.registry import promotion, releases
from gristmill.registry.references import resolve

KEY, OTHER = "a-key-of-more-than-32-characters-0", "another-key-that-is-as-long-as-it-0"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = make_project(tmp_path / "project")
    monkeypatch.chdir(made)
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    return made


def test_a_version_that_is_not_signed_is_not_promoted_until_it_is(root: Path, monkeypatch: pytest.MonkeyPatch):
    number = add_version(root, "churn")
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    with pytest.raises(GristmillError, match="not signed"):
        promotion.promote("churn", number, root=root)
    assert releases.find("churn", root).champion is None
    said = CliRunner().invoke(app, ["sign", f"churn/{number}"], catch_exceptions=False)
    assert said.output.startswith("Signed")
    promotion.promote("churn", number, root=root)
    assert releases.find("churn", root).champion == number


def test_a_version_that_is_signed_with_another_key_is_not_promoted(root: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(KEY_VARIABLE, OTHER)
    number = add_version(root, "churn")
    assert (model_files(root, "churn", number) / SIGNATURE).is_file()
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    with pytest.raises(GristmillError, match="another key"):
        promotion.promote("churn", number, root=root)


def test_signing_a_version_holds_it_against_the_registry_first(root: Path, monkeypatch: pytest.MonkeyPatch):
    number = add_version(root, "churn")
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    found = resolve(f"churn/{number}", ProjectPaths(root))
    (found.directory / "model.json").write_text("replaced")
    write_manifest(found.directory, "churn")
    (found.directory / SIGNATURE).unlink()
    with pytest.raises(GristmillError, match="digest"):
        CliRunner().invoke(app, ["sign", f"churn/{number}"], catch_exceptions=False)
    assert not (found.directory / SIGNATURE).exists()
