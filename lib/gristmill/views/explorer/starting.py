"""What is asked before the explorer starts, so that a person reads one sentence and not an error of a page."""

import sys
from pathlib import Path

from gristmill.config.loading import load_case
from gristmill.errors import GristmillError
from gristmill.paths import project_paths
from gristmill.views.explorer.evaluated import require_products

TEMPLATES = Path(__file__).parent / "page"
"""Folder of the explorer's page, laid out as Jupyter lays out its own."""


def require_built(case: str) -> None:
    """Leave with one sentence and exit code 2 unless the case has been built.

    Parameters
    ----------
    case
        Name of the case to explore.
    """
    try:
        paths = project_paths().case(case)
        load_case(case, paths.root)
        require_products(paths)
    except GristmillError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(2) from error
