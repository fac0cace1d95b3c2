"""The commands of the Makefile."""

import re
import subprocess
from pathlib import Path


def test_make_alone_explains_every_command(repository: Path):
    targets = re.findall(r"^([a-z-]+):.*##", (repository / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    shown = subprocess.run(["make"], cwd=repository, capture_output=True, text=True, check=True).stdout
    assert [line.split()[1] for line in shown.splitlines() if line.startswith("  make ")] == targets
    assert len(targets) <= 15


def test_the_bytecode_switch_of_the_shell_does_not_reach_the_build(repository: Path):
    assert "unexport PYTHONDONTWRITEBYTECODE" in (repository / "Makefile").read_text(encoding="utf-8")
