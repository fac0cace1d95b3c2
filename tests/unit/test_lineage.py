"""Which code and environment a model comes from (R6, R22)."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from gristmill.lineage import code_version, lineage_tags, lock_digest


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "model.py").write_text("depth = 3\n")
    (tmp_path / "pipeline.yaml").write_text("tasks: []\n")
    return tmp_path


def commit(root: Path) -> str:
    name = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    for command in (["init", "-q"], ["add", "-A"], [*name, "commit", "-q", "-m", "x"]):
        subprocess.run(["git", "-C", str(root), *command], check=True)
    return subprocess.run(["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()


def test_under_version_control_the_commit_is_the_version(root: Path) -> None:
    head = commit(root)
    assert code_version(root) == (head, False)


def test_an_uncommitted_change_of_code_makes_it_dirty_and_one_of_data_does_not(root: Path) -> None:
    head = commit(root)
    (root / "table.csv").write_text("a,b\n")
    assert code_version(root) == (head, False)
    (root / "lib" / "model.py").write_text("depth = 4\n")
    assert code_version(root) == (head, True)


def test_without_version_control_the_content_is_the_version(root: Path) -> None:
    before, dirty = code_version(root)
    assert before.startswith("sha256:")
    assert not dirty
    (root / "lib" / "model.py").write_text("depth = 4\n")
    assert code_version(root)[0] != before
    (root / "lib" / "model.py").write_text("depth = 3\n")
    assert code_version(root)[0] == before


def test_tags_say_what_is_known(root: Path) -> None:
    assert "gristmill.lock_digest" not in lineage_tags(root)
    (root / "requirements.lock").write_text("numpy==2\n")
    tags = lineage_tags(root, "sha256:data")
    assert tags["gristmill.lock_digest"] == lock_digest(root) == hashlib.sha256(b"numpy==2\n").hexdigest()
    assert tags["gristmill.data_digest"] == "sha256:data"
    assert tags["gristmill.code_dirty"] == "false"
