"""``gristmill score`` as it is run in a terminal."""

import os
import pty
import subprocess
import sys
from pathlib import Path

from tests.models import customers, save_model


def test_a_bar_is_drawn_on_a_terminal(tmp_path: Path) -> None:
    save_model(tmp_path / "model")
    customers(60).to_csv(tmp_path / "in.csv", index=False)
    ours, theirs = pty.openpty()
    files = [str(tmp_path / name) for name in ("in.csv", "out.csv", "model")]
    command = [sys.executable, "-m", "gristmill.cli", "score", *files[:2], "--model", files[2]]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, text=True, check=True, timeout=300)
    os.close(theirs)
    drawn = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert "Scoring" in drawn
    assert "100%" in drawn
    assert done.stdout.startswith("Wrote 60 predictions to")
