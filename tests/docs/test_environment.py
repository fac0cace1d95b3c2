"""The environment: locks, the conda twin, and what is switched off in it."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from gristmill.environment import USAGE_REPORTING_OFF, embedded_tracking_uri, find_project_root

PIN = re.compile(r"^([A-Za-z0-9_.-]+)==([^ ]+)(?: ; (.*))? \\$", re.MULTILINE)


def pins(text: str) -> set[tuple[str, str, str]]:
    return {(name, version, marker) for name, version, marker in PIN.findall(text)}


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock", "requirements-uv.lock"])
def test_every_locked_package_has_hashes_and_no_address(repository: Path, name: str):
    text = (repository / name).read_text(encoding="utf-8")
    assert "://" not in text
    blocks = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert blocks
    assert all(PIN.match(block) and "--hash=sha256:" in block for block in blocks)


def test_conda_users_get_the_versions_of_the_lock(repository: Path):
    environment = yaml.safe_load((repository / "environment.yml").read_text(encoding="utf-8"))
    pip = next(part["pip"] for part in environment["dependencies"] if isinstance(part, dict))
    wanted = {
        str(Requirement(f"{name}=={version}" + (f" ; {marker}" if marker else "")))
        for name, version, marker in pins((repository / "requirements.lock").read_text(encoding="utf-8"))
    }
    assert {str(Requirement(line)) for line in pip if line != "-e ."} == wanted


def test_the_two_locks_agree_where_they_overlap(repository: Path):
    run, dev = (pins((repository / name).read_text(encoding="utf-8")) for name in ("requirements.lock", "requirements-dev.lock"))
    assert run <= dev


def test_every_direct_dependency_is_locked_and_its_choice_explained(repository: Path):
    locked = {name.lower() for name, _, _ in pins((repository / "requirements-dev.lock").read_text(encoding="utf-8"))}
    direct = direct_dependencies(repository)
    reasons = (repository / "docs" / "decisions" / "dependencies.md").read_text(encoding="utf-8")
    assert direct - locked == {"torch"}  # `make setup-torch` installs it, at the version that the Makefile states
    assert not {name for name in direct if f"| {name} |" not in reasons.lower()}


def direct_dependencies(repository: Path) -> set[str]:
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = project["dependencies"] + [line for extra in project["optional-dependencies"].values() for line in extra]
    return {Requirement(line).name.lower() for line in lines}


def environment_of(folder: Path, **given: str) -> dict[str, str]:
    """Return the environment that a Python started in ``folder`` ends up with, importing nothing of ours."""
    theirs = {*USAGE_REPORTING_OFF, "MLFLOW_TRACKING_URI", "MLFLOW_BACKEND_STORE_URI"}
    outer = {name: value for name, value in os.environ.items() if name not in theirs}
    script = "import os; print('\\n'.join(f'{k}={v}' for k, v in os.environ.items()))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, env={**outer, **given}, capture_output=True, text=True, check=True
    )
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)


def test_usage_reporting_is_off_in_any_python_of_the_environment(tmp_path: Path):
    assert USAGE_REPORTING_OFF.items() <= environment_of(tmp_path).items()


def test_a_choice_of_the_user_is_left_alone(tmp_path: Path):
    assert environment_of(tmp_path, MLFLOW_TRACKING_URI="http://127.0.0.1:5000")["MLFLOW_TRACKING_URI"] == "http://127.0.0.1:5000"


def test_mlflow_finds_the_store_of_the_project_it_is_started_in(tmp_path: Path):
    (tmp_path / "pipeline.yaml").touch()
    (tmp_path / "notebooks").mkdir()
    assert environment_of(tmp_path / "notebooks")["MLFLOW_TRACKING_URI"] == embedded_tracking_uri(str(tmp_path))


def test_mlflow_s_own_server_shows_the_store_of_the_project(tmp_path: Path):
    (tmp_path / "pipeline.yaml").touch()
    script = "import mlflow.cli; print(next(p.envvar for p in mlflow.cli.server.params if p.name == 'backend_store_uri'))"
    asked = subprocess.run([sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, check=True)
    assert environment_of(tmp_path)[asked.stdout.strip()] == embedded_tracking_uri(str(tmp_path))


def test_mlflow_s_own_server_is_left_alone_where_the_user_names_a_store(tmp_path: Path):
    (tmp_path / "pipeline.yaml").touch()
    assert "MLFLOW_BACKEND_STORE_URI" not in environment_of(tmp_path, MLFLOW_TRACKING_URI="http://127.0.0.1:5000")


def test_outside_a_project_mlflow_is_left_alone(tmp_path: Path):
    assert find_project_root(str(tmp_path)) is None
    assert "MLFLOW_TRACKING_URI" not in environment_of(tmp_path)


def test_ploomber_reports_nothing_in_any_python_of_the_environment(tmp_path: Path):
    outer = {name: value for name, value in os.environ.items() if name not in {*USAGE_REPORTING_OFF, "CI"}}
    script = "from ploomber_core.telemetry.telemetry import check_telemetry_enabled; print(check_telemetry_enabled())"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], cwd=tmp_path, env=outer, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
