"""What unit tests of several folders share: one real tracking store, made once."""

import pytest

from gristmill import tracking
from gristmill.paths import ProjectPaths


@pytest.fixture(scope="session")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> ProjectPaths:
    """Return a project with an MLflow store of its own; tests share it and use case names of their own."""
    root = tmp_path_factory.mktemp("tracked project")
    (root / "pipeline.yaml").write_text("tasks: []\n")
    tracking.connect(root)
    return ProjectPaths(root)
