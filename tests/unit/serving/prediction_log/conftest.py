"""A project whose prediction log is in a fresh SQLite file, or in a fresh database of a real PostgreSQL."""

from pathlib import Path
from uuid import uuid4

import pytest
from tests.postgres import Postgres

from gristmill.state_postgres import URL_VARIABLE


@pytest.fixture
def postgres_root(server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project whose state is in a fresh database of PostgreSQL."""
    name = f"log_{uuid4().hex}"
    server.run(f"CREATE DATABASE {name}")
    monkeypatch.setenv(URL_VARIABLE, f"postgresql://postgres@/{name}?host={server.folder}")
    return tmp_path


@pytest.fixture(params=["sqlite", "postgres"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a project with an empty log, in both databases by turns."""
    return Path(request.getfixturevalue("postgres_root")) if request.param == "postgres" else tmp_path
