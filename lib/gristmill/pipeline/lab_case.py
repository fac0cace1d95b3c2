"""Which case a notebook opened by hand works on."""

import os
from pathlib import Path

import yaml

CASE_VARIABLE = "GRISTMILL_CASE"
"""Names the case whose inputs notebooks open with; ``env.yaml``'s default without it."""


def current_case(root: Path) -> str:
    """Return the case that the environment names, or the default of ``env.yaml``."""
    named = os.environ.get(CASE_VARIABLE)
    if named:
        return named
    file = root / os.environ.get("PLOOMBER_ENV_FILENAME", "env.yaml")
    return str(yaml.safe_load(file.read_text(encoding="utf-8"))["case"])
