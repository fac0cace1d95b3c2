"""A look at performance on demand, by a process of its own: its memory and its seconds are not those of the app."""

import subprocess
import sys

from gristmill.errors import ArtifactError
from gristmill.paths import CasePaths

SECONDS = 600
BAD_INPUT = 2
WORSE = 3


def look_now(paths: CasePaths) -> list[str]:
    """Run ``gristmill performance`` on a case, and return the lines that it says.

    Raises
    ------
    ArtifactError
        It could not look; the message is the command's own.
    """
    command = [sys.executable, "-m", "gristmill.cli", "performance", paths.name]
    done = subprocess.run(command, cwd=paths.root, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode not in (0, WORSE):
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise ArtifactError(said[-1] if said else f"`gristmill performance {paths.name}` ended with code {done.returncode}.")
    return done.stdout.splitlines()
