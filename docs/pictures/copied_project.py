"""A copy of the project to take pictures of, with something in its log to look at."""

import shutil
import subprocess
import sys
from pathlib import Path

PARTS = ("app", ".streamlit", "configs", "notebooks", "docs", "artifacts", "reports", "data", "mlruns", "state")
FILES = ("*.yaml", "requirements.lock", "pyproject.toml")
HISTORY = ("log", "replay", "churn", "data/snapshots", "--days", "30", "--labels-after", "7")


def copied(root: Path, folder: Path) -> Path:
    """Return a copy of what a build made, and of what shows it."""
    if not (root / "artifacts").is_dir():
        sys.exit("Expected a built project, found no artifacts/. Build one first: make run")
    for part in PARTS:
        if (root / part).is_dir():
            shutil.copytree(root / part, folder / part, symlinks=True)
    for pattern in FILES:
        for file in root.glob(pattern):
            shutil.copy2(file, folder)
    return folder


def filled(project: Path) -> None:
    """Fill the prediction log with a month of the training table's rows, with labels that came a week later."""
    table = next((project / "data" / "snapshots").glob("*.parquet"))
    words = [word if word != "data/snapshots" else str(table) for word in HISTORY]
    for command in (words, ["performance", "churn"]):
        done = subprocess.run(
            [sys.executable, "-m", "gristmill.cli", *command], cwd=project, capture_output=True, text=True, check=False
        )
        if done.returncode not in (0, 3):
            sys.exit(f"gristmill {' '.join(command)} ended with {done.returncode}: {done.stderr[-2000:]}")
