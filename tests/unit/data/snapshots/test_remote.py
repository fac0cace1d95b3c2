"""Snapshots and their split go to a remote and come back, by real DVC, with real git and without (R6)."""

import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
import yaml
from tests.conftest import copy_project, write_case
from tests.unit.data.conftest import keyed, take_version

from gristmill.config.loading import load_case
from gristmill.data.snapshots import history, remote, snapshot
from gristmill.data.snapshots.snapshot import Snapshot
from gristmill.data.splits import stored
from gristmill.data.splits.assignment import assign
from gristmill.errors import ArtifactError
from gristmill.paths import CasePaths, ProjectPaths

ROWS = "n,plan,y\n" + "".join(f"{n},{'pro' if n % 3 else 'basic'},{'yes' if n % 2 else 'no'}\n" for n in range(60))
MORE = ROWS + "60,pro,yes\n"


def git(folder: Path, *arguments: str) -> str:
    who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
    done = subprocess.run(["git", *arguments], cwd=folder, env={**os.environ, **who}, capture_output=True, text=True, check=True)
    return done.stdout


def divide(paths: CasePaths, taken: Snapshot) -> pd.DataFrame:
    """Split a snapshot as ``02_validate`` does, and store its part of the line."""
    case = load_case("small", paths.root)
    rows = keyed(snapshot.load(paths.root / taken.path), case)
    line = stored.open_line(paths, case, taken.uri)
    split = assign(rows, case, line=line)
    stored.keep(paths, case, taken.uri, line, rows, split, product=paths.artifacts / "line.json")
    return split


def split_files(paths: CasePaths) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(paths.splits.glob("*/*")) if file.suffix != ".dvc"}


@dataclass(frozen=True)
class Shared:
    """A project in git whose two versions and their splits were pushed, and the folder they were pushed to."""

    paths: CasePaths
    folder: Path
    digests: tuple[str, str]
    splits: tuple[pd.DataFrame, pd.DataFrame]

    def clone(self, to: Path) -> CasePaths:
        """Clone the project with a remote of its own, which a test may spoil."""
        git(to.parent, "clone", "--quiet", str(self.paths.root), str(to))
        shutil.copytree(self.folder, to.parent / "remote")
        return ProjectPaths(to).case("small")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Shared:
    top = tmp_path_factory.mktemp("shared")
    root = copy_project(top / "project")
    shutil.copy(repository / ".gitignore", root / ".gitignore")
    write_case(root, "name: small\ntask: binary\nsource: rows.csv\ntarget: y\npositive_class: yes\n")
    paths = ProjectPaths(root).case("small")
    git(root, "init", "--quiet")
    taken = [take_version(paths, text) for text in (ROWS, MORE)]
    digests, splits = tuple(one.digest for one in taken), tuple(divide(paths, one) for one in taken)
    (root / "rows.csv").rename(top / "rows.csv")  # the table itself is not committed
    done = remote.push(paths, remote=str(top / "store"))
    assert (done.digests, done.remote, done.split) == (digests, "gristmill", True)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "-m", "all")
    return Shared(paths, top / "store", digests, splits)  # type: ignore[arg-type]


def test_only_pointers_and_settings_are_committed_and_the_snapshot_stays_as_it_was(shared: Shared):
    committed = git(shared.paths.root, "ls-files", "data", ".dvc").split()
    pointers = [f"data/snapshots/{digest}.parquet.dvc" for digest in sorted(shared.digests)]
    (line,) = shared.paths.splits.glob("*/")
    places = [f"{line.relative_to(shared.paths.root)}/{name}.dvc" for name in ("0001.parquet", "0002.parquet", "line.json")]
    assert sorted(committed) == [".dvc/.gitignore", ".dvc/config", *pointers, *places]
    file = snapshot.verified(shared.paths.project.snapshots / f"{shared.digests[0]}.parquet")
    assert file.stat().st_mode & 0o222 == 0


def test_a_fresh_clone_pulls_every_version_and_can_go_back_to_any(shared: Shared, tmp_path: Path):
    clone = shared.clone(tmp_path / "clone")
    with pytest.raises(ArtifactError, match=r"bring back what was pushed: `gristmill data pull small`"):
        history.versions(clone)
    assert not clone.history.exists()
    with pytest.raises(ArtifactError, match=r"0001\.parquet was pushed to a remote.*`gristmill data pull small`"):
        stored.open_line(clone, load_case("small", clone.root), "rows.csv")
    done = remote.pull(clone)
    assert (done.digests, done.split) == (shared.digests, True)
    assert [version.digest for version in history.versions(clone)] == list(shared.digests)
    history.restore(clone, shared.digests[0][:10])
    kept = history.restored(clone)
    assert kept is not None
    assert len(snapshot.load(clone.root / kept.path)) == 60
    assert (clone.root / kept.path).stat().st_mode & 0o222 == 0
    assert split_files(clone) == split_files(shared.paths)
    second, case = history.find(clone, shared.digests[1]).snapshot, load_case("small", clone.root)
    pd.testing.assert_frame_equal(divide(clone, second), shared.splits[1])
    fresh = assign(keyed(snapshot.load(clone.root / second.path), case), case)
    assert (fresh["split"] != shared.splits[1]["split"]).any()  # what the clone would have drawn without the line
    before = clone.history.read_text()
    assert remote.pull(clone, shared.digests[0][:6]).digests == shared.digests[:1]
    assert clone.history.read_text() == before


def test_another_split_than_was_pushed_is_neither_overwritten_nor_pushed_over_it(shared: Shared, tmp_path: Path):
    clone = shared.clone(tmp_path / "clone")
    pointers = list(clone.splits.glob("*/*.dvc"))
    kept = {file: file.read_bytes() for file in pointers}
    for file in pointers:
        file.unlink()
    divide(clone, take_version(clone, MORE))
    for file, content in kept.items():
        file.write_bytes(content)
    drawn = split_files(clone)
    with pytest.raises(ArtifactError, match=r"0001\.parquet is not the file that was pushed.*another `split\.random_state`"):
        remote.pull(clone)
    assert split_files(clone) == drawn
    assert not (clone.project.snapshots / f"{shared.digests[0]}.parquet").exists()
    with pytest.raises(ArtifactError, match=r"0002\.parquet was pushed to a remote"):
        remote.push(clone)
    next(clone.splits.glob("*/0002.parquet.dvc")).unlink()
    with pytest.raises(ArtifactError, match=r"0001\.parquet is not the file that was pushed"):
        remote.push(clone)


def test_a_pull_brings_again_what_a_killed_one_left_damaged(shared: Shared, tmp_path: Path):
    clone = shared.clone(tmp_path / "clone")
    remote.pull(clone, remote=str(tmp_path / "remote"))
    snapshot_file = clone.project.snapshots / f"{shared.digests[0]}.parquet"
    for file in (*(pointer.with_suffix("") for pointer in clone.splits.glob("*/*.dvc")), snapshot_file):
        file.chmod(0o644)
        os.truncate(file, file.stat().st_size // 2)  # DVC's own copy as well: it is a link to the same file
    with pytest.raises(ArtifactError, match=r"is not whole.*`gristmill data pull small`"):
        stored.open_line(clone, load_case("small", clone.root), "rows.csv")
    assert remote.pull(clone).digests == shared.digests
    assert split_files(clone) == split_files(shared.paths)
    assert len(snapshot.load(snapshot_file)) == 60


def test_a_remote_that_a_person_configured_is_not_replaced(shared: Shared, tmp_path: Path):
    clone = shared.clone(tmp_path / "clone")
    config = clone.root / ".dvc" / "config"
    config.write_text("[core]\n    remote = ours\n['remote \"gristmill\"']\n    url = s3://bucket/theirs/\n"
                      "['remote \"ours\"']\n    url = ../../ours\n")  # fmt: skip
    before, settings = config.read_text(), clone.root / ".dvc" / "config.local"
    with pytest.raises(ArtifactError, match=r"'gristmill' already, at s3://bucket/theirs, and it was left as it is.*NAME /"):
        remote._remote(clone.root, str(tmp_path / "new"), "push")
    assert remote._remote(clone.root, "s3://bucket/theirs", "push") == "gristmill"
    assert remote._remote(clone.root, str(tmp_path / "ours"), "push") == "ours"
    assert remote._remote(clone.root, str(tmp_path / "remote"), "pull") == "gristmill"  # for this copy of the project alone
    assert config.read_text() == before
    (tmp_path / "other").mkdir()
    with pytest.raises(ArtifactError, match=r"'gristmill' already, at .*remote, and it was left"):
        remote._remote(clone.root, str(tmp_path / "other"), "pull")
    assert str(tmp_path / "remote") in settings.read_text()


def test_a_file_of_the_split_that_is_not_what_was_pushed_is_not_kept(shared: Shared, tmp_path: Path):
    clone = shared.clone(tmp_path / "clone")
    first, second, _ = sorted(clone.splits.glob("*/*.dvc"))
    whole = first.read_bytes()
    other = yaml.safe_load(second.read_text())["outs"][0]
    cached = next(file for file in (tmp_path / "remote").rglob(other["md5"][2:]))
    cached.chmod(0o644)
    cached.write_bytes(b"x" * other["size"])
    with pytest.raises(ArtifactError, match="does not have a file that a pointer names, or not whole"):
        remote.pull(clone, remote=str(tmp_path / "remote"))
    assert not second.with_suffix("").exists()
    assert not clone.history.exists()
    assert first.read_bytes() == whole
    with pytest.raises(ArtifactError, match=r"0002\.parquet was pushed to a remote"):
        stored.open_line(clone, load_case("small", clone.root), "rows.csv")


def test_a_damaged_file_of_the_remote_is_not_kept_and_a_mended_one_is(shared: Shared, tmp_path: Path):
    clone = shared.clone(tmp_path / "clone")
    files = [file for file in (tmp_path / "remote").rglob("*") if file.is_file()]
    whole = {file: file.read_bytes() for file in files}
    for file in files:
        file.chmod(0o644)
        file.write_bytes(b"x" * len(whole[file]))
    with pytest.raises(ArtifactError, match="does not have a file that a pointer names, or not whole"):
        remote.pull(clone, remote=str(tmp_path / "remote"))
    assert list(clone.project.snapshots.glob("*.parquet")) == []
    assert not clone.history.exists()
    for file, content in whole.items():
        file.write_bytes(content)
    assert remote.pull(clone, remote="gristmill").digests == shared.digests


def test_what_the_remote_does_not_have_is_said(shared: Shared, tmp_path: Path):
    clone = shared.clone(tmp_path / "clone")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArtifactError, match="'gristmill' cannot be reached, or does not have a file"):
        remote.pull(clone, shared.digests[0], str(tmp_path / "empty"))
    with pytest.raises(ArtifactError, match=r"no folder .*nowhere"):
        remote.pull(clone, remote=str(tmp_path / "nowhere"))
    with pytest.raises(ArtifactError, match=r"No pointer file .* 'small' that begins with '0000'"):
        remote.pull(clone, "0000")
    assert list(clone.project.snapshots.glob("*.parquet")) == []


def test_what_comes_back_is_held_against_the_digest_whatever_dvc_says(shared: Shared, tmp_path: Path):
    clone = shared.clone(tmp_path / "clone")
    first, second = (clone.project.snapshots / f"{digest}.parquet.dvc" for digest in shared.digests)
    other = yaml.safe_load(second.read_text())["outs"][0]
    content = yaml.safe_load(first.read_text())
    content["outs"][0].update(md5=other["md5"], size=other["size"])
    first.write_text(yaml.safe_dump(content))
    with pytest.raises(ArtifactError, match="is not what was pushed: its content has another digest"):
        remote.pull(clone, shared.digests[0])
    assert list(clone.project.snapshots.glob("*.parquet")) == []
    assert not clone.history.exists()


def test_a_pointer_changed_by_hand_is_refused(shared: Shared, tmp_path: Path):
    clone = shared.clone(tmp_path / "clone")
    pointer = clone.project.snapshots / f"{shared.digests[0]}.parquet.dvc"
    pointer.write_text("outs: []\n")
    with pytest.raises(ArtifactError, match="Bring it back from version control"):
        remote.pull(clone)


def test_a_project_without_git_and_without_a_remote_can_push_after_naming_one(small, tmp_path: Path):
    taken = take_version(small, ROWS)
    with pytest.raises(ArtifactError, match="No remote is configured"):
        remote.push(small)
    with pytest.raises(ArtifactError, match="may not hold a password"):
        remote.push(small, remote="https://me:secret@host/data")
    assert remote.push(small, taken.digest[:8], str(tmp_path / "store")).pointers == (f"{taken.path}.dvc",)
    (small.root / taken.path).unlink()
    small.history.unlink()
    shutil.rmtree(small.root / ".dvc" / "cache")
    assert remote.pull(small).digests == (taken.digest,)
    assert history.current(small).digest == taken.digest


def test_nothing_is_pushed_that_is_damaged_or_was_never_taken(small, tmp_path: Path):
    with pytest.raises(ArtifactError, match="No version of the source of 'small'"):
        remote.push(small, remote=str(tmp_path / "store"))
    file = small.root / take_version(small, ROWS).path
    file.chmod(0o644)
    file.write_bytes(b"other")
    with pytest.raises(ArtifactError, match="was changed after it was taken"):
        remote.push(small, remote=str(tmp_path / "store"))
    assert not (small.root / ".dvc").exists()


def test_without_dvc_the_extra_is_named(small, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ArtifactError, match=r"gristmill\[dvc\]"):
        remote.pull(small)


@pytest.mark.slow
def test_a_clone_goes_on_with_the_line_and_brings_only_what_it_lacks(shared: Shared, tmp_path: Path):
    clone = shared.clone(tmp_path / "clone")
    remote.pull(clone, remote=str(tmp_path / "remote"))
    divide(clone, take_version(clone, MORE + "61,pro,no\n62,basic,yes\n"))
    grown = split_files(clone)
    assert len(grown) == 4
    next(clone.splits.rglob("0002.parquet")).unlink()
    remote.pull(clone)
    assert split_files(clone) == grown
    assert [Path(file).name for file in remote.push(clone).pointers][-2:] == ["0002.parquet.dvc", "0003.parquet.dvc"]


@pytest.mark.slow
def test_a_second_push_changes_nothing(shared: Shared):
    pointers = [*(shared.paths.root / "data").rglob("*.dvc"), shared.paths.root / ".dvc" / "config"]
    remote_files = [file for file in shared.folder.rglob("*") if file.is_file()]
    before = {file: file.read_bytes() for file in pointers}, {f: f.stat().st_mtime_ns for f in remote_files}
    assert remote.push(shared.paths).digests == shared.digests
    assert ({file: file.read_bytes() for file in pointers}, {f: f.stat().st_mtime_ns for f in remote_files}) == before
    assert git(shared.paths.root, "status", "--porcelain", "data", ".dvc") == ""


@pytest.mark.slow
def test_a_clone_builds_the_same_split_from_exactly_the_snapshot_that_it_pulled(tmp_path: Path, repository: Path):
    def build(paths: CasePaths) -> pd.DataFrame:
        command = [str(Path(sys.executable).parent / "ploomber"), "build", "--partially", "02_validate", "--env--case", "small"]
        subprocess.run(command, cwd=paths.root, check=True, capture_output=True)
        return pd.read_parquet(paths.artifacts / "split.parquet")

    root = copy_project(tmp_path / "project")
    shutil.copy(repository / ".gitignore", root / ".gitignore")
    write_case(root, "name: small\ntask: binary\nsource: rows.csv\ntarget: y\npositive_class: yes\n")
    paths, splits = ProjectPaths(root).case("small"), []
    git(root, "init", "--quiet")
    lines = [f"{n * 7919 % 1009 / 10},{'pro' if n % 3 else 'basic'},{'yes' if n * 31 % 7 < 3 else 'no'}\n" for n in range(150)]
    for n_rows in (120, 150):
        (root / "rows.csv").write_text("".join(["n,plan,y\n", *lines[:n_rows]]))
        splits.append(build(paths))
    (root / "rows.csv").unlink()
    done = remote.push(paths, remote=str(tmp_path / "store"))
    git(root, "add", *done.pointers, ".")
    git(root, "commit", "--quiet", "-m", "all")
    git(tmp_path, "clone", "--quiet", str(root), str(tmp_path / "clone"))
    clone = ProjectPaths(tmp_path / "clone").case("small")
    remote.pull(clone)
    history.restore(clone, done.digests[1])
    pd.testing.assert_frame_equal(build(clone), splits[1])
    assert done.digests[1] in (clone.artifacts / "snapshot.json").read_text()
    case = load_case("small", clone.root)
    fresh = assign(keyed(snapshot.load(clone.project.snapshots / f"{done.digests[1]}.parquet"), case), case)
    assert (fresh["split"].to_numpy() != splits[1]["split"].to_numpy()).any()
