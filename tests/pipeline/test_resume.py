"""Builds that are killed at any moment, and the builds that follow them (R63)."""

import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from tests.pipeline import toy
from tests.pipeline.test_executor import ran

KILLS = int(os.environ.get("GRISTMILL_KILLS", "10"))
"""How many builds are killed; fifty when asked for."""


def digests(root: Path) -> dict[str, str]:
    """Return the digest of every product that the toy stages make, reports (with their times) excepted."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted((root / "artifacts/toy").glob("[!.]*"))}


def kill_after(root: Path, seconds: float, how: signal.Signals) -> str:
    """Start a build, end it after ``seconds`` and return what it printed."""
    command = [str(toy.BIN / "ploomber"), "build"]
    build = subprocess.Popen(command, cwd=root, env=toy.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        return build.communicate(timeout=seconds)[0]
    except subprocess.TimeoutExpired:
        build.send_signal(how)
        return build.communicate(timeout=120)[0]


def kernels_of(root: Path) -> list[int]:
    """Return the living processes that work in the project's folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").resolve() == root and (entry / "stat").read_text().split()[2] != "Z":
                found.append(int(entry.name))
        except OSError:
            continue
    return found


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """Return a project whose build nobody disturbed, and its seconds."""
    root = toy.make_toy(tmp_path_factory.mktemp("undisturbed") / "project")
    begin = time.monotonic()
    done = toy.ploomber(root, "build")
    assert done.returncode == 0, done.stdout + done.stderr
    return root, time.monotonic() - begin


@pytest.mark.slow
@pytest.mark.parametrize("number", range(KILLS))
def test_a_build_after_a_kill_goes_on_and_ends_the_same(
    number: int, undisturbed: tuple[Path, float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    whole, seconds = undisturbed
    root = toy.make_toy(tmp_path / "project")
    monkeypatch.syspath_prepend(str(root))
    chance = random.Random(number)
    how = chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
    before = kill_after(root, chance.uniform(0.2, 1.0) * seconds, how)
    done = toy.ploomber(root, "build")
    assert done.returncode == 0, done.stdout + done.stderr
    assert digests(root) == digests(whole)
    assert not set(re.findall(r"^\[.*\] (\w+) +done", before, re.MULTILINE)) & set(ran(done.stdout)), "a finished task ran again"
    assert toy.stale_to_ploomber(root) == ()
    deadline = time.monotonic() + 20
    while kernels_of(root):
        assert time.monotonic() < deadline, "a kernel outlived its build"
        time.sleep(0.1)


@pytest.mark.slow
def test_a_forced_build_that_is_killed_leaves_nothing_that_passes_as_finished(undisturbed: tuple[Path, float], tmp_path: Path):
    root = shutil.copytree(undisturbed[0], tmp_path / "project")
    expected = digests(root)
    command = [str(toy.BIN / "ploomber"), "build", "--force"]
    build = subprocess.Popen(command, cwd=root, env=toy.environment(), stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 90
    while (root / "state/builds/toy/02_validate.json").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    build.kill()
    build.communicate()
    done = toy.ploomber(root, "build")
    assert set(ran(done.stdout)) == set(toy.STAGES) - {"01_ingest"}
    assert digests(root) == expected
