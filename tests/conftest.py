"""What all tests share: a clean environment, and projects in temporary folders."""

import importlib.util
import os
import shutil
import signal
from pathlib import Path

import pytest
from hypothesis import settings

REPOSITORY = Path(__file__).resolve().parents[1]

for name in ("MLFLOW_TRACKING_URI", "MLFLOW_BACKEND_STORE_URI"):  # each test project has a store of its own
    os.environ.pop(name, None)
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # makes every kernel compile its imports again
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell leaves it for what it starts with `&`: builds would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("same examples", derandomize=True)  # a run on the same code fails or passes again
settings.load_profile("same examples")

needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None and not os.environ.get("CI"), reason="needs the extra `torch`: make setup-torch"
)
"""Marks a test that trains with PyTorch; where CI runs, it has to be there."""


@pytest.fixture(scope="session")
def repository() -> Path:
    """Return the folder of the repository under test."""
    return REPOSITORY


LONGEST_FIRST = (
    "pipeline/test_what_is_released",
    "pipeline/test_tables",
    "pipeline/test_training_again",
    "pipeline/test_resume",
    "pipeline/test_dag",
    "unit/data/setup/test_first_stages",
    "notebooks/test_quickstart",
    "pipeline/test_lab_in_browser",
    "pipeline/test_executor",
    "pipeline/test_build_in_process",
    "pipeline/test_bad_input",
    "unit/data/snapshots/test_remote",
    "pipeline/test_staleness",
    "unit/registry/test_registration",
    "unit/test_state_database",
    "unit/registry/test_crashes",
    "unit/modeling/search/test_study",
    "unit/test_tracking",
)
"""Files whose tests take longest. A worker gets a file at a time: one that is left for the end would keep the others waiting."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first; within a file, and behind them, the order stays."""
    place = {REPOSITORY / "tests" / f"{name}.py": number for number, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: place.get(item.path, len(place)))


def open_to_all(folder: Path) -> None:
    """Let every user of the machine into a temporary folder."""
    for one in (folder, *folder.parents):
        if one.stat().st_mode & 0o005 != 0o005:
            one.chmod(0o755)


def copy_project(folder: Path) -> Path:
    """Copy what a build needs into ``folder``, without any case, and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    dags = [f"{kind}{name}.yaml" for kind in ("pipeline", "env") for name in ("", ".score", ".monitor")]
    for name in (*dags, "pyproject.toml", "requirements.lock"):
        shutil.copy(REPOSITORY / name, folder / name)
    shutil.copytree(REPOSITORY / "notebooks", folder / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    (folder / "configs").mkdir()
    return folder


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty project in a temporary folder, and work in it."""
    root = copy_project(tmp_path / "project")
    monkeypatch.chdir(root)
    return root


def write_case(root: Path, text: str, name: str = "small") -> Path:
    """Write a case file of the project at ``root``."""
    path = root / "configs" / f"{name}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
