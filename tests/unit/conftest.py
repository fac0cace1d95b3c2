"""What unit tests of several folders share: one real tracking store and one PostgreSQL, each made once."""

from collections.abc import Iterator

import pytest
from tests.postgres import Postgres, started
from tests.releasing import make_project

from gristmill.paths import ProjectPaths


@pytest.fixture(scope="session")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> ProjectPaths:
    """Return a project with an MLflow store of its own; tests share it and use case names of their own."""
    return ProjectPaths(make_project(tmp_path_factory.mktemp("tracked project")))


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    """Start a PostgreSQL; whoever uses it makes tables and databases of its own."""
    with started() as running:
        yield running
